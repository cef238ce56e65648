"""Answers to the exercises of the chapter on the training loss."""

import math
from statistics import NormalDist

import numpy as np
import torch
import torch.nn.functional as F

from tests.bank import Answers, Bank

PRIOR = (0.8 - 1 - math.log(0.8) + 0.2) / 2
LEAST = 2 / 3


def kl(ma, va, mb, vb):
    return (va / vb - 1 - torch.log(va / vb) + (ma - mb) ** 2 / vb) / 2


def kl_of_torch(ma, va, mb, vb):
    of = torch.distributions.Normal
    return torch.distributions.kl_divergence(of(ma, va**0.5), of(mb, vb**0.5))


def kl_by_numpy(*moments):
    ma, va, mb, vb = (x.numpy() for x in moments)
    return 0.5 * (np.log(vb) - np.log(va)) + (va + (ma - mb) ** 2) / (2 * vb) - 0.5


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


def area(x0, mean, sd, half=1 / 255, tails=True):
    low, high = (x0 - half - mean) / sd, (x0 + half - mean) / sd
    if tails:
        low, high = low.masked_fill(x0 < -0.999, -math.inf), high.masked_fill(x0 > 0.999, math.inf)
    return torch.special.ndtr(high) - torch.special.ndtr(low)


def by_edges(x0, mean, sd):
    edges = torch.cat([x0.new_tensor([-math.inf]), (x0[1:] + x0[:-1]) / 2, x0.new_tensor([math.inf])])
    return torch.special.ndtr((edges - mean) / sd).diff().log()


def by_statistics(x0, mean, sd):
    bell, rows = NormalDist(mean, sd), x0.tolist()
    low = [0.0 if x < -0.999 else bell.cdf(x - 1 / 255) for x in rows]
    high = [1.0 if x > 0.999 else bell.cdf(x + 1 / 255) for x in rows]
    return [math.log(b - a) for a, b in zip(low, high, strict=True)]


def score(xt, x0_hat, ab):
    return (ab**0.5 * x0_hat - xt) / (1 - ab)


BANK: Bank = {
    "check_prior_term": Answers(
        right=[PRIOR, 0.1116, np.float32(0.112)],
        wrong=[
            (PRIOR / math.log(2), "in bits"),
            (2 * PRIOR, "The half"),
            (0.1, "the means alone"),
            ((0.64 - 1 - math.log(0.64) + 0.2) / 2, "squared the variance"),
            ((1.25 - 1 + math.log(0.8) + 0.25) / 2, "the other way round"),
            ((0.8 - 1 - math.log(0.8) + 0.04) / 2, "squared twice"),
            (0.0, "logarithm of the ratio"),
            ((0.2 - 1 - math.log(0.2) + 0.8) / 2, "changed places"),
        ],
    ),
    "check_kl": Answers(
        right=[kl, kl_of_torch, kl_by_numpy],
        wrong=[
            (lambda ma, va, mb, vb: kl(mb, vb, ma, va), "KL(b || a)"),
            (lambda *p: 2 * kl(*p), "The half"),
            (lambda ma, va, mb, vb: kl(ma, va, mb, vb) + 0.5, "minus 1 is missing"),
            (lambda ma, va, mb, vb: kl(ma, va, mb, vb) + (va / vb).log(), "sign of the logarithm"),
            (lambda ma, va, mb, vb: kl(ma, va**2, mb, vb**2), "variances already"),
            (lambda *p: kl(*p).mean(), "was expected"),
            (lambda ma, va, mb, vb: kl(ma, va, mb, vb) / math.log(2), "1 / log 2"),
            (
                lambda ma, va, mb, vb: kl(ma, va, mb, vb) + (va / vb).log() / 4,
                "not of the standard deviations",
            ),
            (lambda ma, va, mb, vb: kl(ma, va, mb, vb) + (ma - mb) ** 2 / vb / 2, "whole bracket"),
        ],
    ),
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
            (with_sight(lambda x0, t, eps, ab: noisy(x0, t, eps, ab) - x0), "The roots are back"),
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
    "check_log_level": Answers(
        right=[lambda *p: area(*p).log(), by_edges, by_statistics],
        wrong=[
            (lambda *p: area(*p, tails=False).log(), "own the tails"),
            (lambda *p: area(*p, half=2 / 255).log(), "overlap"),
            (lambda *p: area(*p, half=1 / 256).log(), "leave gaps"),
            (area, "return its logarithm"),
            (lambda x0, mean, sd: area(x0, mean, sd**2).log(), "divided by the variance"),
            (lambda *p: area(*p).log2(), "another base"),
            (lambda *p: -area(*p).log(), "but for the sign"),
            (lambda *p: area(*p, half=1 / 510).log(), "and not 1 / 255"),
        ],
    ),
    "check_last_sd": Answers(
        right=[0.0125, 0.0121, torch.tensor(0.0131)],
        wrong=[
            (0.0125**2, "take its root"),
            (0.01, "root of beta_1"),
            (0.0001, "beta_1 itself"),
            (0.0069, "over all pixels"),
            (0.02, "off by up to"),
            ("narrow", "made of numbers"),
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
