"""Answers to the exercises of the chapter on quality."""

import math

import numpy as np
import torch
from scipy import stats

from ddpm_lib.evaluate.metrics import frechet_distance
from tests.bank import Answers, Bank

BITS = 2500 / (784 * math.log(2))


def frechet(ma, va, mb, vb):
    return (ma - mb) ** 2 + (va**0.5 - vb**0.5) ** 2


def by_samples(ma, va, mb, vb):
    """The library's distance of two sets with exactly these moments."""
    z = torch.linspace(-1, 1, 101).double()[:, None]
    z = (z - z.mean()) / z.std()
    return frechet_distance(ma + va**0.5 * z, mb + vb**0.5 * z)


def entropy(c):
    p = c[c > 0] / c.sum()
    return -(p * p.log2()).sum()


def entropy_by_counts(c):
    total = sum(c.tolist())
    return sum(n / total * math.log2(total / n) for n in c.tolist() if n)


def limit(n1, d1, n2, d2):
    return (n2 * d2 - n1 * d1) / (n2 - n1)


def by_solving(n1, d1, n2, d2):
    return np.linalg.solve([[1, 1 / n1], [1, 1 / n2]], [d1, d2])[0]


def copies(x, memory, closest):
    return (torch.cdist(x, memory).min(1).values < closest).double().mean()


def copies_by_loops(x, memory, closest):
    near = [any(float((a - b).norm()) < closest for b in memory) for a in x]
    return sum(near) / len(near)


BANK: Bank = {
    "check_frechet": Answers(
        right=[frechet, by_samples, lambda ma, va, mb, vb: (ma - mb) ** 2 + va + vb - 2 * np.sqrt(va * vb)],
        wrong=[
            (lambda ma, va, mb, vb: (ma - mb) ** 2 + (va - vb) ** 2, "take the roots first"),
            (lambda ma, va, mb, vb: (ma - mb) ** 2 + va + vb - 2 * va * vb, "has a root over it"),
            (lambda *p: frechet(*p) ** 0.5, "leave the root out"),
            (lambda ma, va, mb, vb: (ma - mb) ** 2, "widths differ"),
            (lambda ma, va, mb, vb: (ma - mb) ** 2 + va + vb, "left out the last term"),
            (lambda ma, va, mb, vb: (ma - mb) ** 2 + va + vb - (va * vb) ** 0.5, "root twice"),
            (lambda ma, va, mb, vb: abs(ma - mb) + (va**0.5 - vb**0.5) ** 2, "squared, too"),
            (lambda ma, va, mb, vb: (ma - mb) ** 2 + abs(va - vb), "take the roots first"),
        ],
    ),
    "check_entropy": Answers(
        right=[
            entropy,
            entropy_by_counts,
            lambda c: torch.distributions.Categorical(c).entropy() / math.log(2),
        ],
        wrong=[
            (lambda c: stats.entropy(c.numpy()), "in nats"),
            (lambda c: -entropy(c), "The sign"),
            (lambda c: entropy(c) / len(c), "not their mean"),
            (lambda c: entropy(c) / (c > 0).sum(), "not their mean"),
            (lambda c: entropy(c) / math.log2(len(c)), "units of the largest"),
            (lambda c: -(c / c.sum() * (c / c.sum()).log2()).sum(), "logarithm of 0"),
            (lambda c: torch.tensor(len(c)).log2(), "largest possible"),
            (lambda c: -(c / c.sum()).clamp(min=1e-9).log2().sum(), "weight each"),
            (lambda c: 2.0 ** entropy(c), "Return its logarithm"),
        ],
    ),
    "check_limit": Answers(
        right=[limit, by_solving, lambda n1, d1, n2, d2: d2 - (d1 - d2) * n1 / (n2 - n1)],
        wrong=[
            (lambda n1, d1, n2, d2: (d1 - d2) / (1 / n1 - 1 / n2), "That is c"),
            (lambda n1, d1, n2, d2: (d1 + d2) / 2, "average"),
            (lambda n1, d1, n2, d2: (n1 * d1 + n2 * d2) / (n1 + n2), "average"),
            (lambda n1, d1, n2, d2: d2, "not there"),
            (lambda n1, d1, n2, d2: limit(n2, d1, n1, d2), "its own N"),
            (lambda n1, d1, n2, d2: n2 * d2 - n1 * d1, "Divide"),
            (lambda *p: -limit(*p), "The sign"),
        ],
    ),
    "check_bits": Answers(
        right=[BITS, 4.6, 2500 * math.log2(math.e) / 784],
        wrong=[
            (2500 / 784, "nats per pixel"),
            (2500 / math.log(2), "whole picture"),
            (2500 * math.log(2) / 784, "do not multiply"),
            (2500 / 28 / math.log(2), "one row"),
            (2500 / 784 / math.log(10), "log 10"),
            (BITS / 3, "not three"),
        ],
    ),
    "check_share_of_copies": Answers(
        right=[
            copies,
            copies_by_loops,
            lambda x, m, c: float((torch.cdist(x, m) < c).any(dim=1).float().mean()),
        ],
        wrong=[
            (lambda x, m, c: ((x - m.mean(0)).norm(dim=1) < c).double().mean(), "as it was"),
            (lambda x, m, c: (torch.cdist(x, m) < c).double().mean(), "share of pairs"),
            (lambda x, m, c: copies(m, x, c), "runs over the training"),
            (lambda x, m, c: (torch.cdist(x, m).mean(1) < c).double().mean(), "mean distance"),
            (lambda x, m, c: copies(x, m, c) * len(x), "number of copies"),
            (lambda x, m, c: 1 - copies(x, m, c), "share that is *not*"),
            (lambda x, m, c: (torch.cdist(x, m).square().min(1).values < c).double().mean(), "Take its root"),
            (
                lambda x, m, c: ((x[:, None] - m).abs().mean(2).min(1).values < c).double().mean(),
                "mean difference",
            ),
        ],
    ),
}
