"""Answers to the exercises of the chapter "Where it goes"."""

import math

import torch
import torch.nn.functional as F

from tests.bank import Answers, Bank


def unit(z):
    return z / z.square().mean().sub(z.mean() ** 2).sqrt()


def scores(q, k):
    return q @ k.T / math.sqrt(q.shape[1])


def attend(q, k, v, there):
    weights = torch.where(there, scores(q, k), -math.inf).softmax(dim=1)
    return weights @ v


def only_there(q, k, v, there):
    return F.scaled_dot_product_attention(q[None], k[there][None], v[there][None])[0]


def by_exponentials(q, k, v, there):
    e = scores(q, k).exp() * there
    return e / e.sum(1, keepdim=True) @ v


def norm(h):
    return F.layer_norm(h, h.shape[-1:], eps=1e-9)


def block(h, f, shift, scale, gate):
    return h + gate * f(norm(h) * (1 + scale) + shift)


def in_lines(h, f, shift, scale, gate):
    x = norm(h)
    x = x + scale * x + shift
    return gate * f(x) + h


def share(counts, fits):
    return sum(int(counts[i]) for i in fits) / int(counts.sum())


def beyond(counts, fits):
    chance = len(fits) / 10
    return (share(counts, fits) - chance) / (1 - chance)


BANK: Bank = {
    "check_unit_latent": Answers(
        right=[lambda z: z / z.std(), unit, lambda z: z.numpy() / z.numpy().std()],
        wrong=[
            (lambda z: z / z.var(), "its root is the unit"),
            (lambda z: z / z.std((0, 2, 3), keepdim=True), "weigh the channels anew"),
            (lambda z: (z - z.mean()) / z.std(), "Divide alone"),
            (lambda z: z * z.std(), "Upside down"),
            (lambda z: z / z.abs().max(), "not the variance"),
            (lambda z: z / z.std((1, 2, 3), keepdim=True), "not one for each"),
        ],
    ),
    "check_cross_attention": Answers(
        right=[attend, only_there, by_exponentials],
        wrong=[
            (lambda q, k, v, there: scores(q, k).softmax(1) @ v, "filling is read"),
            (lambda q, k, v, there: (scores(q, k).softmax(1) * there) @ v, "no longer sum to 1"),
            (lambda q, k, v, there: (scores(q, k) * there).softmax(1) @ v, "e^0 is 1"),
            (lambda q, k, v, there: (q @ k[there].T).softmax(1) @ v[there], "root of d"),
            (lambda q, k, v, there: (q @ k[there].T / q.shape[1]).softmax(1) @ v[there], "not by d"),
            (lambda q, k, v, there: scores(q, k)[:, there].softmax(0) @ v[there], "over the words"),
            (lambda q, k, v, there: scores(q, k)[:, there].softmax(1) @ k[there], "values are read"),
            (lambda q, k, v, there: scores(q, k)[:, ~there].softmax(1) @ v[~there], "other way round"),
            (lambda q, k, v, there: (q @ k[there].T / 5**0.5).softmax(1) @ v[there], "not how many words"),
        ],
    ),
    "check_block_cost": Answers(
        right=[
            lambda n, d: 12 * n * d**2 + 2 * n**2 * d,
            lambda n, d: n * (3 * d * d + d * d + 2 * (d * 4 * d)) + n * n * d + n * n * d,
            lambda n, d: 2 * n * d * (6 * d + n),
        ],
        wrong=[
            (lambda n, d: 12 * n * d**2, "between tokens are missing"),
            (lambda n, d: 12 * n * d**2 + n**2 * d, "meet twice"),
            (lambda n, d: 12 * n * d**2 + 2 * n**2, "not one"),
            (lambda n, d: 4 * n * d**2 + 2 * n**2 * d, "small network is missing"),
            (lambda n, d: 11 * n * d**2 + 2 * n**2 * d, "four layers"),
            (lambda n, d: 6 * n * d**2 + 2 * n**2 * d, "4 d wide"),
            (lambda n, d: 12 * d**2 + 2 * n * d, "one token"),
            (lambda n, d: 24 * n * d**2 + 4 * n**2 * d, "count as one"),
        ],
    ),
    "check_gated": Answers(
        right=[block, in_lines, lambda h, f, a, b, g: torch.add(h, g * f(torch.add(a, (1 + b) * norm(h))))],
        wrong=[
            (lambda h, f, a, b, g: h + g * f(b * norm(h) + a), "is 1 + scale"),
            (lambda h, f, a, b, g: h + f((1 + b) * norm(h) + a), "gate is missing"),
            (lambda h, f, a, b, g: g * f((1 + b) * norm(h) + a), "themselves are missing"),
            (lambda h, f, a, b, g: h + (1 + g) * f((1 + b) * norm(h) + a), "begins at 0"),
            (lambda h, f, a, b, g: h + g * f((1 + b) * h + a), "normalized before"),
            (lambda h, f, a, b, g: h + g * f((1 + b) * (norm(h) + a)), "Scale first"),
            (lambda h, f, a, b, g: norm(h) + g * f((1 + b) * norm(h) + a), "as it came in"),
        ],
    ),
    "check_smaller": Answers(
        right=[(64, 4096), (8**2, 8**4), torch.tensor([64, 4096])],
        wrong=[
            ((8, 64), "each of two directions"),
            ((64, 64), "all pairs"),
            ((8, 8), "each of two directions"),
            ((64, 512), "square of 64"),
            ((1 / 64, 1 / 4096), "one over it"),
            ((4096, 64), "wrong order"),
            ((512, 4096), "as their number"),
            ((64, 128), "Not twice"),
        ],
    ),
    "check_beyond_chance": Answers(
        right=[
            beyond,
            lambda c, f: 1 - (1 - share(c, f)) / (1 - len(f) / 10),
            lambda c, f: (10 * share(c, f) - len(f)) / (10 - len(f)),
        ],
        wrong=[
            (share, "without being told so"),
            (lambda c, f: share(c, f) - len(f) / 10, "what chance leaves"),
            (lambda c, f: share(c, f) / (len(f) / 10), "1 by chance"),
            (lambda c, f: (share(c, f) - 0.1) / 0.9, "each of the digits"),
            (lambda c, f: (share(c, f) * int(c.sum()) - len(f) / 10) / (1 - len(f) / 10), "by their sum"),
            (lambda c, f: (share(c, f) - len(f) / 10) / (len(f) / 10), "1 - len(fits) / 10"),
        ],
    ),
}
