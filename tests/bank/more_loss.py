"""Further slips in the exercises on the loss."""

import math

import torch
import torch.nn.functional as F

from tests.bank import More
from tests.bank.loss import noisy
from tests.bank.loss_bound import PRIOR, area

MORE: More = {
    "check_prior_term": [
        (0.9, "It is less: compare N(sqrt(0.2), 0.8) with"),
        (-PRIOR, "Right but for the sign"),
        (PRIOR * 784, "That is for a whole picture of"),
        ((1 - 0.2 - math.log(0.8) + 0.2) / 2, "The minus 1 is missing"),
        ((0.8 - 1 - math.log(0.8) + 0.2 / 0.8) / 2, "The square of the means is divided"),
    ],
    "check_kl": [
        (lambda ma, va, mb, vb: (va / vb - 1 - (va / vb).log()) / 2, "Your result does not change with `ma`"),
        (
            lambda ma, va, mb, vb: (va / vb - 1 - (vb / va).log() + (ma - mb) ** 2 / vb) / 2,
            "The sign of the logarithm",
        ),
        (
            lambda ma, va, mb, vb: (vb / va - 1 - (va / vb).log() + (ma - mb) ** 2 / vb) / 2,
            "The first term is the ratio of",
        ),
        (
            lambda ma, va, mb, vb: (va / vb + 1 - (va / vb).log() + (ma - mb) ** 2 / vb) / 2,
            "Right up to a sum",
        ),
        (
            lambda ma, va, mb, vb: (va / vb - 1 - (va / vb).log() + (ma - mb) ** 2) / 2,
            "The square of the means is divided",
        ),
    ],
    "check_x0_weight": [
        (lambda b, t: (b - t) / 4, "Right up to the factor 1 /"),
        (lambda b, t: (b / t - 1) * b / 2, "You multiplied by SNR(t - 1)"),
        (lambda b, t: (b - t) / (2 * b), "Right but for a factor `b` that"),
        (lambda b, t: (b - t) * t / 2, "Right but for a factor `t` that"),
        (lambda b, t: (b + t) / 2, "It is what comes out with `t`"),
    ],
    "check_noise_loss": [
        (
            lambda network, x0, t, eps, ab: F.mse_loss(
                network(noisy(x0, t, eps, ab), t), noisy(x0, t, eps, ab)
            ),
            "The target is the noise",
        ),
        (
            lambda network, x0, t, eps, ab: ((eps - network(noisy(x0, t, eps, ab), t)).mean()) ** 2,
            "Square first, then take the mean",
        ),
        (
            lambda network, x0, t, eps, ab: (
                (eps - network(ab[t][:, None].sqrt() * x0 + eps, t)) ** 2
            ).mean(),
            "The noise has full weight",
        ),
        (
            lambda network, x0, t, eps, ab: (
                (eps - network(x0 + (1 - ab[t])[:, None].sqrt() * eps, t)) ** 2
            ).mean(),
            "The image keeps its full weight",
        ),
        (
            lambda network, x0, t, eps, ab: (
                (eps - network(ab[t][:, None] * x0 + (1 - ab[t])[:, None].sqrt() * eps, t)) ** 2
            ).mean(),
            "One root is back. The image needs",
        ),
    ],
    "check_log_level": [
        (lambda x0, mean, sd: (area(x0, mean, sd) / (2 / 255)).log(), "Right up to a sum"),
        (lambda x0, mean, sd: -((x0 - mean) ** 2) / (2 * sd**2), "That is the exponent of the density"),
        (lambda x0, mean, sd: torch.special.ndtr((x0 - mean) / sd).log(), "That is the area left of the"),
        (
            lambda x0, mean, sd: area(x0, mean, sd, half=1 / 255).log().sum(),
            "Your function's result has shape (), but",
        ),
        (lambda x0, mean, sd: area(x0, mean, sd, half=0.5).log(), "Levels are 2 / 255 apart here"),
    ],
    "check_last_sd": [
        (0.02, "Too wide: the area of the right"),
        (0.005, "Too narrow: black pixels guessed too light"),
        (0.0157, "Too wide: the area of the right"),
        (0.002, "Too narrow: black pixels guessed too light"),
        (0.1, "Too wide: the area of the right"),
    ],
    "check_least_error": [
        (1.0, "That is the error of the guess"),
        (0.6, "That is Var[x_t]. The signal's share of"),
        (0.9, "A guess can be better"),
        (0.25, "So good no guess can be"),
        (0.8 * 0.25 / (0.8 * 0.25 + 0.2), "That is the variance of the data"),
    ],
    "check_score_from_x0": [
        (lambda xt, x0, ab: -(xt - math.sqrt(ab) * x0) / (1 - ab) / math.sqrt(ab), "the weight of `x0` is"),
        (lambda xt, x0, ab: -(x0 - math.sqrt(ab) * xt) / (1 - ab), "It is what comes out with `xt`"),
        (
            lambda xt, x0, ab: -(xt - math.sqrt(ab) * x0) / math.sqrt(ab),
            "the weight of `x0` is 1, and should not be",
        ),
        (lambda xt, x0, ab: -xt / (1 - ab), "Your result does not change with `x0`"),
        (lambda xt, x0, ab: -(xt - math.sqrt(1 - ab) * x0) / ab, "It is what comes out with `ab`"),
    ],
}
