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
        Mistake(
            lambda m, p, a: (0.8 * m - 20 * p) // (4 * a),
            "`activations` are bytes already: they are not multiplied by 4.",
        ),
        Mistake(
            lambda m, p, a: (0.8 * m - 12 * p) // a,
            "You counted three numbers a weight. There are five: weight, gradient, Adam's two, average.",
        ),
        Mistake(
            lambda m, p, a: (0.8 * m - 8 * p) // a,
            "You counted two numbers a weight. There are five: weight, gradient, Adam's two, average.",
        ),
        Mistake(
            lambda m, p, a: (1.2 * m - 20 * p) // a,
            "A fifth stays free: there is less memory to use, not more.",
        ),
        Mistake(lambda m, p, a: (0.95 * m - 20 * p) // a, "A fifth is 20 %: four fifths may be used."),
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
        Mistake(lambda lr, ema, k: (lr, ema**k), "The decay is right. The learning rate grows, too."),
        Mistake(
            lambda lr, ema, k: (lr / math.sqrt(k), ema**k),
            "The decay is right. A larger batch is less noisy, so the steps may be longer, not shorter.",
        ),
        Mistake(
            lambda lr, ema, k: (k * lr, ema),
            "Both: Adam takes the root of k, and with fewer steps the decay must be faster.",
        ),
        Mistake(
            lambda lr, ema, k: (math.sqrt(k) * lr, ema * k),
            "The rate is right. k small steps keep ema k times over: a power, not a product.",
        ),
        Mistake(
            lambda lr, ema, k: (math.sqrt(k) * lr, 1 - (1 - ema) ** k),
            "The rate is right. It is what is kept that is multiplied k times, ema, and not 1 - ema.",
        ),
        Mistake(
            lambda lr, ema, k: (math.sqrt(k) * lr, ema / k),
            "The rate is right. k small steps keep ema k times over: a power, not a quotient.",
        ),
        Mistake(
            lambda lr, ema, k: (math.sqrt(k) * lr, ema ** math.sqrt(k)),
            "The root is for the rate alone: one step stands for k, so the decay takes the power k.",
        ),
        Mistake(
            lambda lr, ema, k: (k**2 * lr, ema**k),
            "The decay is right. Adam's rate grows with the root of k, not with its square.",
        ),
        Mistake(
            lambda lr, ema, k: (lr / k, ema**k),
            "The decay is right. A larger batch is less noisy, so the rate grows, with the root of k.",
        ),
        Mistake(
            lambda lr, ema, k: (math.log(k) * lr, ema**k),
            "The decay is right. Adam's rate grows with the root of k.",
        ),
        Mistake(
            lambda lr, ema, k: (k * lr, ema ** (1 / k)),
            "Both: Adam takes the root of k, and the decay its power k.",
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
    return grade(answer, right, mistakes, cases, "Below it, the GPUs wait for the wire.")
