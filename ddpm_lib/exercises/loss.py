"""Graders of the chapter on the loss, second half: weights, the training loss, the least loss, the score."""

from __future__ import annotations

import math

from torch import Tensor

from ddpm_lib.evaluate.montecarlo import normals
from ddpm_lib.exercises.grading import Mistake, Verdict, grade, grade_value
from ddpm_lib.schedule import linear_schedule

SCHEDULE = linear_schedule(50)


def check_x0_weight(answer: object) -> Verdict:
    """answer(snr_before, snr_t): the weight of the squared error of x_0 in L_{t-1}, with beta_tilde."""
    mistakes = [
        Mistake(
            lambda b, t: (b / t - 1) / 2, "That is the weight of the error of eps. Multiply it by SNR(t)."
        ),
        Mistake(lambda b, t: (t - b) / 2, "The SNR falls with t, so yours is negative."),
        Mistake(lambda b, t: b - t, "The half is missing."),
        Mistake(
            lambda b, t: (b / t - 1) / (2 * t),
            "You divided by SNR(t): but an error of x_0 is the error of eps divided by the root of the SNR.",
        ),
        Mistake(
            lambda b, t: (b / t - 1) * math.sqrt(t) / 2,
            "The errors differ by the root of the SNR, so their squares differ by the SNR itself.",
        ),
        Mistake(
            lambda b, t: b * (b / t - 1) / 2,
            "You multiplied by SNR(t - 1). The error at x_t is measured with SNR(t).",
        ),
        Mistake(
            lambda b, t: b / t / 2,
            "The minus 1 is missing: without a step between the two times nothing is lost.",
        ),
        Mistake(
            lambda b, t: (1 / t - 1 / b) / 2,
            "That is made of 1 / SNR: write the weight of eps as a ratio first.",
        ),
        Mistake(
            lambda b, t: (t / b - 1) / 2,
            "Upside down, without SNR(t): the weight of eps is (SNR(t - 1) / SNR(t) - 1) / 2.",
        ),
        Mistake(
            lambda b, t: t * (1 - t / b) / 2,
            "The ratio in the weight of eps is SNR(t - 1) / SNR(t), minus 1, and not its inverse.",
        ),
        Mistake(
            lambda b, t: math.log(b / t) / 2,
            "That is the limit for short steps of the weight of eps, not of x_0.",
        ),
    ]
    cases = [(float(SCHEDULE.snr[t - 1]), float(SCHEDULE.snr[t])) for t in (2, 10, 40)]
    praise = "The SNR lost in the step, halved: summed over all steps the weights telescope."
    return grade(answer, lambda snr_before, snr_t: (snr_before - snr_t) / 2, mistakes, cases, praise)


def check_least_error(answer: object) -> Verdict:
    """answer: the least mean squared error of eps for a pixel N(0, 0.5) where alpha_bar = 0.8."""
    signal, noise = 0.8 * 0.5, 1 - 0.8
    mistakes: list[tuple[object, str]] = [
        (
            noise / (signal + noise),
            "That is the share of the noise in Var[x_t], which can be guessed. The rest is lost.",
        ),
        (0.8, "That is the answer for variance 1. This pixel has variance 0.5."),
        (0.5, "That is the variance of the data. What is its share of Var[x_t]?"),
        (0.4, "That is the signal's part of Var[x_t]. Divide it by all of Var[x_t]."),
        (0.2, "That is the noise's variance in x_t. The error of eps was asked for."),
        (0.0, "x_t does not tell signal from noise, so some error is left."),
        (
            0.5 * noise / (signal + noise),
            "That is the least error of x_0. That of eps is larger by the factor SNR(t).",
        ),
        (0.5 / (0.5 + noise), "You forgot to shrink the signal: its variance in x_t is alpha_bar times 0.5."),
        (1.0, "That is the error of the guess 0. x_t tells something about its noise."),
        (0.6, "That is Var[x_t]. The signal's share of it was asked for."),
        (
            2.0,
            "That is the signal over the noise in x_t, a ratio. The share of the signal in both was asked for.",
        ),
    ]
    praise = "The signal's share of Var[x_t]: the part of x_t that may be taken for noise and is not."
    sides = (
        "So good no guess can be: x_t does not tell which part of it is noise.",
        "A guess can be better: the noise's share of x_t may be taken for noise.",
    )
    return grade_value(answer, signal / (signal + noise), mistakes, praise, sides)


def check_score_from_x0(answer: object) -> Verdict:
    """answer(xt, x0_hat, alpha_bar_t): the score at x_t from a guess of the image."""

    def right(xt: Tensor, x0_hat: Tensor, alpha_bar_t: float) -> Tensor:
        return -(xt - math.sqrt(alpha_bar_t) * x0_hat) / (1 - alpha_bar_t)

    mistakes = [
        Mistake(lambda x, x0, a: -right(x, x0, a), "The sign: the density grows towards the image."),
        Mistake(
            lambda x, x0, a: math.sqrt(1 - a) * right(x, x0, a),
            "That is minus the noise. The score is the noise divided by -sqrt(1 - alpha_bar).",
        ),
        Mistake(
            lambda x, x0, a: -(x - x0) / (1 - a),
            "The image in x_t is shrunk: subtract sqrt(alpha_bar) x0_hat.",
        ),
        Mistake(
            lambda x, x0, a: -(x - a * x0) / (1 - a),
            "The image in x_t is shrunk by sqrt(alpha_bar), not by alpha_bar.",
        ),
        Mistake(
            lambda x, x0, a: -(x - math.sqrt(a) * x0) / (1 - a) ** 2,
            "You divided by the square of the variance: the exponent is a square over twice the variance.",
        ),
        Mistake(
            lambda x, x0, a: (x - math.sqrt(a) * x0) / math.sqrt(1 - a),
            "That is the noise. The score points the other way, and is larger by 1 / sqrt(1 - alpha_bar).",
        ),
        Mistake(
            lambda x, x0, a: math.sqrt(a) * x0 - x,
            "Divide by the variance of the noise in x_t, 1 - alpha_bar_t.",
        ),
        Mistake(
            lambda x, x0, a: -(x - math.sqrt(a) * x0) / a,
            "alpha_bar_t belongs to the signal. Divide by the variance of the noise, 1 - alpha_bar_t.",
        ),
        Mistake(
            lambda x, x0, a: -(x / math.sqrt(a) - x0) * a / (1 - a),
            "That is the score of u = x_t / sqrt(alpha_bar_t). At x_t it is divided by that root.",
        ),
    ]
    normal = normals(2)
    cases = [(normal(4, 3), normal(4, 3), a) for a in (0.9, 0.5, 0.05)]
    praise = "Minus the noise that belongs to the guess, over its standard deviation once more."
    return grade(answer, right, mistakes, cases, praise)
