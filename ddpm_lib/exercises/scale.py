"""Graders of the chapter on many GPUs: memory, a larger batch and the noise in it, the wire."""

from __future__ import annotations

import math

from ddpm_lib.exercises.grading import Mistake, Verdict, grade


def check_images_that_fit(answer: object) -> Verdict:
    """answer(memory, parameters, activations): images that can be trained on at once with a fifth left free."""

    def right(memory: float, parameters: float, activations: float) -> int:
        return int((0.8 * memory - 20 * parameters) // activations)

    mistakes = [
        Mistake(
            lambda m, p, a: (0.8 * m - 20 * p) / a,
            "That is no whole number: half an image does not fit. Round down.",
        ),
        Mistake(
            lambda m, p, a: math.ceil((0.8 * m - 20 * p) / a), "Rounded up, it does not fit: round down."
        ),
        Mistake(lambda m, p, a: (m - 20 * p) // a, "A fifth of the memory has to stay free."),
        Mistake(
            lambda m, p, a: (0.8 * m - 4 * p) // a,
            "You counted the weights once. There are their gradient, Adam's two averages and the average as well.",
        ),
        Mistake(
            lambda m, p, a: (0.8 * m - 16 * p) // a,
            "That is 16 bytes a weight, not 20: the average is a copy of its own, and the fifth is of memory alone.",
        ),
        Mistake(
            lambda m, p, a: (0.8 * m - 5 * p) // a, "A float32 has four bytes: five numbers are 20 bytes."
        ),
        Mistake(lambda m, p, a: 0.8 * m // (20 * p + a), "The weights are there once, not once an image."),
        Mistake(
            lambda m, p, a: 0.8 * m // a, "The weights need memory as well, whatever the number of images."
        ),
        Mistake(lambda m, p, a: (0.2 * m - 20 * p) // a, "A fifth stays free, so that four fifths are used."),
        Mistake(
            lambda m, p, a: round((0.8 * m - 20 * p) / a),
            "Rounded to the nearest, it may not fit: round down.",
        ),
        Mistake(
            lambda m, p, a: (0.8 * m - 24 * p) // a,
            "There are five numbers for each weight, and you counted six.",
        ),
    ]
    cases = [(1.6e10, 1.14e8, 7.3e8), (2.4e9, 3.5e7, 1.3e7)]
    return grade(answer, right, mistakes, cases, "The weights once, the images until it is full.")


def check_rescale(answer: object) -> Verdict:
    """answer(lr, ema, k): Adam's learning rate and the average's decay for a batch k times as large."""

    def right(lr: float, ema: float, k: float) -> tuple[float, float]:
        return math.sqrt(k) * lr, ema**k

    mistakes = [
        Mistake(
            lambda lr, ema, k: (k * lr, ema**k),
            "The decay is right. The linear rule is for plain gradient descent; Adam takes the root.",
        ),
        Mistake(
            lambda lr, ema, k: (math.sqrt(k) * lr, ema),
            "The rate is right. There are k times fewer steps now, and the average would trail k times as many images.",
        ),
        Mistake(
            lambda lr, ema, k: (math.sqrt(k) * lr, 1 - (1 - ema) / k),
            "The rate is right. That decay makes the average slower; with fewer steps it has to be faster.",
        ),
        Mistake(
            lambda lr, ema, k: (math.sqrt(k) * lr, 1 - k * (1 - ema)),
            "The rate is right, and the decay nearly: that is the first term of ema ** k, and below 0 for a large k.",
        ),
        Mistake(
            lambda lr, ema, k: (math.sqrt(k) * lr, ema ** (1 / k)),
            "The rate is right, and the exponent of the decay upside down: one step stands for k.",
        ),
        Mistake(
            lambda lr, ema, k: (math.sqrt(k) * lr, ema ** math.sqrt(k)),
            "The root is for the rate alone: one step stands for k, so the decay takes the power k.",
        ),
        Mistake(lambda lr, ema, k: (lr, ema**k), "The decay is right. The learning rate grows, too."),
        Mistake(
            lambda lr, ema, k: (lr / math.sqrt(k), ema**k),
            "The decay is right. A larger batch is less noisy, so the steps may be longer, not shorter.",
        ),
        Mistake(
            lambda lr, ema, k: (k * lr, ema),
            "Both: Adam takes the root of k, and with fewer steps the decay must be faster.",
        ),
    ]
    cases = [(2e-4, 0.99, 8.0), (1e-3, 0.95, 4.0)]
    return grade(answer, right, mistakes, cases, "The rate by the root, the decay by the power.")


def check_least_images(answer: object) -> Verdict:
    """answer(n, parameters, flops, rate, link): images a device so that the gradients hide behind the backward pass."""

    def right(n: float, parameters: float, flops: float, rate: float, link: float) -> float:
        return 2 * (n - 1) / n * 4 * parameters / link * rate / (2 * flops)

    mistakes = [
        Mistake(
            lambda n, p, f, r, w: right(n, p, f, r, w) * 2 / 3,
            "You hid the traffic behind the whole step. Only the backward pass, two thirds of it, has gradients.",
        ),
        Mistake(
            lambda n, p, f, r, w: right(n, p, f, r, w) * 2,
            "That is behind a forward pass. The backward pass is twice as long.",
        ),
        Mistake(
            lambda n, p, f, r, w: right(n, p, f, r, w) / 4,
            "You counted the weights, not their bytes: a gradient takes four for each.",
        ),
        Mistake(
            lambda n, p, f, r, w: right(n, p, f, r, w) / 2,
            "The chunks go round twice, once to be summed and once as sums: 2 (n - 1) / n.",
        ),
        Mistake(
            lambda n, p, f, r, w: right(n, p, f, r, w) * n / (n - 1),
            "In n - 1 turns, not n: the factor (n - 1) / n is missing.",
        ),
        Mistake(
            lambda n, p, f, r, w: right(n, p, f, r, w) * n,
            "That is the batch of all devices. How many images must one have?",
        ),
        Mistake(
            lambda n, p, f, r, w: right(n, p, f, r, w) / r,
            "C is a time: three forward passes of b images, divided by the operations of a second.",
        ),
        Mistake(
            lambda n, p, f, r, w: math.ceil(right(n, p, f, r, w)),
            "Rounded up. Return the number before rounding, so that it can be compared.",
        ),
    ]
    cases = [(8.0, 1.2e8, 8e10, 3e14, 5e10), (2.0, 3.6e7, 1.2e10, 3e12, 1.6e10)]
    return grade(
        answer, right, mistakes, cases, "Below it, a faster GPU would not help; a faster wire would."
    )


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
    ]
    cases = [(64.0, 5.0, 1024.0, 2.0), (10.0, 12.0, 1000.0, 2.1)]
    praise = (
        "Well below this batch, twice the images are worth nearly twice the steps; well above it, little."
    )
    return grade(answer, right, mistakes, cases, praise)
