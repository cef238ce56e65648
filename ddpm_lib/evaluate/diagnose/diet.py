"""What was the network trained on? It is best at that. So it is fed each suspect's inputs, and the best says which."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

from torch import Tensor

from ddpm_lib.denoiser import Predicts, X
from ddpm_lib.diffusion import times
from ddpm_lib.evaluate.diagnose.case import Case, Finding, mean_square
from ddpm_lib.schedule import SCHEDULES, NoiseSchedule, linear_schedule

SHARES = (0.9, 0.7, 0.5, 0.3, 0.1)  # of the image's variance left, at the times that are tried
# A suspect must be so much better than the run as it should be: one who is fed other images has another task, one who
# is told another time has inputs that say as much.
FED, TOLD = 0.6, 0.95
CLOCKS = (0.1, 0.2, 0.5, 2, 5, 10)  # t times these
IMAGES = 32


def training(case: Case) -> Finding:
    """Compare the suspects by their error, in units of what a straight line for every pixel leaves."""
    own, best, name = math.nan, math.inf, ""
    for fault, error, margin in suspects(case):
        if not fault:
            own = best = error
        elif error < min(margin * own, best):
            best, name = error, fault
    says = f"error {own:.2f} of a straight line's" + (f", {best:.2f} if fed as a suspect" if name else "")
    return Finding("training", says, name)


def suspects(case: Case) -> Iterator[tuple[str, float, float]]:
    """(fault, error, margin) of every suspect; the first, without a fault, is the run as it should be."""
    ts, diffusion, reads = case.at(*SHARES), case.diffusion, case.denoiser.predicts
    images, eps, y = (
        case.x0[:IMAGES],
        case.eps[:IMAGES],
        None if case.labels is None else case.labels[:IMAGES],
    )

    def right(x: X, t: int) -> tuple[X, X]:
        return x, diffusion.q_sample(x, t, eps)

    # Without the roots the SNR is squared, so x_t is as noisy as this at another time, at half the log SNR.
    half = [
        int((diffusion.schedule.log_snr[1:] - now / 2).abs().argmin()) + 1
        for now in diffusion.schedule.log_snr
    ]

    def rootless(x: X, t: int) -> tuple[X, X]:
        ab = diffusion.alpha_bar(half[t], x)
        return x, times(ab, x) + times(1 - ab, eps)

    def unit(x: X, t: int) -> tuple[X, X]:
        return right((x + 1) / 2, t)

    def error(
        make: Callable[[X, int], tuple[X, X]] = right,
        predicts: Predicts = reads,
        told: Callable[[int], int] = lambda t: t,
    ) -> float:
        """Mean over the times, as logarithms, of the error against the straight lines'."""
        logs = []
        for t in ts:
            x0, xt = make(images, t)
            target = diffusion.target(x0, t, eps, predicts)
            try:
                answer = case.ask(xt, told(t), y)
            except IndexError:  # a network that looks times up knows none beyond T
                return math.inf
            logs.append(math.log(mean_square(answer - target) / line(xt, target)))
        return math.exp(sum(logs) / len(logs))

    yield "", error(), 1.0
    others: tuple[Predicts, ...] = ("eps", "x0", "v")
    for other in others:
        if other != reads:
            yield f"a network for {other} read as one for {reads}", error(predicts=other), FED
    yield "alpha_bar where its root belongs", error(rootless, told=half.__getitem__), TOLD
    yield "trained on images in [0, 1]", error(unit), FED
    for name, schedule in known(diffusion.T).items():
        as_noisy = nearest_times(schedule, diffusion.schedule)
        if max(abs(as_noisy[t] - t) for t in ts) > 0.02 * diffusion.T:
            fault = f"another schedule in sampling than in training, which had the {name} one"
            yield fault, error(told=as_noisy.__getitem__), TOLD
    for factor in CLOCKS:
        fault = f"told another time in sampling than in training, where it would be {factor:g} times as much"
        yield fault, error(told=faster(factor)), TOLD


def faster(factor: int | float) -> Callable[[int], int]:
    """A clock that runs so many times as fast."""
    return lambda t: max(1, round(factor * t))


def known(T: int) -> dict[str, NoiseSchedule]:
    """The usual schedules of T steps."""
    return {
        **{name: make(T) for name, make in SCHEDULES.items()},
        "unscaled linear": linear_schedule(T, rescale=False),
    }


def nearest_times(schedule: NoiseSchedule, claimed: NoiseSchedule) -> list[int]:
    """For every t of `claimed`, the time at which `schedule` is as noisy."""
    distance = (schedule.alpha_bar[None, :] - claimed.alpha_bar[:, None]).abs()
    found: list[int] = distance.argmin(1).tolist()
    return found


def line(x: Tensor, target: Tensor) -> float:
    """The mean squared error of the best straight line from x to the target, one for each pixel."""
    a, b = x.double() - x.double().mean(0), target.double() - target.double().mean(0)
    covariance, variance = (a * b).mean(0), (a * a).mean(0)
    return float(((b * b).mean(0) - covariance**2 / variance.clamp(min=1e-12)).mean().clamp(min=1e-12))
