"""Graders of the chapter on what to predict: errors, the best linear guess, min-SNR of v, laws of t, shares."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ddpm_lib.exercises.grading import Mistake, Verdict, grade, grade_value
from ddpm_lib.exercises.tolerance import nearest_each


def check_three_errors(answer: object) -> Verdict:
    """answer: the squared errors of eps_hat, v_hat and EDM's F (sigma_data = 0.5) for 0.02 of x0_hat at SNR = 9."""
    mistakes: list[tuple[object, str]] = [
        ((0.00222, 0.002, 0.00154), "Upside down: at this SNR an error of the image is a larger one of eps."),
        ((0.06, 0.0632, 0.0721), "These are squared errors: take the factors and not their roots."),
        ((0.18, 0.2, 0.19), "EDM's factor is SNR + 1 / sigma_data^2: the variance divides."),
        ((0.18, 0.2, 0.22), "EDM's factor is SNR + 1 / sigma_data^2: square sigma_data."),
        ((0.18, 0.2, 0.185), "EDM's factor is SNR + 1 / sigma_data^2: one over the variance of the data."),
        ((0.18, 0.2, 0.72), "EDM's factor is SNR + 1 / sigma_data^2: a sum, and no product."),
        ((0.18, 0.16, 0.26), "v's factor is SNR + 1: it has a share of both errors, and both count."),
        ((0.18, 0.2, 0.29), "The last is SNR + 1 / sigma_data^2 = 13, times 0.02."),
        ((0.18, 0.2, 0.2), "That is EDM's for sigma_data = 1, where it is v; here it is 0.5."),
        ((9.0, 10.0, 13.0), "These are the factors. Multiply each by the error of the image, 0.02."),
    ]
    return grade_value(answer, (0.18, 0.2, 0.26), mistakes, "SNR, SNR + 1, SNR + 4: one error, three sizes.")


def check_best_linear(answer: object) -> Verdict:
    """answer(sigma, sigma_data): the c for which c u is nearest to x_0 on average, u = x_0 + sigma eps."""

    def right(sigma: float, sigma_data: float) -> float:
        return sigma_data**2 / (sigma**2 + sigma_data**2)

    mistakes = [
        Mistake(lambda s, d: s**2 / (s**2 + d**2), "That is the noise's share of the variance, 1 - c."),
        Mistake(lambda s, d: d / (s + d), "Variances of independent parts add up, and not their roots."),
        Mistake(
            lambda s, d: d / math.sqrt(s**2 + d**2),
            "That c gives c u the size of x_0. The nearest is smaller: take the square.",
        ),
        Mistake(lambda s, d: 1 / math.sqrt(s**2 + d**2), "That is c_in, which gives c u the variance 1."),
        Mistake(lambda s, d: 1 / (1 + s**2), "That is c_skip of v, right for data of variance 1."),
        Mistake(lambda s, d: s * d / math.sqrt(s**2 + d**2), "That is c_out: the error that is left."),
        Mistake(
            lambda s, d: d**2 / (s + d) ** 2,
            "The variance of u is sigma^2 + sigma_data^2.",
        ),
        Mistake(lambda s, d: d**2 / (s**2 - d**2), "The parts are independent, so their variances add up."),
        Mistake(
            lambda s, d: d**2 / s**2, "That is the signal to noise ratio: divide by the whole variance of u."
        ),
        Mistake(lambda s, d: (s**2 + d**2) / d**2, "Upside down: c is below 1."),
    ]
    cases = [(0.3, 0.5), (1.0, 0.5), (4.0, 2.0)]
    return grade(
        answer, right, mistakes, cases, "EDM's c_skip: the network starts from the best linear guess."
    )


def check_new_weights(answer: object) -> Verdict:
    """answer(weight, law, new_law): the weights that leave the mean loss as it was when t is drawn from new_law."""

    def right(weight: Tensor, law: Tensor, new_law: Tensor) -> Tensor:
        return weight * law / new_law

    mistakes = [
        Mistake(lambda w, p, q: w * q / p, "The other way round: what is drawn more often must count for less."),
        Mistake(lambda w, p, q: w * p, "That is what each time contributes. Divide by how often it is drawn now."),
        Mistake(lambda w, p, q: w / q, "Right only if all times were equally likely before: where is the old law?"),
        Mistake(lambda w, p, q: w * p * q, "The new law divides: a time that is drawn twice as often counts half."),
        Mistake(lambda w, p, q: p / q, "And the old weights?"),
        Mistake(lambda w, p, q: w + p - q, "Weight and law are multiplied in the loss: divide, do not subtract."),
        Mistake(lambda w, p, q: w * p * (1 - q), "A time drawn twice as often counts half: divide by the new law."),
        Mistake(lambda w, p, q: (w * p).sum() / q, "What each time contributes has to stay, and not the sum alone."),
        Mistake(lambda w, p, q: w * (p / q).sqrt(), "No root: the mean is linear in the weights."),
        Mistake(lambda w, p, q: w * (p / q) ** 2, "No square: the mean is linear in the weights."),
    ]  # fmt: skip
    draw = torch.Generator().manual_seed(0)
    weight, law, new_law = (torch.rand(3, 6, generator=draw, dtype=torch.float64) + 0.1).unbind()
    cases = [(weight, law / law.sum(), new_law / new_law.sum())]
    return grade(answer, right, mistakes, cases, "The mean is the same; how much it scatters is not.")


def check_early_shares(answer: object) -> Verdict:
    """answer: the share of x_0's weights at t = 1 ... 50 of the cosine chain of 500, plain eps loss and min-SNR."""
    eps, clamped, v, counts = 0.9587, 0.2498, 0.9464, 0.1
    mistakes: list[tuple[object, str]] = [
        ((clamped, eps), "Both are right, in the other order."),
        ((1 - eps, 1 - clamped), "These are the shares of the other times, 51 to 500."),
        ((counts, counts), "That is the share of the times: add up their weights."),
        ((v, clamped), "The first is that of v, SNR + 1: an error of eps weighs the SNR."),
        (
            (counts, clamped),
            "On the error of eps all times weigh the same; on that of x_0 they weigh the SNR.",
        ),
    ]
    known = [(eps, clamped), *(value for value, _ in mistakes)]
    answer = nearest_each(answer, list(zip(*known, strict=True)), 0.004)
    praise = "A tenth of the times has nearly all of the weight of one loss, and a quarter of the other's."
    return grade_value(answer, (eps, clamped), mistakes, praise)
