"""Answers to the exercises of the chapter on the ResNet."""

import math

import numpy as np
import torch

from ddpm_lib.exercises.repairs import repaired_means
from tests.bank import Answers, Bank

ROWS = repaired_means()
NONE, ALL = ROWS[False, False, False], ROWS[True, True, True]
FACTOR = NONE["loss"] / ALL["loss"]


def residual(x, w1, b1, w2, b2, conv, lrelu):
    return x + conv(lrelu(conv(lrelu(x), w1, b1)), w2, b2)


def in_place(x, w1, b1, w2, b2, conv, lrelu):
    h = x.clone()
    for w, b in ((w1, b1), (w2, b2)):
        h = conv(lrelu(h), w, b)
    h += x
    return h


def by_where(x, w1, b1, w2, b2, conv, lrelu):
    def bend(x):
        return torch.where(x > 0, x, 0.2 * x)

    return conv(bend(conv(bend(x), w1, b1)), w2, b2) + x


BANK: Bank = {
    "check_view": Answers(
        right=[25, np.int64(25), 25.0],
        wrong=[
            (13, "Each block has two"),
            (24, "add 1"),
            (12, "*each* side"),
            (625, "Its side"),
            (17, "four blocks"),
            (49, "it is one"),
        ],
    ),
    "check_blocks_needed": Answers(
        right=[14, torch.tensor(14), math.ceil(27 / 2)],
        wrong=[
            (7, "corner"),
            (13.5, "round up"),
            (13, "27 away"),
            (27, "A block has two"),
            (28, "one block per pixel"),
            (15, "27 are enough"),
        ],
    ),
    "check_residual": Answers(
        right=[residual, in_place, by_where],
        wrong=[
            (lambda x, *p: residual(x, *p) - x, "adds it to x"),
            (
                lambda x, w1, b1, w2, b2, conv, lrelu: x + lrelu(conv(lrelu(conv(x, w1, b1)), w2, b2)),
                "come after each convolution",
            ),
            (
                lambda x, w1, b1, w2, b2, conv, lrelu: x + conv(conv(lrelu(x), w1, b1), w2, b2),
                "second activation",
            ),
            (
                lambda x, w1, b1, w2, b2, conv, lrelu: x + conv(lrelu(conv(x, w1, b1)), w2, b2),
                "activation of the",
            ),
            (lambda x, *p: residual(x, *p) - x + p[-1](x), "not to its activation"),
            (lambda x, w1, b1, w2, b2, *p: residual(x, w2, b2, w1, b1, *p), "w1 belongs"),
            (lambda *p: p[-1](residual(*p)), "After the sum"),
            (lambda x, *p: x + p[-1](residual(x, *p) - x), "too many"),
            (lambda x, w1, b1, w2, b2, conv, lrelu: x + conv(lrelu(x), w1, b1), "does not change with `w2`"),
        ],
    ),
    "check_dilated_view": Answers(
        right=[
            lambda n: 4 * 2**n - 3,
            lambda n: 1 + sum(2 * 2 * 2**k for k in range(n)),
            lambda n: np.float64(1 + 4 * (np.power(2, n) - 1)),
        ],
        wrong=[
            (lambda n: 4 * n + 1, "plain blocks"),
            (lambda n: 4 * (2**n - 1), "add 1"),
            (lambda n: 2 ** (n + 1) - 1, "two convolutions"),
            (lambda n: 1 + 4 * 2**n, "not 2^n"),
            (lambda n: 1 + sum(4 * 2**k for k in range(1, n + 1)), "from k = 0"),
            (lambda n: 1 + 4 * 2 ** (n - 1), "last block alone"),
            (lambda n: 1 + 4 * n * n, "double from block to block"),
            (lambda n: 1 + 2 * n, "2^k apart"),
        ],
    ),
    "check_add_time": Answers(
        right=[
            lambda h, f: h + f[..., None, None],
            lambda h, f: h.add(f.reshape(*f.shape, 1, 1)),
            lambda h, f: torch.stack([h[i] + f[i][:, None, None] for i in range(len(h))]),
        ],
        wrong=[
            (lambda h, f: h + f[:, None, None, :], "as it was"),
            (lambda h, f: h + f[:, None, :, None], "down the rows"),
            (lambda h, f: h + f, "Trailing axes"),
            (lambda h, f: h + f.T[:, :, None, None], "wrong way round"),
            (lambda h, f: h * f[:, :, None, None], "not multiplied"),
            (lambda h, f: h + f[None, :, :, None], "as images here"),
        ],
    ),
    "check_repair_factor": Answers(
        right=[FACTOR, round(FACTOR, 2), torch.tensor(FACTOR)],
        wrong=[
            (1 / FACTOR, "other way round"),
            (NONE["loss"] - ALL["loss"], "Divide"),
            (NONE["distance"] / ALL["distance"], "ratio of the distances"),
            (NONE["loss"] / ROWS[True, False, False]["loss"], "channels alone"),
            (max(r["loss"] for r in ROWS.values()) / ALL["loss"], "worst of the eight"),
            (ROWS[True, False, False]["loss"] / ALL["loss"], "has the channels already"),
        ],
    ),
}
