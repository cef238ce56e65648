"""Algorithm 1 as a generator: a training run is a `for` loop over its Progress."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from ddpm_lib.denoiser import Denoiser
from ddpm_lib.diffusion import GaussianDiffusion
from ddpm_lib.loss import DrawT, draw_t, t_weights
from ddpm_lib.models import Network, classes_of, use_winograd
from ddpm_lib.train.ema import EMA
from ddpm_lib.train.machine.compiling import compile_network
from ddpm_lib.train.machine.gradient import Precision, backward
from ddpm_lib.train.machine.processes import Engine

Batch = tuple[Float[Tensor, "b *shape"], Int[Tensor, " b"] | None]


@dataclass(frozen=True)
class TrainConfig:
    """How a network is trained. Learning rate and Adam as in Ho et al. 2020, appendix B; the rest for short runs."""

    steps: int = 10_000  # optimizer steps
    seconds: float | None = None  # stop after this time even if steps are left; the decay follows the clock
    batch: int = 64  # images a step, of all processes together
    accumulate: int = (
        1  # pieces that a process's share of a batch is computed in: the same step in less memory
    )
    lr: float = 2e-4  # Adam's step size after the warm-up
    warmup: float = 0.05  # share of the run in which lr rises from 0
    decay: Literal["cosine", "none"] = "cosine"  # of lr, to 0 at the end
    betas: tuple[float, float] = (0.9, 0.999)  # Adam's two averages
    weight_decay: float = 0.0  # AdamW's
    clip: float = 1.0  # largest norm of the gradient; 0 is no clipping
    ema: float = 0.999  # decay of the averaged weights, a step
    label_drop: float = 0.1  # share of labels replaced by "no class", where there are classes
    draw_t: DrawT = "uniform"  # how times are drawn; see loss.t_weights
    precision: Precision = "float32"  # of the forward and backward pass; probe.fastest measures the best
    channels_last: bool = False  # memory layout of images and weights
    winograd: int = 0  # 3 x 3 convolutions of so many feature maps or more by Winograd's algorithm; 0 is none
    compile: bool = False  # the network, by torch.compile: pays in long runs, most on a GPU (see fast.py)
    seed: int = 0  # of times, noise and dropped labels
    every: int = 10  # steps between two Progress


class TrainingError(Exception):
    """A run that cannot go on; the message says where and what to try."""


@dataclass
class TrainState:
    """Everything that a run changes; saved and restored, it continues to the bit (see checkpoint.py)."""

    model: Network
    ema: EMA
    optimizer: torch.optim.Optimizer
    generator: torch.Generator  # of times, noise and dropped labels
    step: int = 0  # optimizer steps taken
    seconds: float = 0.0  # time spent


@dataclass(frozen=True)
class Progress:
    """What a loop over `train` sees: where the run is, how it goes, and its state."""

    step: int  # optimizer steps taken
    share: float  # of the run that is done, 0 ... 1
    loss: float  # mean of the steps since the last Progress
    lr: float
    images_per_second: float
    seconds: float  # since the start, counting what came before a resume
    seconds_left: float
    state: TrainState


def start(model: Network, config: TrainConfig) -> TrainState:
    """The state before the first step, on the device where the model is."""
    device = next(model.parameters()).device
    if config.channels_last:
        model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimizer = torch.optim.AdamW(
        model.parameters(),
        lr=config.lr,
        betas=config.betas,
        weight_decay=config.weight_decay,
        fused=device.type in ("cpu", "cuda"),
    )
    generator = torch.Generator(device).manual_seed(config.seed)
    return TrainState(model, EMA(model, config.ema), optimizer, generator)


def train(
    model: Network,
    diffusion: GaussianDiffusion,
    batches: Callable[[int], Batch],
    config: TrainConfig,
    state: TrainState | None = None,
    engine: Engine | None = None,
) -> Iterator[Progress]:
    """Algorithm 1: yield a Progress every `config.every` steps and after the last.

    `batches(step)` gives (x0, y or None) on the model's device; `data.Batches` is one. Pass the `state` of a
    checkpoint to go on from it. Raises TrainingError when the loss is not finite.

    With an engine of several processes each runs this loop on its part of the batch, and all of them yield the same
    Progress: the loss is that of the whole batch, and time is the main process's.
    """
    engine = Engine() if engine is None else engine
    _check_pieces(config, engine)
    state = start(model, config) if state is None else state
    for network in (state.model, state.ema.average):
        use_winograd(network, config.winograd)
    if config.compile:
        compile_network(state.model)
    denoiser = engine.prepare(state.model)
    weights = t_weights(diffusion.schedule, config.draw_t).to(state.generator.device, torch.float32)
    losses: list[Tensor] = []
    begun, before = time.perf_counter(), state.seconds
    reported = state.seconds
    state.model.train()
    while (share := _share(state, config)) < 1:
        lr = config.lr * lr_factor(share, config)
        x0, y = batches(state.step)
        losses.append(_step(state, denoiser, diffusion, x0, y, weights, lr, config, engine))
        state.step += 1
        state.seconds = before + time.perf_counter() - begun
        if config.seconds is not None:  # else only the number of steps counts, and nobody need ask
            state.seconds = engine.clock(state.seconds)
        done = _share(state, config)
        if state.step % config.every == 0 or done >= 1:
            loss = _mean_of_finite(engine.mean(torch.stack(losses).cpu()), state.step)
            _check_weights(state)
            state.seconds = engine.clock(before + time.perf_counter() - begun)
            speed = len(losses) * len(x0) * engine.world / max(state.seconds - reported, 1e-9)
            left = state.seconds * (1 - done) / done
            reported = state.seconds
            losses.clear()
            yield Progress(state.step, done, loss, lr, speed, state.seconds, max(left, 0.0), state)
            # Time that the reader's loop took (sampling, saving) does not count as training.
            begun, before = time.perf_counter(), state.seconds


def lr_factor(share: float, config: TrainConfig) -> float:
    """The learning rate, in units of `config.lr`, when `share` of the run is done."""
    if share < config.warmup:
        # Not 0 at the very start: the first step would be wasted.
        return max(share / config.warmup, 0.05)
    if config.decay == "none":
        return 1.0
    return 0.5 * (1 + math.cos(math.pi * (share - config.warmup) / (1 - config.warmup)))


def _share(state: TrainState, config: TrainConfig) -> float:
    by_clock = 0.0 if config.seconds is None else state.seconds / config.seconds
    return min(max(state.step / config.steps, by_clock), 1.0)


def _step(
    state: TrainState,
    denoiser: Denoiser,
    diffusion: GaussianDiffusion,
    x0: Float[Tensor, "b *shape"],
    y: Int[Tensor, " b"] | None,
    weights: Tensor,
    lr: float,
    config: TrainConfig,
    engine: Engine,
) -> Float[Tensor, ""]:
    """One optimizer step; the loss (of this process's images) stays on the device."""
    # Every process draws for the whole batch and keeps its part: the numbers do not depend on how many there are.
    n = len(x0) * engine.world
    own = engine.part(n)
    t = draw_t(n, weights, state.generator)[own]
    eps = torch.randn((n, *x0.shape[1:]), generator=state.generator, device=x0.device, dtype=x0.dtype)[own]
    if config.channels_last and x0.ndim == 4:
        x0 = x0.contiguous(memory_format=torch.channels_last)
        eps = eps.contiguous(memory_format=torch.channels_last)
    y = _drop_labels(state, y, n, own, config.label_drop)
    state.optimizer.zero_grad(set_to_none=True)
    loss = backward(
        denoiser, diffusion, x0, t, eps, y,
        pieces=config.accumulate, precision=config.precision,
        seed=config.seed * 1_000_003 + state.step, engine=engine,
    )  # fmt: skip
    if config.clip:
        nn.utils.clip_grad_norm_(state.model.parameters(), config.clip)
    for group in state.optimizer.param_groups:
        group["lr"] = lr
    state.optimizer.step()
    state.ema.update(state.model, state.step)
    return loss


def _drop_labels(
    state: TrainState, y: Int[Tensor, " b"] | None, n: int, own: slice, share: float
) -> Int[Tensor, " b"] | None:
    classes = classes_of(state.model.config)
    if not classes or y is None:
        return None
    drop = torch.rand(n, generator=state.generator, device=y.device)[own] < share
    return torch.where(drop, classes, y)


def _check_pieces(config: TrainConfig, engine: Engine) -> None:
    pieces = engine.world * config.accumulate
    if pieces < 1 or config.batch % pieces:
        raise TrainingError(
            f"A batch of {config.batch} cannot be cut into equal pieces for {engine.world} process(es) with "
            f"accumulate = {config.accumulate}: choose a batch that is a multiple of {max(pieces, 1)}."
        )


def _check_weights(state: TrainState) -> None:
    # A finite loss can have a gradient that is not; what follows a Progress may save the weights.
    norms = torch.stack(torch._foreach_norm([p.detach() for p in state.model.parameters()]))
    if not bool(norms.isfinite().all()):
        raise TrainingError(
            f"The weights are not finite after step {state.step}: lower the learning rate, or clip the gradient "
            "(clip=1.0)."
        )


def _mean_of_finite(values: Float[Tensor, " steps"], step: int) -> float:
    bad = ~values.isfinite()
    if bool(bad.any()):
        first = step - len(values) + 1 + int(bad.nonzero()[0, 0])
        raise TrainingError(
            f"The loss of step {first} is {float(values[bad][0])}: lower the learning rate, clip the "
            "gradient (clip=1.0), or look for NaN in the data."
        )
    return float(values.mean())
