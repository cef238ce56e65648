"""Graders of the chapter on quality: the Fréchet distance and its bias, entropy, bits, copies."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ddpm_lib.evaluate.montecarlo import normals
from ddpm_lib.exercises.grading import Mistake, Verdict, grade, grade_value


def check_frechet(answer: object) -> Verdict:
    """answer(mean_a, variance_a, mean_b, variance_b): the Fréchet distance of two Gaussians on a line."""

    def right(mean_a: float, variance_a: float, mean_b: float, variance_b: float) -> float:
        return (mean_a - mean_b) ** 2 + (math.sqrt(variance_a) - math.sqrt(variance_b)) ** 2

    mistakes = [
        Mistake(
            lambda ma, va, mb, vb: (ma - mb) ** 2 + (va - vb) ** 2,
            "You compared the variances. The standard deviations are compared: take the roots first.",
        ),
        Mistake(
            lambda ma, va, mb, vb: (ma - mb) ** 2 + va + vb - 2 * va * vb,
            "The product of the covariances has a root over it: sigma_a sigma_b.",
        ),
        Mistake(
            lambda *p: math.sqrt(right(*p)),
            "The number that goes by this name is the square: leave the root out.",
        ),
        Mistake(lambda ma, va, mb, vb: (ma - mb) ** 2, "The means are right. The widths differ as well."),
        Mistake(
            lambda ma, va, mb, vb: (ma - mb) ** 2 + va + vb,
            "You left out the last term, - 2 sigma_a sigma_b.",
        ),
        Mistake(
            lambda ma, va, mb, vb: (ma - mb) ** 2 + va + vb - math.sqrt(va * vb),
            "The trace has the root twice: - 2 sigma_a sigma_b.",
        ),
        Mistake(
            lambda ma, va, mb, vb: abs(ma - mb) + (math.sqrt(va) - math.sqrt(vb)) ** 2,
            "The distance of the means is squared, too.",
        ),
        Mistake(
            lambda ma, va, mb, vb: (ma - mb) ** 2 + abs(va - vb),
            "You compared the variances. The standard deviations are compared, squared: take the roots first.",
        ),
    ]
    cases = [(0.3, 1.5, -0.4, 0.2), (2.0, 0.5, 2.5, 3.0)]
    return grade(answer, right, mistakes, cases, "Move the bell, then stretch it; both squared.")


def check_entropy(answer: object) -> Verdict:
    """answer(counts): the entropy of a histogram, in bits."""

    def right(counts: Tensor) -> Tensor:
        p = counts / counts.sum()
        total: Tensor = -torch.special.xlogy(p, p).sum() / math.log(2)
        return total

    mistakes = [
        Mistake(lambda c: right(c) * math.log(2), "That is in nats: take the logarithm to base 2."),
        Mistake(lambda c: -right(c), "The sign: logarithms of shares are negative."),
        Mistake(lambda c: right(c) / len(c), "The entropy is the sum over the classes, not their mean."),
        Mistake(
            lambda c: right(c) / (c > 0).sum(), "The entropy is the sum over the classes, not their mean."
        ),
        Mistake(
            lambda c: right(c) / math.log2(len(c)), "That is in units of the largest: bits were asked for."
        ),
        Mistake(
            lambda c: -(c[c > 0] * c[c > 0].log2()).sum(),
            "You used the counts. Divide by their sum first.",
        ),
        Mistake(
            lambda c: torch.tensor(float(len(c))).log2(),
            "That is the largest possible entropy. It does not look at the counts.",
        ),
        Mistake(
            lambda c: -(c / c.sum()).clamp(min=1e-9).log2().sum(),
            "You added the logarithms alone: weight each with its share.",
        ),
        Mistake(
            lambda c: 2 ** right(c),
            "That is the number of classes that would be as even. Return its logarithm.",
        ),
    ]
    cases = [
        (torch.tensor([30.0, 10.0, 0.0, 60.0]).double(),),
        (torch.tensor([5.0, 5.0, 5.0, 1.0, 0.0]).double(),),
    ]
    return grade(answer, right, mistakes, cases, "And empty classes add nothing.")


def check_limit(answer: object) -> Verdict:
    """answer(n_1, d_1, n_2, d_2): d where d + c / n was measured twice."""

    def right(n_1: float, d_1: float, n_2: float, d_2: float) -> float:
        return (n_2 * d_2 - n_1 * d_1) / (n_2 - n_1)

    mistakes = [
        Mistake(lambda n1, d1, n2, d2: (d1 - d2) * n1 * n2 / (n2 - n1), "That is c, the size of the bias."),
        Mistake(lambda n1, d1, n2, d2: (n1 * d1 + n2 * d2) / (n1 + n2), "An average still holds the bias."),
        Mistake(
            lambda n1, d1, n2, d2: min(d1, d2), "The larger sample is nearer to the limit, but not there."
        ),
        Mistake(
            lambda n1, d1, n2, d2: (n2 * d1 - n1 * d2) / (n2 - n1),
            "Multiply each distance by its own N: c / N times N is c for both, and drops out.",
        ),
        Mistake(lambda n1, d1, n2, d2: (d1 + d2) / 2, "An average still holds the bias of both."),
        Mistake(
            lambda n1, d1, n2, d2: n2 * d2 - n1 * d1,
            "The bias has dropped out. Divide by what is left beside the limit, n_2 - n_1.",
        ),
        Mistake(lambda *p: -right(*p), "The sign: subtract in one order, above the line and below it."),
    ]
    cases = [(1000.0, 3.8, 2000.0, 2.4), (500.0, 9.0, 4000.0, 2.0)]
    return grade(answer, right, mistakes, cases, "Two measurements, and the bias of first order is gone.")


def check_bits(answer: object) -> Verdict:
    """answer: 2,500 nats per picture of 28 x 28 pixels, in bits per dimension."""
    right = 2500 / (784 * math.log(2))
    mistakes: list[tuple[object, str]] = [
        (2500 / 784, "That is in nats per pixel. Divide by log 2 as well."),
        (2500 / math.log(2), "Those are the bits of the whole picture. Divide by its 784 pixels."),
        (2500 * math.log(2) / 784, "A nat is more than a bit: divide by log 2, do not multiply."),
        (2500 / (28 * math.log(2)), "28 pixels are one row. The picture has 28 x 28."),
        (2500 / (3 * 784 * math.log(2)), "A digit is gray: it has one channel, not three."),
        (2500 / (784 * math.log(10)), "You divided by log 10: bits need log 2."),
    ]
    return grade_value(answer, right, mistakes, "Between the one Gaussian of the chapter on the loss and 8.")


def check_share_of_copies(answer: object) -> Verdict:
    """answer(x, memory, closest): the share of x nearer than `closest` to one of `memory` (the debugging exercise)."""

    def distances(x: Tensor, memory: Tensor) -> Tensor:
        between: Tensor = (x[:, None] - memory).square().sum(-1).sqrt()
        return between

    def share(near: Tensor) -> Tensor:
        return near.double().mean()

    mistakes = [
        Mistake(
            lambda x, m, c: share((x - m.mean(0)).norm(dim=1) < c),
            "This is the function as it was: no copy is near the average of all pictures.",
        ),
        Mistake(
            lambda x, m, c: share(distances(x, m).max(1).values < c), "That is the farthest training picture."
        ),
        Mistake(
            lambda x, m, c: share(distances(x, m).mean(1) < c),
            "The mean distance to all of them is large for a copy, too.",
        ),
        Mistake(
            lambda x, m, c: share(distances(x, m).min(0).values < c),
            "You took the nearest drawn picture of each training picture: the minimum runs over the training pictures.",
        ),
        Mistake(
            lambda x, m, c: share(distances(x, m) < c),
            "That is a share of pairs. A picture is a copy if *one* is near.",
        ),
        Mistake(
            lambda x, m, c: len(x) * share(distances(x, m).min(1).values < c),
            "That is the number of copies. Divide by the number of pictures drawn.",
        ),
        Mistake(
            lambda x, m, c: share(distances(x, m).min(1).values >= c),
            "That is the share that is *not* copied.",
        ),
        Mistake(
            lambda x, m, c: share(distances(x, m).min(1).values ** 2 < c),
            "That is the squared distance. Take its root before you compare.",
        ),
        Mistake(
            lambda x, m, c: share((x[:, None] - m).abs().mean(-1).min(1).values < c),
            "That is the mean difference of a pixel. The distance is the root of the sum of the squares.",
        ),
    ]
    normal = normals(4)
    memory = normal(12, 6)
    x = torch.cat([memory[:3] + 0.01 * normal(3, 6), normal(2, 6) + 6])
    heap = 0.6 * normal(12, 6)  # here the mean of all pictures is near, too
    middle = heap.mean(0)
    around = torch.stack([middle, middle + torch.eye(6)[0] * 1.7, middle + 9])
    near = memory[:4] + 0.6 * torch.eye(6)[:4]
    praise = "Nearest first, then the comparison."
    return grade(
        answer,
        lambda x, memory, closest: share(distances(x, memory).min(1).values < closest),
        mistakes,
        [(x, memory, 0.5), (around, heap, 1.8), (near, memory, 0.5), (memory[:4] + 0.5, memory, 1.0)],
        praise,
    )
