"""Graders of the chapter on the loss: the bound's terms, their weights, the least loss, the score."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ddpm_lib import gaussian
from ddpm_lib.bound import level_log_prob
from ddpm_lib.exercises.grading import Function, Mistake, Verdict, grade, grade_value
from ddpm_lib.montecarlo import normals
from ddpm_lib.schedule import linear_schedule

SCHEDULE = linear_schedule(50)
BEST_SD, WITHIN = 0.0125, 0.1  # of the last step of the chapter's pupil, on its 40 digits
LEVELS = torch.arange(256, dtype=torch.float64) / 127.5 - 1


def check_prior_term(answer: object) -> Verdict:
    """answer: L_T of a white pixel, in nats, where alpha_bar_T = 0.2."""
    right = (0.8 - 1 - math.log(0.8) + 0.2) / 2
    mistakes: list[tuple[object, str]] = [
        (right / math.log(2), "That is in bits. In nats, leave out the division by log 2."),
        (2 * right, "The half in front of the bracket is missing."),
        (0.1, "That is the part of the means alone. The variance 0.8 differs from 1 as well."),
        (
            (1 / 0.8 - 1 + math.log(0.8) + 0.2 / 0.8) / 2,
            "That is the divergence the other way round: the chain's Gaussian comes first.",
        ),
        (
            (0.64 - 1 - math.log(0.64) + 0.2) / 2,
            "You squared the variance: 1 - alpha_bar_T is a variance already.",
        ),
    ]
    return grade_value(
        answer, right, mistakes, "A fifth of the signal's power costs a tenth of a nat a pixel."
    )


def check_kl(answer: object) -> Verdict:
    """answer(mean_a, variance_a, mean_b, variance_b): KL(a || b), entry by entry."""

    def swapped(mean_a: Tensor, variance_a: Tensor, mean_b: Tensor, variance_b: Tensor) -> Tensor:
        return gaussian.kl(mean_b, variance_b, mean_a, variance_a)

    mistakes = [
        Mistake(
            swapped, "That is KL(b || a): the ratio is a's variance over b's, and b's divides the square."
        ),
        Mistake(lambda *p: 2 * gaussian.kl(*p), "The half in front of the bracket is missing."),
        Mistake(
            lambda ma, va, mb, vb: (va / vb - 1 - (va / vb).log() + (ma - mb) ** 2 / va) / 2,
            "The square of the means is divided by the variance of b, not of a.",
        ),
        Mistake(
            lambda ma, va, mb, vb: (va / vb - 1 + (va / vb).log() + (ma - mb) ** 2 / vb) / 2,
            "The sign of the logarithm: the divergence grows without limit as a gets narrow.",
        ),
        Mistake(
            lambda ma, va, mb, vb: (va / vb - (va / vb).log() + (ma - mb) ** 2 / vb) / 2,
            "Two equal Gaussians get 1/2 from yours: the minus 1 is missing.",
        ),
        Mistake(
            lambda ma, va, mb, vb: (va / vb - 1 - (va / vb).log() + (ma - mb).abs() / vb) / 2,
            "The distance of the means enters with its square.",
        ),
    ]
    normal = normals(0)
    cases = [(normal(5), normal(5).exp(), normal(5), normal(5).exp()) for _ in range(2)]
    praise = "Widths cost nothing where they agree, and the means cost their squared distance."
    return grade(answer, gaussian.kl, mistakes, cases, praise)


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
    ]
    cases = [(float(SCHEDULE.snr[t - 1]), float(SCHEDULE.snr[t])) for t in (2, 10, 40)]
    praise = "The SNR lost in the step, halved: summed over all steps the weights telescope."
    return grade(answer, lambda snr_before, snr_t: (snr_before - snr_t) / 2, mistakes, cases, praise)


def check_noise_loss(answer: object) -> Verdict:
    """answer(network, x0, t, eps, alpha_bar): the loss of Algorithm 1 for points (the debugging exercise)."""

    def loss(roots: bool = True, shown: str = "xt", target: str = "eps", total: bool = False) -> Function:
        def function(network: Function, x0: Tensor, t: Tensor, eps: Tensor, alpha_bar: Tensor) -> Tensor:
            a = alpha_bar[t].reshape(-1, 1)
            signal, noise = (a.sqrt(), (1 - a).sqrt()) if roots else (a, 1 - a)
            xt = signal * x0 + noise * eps
            sight = {"xt": xt, "rest": xt - x0, "x0": x0, "eps": eps}[shown]
            square = ((eps if target == "eps" else x0) - network(sight, t)) ** 2
            result: Tensor = square.sum() if total else square.mean()
            return result

        return function

    mistakes = [
        Mistake(
            loss(False, "rest"), "This is the function as it was. What may a network see when it samples?"
        ),
        Mistake(
            loss(shown="rest"),
            "The roots are back. But the network is still given x_t - x_0, and in sampling there is no x_0.",
        ),
        Mistake(
            loss(roots=False),
            "The network sees x_t now. But x_t is mixed wrongly: variances are alpha_bar and 1 - alpha_bar.",
        ),
        Mistake(
            loss(shown="x0"), "The network is given the clean picture: it must guess the noise from x_t."
        ),
        Mistake(loss(shown="eps"), "The network is given the noise that it has to guess."),
        Mistake(loss(target="x0"), "The target is the noise: eps, not x0."),
        Mistake(loss(total=True), "Right up to a factor: take the mean, or the loss grows with the batch."),
    ]
    normal = normals(1)

    def network(x: Tensor, t: Tensor) -> Tensor:
        return torch.tanh(x) * (1 + t[:, None] / 50)

    cases = [
        (network, normal(6, 2), torch.tensor([1, 5, 10, 20, 40, 50]), normal(6, 2), SCHEDULE.alpha_bar),
        (network, normal(3, 4), torch.tensor([50, 2, 25]), normal(3, 4), SCHEDULE.alpha_bar),
    ]
    praise = (
        "The roots are back, and the network sees x_t and t, which is all that it will have when it samples."
    )
    return grade(answer, loss(), mistakes, cases, praise)


def check_log_level(answer: object) -> Verdict:
    """answer(x0, mean, sd): log of the probability of each grey level x0 under N(mean, sd^2)."""

    def levels(half: float, tails: bool = True) -> Function:
        def function(x0: Tensor, mean: float, sd: float) -> Tensor:
            upper, lower = (x0 + half - mean) / sd, (x0 - half - mean) / sd
            if tails:
                upper = torch.where(x0 > 0.999, math.inf, upper)
                lower = torch.where(x0 < -0.999, -math.inf, lower)
            area: Tensor = torch.special.ndtr(upper) - torch.special.ndtr(lower)
            return area.log()

        return function

    def right(x0: Tensor, mean: float, sd: float) -> Tensor:
        return level_log_prob(x0, torch.full_like(x0, mean), sd**2)

    mistakes = [
        Mistake(
            levels(1 / 255, tails=False),
            "Right in the middle. But black and white own the tails: yours do not add to 1.",
        ),
        Mistake(
            levels(2 / 255),
            "Your levels overlap: two neighbours are 2 / 255 apart, so each owns 1 / 255 to either side.",
        ),
        Mistake(
            levels(1 / 256),
            "Your levels leave gaps: 256 levels have 255 steps between them, over a width of 2.",
        ),
        Mistake(lambda *p: right(*p).exp(), "That is the probability: return its logarithm."),
        Mistake(
            lambda x0, mean, sd: gaussian.log_prob(x0, mean, sd**2),
            "That is the logarithm of the density at the level. What is asked is the area around it.",
        ),
        Mistake(
            lambda x0, mean, sd: right(x0, mean, sd**2),
            "You divided by the variance: ndtr wants the distance in standard deviations.",
        ),
        Mistake(
            lambda x0, mean, sd: right(x0, mean, math.sqrt(sd)),
            "You divided by the root of sd: sd is the standard deviation already.",
        ),
    ]
    cases = [(LEVELS, 0.1, 0.4), (LEVELS, -0.7, 0.5)]
    praise = "The shares of all 256 levels add to 1, so this is a probability, and its logarithm counts bits."
    return grade(answer, right, mistakes, cases, praise)


def check_last_sd(answer: object) -> Verdict:
    """answer: the standard deviation of the last step that makes the mean of L_0 smallest, to 10 %."""
    near = isinstance(answer, int | float | Tensor) and abs(float(answer) / BEST_SD - 1) <= WITHIN
    mistakes: list[tuple[object, str]] = [
        (BEST_SD**2, "That is the variance: take its root."),
        (0.01, "That is the root of beta_1, which the paper fixed. Another one fits better."),
        (
            0.0069,
            "That is the error over all pixels. The black ones own a tail: look at the greys, or measure L_0.",
        ),
    ]
    praise = "Wider than the root of beta_1: the guess errs by 0.01 on greys, and too narrow costs more than too wide."
    return grade_value(BEST_SD if near else answer, BEST_SD, mistakes, praise)


def check_least_error(answer: object) -> Verdict:
    """answer: the least mean squared error of eps for a pixel N(0, 0.25) where alpha_bar = 0.5."""
    mistakes: list[tuple[object, str]] = [
        (0.8, "That is the share of the noise in Var[x_t], which can be guessed. The rest is lost."),
        (0.5, "That is the answer for variance 1. This pixel has variance 0.25."),
        (0.25, "That is the variance of the data. The signal in x_t has half of it, and the noise 0.5."),
        (0.0, "x_t does not tell signal from noise, so some error is left."),
        (
            0.1,
            "That is the least error of x_0: its variance 0.25, times the noise's share... nearly. Ask for eps.",
        ),
        (1 / 3, "You forgot to shrink the signal: its variance in x_t is alpha_bar times 0.25."),
    ]
    return grade_value(
        answer, 0.2, mistakes, "The signal's share of Var[x_t]: what looks like noise and is not."
    )


def check_score_from_x0(answer: object) -> Verdict:
    """answer(xt, x0_hat, alpha_bar_t): the score at x_t from a guess of the picture."""

    def right(xt: Tensor, x0_hat: Tensor, alpha_bar_t: float) -> Tensor:
        return -(xt - math.sqrt(alpha_bar_t) * x0_hat) / (1 - alpha_bar_t)

    mistakes = [
        Mistake(lambda x, x0, a: -right(x, x0, a), "The sign: the density grows towards the picture."),
        Mistake(
            lambda x, x0, a: math.sqrt(1 - a) * right(x, x0, a),
            "That is minus the noise. The score is the noise divided by -sqrt(1 - alpha_bar).",
        ),
        Mistake(
            lambda x, x0, a: -(x - x0) / (1 - a),
            "The picture in x_t is shrunk: subtract sqrt(alpha_bar) x0_hat.",
        ),
        Mistake(
            lambda x, x0, a: -(x - a * x0) / (1 - a),
            "The picture in x_t is shrunk by sqrt(alpha_bar), not by alpha_bar.",
        ),
        Mistake(
            lambda x, x0, a: -(x - math.sqrt(a) * x0) / (1 - a) ** 2,
            "You divided by the square of the variance: the exponent is a square over twice the variance.",
        ),
    ]
    normal = normals(2)
    cases = [(normal(4, 3), normal(4, 3), a) for a in (0.9, 0.5, 0.05)]
    praise = "Minus the noise that belongs to the guess, over its standard deviation once more."
    return grade(answer, right, mistakes, cases, praise)
