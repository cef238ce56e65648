"""Further slips in the exercises of the chapter "Where it goes"."""

import math

import torch.nn.functional as F

from tests.bank import More
from tests.bank.where import norm, scores, share


def given_block(h, f, shift, scale, gate):  # the cell as the chapter gives it
    h = F.layer_norm(h, h.shape[-1:])
    return h + f(scale * h + shift)


MORE: More = {
    "check_unit_latent": [
        (lambda z: (z - z.mean()) / z.var(), "Nothing is taken off, and the root"),
        (lambda z: z / z.abs().mean(), "Case by case right up to a"),
        (lambda z: z / z.square().mean().sqrt(), "That is the root of the mean"),
        (lambda z: z / z.std(0), "One number for all"),
        (lambda z: (z - z.min()) / (z.max() - z.min()), "That brings all to between 0 and 1"),
    ],
    "check_cross_attention": [
        (
            lambda q, k, v, there: (
                scores(q, k).masked_fill(there, -math.inf).softmax(1) @ v if not there.all() else v
            ),
            "The other way round",
        ),
        (
            lambda q, k, v, there: scores(q, k).masked_fill(~there, 0).softmax(1) @ v,
            "A score of 0 is no weight",
        ),
        (
            lambda q, k, v, there: scores(q, k).masked_fill(~there, -1).softmax(1) @ v,
            "A score of -1 has a weight",
        ),
        (lambda q, k, v, there: scores(k, q).softmax(0).T @ v, "The filling is read as well"),
        (
            lambda q, k, v, there: (q @ k.T / len(k) ** 0.5).masked_fill(~there, -math.inf).softmax(1) @ v,
            "d is how many numbers a row",
        ),
    ],
    "check_block_cost": [
        (lambda n, d: 8 * n * d**2 + 2 * n**2 * d, "The layers of the attention are missing"),
        (lambda n, d: 8 * n * d**2, "the attention is missing"),
        (lambda n, d: 2 * n**2 * d, "the layers are missing"),
        (lambda n, d: 4 * n * d**2, "the attention's layers"),
        (lambda n, d: 12 * n**2 * d + 2 * n * d**2, "exchanged"),
        (lambda n, d: 12 * n * d**2 + 2 * n**2 * d + 6 * d**2, "is left out here"),
        (lambda n, d: 60 * n * d**2 + 10 * n**2 * d, "Right up to the factor 5"),
    ],
    "check_gated": [
        (given_block, "The function as it was: h is normalized before the sum"),
        (lambda h, f, a, b, g: h + g * f(norm(h)), "Your result does not change with `a`"),
        (lambda h, f, a, b, g: h + f(g * ((1 + b) * norm(h) + a)), "It is right for shift = -1"),
        (lambda h, f, a, b, g: h + g * ((1 + b) * f(norm(h)) + a), "Scale and shift act on what the"),
        (lambda h, f, a, b, g: h + g * f((1 + a) * norm(h) + b), "It is what comes out with `a`"),
        (lambda h, f, a, b, g: h + g * f((1 - b) * norm(h) + a), "The scale is 1 + scale"),
    ],
    "check_smaller": [
        ((4096, 64), "wrong order"),
        ((64, 16), "Right: the first"),
        ((16, 64), "Of the second: That is the square"),
        ((8, 4096), "Of the first: That is the square"),
        ((1 / 64, 1 / 4096), "That is upside down"),
    ],
    "check_beyond_chance": [
        (lambda c, f: (share(c, f) - 0.5) / 0.5, "Chance is a half only where five"),
        (lambda c, f: 1 - share(c, f), "That is the share that does not"),
        (lambda c, f: share(c, f) / (1 - len(f) / 10), "Take chance off the share before you"),
        (lambda c, f: (share(c, f) - len(f) / 10) * 10 / len(f), "Divide by what chance leaves, 1 -"),
        (
            lambda c, f: (share(c, f) - (1 - len(f) / 10)) / (len(f) / 10),
            "Chance and what it leaves have changed",
        ),
    ],
}
