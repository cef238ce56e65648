"""Answers to the exercises of the chapter on the training loss."""

import math

import numpy as np
import torch.nn.functional as F

from tests.bank import Answers, Bank

LEAST = 2 / 3


def noisy(x0, t, eps, ab):
    a = ab[t].reshape(len(t), 1)
    return a.sqrt() * x0 + (1 - a).sqrt() * eps


def noise_loss(network, x0, t, eps, ab):
    return F.mse_loss(network(noisy(x0, t, eps, ab), t), eps)


def loss_by_rows(network, x0, t, eps, ab):
    return (eps - network(noisy(x0, t, eps, ab), t)).square().mean(dim=1).mean()


def loss_of_numpy(*given):
    network, x0, t, eps, ab = given
    return float(np.mean((eps - network(noisy(x0, t, eps, ab), t)).numpy() ** 2))


def with_sight(sight):
    return lambda network, x0, t, eps, ab: F.mse_loss(network(sight(x0, t, eps, ab), t), eps)


def score(xt, x0_hat, ab):
    return (ab**0.5 * x0_hat - xt) / (1 - ab)


BANK: Bank = {
    "check_x0_weight": Answers(
        right=[
            lambda before, at: 0.5 * (before - at),
            lambda before, at: at * (before / at - 1) / 2,
            lambda before, at: np.float32(before / 2) - np.float32(at / 2),
        ],
        wrong=[
            (lambda before, at: (before / at - 1) / 2, "weight of the error of eps"),
            (lambda before, at: (at - before) / 2, "yours is negative"),
            (lambda before, at: before - at, "The half is missing"),
            (lambda before, at: (before / at - 1) / 2 / at, "You divided by SNR(t)"),
            (lambda before, at: (before / at - 1) / 2 * math.sqrt(at), "by the SNR itself"),
            (lambda before, at: before * (before / at - 1) / 2, "by SNR(t - 1)"),
            (lambda before, at: before / at / 2, "minus 1"),
            (lambda before, at: (1 / at - 1 / before) / 2, "1 / SNR"),
        ],
    ),
    "check_noise_loss": Answers(
        right=[noise_loss, loss_by_rows, loss_of_numpy, lambda *p: noise_loss(*p) * p[1].shape[1]],
        wrong=[
            (with_sight(lambda x0, t, eps, ab: x0), "given the clean image"),
            (with_sight(lambda x0, t, eps, ab: eps), "given the noise"),
            (
                with_sight(lambda x0, t, eps, ab: ab[t][:, None] * x0 + (1 - ab[t])[:, None] * eps),
                "mixed wrongly",
            ),
            (
                with_sight(lambda x0, t, eps, ab: noisy(x0, t, eps, ab) - ab[t][:, None] * x0),
                "The roots are back",
            ),
            (with_sight(lambda x0, t, eps, ab: (1 - ab[t])[:, None].sqrt() * eps), "without its image"),
            (lambda network, x0, t, eps, ab: F.mse_loss(network(noisy(x0, t, eps, ab), t), x0), "not x0"),
            (lambda *p: noise_loss(*p) * p[1].numel(), "take the mean"),
            (lambda *p: noise_loss(*p) / 2, "the factor 1 / 2"),
            (lambda *p: noise_loss(*p).sqrt(), "root"),
            (lambda network, x0, t, eps, ab: eps - network(noisy(x0, t, eps, ab), t), "has shape"),
            (
                with_sight(lambda x0, t, eps, ab: ab[t][:, None].sqrt() * x0 + (1 - ab[t])[:, None] * eps),
                "needs its own",
            ),
            (with_sight(lambda x0, t, eps, ab: noisy(x0, t - 1, eps, ab)), "alpha_bar[t - 1]"),
            (
                lambda network, x0, t, eps, ab: F.l1_loss(network(noisy(x0, t, eps, ab), t), eps),
                "absolute errors",
            ),
        ],
    ),
    "check_least_error": Answers(
        right=[LEAST, 0.667, np.float32(0.4 / 0.6)],
        wrong=[
            (1 / 3, "share of the noise"),
            (0.8, "variance 1"),
            (0.5, "variance of the data"),
            (0.4, "the signal's part"),
            (1 / 6, "least error of x_0"),
            (0.5 / 0.7, "forgot to shrink"),
            (LEAST**0.5, "square root"),
        ],
    ),
    "check_score_from_x0": Answers(
        right=[
            score,
            lambda xt, x0_hat, ab: -(xt - ab**0.5 * x0_hat) / (1 - ab) ** 0.5 / (1 - ab) ** 0.5,
            lambda xt, x0_hat, ab: (np.sqrt(ab) * x0_hat.numpy() - xt.numpy()) / (1 - ab),
        ],
        wrong=[
            (lambda *p: -score(*p), "The sign"),
            (lambda xt, x0_hat, ab: (ab**0.5 * x0_hat - xt) / (1 - ab) ** 0.5, "minus the noise"),
            (lambda xt, x0_hat, ab: (xt - ab**0.5 * x0_hat) / (1 - ab) ** 0.5, "That is the noise"),
            (lambda xt, x0_hat, ab: (x0_hat - xt) / (1 - ab), "is shrunk"),
            (lambda xt, x0_hat, ab: (ab * x0_hat - xt) / (1 - ab), "not by alpha_bar"),
            (lambda xt, x0_hat, ab: (ab**0.5 * x0_hat - xt) / (1 - ab) ** 2, "square of the variance"),
            (lambda xt, x0_hat, ab: ab**0.5 * x0_hat - xt, "Divide"),
            (lambda xt, x0_hat, ab: (ab**0.5 * x0_hat - xt) / ab, "belongs to the signal"),
            (lambda xt, x0_hat, ab: score(xt, x0_hat, ab) * ab**0.5, "score of u"),
        ],
    ),
}
