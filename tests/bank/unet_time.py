"""Answers to the exercises of the chapter on the U-Net: how it is told the time."""

import math

import numpy as np
import torch

from ddpm_lib.assets.measured import measured
from tests.bank import Answers, Bank


def mean(arm, table="ablate-eps"):
    found = [row["distance"] for row in measured(table)["rows"] if row["arm"] == arm]
    return sum(found) / len(found)


WHOLE, NO_TIME = mean("the whole"), mean("no time")


def embed(t, dim, over=2, sign=-1):
    angle = t[:, None] * 10_000 ** (sign * over * torch.arange(dim // 2) / dim)
    return torch.cat([angle.cos(), angle.sin()], dim=1)


def embed_by_loops(t, dim):
    w = [math.exp(-math.log(10_000) * i / (dim // 2)) for i in range(dim // 2)]
    return [[math.cos(x * a) for a in w] + [math.sin(x * a) for a in w] for x in t.tolist()]


def embed_by_outer(t, dim):
    angle = np.outer(t.numpy(), 1e4 ** -(np.arange(dim // 2) / (dim // 2)))
    return np.hstack([np.cos(angle), np.sin(angle)])


def rows_swapped(t, dim):
    angle, e = t[:, None] * 10_000 ** (-torch.arange(dim) / dim), torch.empty(len(t), dim)
    e[t % 2 == 0], e[t % 2 == 1] = angle[t % 2 == 0].sin(), angle[t % 2 == 1].cos()
    return e


BANK: Bank = {
    "check_time_embedding": Answers(
        right=[embed, embed_by_loops, embed_by_outer],
        wrong=[
            (rows_swapped, "rows were masked"),
            (lambda t, dim: embed(t, dim).roll(dim // 2, 1), "sines come first"),
            (lambda t, dim: embed(t, dim, over=1), "ends at 1/2"),
            (lambda t, dim: embed(t, dim, sign=1), "exponent is negative"),
            (lambda t, dim: embed(2 * math.pi * t, dim), "no 2 pi"),
            (
                lambda t, dim: embed(t, dim).reshape(-1, 2, dim // 2).transpose(1, 2).flatten(1),
                "alternate here",
            ),
        ],
    ),
    "check_similarity": Answers(
        right=[
            lambda d, w: (d * w).cos().sum(),
            lambda d, w: sum(math.cos(d * x) for x in w.tolist()),
            lambda d, w: (
                torch.cat([(3 * w).cos(), (3 * w).sin()])
                @ torch.cat([((3 + d) * w).cos(), ((3 + d) * w).sin()])
            ),
        ],
        wrong=[
            (lambda d, w: (d * w).sin().sum(), "most like itself"),
            (lambda d, w: (d * w).cos().mean(), "a sum"),
            (lambda d, w: ((d * w).cos() + (d * w).sin()).sum(), "is one cosine"),
            (lambda d, w: 2 * (d * w).cos().sum(), "one term together"),
            (lambda d, w: math.cos(d * w.sum()), "its own cosine"),
            (lambda d, w: (d * w).cos(), "sum"),
        ],
    ),
    "check_time_factor": Answers(
        right=[NO_TIME / WHOLE, round(NO_TIME / WHOLE, 2), torch.tensor(NO_TIME / WHOLE)],
        wrong=[
            (WHOLE / NO_TIME, "other way round"),
            (NO_TIME - WHOLE, "difference"),
            (NO_TIME, "divide by that of the whole"),
            (mean("rows for columns") / WHOLE, "mistaken embedding"),
            (mean("time only added") / WHOLE, "only added"),
            (NO_TIME / WHOLE - 1, "1 more"),
            (100 * NO_TIME / WHOLE, "in percent"),
            (mean("no time", "ablate") / mean("the whole", "ablate"), "take the other"),
        ],
    ),
}
