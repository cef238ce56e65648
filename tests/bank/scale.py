"""Answers to the exercises of the chapter on many GPUs."""

import math

import numpy as np
import torch

from ddpm_lib.train.machine.cost import Cost, training_bytes
from tests.bank import Answers, Bank


def fit(memory, parameters, activations):
    return int((0.8 * memory - 20 * parameters) / activations)


def fit_by_search(memory, parameters, activations):
    images, one = 0, Cost(int(parameters), 0, int(activations))
    while training_bytes(one, images + 1) <= 0.8 * memory:
        images += 1
    return images


def rescale(lr, ema, k):
    return k**0.5 * lr, ema**k


def least(n, p, f, r, w):
    return 2 * (n - 1) / n * 4 * p / w * r / (2 * f)


def noise_scale(b_1, n_1, b_2, n_2):
    return b_1 * b_2 * (n_1 - n_2) / (b_2 * n_2 - b_1 * n_1)


def by_two_equations(b_1, n_1, b_2, n_2):
    both = torch.tensor([[1, 1 / b_1], [1, 1 / b_2]], dtype=torch.float64)
    gradient2, noise = torch.linalg.solve(both, torch.tensor([n_1, n_2], dtype=torch.float64))
    return noise / gradient2


BANK: Bank = {
    "check_images_that_fit": Answers(
        right=[fit, fit_by_search, lambda m, p, a: np.floor((4 * m / 5 - 5 * 4 * p) / a)],
        wrong=[
            (lambda m, p, a: (0.8 * m - 20 * p) / a, "Round down"),
            (lambda m, p, a: math.ceil((0.8 * m - 20 * p) / a), "Rounded up"),
            (lambda m, p, a: (m - 20 * p) // a, "stay free"),
            (lambda m, p, a: (0.8 * m - 4 * p) // a, "counted the weights once"),
            (lambda m, p, a: (0.8 * m - 16 * p) // a, "a copy of its own"),
            (lambda m, p, a: 0.8 * m // a, "The weights need memory"),
            (lambda m, p, a: (0.2 * m - 20 * p) // a, "four fifths"),
            (lambda m, p, a: round((0.8 * m - 20 * p) / a), "nearest"),
            (lambda m, p, a: (0.8 * m - 24 * p) // a, "counted six"),
        ],
    ),
    "check_rescale": Answers(
        right=[
            rescale,
            lambda lr, ema, k: [math.sqrt(k) * lr, math.exp(k * math.log(ema))],
            lambda lr, ema, k: torch.tensor([lr * k**0.5, ema**k]),
        ],
        wrong=[
            (lambda lr, ema, k: (k * lr, ema**k), "Adam takes the root"),
            (lambda lr, ema, k: (k**0.5 * lr, ema), "k times fewer steps"),
            (lambda lr, ema, k: (k**0.5 * lr, 1 - k * (1 - ema)), "first term"),
            (lambda lr, ema, k: (k**0.5 * lr, ema ** (1 / k)), "upside down"),
            (lambda lr, ema, k: (lr, ema**k), "grows, too"),
            (lambda lr, ema, k: (k**0.5 * lr, ema ** (k**0.5)), "for the rate alone"),
            (lambda lr, ema, k: rescale(lr, ema, k)[::-1], "wrong order"),
            (lambda lr, ema, k: (k * lr, ema), "Both"),
            (lambda lr, ema, k: (k**-0.5 * lr, ema**k), "may be longer"),
        ],
    ),
    "check_least_images": Answers(
        right=[
            least,
            lambda n, p, f, r, w: 4 * (n - 1) * p * r / (n * w * f),
            lambda n, p, f, r, w: np.divide(8 * p * (1 - 1 / n) / w, 2 * f / r),
        ],
        wrong=[
            (lambda n, p, f, r, w: 2 * (n - 1) / n * 4 * p / w * r / (3 * f), "whole step"),
            (lambda n, p, f, r, w: 2 * (n - 1) / n * 4 * p / w * r / f, "twice as long"),
            (lambda n, p, f, r, w: least(n, p, f, r, w) / 4, "not their bytes"),
            (lambda n, p, f, r, w: least(n, p, f, r, w) / 2, "go round twice"),
            (lambda n, p, f, r, w: 4 * p / w * r / f, "In n - 1 turns"),
            (lambda n, p, f, r, w: math.ceil(least(n, p, f, r, w)), "before rounding"),
            (lambda n, p, f, r, w: least(n, p, f, 1, w), "C is a time"),
        ],
    ),
    "check_noise_scale": Answers(
        right=[noise_scale, by_two_equations, lambda *case: np.float64(noise_scale(*case))],
        wrong=[
            (lambda *case: 1 / noise_scale(*case), "Upside down"),
            (lambda b_1, n_1, b_2, n_2: (n_1 - n_2) / (1 / b_1 - 1 / b_2), "noise of a single image"),
            (lambda b_1, n_1, b_2, n_2: (n_1 - n_2) / (1 / b_1 - 1 / b_2) / n_2, "Take that off"),
            (lambda b_1, n_1, b_2, n_2: (n_1 - n_2) / (1 / b_1 - 1 / b_2) / n_1, "mostly noise"),
            (lambda *case: -noise_scale(*case), "The sign"),
            (lambda *case: noise_scale(*case) ** 0.5, "no root"),
            (lambda b_1, n_1, b_2, n_2: n_1 / n_2, "off by"),
        ],
    ),
}
