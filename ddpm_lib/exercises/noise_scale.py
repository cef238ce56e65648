"""Grader of the chapter on scale: when a batch is large enough."""

from __future__ import annotations

import math

from ddpm_lib.exercises.grading import Mistake, Verdict, grade


def check_noise_scale(answer: object) -> Verdict:
    """answer(b_1, n_1, b_2, n_2): the batch whose gradient's noise is as large as the gradient itself.

    n is the mean squared length of the gradient of b images, |G|^2 + S / b; the answer is S / |G|^2.
    """

    def parts(b_1: float, n_1: float, b_2: float, n_2: float) -> tuple[float, float]:
        return (n_1 - n_2) / (1 / b_1 - 1 / b_2), (b_2 * n_2 - b_1 * n_1) / (b_2 - b_1)

    def right(b_1: float, n_1: float, b_2: float, n_2: float) -> float:
        noise, gradient2 = parts(b_1, n_1, b_2, n_2)
        return noise / gradient2

    mistakes = [
        Mistake(
            lambda *case: 1 / right(*case),
            "Upside down: that is the gradient over its noise.",
        ),
        Mistake(
            lambda *case: parts(*case)[0],
            "That is S, the noise of a single image. Divide it by the squared length of the true gradient.",
        ),
        Mistake(lambda *case: parts(*case)[1], "That is |G|^2. How large is S, and how large their ratio?"),
        Mistake(
            lambda b_1, n_1, b_2, n_2: parts(b_1, n_1, b_2, n_2)[0] / n_2,
            "The larger batch's gradient is noisy as well: n_2 still holds S / b_2. Take that off.",
        ),
        Mistake(
            lambda b_1, n_1, b_2, n_2: parts(b_1, n_1, b_2, n_2)[0] / n_1,
            "n_1 is mostly noise: it holds S / b_1. What is left without it?",
        ),
        Mistake(lambda *case: -right(*case), "The sign: the smaller batch has the longer gradient."),
        Mistake(
            lambda *case: math.sqrt(right(*case)),
            "Squared lengths are compared, and a number of images is wanted: no root.",
        ),
        Mistake(
            lambda b_1, n_1, b_2, n_2: parts(b_1, n_1, b_2, n_2)[0] / ((n_1 + n_2) / 2),
            "The mean of both lengths holds noise as well: divide by |G|^2 alone.",
        ),
        Mistake(
            lambda *case: (case[1] - case[3]) / parts(*case)[1],
            "The difference of the lengths is S (1 / b_1 - 1 / b_2): divide it by that bracket to get S.",
        ),
        Mistake(
            lambda b_1, n_1, b_2, n_2: (b_1 * n_1 - b_2 * n_2) / (n_1 - n_2),
            "That mixes both unknowns: solve for S and for |G|^2 first.",
        ),
        Mistake(
            lambda b_1, n_1, b_2, n_2: right(b_1, math.sqrt(n_1), b_2, math.sqrt(n_2)),
            "The lengths are squared already: no root of n.",
        ),
        Mistake(
            lambda b_1, n_1, b_2, n_2: right(b_1, n_1**2, b_2, n_2**2),
            "The lengths are squared already: do not square n.",
        ),
    ]
    cases = [(64.0, 5.0, 1024.0, 2.0), (10.0, 12.0, 1000.0, 2.1)]
    praise = (
        "Well below this batch, twice the images are worth nearly twice the steps; well above it, little."
    )
    return grade(answer, right, mistakes, cases, praise)
