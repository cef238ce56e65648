"""Algorithm 1 as a generator: a training run is a `for` loop over its Progress."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ddpm_lib.denoiser import Denoiser, Labels, Times, X
from ddpm_lib.diffusion import GaussianDiffusion
from ddpm_lib.loss import draw_t, simple_loss, t_weights
from ddpm_lib.models import Network, classes_of
from ddpm_lib.train.config import Machine, TrainConfig
from ddpm_lib.train.machine.backward import Backward
from ddpm_lib.train.machine.processes import Processes
from ddpm_lib.train.progress import Progress, Report, TrainingError
from ddpm_lib.train.state import TrainState, share_done, start

Batch = tuple[X, Labels | None]


def train(
    model: Network,
    diffusion: GaussianDiffusion,
    batches: Callable[[int], Batch],
    config: TrainConfig,
    state: TrainState | None = None,
    machine: Machine | None = None,
    processes: Processes | None = None,
) -> Iterator[Progress]:
    """Algorithm 1: yield a Progress every `config.every` steps and after the last.

    `batches(step)` gives (x0, y or None) on the model's device; `data.Batches` is one. Pass the `state` of a
    checkpoint to go on from it. Raises TrainingError when the loss is not finite.

    Of several processes each runs this loop on its part of the batch, and all of them yield the same Progress: the
    loss is that of the whole batch, and time is the main process's.
    """
    machine, processes = machine or Machine(), processes or Processes()
    check_batch(config.batch, machine, processes)
    state = state or start(model, config)
    model, rng, classes = state.model, state.generator, classes_of(state.model.config)
    weights = t_weights(diffusion.schedule, config.draw_t).to(rng.device, torch.float32)

    def loss(
        denoiser: Denoiser, x0: X, y: Labels | None, t: Times, eps: X, dropped: Tensor | None
    ) -> Float[Tensor, ""]:
        labels = None if y is None or dropped is None else torch.where(dropped, classes, y)
        return simple_loss(denoiser, diffusion, x0, t, eps, labels)

    backward = Backward(state, machine, processes, config.seed)
    report = Report(state, config, processes)
    model.train()
    while (share := share_done(state, config)) < 1:
        # Draw images, and for those of all processes, so that the numbers do not depend on how many there are: ...
        x0, y = batches(state.step)
        n = len(x0) * processes.world
        # ... timesteps, noise, which labels to hide and which images to mirror.
        t = draw_t(n, weights, rng)
        eps = torch.randn((n, *x0.shape[1:]), generator=rng, device=x0.device, dtype=x0.dtype)
        dropped = None
        if classes and y is not None:
            dropped = torch.rand(n, generator=rng, device=y.device) < config.label_drop
        if config.flip:
            x0 = mirror_half(x0, torch.rand(n, generator=rng, device=x0.device)[processes.part(n)])

        # The gradient of the loss ...
        value = backward(loss, own=(x0, y), whole=(t, eps, dropped))
        # ... a step along it, and the average of the weights.
        lr = descend(state, config, share)
        if progress := report.after_step(value, lr, n):
            yield progress
            report.go_on()


def descend(state: TrainState, config: TrainConfig, share: float) -> float:
    """One step of the optimizer along the gradient, clipped, and of the average; returns the learning rate."""
    if config.clip:
        nn.utils.clip_grad_norm_(state.model.parameters(), config.clip)
    lr = config.lr * lr_factor(share, config)
    for group in state.optimizer.param_groups:
        group["lr"] = lr
    state.optimizer.step()
    state.ema.update(state.model, state.step)
    state.step += 1
    return lr


def mirror_half(x0: X, draws: Float[Tensor, " b"]) -> X:
    """The images, those whose draw from [0, 1) is below a half mirrored left to right."""
    return torch.where((draws < 0.5)[:, None, None, None], x0.flip(-1), x0)


def lr_factor(share: float, config: TrainConfig) -> float:
    """The learning rate, in units of `config.lr`, when `share` of the run is done."""
    if share < config.warmup:
        # Not 0 at the very start: the first step would be wasted.
        return max(share / config.warmup, 0.05)
    if config.decay == "none":
        return 1.0
    return 0.5 * (1 + math.cos(math.pi * (share - config.warmup) / (1 - config.warmup)))


def check_batch(batch: int, machine: Machine, processes: Processes) -> None:
    """Raise TrainingError where a batch cannot be cut into equal microbatches for all processes."""
    microbatches = processes.world * machine.accumulate
    if microbatches < 1 or batch % microbatches:
        raise TrainingError(
            f"A batch of {batch} cannot be cut into equal microbatches for {processes.world} process(es) with "
            f"accumulate = {machine.accumulate}: choose a batch that is a multiple of {max(microbatches, 1)}."
        )
