"""Further slips in the exercises on notation and on the forward chain."""

import torch

from ddpm_lib.schedule import cosine_schedule, linear_schedule
from tests.bank import More
from tests.bank.forward import MEAN, SD, walked, weights

MORE: More = {
    "check_reparameterize": [
        (lambda mu, variance, eps: mu * variance**0.5 * eps, "The mean is added, not multiplied"),
        (lambda mu, variance, eps: mu + variance**0.5, "Your function's result has shape (), but"),
        (lambda mu, variance, eps: mu + eps, "Your result does not change with `variance`"),
        (
            lambda mu, variance, eps: mu + variance**0.5 * torch.randn_like(eps),
            "Another call gives another result",
        ),
        (lambda mu, variance, eps: mu + eps / variance**0.5, "It is what comes out with `variance`"),
    ],
    "check_sum_of_gaussians": [
        (lambda a, b: (a**2 + b**2) ** 0.5 / 2, "Right up to the factor 1 /"),
        (lambda a, b: (a + b) ** 2, "The square of a sum has a"),
        (lambda a, b: a * b, "Independent terms add their variances; nothing is"),
        (lambda a, b: (a + b) / 2**0.5, "You added the standard deviations"),
        (lambda a, b: max(a, b), "That is `a` itself, as the function"),
    ],
    "check_diffusers_index": [
        (lambda t: 2 * t, "Right but for `(1 + t)`, which"),
        (lambda t: 0, "Your result is 0 in every case"),
        (lambda t: max(t - 2, 0), "It is right for t = 1"),
        (lambda t: t / 1000, "An index is a whole number, the"),
        (lambda t: 1000 - t - 1 + 2, "Their table runs in the same direction"),
    ],
    "check_pixel": [
        ((0.8 * 0.2, SD), "Right: the second"),
        ((MEAN**2, SD), "Of the first: That is the square"),
        ((MEAN, SD**0.5), "Of the second: That is the square"),
        ((MEAN, SD * 0.8), "Right: the first"),
        (MEAN, "The answer should be 2 numbers in"),
    ],
    "check_two_steps": [
        (lambda b1, b2: (1 - b1 - b2, walked(b1, b2)[1]), "The variance is right"),
        (lambda b1, b2: (walked(b1, b2)[0], b2), "That is `b2` itself, as the function"),
        (lambda b1, b2: (walked(b1, b2)[0], (b1 * (1 - b2)) ** 0.5 + b2**0.5), "The weight is right"),
        (lambda b1, b2: ((b1 * b2) ** 0.5, 1 - b1 * b2), "It is what comes out with `b1`"),
        (lambda b1, b2: (walked(b1, b2)[0], b1 * (1 - b2) ** 2 + b2), "The weight is right"),
    ],
    "check_q_sample": [
        (lambda x0, t, eps, ab: weights(ab[t])[0] * x0, "Your result does not change with `eps`"),
        (
            lambda x0, t, eps, ab: weights(ab[t])[0] * x0 + weights(ab[t])[1] * torch.randn_like(eps),
            "Another call gives another result",
        ),
        (lambda x0, t, eps, ab: x0 + weights(ab[t])[1] * eps, "You did not shrink the image"),
        (
            lambda x0, t, eps, ab: weights(ab[t])[0] * x0 - weights(ab[t])[1] * eps,
            "It is what comes out with `eps`",
        ),
        (
            lambda x0, t, eps, ab: weights(ab[t])[0] ** 2 * x0 + weights(ab[t])[1] ** 2 * eps,
            "Both square roots are missing",
        ),
    ],
    "check_one_step": [
        (lambda x, b, eps: (1 - b) ** 0.5 * x + (1 - b) ** 0.5 * eps, "the weight of `eps` is that of `x`"),
        (
            lambda x, b, eps: (1 - b) ** 0.5 * x + b**0.5 * torch.randn_like(eps),
            "Another call gives another result",
        ),
        (lambda x, b, eps: (1 - b) ** 0.5 * x - b**0.5 * eps, "You subtracted the noise"),
        (lambda x, b, eps: x / (1 - b) ** 0.5 + b**0.5 * eps, "the weight of `x` is upside down"),
        (
            lambda x, b, eps: (1 - b) ** 0.5 * x + b**0.25 * eps,
            "the weight of `eps` is the square root of what it should be",
        ),
    ],
    "check_cosine_beta": [
        (lambda T: linear_schedule(T).beta, "Your function raised ValueError"),
        (lambda T: cosine_schedule(T).beta.sqrt(), "That is the root of beta"),
        (lambda T: cosine_schedule(T).beta.clamp(max=0.9), "Of its 11 entries 10 are right"),
        (lambda T: 1 - cosine_schedule(T).alpha_bar, "That is 1 - alpha_bar, all the"),
        (lambda T: cosine_schedule(T).beta[1:], "Your function's result has shape (10,), but"),
    ],
    "check_smallest_T": [
        (2 * 911, "That is twice what was asked for"),
        (454, "Too few: with so short a chain"),
        (456, "You asked for alpha_bar_T < 0.01"),
        (920, "More than needed: with fewer steps the"),
        (500, "Too few: with so short a chain"),
    ],
    "check_shift": [
        (lambda ab, d: ab.sqrt() / d, "You divided the weight of the image"),
        (lambda ab, d: ab / (ab + d * d), "It is right where alpha_bar = 0.00152"),
        (lambda ab, d: 1 - (1 - ab) / d**2, "You divided the noise's variance by d^2"),
        (lambda ab, d: (ab.logit() - d**2).sigmoid(), "In log SNR, a division by d^2"),
        (lambda ab, d: (ab.logit() / d**2).sigmoid(), "You divided log SNR"),
    ],
    "check_correlation": [
        (lambda s, t: s * (1 - t) / (t * (1 - s)), "You swapped s and t, and left"),
        (lambda s, t: (t * (1 - t) / (s * (1 - s))) ** 0.5, "The parts of the noise have changed"),
        (lambda s, t: t / s * (1 - s) / (1 - t), "You left the last square root out"),
        (lambda s, t: (1 - s) / (1 - t), "That compares the noise alone, and without"),
        (lambda s, t: (s * t) ** 0.5, "That belongs to x_0 in both of"),
    ],
}
