"""Which loop trains this network fastest on this GPU: timed over a few steps, and trusted where its losses agree."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from typing import Protocol, runtime_checkable

from ddpm_lib.diffusion import GaussianDiffusion
from ddpm_lib.models import Network
from ddpm_lib.train.config import Machine, TrainConfig
from ddpm_lib.train.loop import Batch, train
from ddpm_lib.train.machine.graph import train_graphed
from ddpm_lib.train.progress import Progress
from ddpm_lib.train.state import TrainState, start

# First losses that two loops must agree on, and how far they may lie apart: rounding makes less than 1 % of it.
CHECKED, TOLERANCE = 16, 0.02
# Steps that are timed; seconds that compiling a U-Net takes; it is tried where a run is LONG times as long.
TIMED, COMPILING, LONG = 30, 60.0, 4


@runtime_checkable  # so that the tests can check it
class Loop(Protocol):
    """`train`, or another loop that takes the same steps."""

    def __call__(
        self,
        model: Network,
        diffusion: GaussianDiffusion,
        batches: Callable[[int], Batch],
        config: TrainConfig,
        state: TrainState | None = None,
        machine: Machine | None = None,
    ) -> Iterator[Progress]: ...


@dataclass(frozen=True)
class Trial:
    """What a loop did in its first steps."""

    losses: list[float]
    step: float  # seconds


def trial(
    loop: Loop,
    make: Callable[[], Network],
    diffusion: GaussianDiffusion,
    batches: Callable[[int], Batch],
    config: TrainConfig,
    machine: Machine,
    checked: int,
    steps: int,
) -> Trial:
    """The first `checked` losses of a fresh network, and then the time of a step, a mean of `steps`."""
    endless = replace(config, steps=10**6, seconds=None, warmup=0.0, decay="none")
    state = start(make(), endless)
    first = loop(state.model, diffusion, batches, replace(endless, every=1), state, machine)
    losses = [p.loss for p in islice(first, checked)]
    timed = loop(state.model, diffusion, batches, replace(endless, every=steps), state, machine)
    ends = [p.seconds for p in islice(timed, 3)]
    return Trial(losses, (ends[-1] - ends[-2]) / steps)


def quickest(
    make: Callable[[], Network],
    diffusion: GaussianDiffusion,
    batches: Callable[[int], Batch],
    config: TrainConfig,
    machine: Machine,
    say: Callable[[str], None] = print,
    compiled: bool = True,
) -> tuple[Callable[[], Network], Loop]:
    """Which network and which loop to train with: a graphed step where it agrees with `train` and takes less time.

    `make` builds a fresh network, the same at every call. A path that raises, or whose first losses lie further than
    TOLERANCE from the plain ones, is not taken, and `say` is told why. A long run tries a compiled network as well,
    unless `compiled` says not to.
    """
    plain = trial(train, make, diffusion, batches, config, machine, CHECKED, TIMED)
    say(f"a plain step takes {1000 * plain.step:.2f} ms")
    best: tuple[Callable[[], Network], Loop] = (make, train)
    left = plain.step

    def make_compiled() -> Network:
        network = make()
        network.compile(dynamic=False)
        return network

    ways = {"graphed": make} | ({"compiled and graphed": make_compiled} if compiled else {})
    for name, build in ways.items():
        whole = left * config.steps if config.seconds is None else config.seconds
        if build is make_compiled and whole < LONG * COMPILING:
            say(f"compiling takes about {COMPILING:.0f} s and the run {whole:.0f}: it is not tried")
            continue
        try:
            found = trial(train_graphed, build, diffusion, batches, config, machine, CHECKED, TIMED)
        except Exception as error:
            say(f"a {name} step fails ({type(error).__name__}: {str(error).splitlines()[0][:200]}): not used")
            continue
        apart = [abs(a / b - 1) for a, b in zip(found.losses, plain.losses, strict=True)]
        agrees = all(each < TOLERANCE for each in apart)
        say(
            f"a {name} step takes {1000 * found.step:.2f} ms; its first {CHECKED} losses lie {max(apart):.2%} apart "
            f"({'agreed' if agrees else f'not used: {TOLERANCE:.0%} is allowed'})"
        )
        if agrees and found.step < left:
            best, left = (build, train_graphed), found.step
    return best
