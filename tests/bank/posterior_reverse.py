"""Answers to the exercises of the chapter on the posterior: the reverse step that it becomes."""

import numpy as np
import torch

from ddpm_lib.diffusion import GaussianDiffusion
from tests.bank import Answers, Bank
from tests.bank.posterior import SCHEDULE, by_regression, mean, posterior

AB = SCHEDULE.alpha_bar
KEPT = float(AB[10] / AB[3])


def of_data(tau):
    return float(1 / (1 / (AB[3] * tau + 1 - AB[3]) + KEPT / (1 - KEPT)))


VARIANCE = of_data(0.25)


def with_a(xt, x0_hat, t, s, ab, a):
    return (ab[s].sqrt() * (1 - a) * x0_hat + a.sqrt() * (1 - ab[s]) * xt) / (1 - ab[t])


def clipped(xt, eps, t, s, ab, low=-1.0):
    return mean(xt, ((xt - (1 - ab[t]).sqrt() * eps) / ab[t].sqrt()).clamp(low, 1), t, s, ab)


def unclipped(xt, eps, t, s, ab):
    return mean(xt, (xt - (1 - ab[t]).sqrt() * eps) / ab[t].sqrt(), t, s, ab)


BANK: Bank = {
    "check_reverse_mean": Answers(
        right=[
            mean,
            lambda xt, x0_hat, t, s, ab: by_regression(x0_hat, xt, t, s, ab)[0],
            lambda xt, x0_hat, t, s, ab: GaussianDiffusion(SCHEDULE).q_posterior(x0_hat, xt, t, s)[0],
        ],
        wrong=[
            (lambda xt, x0_hat, t, s, ab: mean(xt, x0_hat, t, t - 1, ab), "always goes to t - 1"),
            (lambda xt, x0_hat, t, s, ab: mean(x0_hat, xt, t, s, ab), "changed places"),
            (lambda xt, x0_hat, t, s, ab: ab[s].sqrt() * x0_hat, "noise that x_t still holds"),
            (lambda xt, x0_hat, t, s, ab: x0_hat, "That is the guess"),
            (lambda xt, x0_hat, t, s, ab: posterior(x0_hat, xt, t, s, ab), "of type tuple"),
            (
                lambda xt, x0_hat, t, s, ab: with_a(xt, x0_hat, t, s, ab, (ab[t] / ab[s]) ** 0.5),
                "the ratio itself",
            ),
            (lambda xt, x0_hat, t, s, ab: with_a(xt, x0_hat, t, s, ab, ab[t]), "since t = 0"),
            (lambda xt, x0_hat, t, s, ab: with_a(xt, x0_hat, t, s, ab, ab[s] / ab[t]), "divide ab_t by ab_s"),
        ],
    ),
    "check_clipped_mean": Answers(
        right=[
            clipped,
            lambda xt, eps, t, s, ab: mean(
                xt,
                torch.tanh(torch.atanh(torch.zeros(()))) + unclipped(xt, eps, t, 0, ab).clip(-1, 1),
                t,
                s,
                ab,
            ),
            lambda xt, eps, t, s, ab: np.asarray(clipped(xt, eps, t, s, ab)),
        ],
        wrong=[
            (unclipped, "You did not clip"),
            (lambda *p: unclipped(*p).clamp(-1, 1), "You clipped the mean"),
            (lambda *p: clipped(*p, low=0.0), "clipped to [0, 1]"),
            (lambda xt, *p: unclipped(xt.clamp(-1, 1), *p), "You clipped x_t."),
            (lambda xt, eps, *p: unclipped(xt, eps.clamp(-1, 1), *p), "You clipped eps_hat"),
            (lambda xt, eps, t, s, ab: unclipped(xt, eps, t, 0, ab).clamp(-1, 1), "That is x0_hat"),
            (lambda *p: clipped(*p).clip(-1, 1), "the mean as well"),
            (lambda xt, eps, t, s, ab: mean(xt, unclipped(xt, eps, t, 0, ab).tanh(), t, s, ab), "tanh bends"),
            (lambda xt, eps, t, s, ab: mean(xt, eps.clamp(-1, 1), t, s, ab), "eps_hat where x0_hat"),
            (
                lambda xt, eps, t, s, ab: mean(
                    xt, ((xt - (1 - ab[t]) * eps) / ab[t] ** 0.5).clip(-1, 1), t, s, ab
                ),
                "not by 1 - alpha_bar",
            ),
            (
                lambda xt, eps, t, s, ab: mean(
                    xt, ((xt - (1 - ab[t]) ** 0.5 * eps) / ab[t]).clip(-1, 1), t, s, ab
                ),
                "not by alpha_bar",
            ),
            (lambda xt, eps, t, s, ab: clipped(xt, eps, t, t - 1, ab), "`t - 1` in the place of `s`"),
        ],
    ),
    "check_reverse_variance": Answers(
        right=[VARIANCE, np.float32(1.015 * VARIANCE), torch.tensor([0.985 * VARIANCE])],
        wrong=[
            (float((1 - AB[3]) * (1 - KEPT) / (1 - AB[10])), "That is beta_tilde"),
            (1 - KEPT, "That is beta,"),
            (VARIANCE**0.5, "Square it"),
            (0.25, "of the data"),
            (of_data(0.0625), "by its root, 0.5"),
            (of_data(0.5), "its standard deviation"),
            (float(1 - 0.75 * AB[3]), "over all paths"),
            (float(1 - 0.75 * AB[10]), "variance of x_10"),
            ((1 - KEPT) / KEPT, "likelihood alone"),
            (float(1 - AB[3]), "when x_0 is known"),
        ],
    ),
}
