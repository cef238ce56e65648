"""Further slips in the exercises on the posterior."""

import torch

from ddpm_lib.exercises.posterior import SCHEDULE
from ddpm_lib.exercises.posterior import weights as right_weights
from tests.bank import More

AB = SCHEDULE.alpha_bar


def post(x0, xt, t, s, ab):
    a, b = right_weights(ab[t], ab[s])
    return a * x0 + b * xt, (1 - ab[s]) * (1 - ab[t] / ab[s]) / (1 - ab[t])


def mean(xt, eps, b, ab):
    return (xt - b / (1 - ab) ** 0.5 * eps) / (1 - b) ** 0.5


def rmean(xt, x0, t, s, ab):
    return post(x0, xt, t, s, ab)[0]


def clipped(xt, e, t, s, ab):
    x0 = ((xt - (1 - ab[t]).sqrt() * e) / ab[t].sqrt()).clamp(-1, 1)
    return rmean(xt, x0, t, s, ab)


MORE: More = {
    "check_narrower": [
        ("likelihood", "The answer should be 2 numbers in"),
        (("both", "both"), "Answer with 'prior' or 'likelihood', twice; 'both'"),
        (("Likelihood ", "LIKELIHOOD"), "s = 19 is right. But at"),
        ((19, 10), "Answer with 'prior' or 'likelihood', twice; 19"),
        (("posterior", "prior"), "Answer with 'prior' or 'likelihood', twice; 'posterior'"),
    ],
    "check_shares": [
        (lambda s, t: (s / (s + t), 1 - s / (s + t)), "The ratios are no precisions to be"),
        (lambda s, t: (1 - t / s, t), "That is `t` itself, as the function"),
        (lambda s, t: (s - t, t), "A share is part of a whole"),
        (lambda s, t: (1 - t / s, s / t), "Of the second: That is upside down"),
        (lambda s, t: ((s - t) / t, t / s), "The two add to 1: what is"),
    ],
    "check_posterior": [
        (
            lambda x0, xt, t, s, ab: (post(x0, xt, t, s, ab)[0], 1 - ab[s]),
            "Your result does not change with `t`",
        ),
        (
            lambda x0, xt, t, s, ab: (post(x0, xt, t, s, ab)[0], post(x0, xt, t, s, ab)[1].sqrt()),
            "The mean is right",
        ),
        (lambda x0, xt, t, s, ab: post(xt, x0, t, s, ab), "The variance is right"),
        (
            lambda x0, xt, t, s, ab: (
                post(x0, xt, t, s, ab)[0] + post(x0, xt, t, s, ab)[1].sqrt() * torch.randn_like(xt),
                post(x0, xt, t, s, ab)[1],
            ),
            "Another call gives another result",
        ),
        (lambda x0, xt, t, s, ab: post(x0, xt, s, t, ab), "Your function's result holds NaN or infinite"),
    ],
    "check_mean_from_eps": [
        (lambda xt, e, b, ab: (xt - b / ab**0.5 * e) / (1 - b) ** 0.5, "It is what comes out with `ab`"),
        (lambda xt, e, b, ab: (xt - b * e) / (1 - b) ** 0.5, "Your result does not change with `ab`"),
        (lambda xt, e, b, ab: (xt - b**0.5 / (1 - ab) * e) / (1 - b) ** 0.5, "the weight of `e` is"),
        (lambda xt, e, b, ab: xt / (1 - b) ** 0.5, "Your result does not change with `e`"),
        (lambda xt, e, b, ab: mean(e, xt, b, ab), "It is what comes out with `xt`"),
    ],
    "check_reverse_mean": [
        (lambda xt, x0, t, s, ab: rmean(xt, x0, t, s, ab) * (1 - ab[t]), "the weight of `x0` is"),
        (
            lambda xt, x0, t, s, ab: rmean(xt, x0, t, max(s, t - 1), ab),
            "Now it is consistent, and always goes",
        ),
        (
            lambda xt, x0, t, s, ab: (
                (ab[s] * (1 - ab[t] / ab[s]) * x0 + (ab[t] / ab[s]) * (1 - ab[s]) * xt) / (1 - ab[t])
            ),
            "the weight of `x0` is",
        ),
        (
            lambda xt, x0, t, s, ab: (
                (ab[s].sqrt() * (1 - ab[t] / ab[s]) * x0 + (ab[t] / ab[s]).sqrt() * (1 - ab[s]) * xt)
                / (1 - ab[s])
                if s
                else x0 * 0
            ),
            "the weight of `x0` is",
        ),
        (
            lambda xt, x0, t, s, ab: (
                x0
                if s == 0
                else (
                    ab[s].sqrt() * (1 - ab[t] / ab[t - 1]) * x0
                    + (ab[t] / ab[t - 1]).sqrt() * (1 - ab[s]) * xt
                )
                / (1 - ab[t])
            ),
            "the weight of `x0` is",
        ),
    ],
    "check_reverse_variance": [
        (0.0, "It is more: even with x_0 known"),
        (0.5, "That is the variance of x_10"),
        ("small", "The answer should be made of numbers"),
        (0.0223**2, "It is more: even with x_0 known"),
        (0.25 / 2, "It is more: even with x_0 known"),
    ],
    "check_clipped_mean": [
        (
            lambda xt, e, t, s, ab: rmean(xt, ((xt - (1 - ab[t]) * e) / ab[t].sqrt()).clamp(-1, 1), t, s, ab),
            "In x0_hat the noise is multiplied by",
        ),
        (
            lambda xt, e, t, s, ab: rmean(xt, (xt - (1 - ab[t]).sqrt() * e).clamp(-1, 1), t, s, ab),
            "It is right where xt = -0.9021",
        ),
        (
            lambda xt, e, t, s, ab: rmean(xt, ((xt - (1 - ab[t]).sqrt() * e) / ab[t]).clamp(-1, 1), t, s, ab),
            "x0_hat is divided by sqrt(alpha_bar), not by",
        ),
        (lambda xt, e, t, s, ab: clipped(xt, e, t, t - 1, ab), "It is what comes out with `t"),
        (lambda xt, e, t, s, ab: rmean(xt, e.clamp(-1, 1), t, s, ab), "You put eps_hat where x0_hat belongs"),
    ],
}
