"""Answers to the exercises of the chapter about sick runs."""

import math

import numpy as np
import torch

from tests.bank import Answers, Bank

SQUARE = 0.9254  # mean square of MNIST's training digits in [-1, 1]


def embedding(angle):
    even = torch.arange(angle.shape[1]) % 2 == 0
    return torch.where(even, angle.sin(), angle.cos())


def by_rows(angle):
    return embedding(angle.T).T


def decay(step):
    return min(0.9999, (1 + step) / (10 + step))


def alone(network, xt, t):
    return torch.cat([network(xt[i : i + 1], t[i : i + 1]) for i in range(len(xt))])


BANK: Bank = {
    "check_mend_pixels": Answers(
        right=[lambda x: x / 127.5 - 1, lambda x: 2 * x / 255 - 1, lambda x: (x.numpy() - 127.5) / 127.5],
        wrong=[
            (lambda x: x / 255, "That is [0, 1]"),
            (lambda x: x / 255 / 127.5 - 1, "Divided twice"),
            (lambda x: x / 127.5, "From 0 to 2"),
            (lambda x: x / 255 - 1, "From -1 to 0"),
            (lambda x: 2 * x - 1, "Not divided at all"),
            (lambda x: x / 255 - 0.5, "half the range"),
            (lambda x: 1 - x / 127.5, "black is -1"),
            (lambda x: x / 128 - 1, "divide by 127.5"),
        ],
    ),
    "check_mend_noising": Answers(
        right=[
            lambda x, e, ab: ab**0.5 * x + (1 - ab) ** 0.5 * e,
            lambda x, e, ab: math.sqrt(ab) * (x + math.sqrt((1 - ab) / ab) * e),
            lambda x, e, ab: np.sqrt(ab) * x.numpy() + np.sqrt(1 - ab) * e.numpy(),
        ],
        wrong=[
            (lambda x, e, ab: ab * x + (1 - ab) * e, "both weights"),
            (lambda x, e, ab: ab**0.5 * x + (1 - ab) * e, "noise still lacks"),
            (lambda x, e, ab: ab * x + (1 - ab) ** 0.5 * e, "image still lacks"),
            (lambda x, e, ab: ab**0.5 * x + (1 - ab**0.5) * e, "is not sqrt(1 - alpha_bar)"),
            (lambda x, e, ab: (1 - ab) ** 0.5 * x + ab**0.5 * e, "changed places"),
        ],
    ),
    "check_mend_embedding": Answers(
        right=[embedding, lambda a: embedding(a).numpy(), lambda a: embedding(a.double())],
        wrong=[
            (by_rows, "by rows"),
            (lambda a: a.sin(), "odd columns"),
            (lambda a: a.cos(), "even columns"),
            (lambda a: torch.where(torch.arange(4) % 2 == 0, a.cos(), a.sin()), "changed places"),
            (lambda a: torch.cat([a[:, ::2].sin(), a[:, 1::2].cos()], 1), "sines first"),
        ],
    ),
    "check_mend_average": Answers(
        right=[
            lambda a, w, s: decay(s) * a + (1 - decay(s)) * w,
            lambda a, w, s: torch.lerp(a, w, 1 - decay(s)),
            lambda a, w, s: a + (1 - min(0.9999, (1 + s) / (10 + s))) * (w - a),
        ],
        wrong=[
            (lambda a, w, s: 0.9999 * a + 0.0001 * w, "from the first step on"),
            (lambda a, w, s: decay(s) * w + (1 - decay(s)) * a, "changed places"),
            (lambda a, w, s: torch.lerp(a, w, 1 - max(0.9999, (1 + s) / (10 + s))), "larger of the two"),
            (lambda a, w, s: torch.lerp(a, w, 1 - (1 + s) / (10 + s)), "limit it"),
            (lambda a, w, s: w, "without any average"),
        ],
    ),
    "check_mend_times": Answers(
        right=[
            lambda T, n: [T * i // n for i in range(n, 0, -1)],
            lambda T, n: torch.arange(T, 0, -(T // n)),
            lambda T, n: np.linspace(T, 0, n + 1)[:-1],
        ],
        wrong=[
            (lambda T, n: list(range(n, 0, -1)), "number of the step"),
            (lambda T, n: list(reversed(range(n))), "counted from 0"),
            (lambda T, n: [T * i // n for i in range(1, n + 1)], "clean to noisy"),
            (lambda T, n: [T * i // n for i in range(n - 1, -1, -1)], "goes *to*"),
            (lambda T, n: [T * i // n - 1 for i in range(n, 0, -1)], "One too few"),
        ],
    ),
    "check_mend_step": Answers(
        right=[
            lambda m, v, z, s: m + v**0.5 * z * (s > 0),
            lambda m, v, z, s: m if s == 0 else m + math.sqrt(v) * z,
            lambda m, v, z, s: m.numpy() + np.sqrt(v * (s > 0)) * z.numpy(),
        ],
        wrong=[
            (lambda m, v, z, s: m + v * z, "Two faults"),
            (lambda m, v, z, s: m + v * z * (s > 0), "weight sigma^2"),
            (lambda m, v, z, s: m + v**0.5 * z, "last step still adds"),
            (lambda m, v, z, s: m, "Without noise"),
            (lambda m, v, z, s: m + v**0.5 * z * (s == 0), "cases have changed places"),
            (lambda m, v, z, s: m + v**0.5 * z * (s > 1), "One too early"),
        ],
    ),
    "check_first_loss": Answers(
        right=[(SQUARE, 1.0), (0.93, 1), torch.tensor([SQUARE, 1.0]).tolist()],
        wrong=[
            ((1.0, SQUARE), "wrong order"),
            ((0.112, 1.0), "digits in [0, 1]"),
            ((0.3796, 1.0), "the variance"),
            ((SQUARE, 0.0), "mean of its *square*"),
            ((SQUARE, SQUARE), "mean square of noise"),
            ((SQUARE**0.5, 1.0), "a root too many"),
        ],
    ),
    "check_company": Answers(
        right=[
            lambda n, x, t: (n(x, t) - alone(n, x, t)).abs().max(),
            lambda n, x, t: float((alone(n, x, t) - n(x, t)).abs().amax()),
            lambda n, x, t: np.abs((n(x, t) - alone(n, x, t)).numpy()).max(),
        ],
        wrong=[
            (lambda n, x, t: (n(x, t) - alone(n, x, t)).abs().mean(), "take the largest"),
            (lambda n, x, t: (n(x, t) - alone(n, x, t)).max(), "negative difference"),
            (lambda n, x, t: (n(x, t)[:1] - n(x[:1], t[:1])).abs().max(), "first image alone"),
            (lambda n, x, t: (n(x, t) - n(x, t)).abs().max(), "same question twice"),
            (lambda n, x, t: (n(x, t) - alone(n, x, t)).norm(), "norm grows"),
        ],
    ),
}
