"""Graders of the clinic: what the training is given, mended, and a loss to be foreseen."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ddpm_lib.assets.measured import measured
from ddpm_lib.evaluate.montecarlo import normals
from ddpm_lib.exercises.grading import Mistake, Verdict, grade, grade_value


def check_mend_pixels(answer: object) -> Verdict:
    """answer(image): bytes 0 ... 255 as x_0 in [-1, 1]."""
    mistakes = [
        Mistake(lambda x: x / 255, "That is [0, 1]: the noise and the clipping are made for [-1, 1]."),
        Mistake(lambda x: x / 255 / 127.5 - 1, "Divided twice: all pixels lie between -1 and -0.99."),
        Mistake(lambda x: x / 127.5, "From 0 to 2: subtract 1."),
        Mistake(
            lambda x: x / 255 - 1, "From -1 to 0: that is half the range. Double it before you subtract."
        ),
        Mistake(lambda x: 2 * x - 1, "Not divided at all: `image` holds 0 to 255."),
        Mistake(lambda x: x / 255 - 0.5, "From -0.5 to 0.5: that is half the range."),
        Mistake(lambda x: 1 - x / 127.5, "The sign: black is -1, and white 1."),
        Mistake(lambda x: x / 128 - 1, "255 must become 1: divide by 127.5."),
        Mistake(
            lambda x: 2 * x / x.max() - 1,
            "Divide by 255, not by the brightest pixel: an image may have no white one.",
        ),
        Mistake(
            lambda x: (x - x.mean()) / x.std(),
            "Each image would get a scale of its own: it is 0 to 255 for all.",
        ),
    ]
    cases = [(torch.tensor([[0.0, 51.0], [127.5, 255.0]]),), (torch.tensor([3.0, 250.0]),)]
    return grade(answer, lambda x: x / 127.5 - 1, mistakes, cases, "Divided once, and from black to white.")


def check_mend_noising(answer: object) -> Verdict:
    """answer(x0, eps, ab): x_t, where alpha_bar_t is the number ab."""

    def right(x0: Tensor, eps: Tensor, ab: float) -> Tensor:
        return math.sqrt(ab) * x0 + math.sqrt(1 - ab) * eps

    mistakes = [
        Mistake(
            lambda x, e, ab: ab * x + (1 - ab) * e, "Variances are added here: both weights need their root."
        ),
        Mistake(lambda x, e, ab: math.sqrt(ab) * x + (1 - ab) * e, "The noise still lacks its root."),
        Mistake(lambda x, e, ab: ab * x + math.sqrt(1 - ab) * e, "The image still lacks its root."),
        Mistake(
            lambda x, e, ab: math.sqrt(ab) * x + math.sqrt(ab) * e,
            "The noise has the weight sqrt(1 - alpha_bar).",
        ),
        Mistake(
            lambda x, e, ab: math.sqrt(ab) * x + (1 - math.sqrt(ab)) * e,
            "1 - sqrt(alpha_bar) is not sqrt(1 - alpha_bar).",
        ),
        Mistake(
            lambda x, e, ab: math.sqrt(1 - ab) * x + math.sqrt(ab) * e,
            "Image and noise have changed places: at t = 0, where alpha_bar is 1, the image is left.",
        ),
    ]
    normal = normals(seed=0)
    cases = [(normal(2, 3), normal(2, 3), 0.7), (normal(4), normal(4), 0.1)]
    return grade(answer, right, mistakes, cases, "The squares of the two weights add up to 1.")


def check_mend_embedding(answer: object) -> Verdict:
    """answer(angle): the sine of the even columns of angle (b, dim), the cosine of the odd ones."""

    def right(angle: Tensor) -> Tensor:
        out = angle.clone()
        out[:, ::2], out[:, 1::2] = angle[:, ::2].sin(), angle[:, 1::2].cos()
        return out

    def rows(angle: Tensor) -> Tensor:
        return right(angle.T).T

    mistakes = [
        Mistake(rows, "Still by rows: what a picture is told depends on its place in the batch."),
        Mistake(lambda a: a.sin(), "The odd columns need the cosine."),
        Mistake(lambda a: a.cos(), "The even columns need the sine."),
        Mistake(lambda a: right(a.roll(1, 1)).roll(-1, 1), "Sine and cosine have changed places."),
        Mistake(
            lambda a: torch.cat([a[:, ::2].sin(), a[:, 1::2].cos()], 1),
            "A network would not mind, but the columns have been sorted: sines first. Leave each in its place.",
        ),
        Mistake(
            lambda a: torch.cat([a[:, ::2].cos(), a[:, 1::2].sin()], 1),
            "Sine and cosine have changed places, and the columns are sorted.",
        ),
        Mistake(
            lambda a: a.sin() + a.cos(),
            "A column is either a sine or a cosine: even ones the sine, odd ones the cosine.",
        ),
    ]
    cases = [(torch.tensor([[0.3, 1.1, 0.2, 2.0], [0.6, 2.2, 0.4, 4.0], [0.9, 3.3, 0.6, 6.0]]),)]
    return grade(answer, right, mistakes, cases, "Rows are times; columns are features of one time.")


def check_mend_average(answer: object) -> Verdict:
    """answer(average, weight, step): the average after a step, with d = min(0.9999, (1 + step) / (10 + step))."""

    def mixed(average: Tensor, weight: Tensor, d: float) -> Tensor:
        return d * average + (1 - d) * weight

    def d(step: int) -> float:
        return min(0.9999, (1 + step) / (10 + step))

    mistakes = [
        Mistake(
            lambda a, w, s: mixed(a, w, 0.9999),
            "Still 0.9999 from the first step on: after 1,000 steps nine tenths of it are the random start.",
        ),
        Mistake(
            lambda a, w, s: mixed(w, a, d(s)),
            "Average and weight have changed places: d belongs to the average.",
        ),
        Mistake(
            lambda a, w, s: mixed(a, w, max(0.9999, (1 + s) / (10 + s))),
            "The larger of the two: then the decay is never below 0.9999.",
        ),
        Mistake(
            lambda a, w, s: mixed(a, w, (1 + s) / (10 + s)),
            "In a long run this decay comes too near to 1: limit it.",
        ),
        Mistake(lambda a, w, s: w, "That is the last weight, without any average."),
    ]
    normal = normals(seed=1)
    cases = [(normal(3), normal(3), 0), (normal(3), normal(3), 100), (normal(3), normal(3), 1_000_000)]
    return grade(
        answer,
        lambda a, w, s: mixed(a, w, d(s)),
        mistakes,
        cases,
        "A short memory at first, a long one later.",
    )


def check_first_loss(answer: object) -> Verdict:
    """answer: the losses at step 0 of networks that answer 0 and are asked for x_0, and for eps, on the digits."""
    images = measured("clinic")["images"]
    square, mean = images["square"], images["mean"]
    unit = (square + 2 * mean + 1) / 4  # of (x + 1) / 2
    mistakes: list[tuple[object, str]] = [
        ((1.0, square), "The right numbers in the wrong order: x_0 first, then eps."),
        ((unit, 1.0), "The first is that of digits in [0, 1]: exactly how that fault shows."),
        (
            (square - mean**2, 1.0),
            "The first is the variance. The network answers 0, and not the mean: leave the mean in.",
        ),
        ((square, square), "The second is asked for eps: what is the mean square of noise?"),
        ((square, 0.0), "The second: the mean of eps is 0, but the loss is the mean of its *square*."),
        ((784 * square, 784.0), "The loss is a mean over the pixels, not their sum."),
        ((square**0.5, 1.0), "The first has a root too many: the loss is the mean square itself."),
    ]
    return grade_value(answer, (square, 1.0), mistakes, "Both can be known before the first step is taken.")
