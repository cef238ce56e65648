"""Further slips in the exercises on quality and on guidance."""

import math

import torch

from tests.bank import More
from tests.bank.guidance import level, threshold
from tests.bank.quality import BITS, copies, entropy

MORE: More = {
    "check_frechet": [
        (
            lambda ma, va, mb, vb: (ma - mb) ** 2 + va + vb - math.sqrt(va * vb),
            "The trace has the root twice",
        ),
        (lambda ma, va, mb, vb: (ma - mb) ** 2 + va + vb, "You left out the last term, -"),
        (lambda ma, va, mb, vb: (ma - mb) ** 2 + va + vb + 2 * math.sqrt(va * vb), "The sign of the product"),
        (
            lambda ma, va, mb, vb: (math.sqrt(va) - math.sqrt(vb)) ** 2,
            "Your result does not change with `ma`",
        ),
        (
            lambda ma, va, mb, vb: (ma - mb) ** 2 + abs(math.sqrt(va) - math.sqrt(vb)),
            "The difference of the standard deviations is",
        ),
    ],
    "check_entropy": [
        (
            lambda c: -(c / c.sum() * (c / c.sum()).log2()).sum(),
            "Your function's result holds NaN or infinite",
        ),
        (
            lambda c: -(c / c.sum() * (c / c.sum() + 1e-3).log2()).sum(),
            "A small number under the logarithm moves",
        ),
        (lambda c: -(c / c.sum() * (c / c.sum() + 1).log2()).sum(), "With 1 added under the logarithm it"),
        (
            lambda c: -(c / c.max() * (c / c.max()).clamp(min=1e-12).log2()).sum(),
            "Shares add to 1: divide by the",
        ),
        (lambda c: entropy(c) / math.log2(len(c)), "That is in units of the largest"),
    ],
    "check_limit": [
        (lambda n1, d1, n2, d2: d2, "The larger sample is nearer to the"),
        (lambda n1, d1, n2, d2: 2 * d2 - d1, "Right where the second number of samples"),
        (lambda n1, d1, n2, d2: (n1 * d1 - n2 * d2) / (n2 - n1), "The sign: subtract in one order, above"),
        (lambda n1, d1, n2, d2: (n2 * d2 - n1 * d1) / (n1 + n2), "Divide by what is left beside the"),
        (
            lambda n1, d1, n2, d2: (d2 / n2 - d1 / n1) / (1 / n2 - 1 / n1),
            "Multiply each distance by its own N",
        ),
    ],
    "check_bits": [
        (BITS * 8, "8 bits are the cost without a"),
        (2500, "That is the whole picture, in nats"),
        (BITS / 8, "It is more: 2,500 / (784 log"),
        (2500 / 256, "It is less: 2,500 nats are shared"),
        (2500 / 1024 / math.log(2), "28 x 28 are 784 pixels"),
    ],
    "check_share_of_copies": [
        (lambda x, m, c: (torch.cdist(x, m).min(1).values < c).sum(), "That is the number of copies"),
        (lambda x, m, c: torch.cdist(x, m).min(1).values.mean(), "That is the mean distance to the"),
        (
            lambda x, m, c: (torch.cdist(x, m).min(1).values > c).double().mean(),
            "That is the share that is *not*",
        ),
        (lambda x, m, c: 100 * copies(x, m, c), "Right up to the factor 100, which"),
        (
            lambda x, m, c: (torch.cdist(x, x).min(1).values < c).double().mean(),
            "Your result does not change with `m`",
        ),
    ],
    "check_scale": [
        (-6.5, "That is the weight of eps_null"),
        (0.0, "There the label changes nothing beyond the"),
        (1.0, "With w = 1 the weight of"),
        (1 / 7.5, "It is more: the weight of eps_y"),
        (3.25, "That is half of what was asked"),
    ],
    "check_drop_labels": [
        (lambda y, u, share, null: torch.where(u > share, null, y), "You keep the share that should go"),
        (
            lambda y, u, share, null: torch.where(torch.rand(len(y)) < share, null, y),
            "Another call gives another result",
        ),
        (lambda y, u, share, null: y[u >= share], "Your function's result has shape (4,), but"),
        (lambda y, u, share, null: torch.where(u < 1 - share, null, y), "1 - share is the share that"),
        (lambda y, u, share, null: torch.where(u < share, null + 1, y), "It is what comes out with `null`"),
    ],
    "check_guided": [
        (
            lambda n, xt, t, y, w, k: w * n(xt, t, y) - (1 + w) * n(xt, t, torch.full_like(y, k)),
            "The label is right",
        ),
        (
            lambda n, xt, t, y, w, k: (1 - w) * n(xt, t, y) + w * n(xt, t, torch.full_like(y, k)),
            "It is what comes out with `w`",
        ),
        (
            lambda n, xt, t, y, w, k: (1 + w) * n(xt, t, y) - w * n(xt, t, torch.full_like(y, k + 1)),
            "It is what comes out with `k`",
        ),
        (
            lambda n, xt, t, y, w, k: (1 + w) * n(xt, t, y) - w * n(xt, t * 0, torch.full_like(y, k)),
            "Both outputs are for the same time",
        ),
        (lambda n, xt, t, y, w, k: n(xt, t, torch.full_like(y, k)), "Your result does not change with `y`"),
    ],
    "check_tilted_variance": [
        (lambda v_y, v, w: 1 / (1 / v_y + w / v), "The power of the classifier is w"),
        (lambda v_y, v, w: 1 / (1 / v_y - w / v), "p(y | x)^w is p(x | y)^w"),
        (lambda v_y, v, w: 1 / (w / v_y + (1 - w) / v), "That is the convention in which w"),
        (lambda v_y, v, w: 1 / ((1 + w) / v_y - (1 + w) / v), "1 + w belongs to p(x |"),
        (lambda v_y, v, w: ((1 + w) / v_y - w / v) ** -0.5, "That is the square root of what"),
    ],
    "check_dynamic_threshold": [
        (lambda x, share: threshold(x, share) * 0.5, "Right up to the factor 1 /"),
        (lambda x, share: threshold(x, share, level(x, share).clamp(max=1)), "At *least* 1: s is the larger"),
        (lambda x, share: threshold(x, share, level(x, 1 - share).clamp(min=1)), "That is the other end"),
        (lambda x, share: x.clamp(-1, 1) / level(x, share).clamp(min=1), "Of its 216 entries 101 are right"),
        (lambda x, share: (x / level(x, share).clamp(min=1)).tanh(), "tanh bends all values"),
    ],
    "check_repairing_weight": [
        (0.5, "That is 1 less than what was"),
        (3.0, "That is twice what was asked for"),
        (2.5, "That is 1 + w, the whole"),
        (4, "Too strong: with it more than the"),
        (0.25, "Too weak: with it less than the"),
    ],
}
