"""Answers to the exercises of the chapter on the loss: the terms of the bound."""

import math
from statistics import NormalDist

import numpy as np
import torch

from tests.bank import Answers, Bank

PRIOR = (0.8 - 1 - math.log(0.8) + 0.2) / 2


def kl(ma, va, mb, vb):
    return (va / vb - 1 - torch.log(va / vb) + (ma - mb) ** 2 / vb) / 2


def kl_of_torch(ma, va, mb, vb):
    of = torch.distributions.Normal
    return torch.distributions.kl_divergence(of(ma, va**0.5), of(mb, vb**0.5))


def kl_by_numpy(*moments):
    ma, va, mb, vb = (x.numpy() for x in moments)
    return 0.5 * (np.log(vb) - np.log(va)) + (va + (ma - mb) ** 2) / (2 * vb) - 0.5


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


BANK: Bank = {
    "check_prior_term": Answers(
        right=[PRIOR, 0.1116, np.float32(0.112)],
        wrong=[
            (PRIOR / math.log(2), "in bits"),
            (2 * PRIOR, "The half"),
            (0.1, "the means alone"),
            (PRIOR - 0.1, "the variances alone"),
            ((0.8 - 1 - math.log(0.8) + math.sqrt(0.2)) / 2, "without the root"),
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
}
