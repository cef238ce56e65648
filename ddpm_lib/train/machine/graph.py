"""A training step as one CUDA graph: the host launches one thing where it would launch two thousand.

The graph holds the forward and backward pass, the clipping and the optimizer. What differs between steps (images,
labels, t, eps, learning rate) is drawn as `train` draws it and copied into the graph's inputs, and the average is
updated outside. So `train_graphed` takes the steps of `train`, but for rounding; `quickest.py` checks that before it
is trusted. Nothing in a step waits for the device.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ddpm_lib.denoiser import Labels, Times, X
from ddpm_lib.diffusion import GaussianDiffusion
from ddpm_lib.loss import draw_t, simple_loss, t_weights
from ddpm_lib.models import Network, classes_of
from ddpm_lib.train.config import Machine, TrainConfig
from ddpm_lib.train.loop import Batch, lr_factor, mirror_half
from ddpm_lib.train.machine.backward import Backward, autocast
from ddpm_lib.train.machine.processes import Processes
from ddpm_lib.train.progress import Progress, Report
from ddpm_lib.train.state import TrainState, share_done, start

# Steps taken as usual before one is recorded: libraries choose their algorithms in them.
WARM_UP = 3


class GraphedStep:
    """Forward, backward and optimizer step on inputs that stay where they are; `record=False` records nothing."""

    def __init__(
        self,
        state: TrainState,
        diffusion: GaussianDiffusion,
        config: TrainConfig,
        machine: Machine,
        record: bool = True,
    ) -> None:
        self.state, self.diffusion, self.config, self.record = state, diffusion, config, record
        self.precision = machine.precision
        Backward(state, machine, Processes())  # which lays the weights out in memory
        self.device = state.generator.device
        self.lr = torch.tensor(config.lr, device=self.device)
        for group in state.optimizer.param_groups:
            group["lr"], group["capturable"] = self.lr, True
        self.inputs: tuple[Tensor, Tensor, Tensor, Tensor | None] | None = None
        self.graph: torch.cuda.CUDAGraph | None = None
        self.loss = torch.zeros((), device=self.device)
        self.taken = 0

    def __call__(
        self,
        x0: X,
        t: Times,
        eps: X,
        y: Labels | None,
        lr: float,
    ) -> Float[Tensor, ""]:
        """One step; the loss stays on the device and is overwritten by the next."""
        given = (x0, t, eps, y)
        if self.inputs is None:
            self.inputs = tuple(None if each is None else each.clone() for each in given)  # type: ignore[assignment]
        else:
            for kept, new in zip(self.inputs, given, strict=True):
                if kept is not None and new is not None:
                    kept.copy_(new)
        self.lr.fill_(lr)
        if not self.record:
            self.loss = self._step()
        elif self.taken < WARM_UP:
            self._beside()
        else:
            if self.graph is None:
                self._record()
            assert self.graph is not None
            self.graph.replay()
        self.taken += 1
        return self.loss

    def _step(self) -> Tensor:
        assert self.inputs is not None
        x0, t, eps, y = self.inputs
        model, optimizer = self.state.model, self.state.optimizer
        optimizer.zero_grad(set_to_none=True)
        with autocast(self.device, self.precision):
            loss = simple_loss(model, self.diffusion, x0, t, eps, y)
        loss.backward()
        if self.config.clip:
            nn.utils.clip_grad_norm_(model.parameters(), self.config.clip)
        optimizer.step()
        return loss.detach()

    def _beside(self) -> None:
        # On a stream of its own, as recording will be, so that no tensor is tied to the usual one.
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            self.loss = self._step()
        torch.cuda.current_stream().wait_stream(side)

    def _record(self) -> None:
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            self.loss = self._step()
        self.graph = graph


def train_graphed(
    model: Network,
    diffusion: GaussianDiffusion,
    batches: Callable[[int], Batch],
    config: TrainConfig,
    state: TrainState | None = None,
    machine: Machine | None = None,
    *,
    record: bool = True,
) -> Iterator[Progress]:
    """`train` in one process on one GPU, each step replayed from a graph; dropout draws other features than there.

    Raises TrainingError when the loss is not finite, and whatever torch raises where a step cannot be recorded.
    """
    state = state or start(model, config)
    step, rng = GraphedStep(state, diffusion, config, machine or Machine(), record), state.generator
    weights = t_weights(diffusion.schedule, config.draw_t).to(rng.device, torch.float32)
    classes, report = classes_of(state.model.config), Report(state, config, Processes())
    state.model.train()
    while (share := share_done(state, config)) < 1:
        lr = config.lr * lr_factor(share, config)
        x0, y = batches(state.step)
        t = draw_t(len(x0), weights, rng)
        eps = torch.randn(x0.shape, generator=rng, device=rng.device)
        if classes and y is not None:
            y = torch.where(
                torch.rand(len(x0), generator=rng, device=rng.device) < config.label_drop, classes, y
            )
        if config.flip:
            x0 = mirror_half(x0, torch.rand(len(x0), generator=rng, device=rng.device))
        loss = step(x0, t, eps, y if classes else None, lr).clone()
        state.ema.update(state.model, state.step)
        state.step += 1
        if progress := report.after_step(loss, lr, len(x0)):
            yield progress
            report.go_on()
