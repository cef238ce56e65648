"""Graders of the clinic: the sampler's times and its step, mended, and a test to be written."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from ddpm_lib.evaluate.montecarlo import normals
from ddpm_lib.exercises.grading import Mistake, Verdict, grade


def check_mend_times(answer: object) -> Verdict:
    """answer(T, steps): the time that the network is told in each step of the sampler; steps divides T."""

    def right(T: int, steps: int) -> Tensor:
        return torch.arange(steps, 0, -1) * (T // steps)

    mistakes = [
        Mistake(
            lambda T, n: torch.arange(n, 0, -1),
            "Still the number of the step. x_t has the noise of time t = T at first.",
        ),
        Mistake(lambda T, n: torch.arange(n - 1, -1, -1), "That is the number of the step, counted from 0."),
        Mistake(lambda T, n: right(T, n).flip(0), "From clean to noisy: the sampler begins at T."),
        Mistake(
            lambda T, n: right(T, n) - T // n,
            "These are the times that each step goes *to*. Told is where it starts.",
        ),
        Mistake(
            lambda T, n: right(T, n) - 1,
            "One too few, everywhere: here index 0 is the clean image, and T the noise.",
        ),
        Mistake(
            lambda T, n: torch.full((n,), T),
            "Only the first input has the noise of time T: the time falls with each stride.",
        ),
        Mistake(lambda T, n: T - torch.arange(n), "Each stride is T / steps long, and not 1."),
        Mistake(
            lambda T, n: right(T, n).flip(0) - T // n, "From 0 up: the sampler begins at T, and goes down."
        ),
        Mistake(
            lambda T, n: torch.linspace(T, 0, n, dtype=torch.float64).round(),
            "The last time that is told is where the last step *starts*, T / steps, not 0.",
        ),
    ]
    return grade(
        answer,
        right,
        mistakes,
        [(100, 20), (500, 50), (12, 3)],
        "The network is told how noisy its input is.",
    )


def check_mend_step(answer: object) -> Verdict:
    """answer(mean, variance, z, s): x_s; at s = 0 the mean alone."""

    def right(mean: Tensor, variance: float, z: Tensor, s: int) -> Tensor:
        return mean + (math.sqrt(variance) * z if s > 0 else 0)

    mistakes = [
        Mistake(
            lambda m, v, z, s: m + v * z,
            "Two faults: z is multiplied by sigma, the root, and not at all at s = 0.",
        ),
        Mistake(
            lambda m, v, z, s: m + (v * z if s > 0 else 0),
            "The last step is right. The noise still has the weight sigma^2.",
        ),
        Mistake(
            lambda m, v, z, s: m + math.sqrt(v) * z,
            "The root is right. The last step still adds noise, and nothing removes it.",
        ),
        Mistake(
            lambda m, v, z, s: m + (0 if s > 0 else math.sqrt(v) * z),
            "The root is right, and the cases have changed places: no noise at s = 0, and at no other s.",
        ),
        Mistake(lambda m, v, z, s: m, "Without noise this is no DDPM: the drawings become smooth and alike."),
        Mistake(
            lambda m, v, z, s: m + (math.sqrt(v) * z if s > 1 else 0),
            "One too early: the step to s = 1 still has its noise.",
        ),
    ]
    normal = normals(seed=2)
    cases = [
        (normal(3), 0.04, normal(3), 7),
        (normal(3), 0.01, normal(3), 1),
        (normal(3), 0.02, normal(3), 0),
    ]
    return grade(answer, right, mistakes, cases, "Noise in every step but the last, and sigma of it.")


def check_company(answer: object) -> Verdict:
    """answer(network, xt, t): the largest difference between an answer in the batch and the same image's alone."""

    def each(network: Callable[[Tensor, Tensor], Tensor], xt: Tensor, t: Tensor) -> Tensor:
        return torch.cat([network(xt[i : i + 1], t[i : i + 1]) for i in range(len(xt))])

    mistakes = [
        Mistake(
            lambda n, x, t: (n(x, t) - each(n, x, t)).abs().mean(),
            "The mean may hide one image: take the largest.",
        ),
        Mistake(
            lambda n, x, t: (n(x, t) - each(n, x, t)).max(),
            "Without its absolute value a negative difference is lost.",
        ),
        Mistake(
            lambda n, x, t: (n(x, t)[:1] - n(x[:1], t[:1])).abs().max(),
            "The first image alone is not enough: in row 0 a network that counts rows is right.",
        ),
        Mistake(lambda n, x, t: (n(x, t) - n(x, t)).abs().max(), "That asks the same question twice."),
        Mistake(
            lambda n, x, t: (n(x, t) - each(n, x, t)).square().max(),
            "That is the square. The difference itself was asked for, in absolute value.",
        ),
        Mistake(
            lambda n, x, t: (n(x, t) - each(n, x, t)).abs().sum(),
            "The sum grows with the batch: take the largest.",
        ),
        Mistake(
            lambda n, x, t: (n(x, t) - each(n, x, t)).norm(),
            "The norm grows with the batch: take the largest.",
        ),
        Mistake(
            lambda n, x, t: (
                (n(x, t) - torch.cat([n(x[i : i + 1], t[:1]) for i in range(len(x))])).abs().max()
            ),
            "Each image keeps its own time: t[i : i + 1], not that of the first.",
        ),
        Mistake(
            lambda n, x, t: (n(x, t)[-1:] - n(x[-1:], t[-1:])).abs().max(),
            "The last image alone is not enough: compare all of them.",
        ),
        Mistake(
            lambda n, x, t: (
                (n(x, t) - torch.cat([n(x[i : i + 1], t) for i in range(len(x))])[: len(x)]).abs().max()
            ),
            "A batch of one has one time as well: t[i : i + 1].",
        ),
    ]
    normal = normals(seed=3)

    def healthy(xt: Tensor, t: Tensor) -> Tensor:
        return xt / (1 + t[:, None])

    def rows(xt: Tensor, t: Tensor) -> Tensor:
        return xt - torch.arange(len(xt))[:, None] / (1 + t[:, None])

    def normed(xt: Tensor, t: Tensor) -> Tensor:
        return xt - xt.mean(0) / 3

    t = torch.tensor([3.0, 5.0, 9.0])
    cases = [(network, normal(3, 2), t) for network in (healthy, rows, normed)]
    return grade(
        answer,
        lambda n, x, t: (n(x, t) - each(n, x, t)).abs().max(),
        mistakes,
        cases,
        "It finds Rows and BatchNorm alike.",
    )
