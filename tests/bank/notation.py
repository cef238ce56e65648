"""Answers to the exercises of the chapter on notation."""

import math
from statistics import NormalDist

import numpy as np
import torch

from tests.bank import Answers, Bank

BANK: Bank = {
    "check_reparameterize": Answers(
        right=[
            lambda mu, variance, eps: mu + variance**0.5 * eps,
            lambda mu, variance, eps: np.sqrt(variance) * eps.numpy() + mu,
            lambda mu, variance, eps: torch.full_like(eps, mu).add(eps.float(), alpha=math.sqrt(variance)),
        ],
        wrong=[
            (lambda mu, variance, eps: mu + variance * eps, "noise by the variance"),
            (lambda mu, variance, eps: mu + variance * variance * eps, "squared the variance"),
            (lambda mu, variance, eps: eps * variance**0.5, "left the mean out"),
            (lambda mu, variance, eps: (mu + eps) * variance**0.5, "scaled the mean"),
            (lambda mu, variance, eps: mu - variance**0.5 * eps, "subtracted the noise"),
            (lambda mu, variance, eps: (eps - mu) / variance**0.5, "back to N(0, 1)"),
            (lambda mu, variance, eps: mu + variance**-0.5 * eps, "`variance` upside down"),
            (lambda mu, variance, eps: mu + variance**0.5 * torch.randn_like(eps), "draw none"),
        ],
    ),
    "check_sum_of_gaussians": Answers(
        right=[
            lambda a, b: (a * a + b * b) ** 0.5,
            lambda a, b: torch.tensor([a, b]).norm(),
            lambda a, b: (NormalDist(0, abs(a)) + NormalDist(0, abs(b))).stdev,
        ],
        wrong=[
            (lambda a, b: a + b, "added the standard deviations"),
            (lambda a, b: a * a + b * b, "That is the variance"),
            (lambda a, b: math.sqrt(a + b), "square the weights"),
            (lambda a, b: math.sqrt(a * a - b * b), "subtracted the variances"),
            (lambda a, b: math.sqrt((a * a + b * b) / 2), "not their mean"),
            (lambda a, b: math.sqrt((a + b) ** 2), "added the standard deviations"),
            (lambda a, b: math.hypot(a * a, b * b), "squared twice"),
            (lambda a, b: max(a, b) - min(a, b), "neither added nor subtracted"),
        ],
    ),
    "check_diffusers_index": Answers(
        right=[lambda t: t - 1, lambda t: range(t)[-1], lambda t: np.int64(t) - 1],
        wrong=[
            (lambda t: t, "no entry for the clean image"),
            (lambda t: t + 1, "wrong way"),
            (lambda t: t - 2, "by two"),
            (lambda t: 1000 - t, "same direction"),
            (lambda t: -t, "from the end"),
            (lambda t: 999 - t, "same direction"),
        ],
    ),
}
