"""Graders of the chapter on quality: the Fréchet distance and its bias, entropy, bits, copies."""

from __future__ import annotations

import math

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
            lambda ma, va, mb, vb: abs(ma - mb) + (math.sqrt(va) - math.sqrt(vb)) ** 2,
            "The distance of the means is squared, too.",
        ),
        Mistake(
            lambda ma, va, mb, vb: (ma - mb) ** 2 + abs(va - vb),
            "You compared the variances. The standard deviations are compared, squared: take the roots first.",
        ),
        Mistake(
            lambda ma, va, mb, vb: (ma - mb) ** 2 + va + vb - math.sqrt(va * vb),
            "The trace has the root twice: - 2 sigma_a sigma_b.",
        ),
        Mistake(
            lambda ma, va, mb, vb: (ma - mb) ** 2 + va + vb,
            "You left out the last term, - 2 sigma_a sigma_b.",
        ),
        Mistake(
            lambda ma, va, mb, vb: (ma - mb) ** 2 + va + vb + 2 * math.sqrt(va * vb),
            "The sign of the product: two equal Gaussians are at distance 0.",
        ),
        Mistake(
            lambda ma, va, mb, vb: (ma - mb) ** 2 + abs(math.sqrt(va) - math.sqrt(vb)),
            "The difference of the standard deviations is squared, too.",
        ),
        Mistake(
            lambda ma, va, mb, vb: (ma - mb) ** 2 + (va**2 - vb**2) ** 2,
            "You squared the variances: the standard deviations are compared, their roots.",
        ),
        Mistake(
            lambda ma, va, mb, vb: (va / vb - 1 - math.log(va / vb) + (ma - mb) ** 2 / vb) / 2,
            "That is the Kullback-Leibler divergence, which depends on which comes first.",
        ),
        Mistake(
            lambda ma, va, mb, vb: (ma - mb) ** 2 + va + vb - 2 * math.sqrt(va) * vb,
            "The root is over both variances.",
        ),
    ]
    cases = [(0.3, 1.5, -0.4, 0.2), (2.0, 0.5, 2.5, 3.0)]
    return grade(answer, right, mistakes, cases, "Move the bell, then stretch it; both squared.")


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
        Mistake(
            lambda n1, d1, n2, d2: -right(n1, d1, n2, d2),
            "The sign: subtract in one order, above the line and below it.",
        ),
        Mistake(
            lambda n1, d1, n2, d2: (n2 * d2 - n1 * d1) / (n1 + n2),
            "Divide by what is left beside the limit, n_2 - n_1.",
        ),
        Mistake(
            lambda n1, d1, n2, d2: d2 - (d1 - d2) * n2 / (n2 - n1),
            "The bias that is left at n_2 is c / n_2, which is (d_1 - d_2) n_1 / (n_2 - n_1).",
        ),
        Mistake(
            lambda n1, d1, n2, d2: 2 * d2 - d1,
            "Right where the second number of samples is twice the first: in general it is not.",
        ),
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
        (2500, "That is the whole picture, in nats."),
        (8 * right, "8 bits are the cost without a model. It does not come into this."),
        (2500 / (1024 * math.log(2)), "28 x 28 are 784 pixels."),
    ]
    sides = (
        "It is more: 2,500 / (784 log 2), with the natural logarithm.",
        "It is less: 2,500 nats are shared by 784 pixels, and a bit is log 2 nats.",
    )
    return grade_value(
        answer, right, mistakes, "Between the one Gaussian of the chapter on the loss and 8.", sides
    )
