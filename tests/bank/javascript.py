"""Answers to the exercises of the chapter on the U-Net in JavaScript."""

import decimal
import math

import numpy as np
import torch

from ddpm_lib.exercises.rounding_noise import layer_noise
from tests.bank import Answers, Bank

SIGNAL, NOISE, LARGEST = layer_noise()
DECIBELS = 10 * math.log10(SIGNAL / NOISE)


def round_weights(weight, bits):
    step = weight.abs().amax(dim=1) / (2 ** (bits - 1) - 1)
    return (weight / step[:, None]).round(), step


def round_weights_in_numpy(weight, bits):
    w = weight.numpy()
    step = np.abs(w).max(axis=1) / (2 ** (bits - 1) - 1)
    return np.rint(w / step[:, None]), step


def round_weights_by_row(weight, bits):
    top = 2 ** (bits - 1) - 1
    steps = [max(abs(float(w)) for w in row) / top for row in weight]
    rows = [[round(float(w) / step) for w in row] for row, step in zip(weight, steps, strict=True)]
    return torch.tensor(rows), torch.tensor(steps)


def round_in_one_step(weight, bits):
    step = weight.abs().max() / (2 ** (bits - 1) - 1)
    return (weight / step).round(), step.expand(len(weight))


def round_by(weight, top, nearest=torch.round):
    step = weight.abs().amax(dim=1) / top
    return nearest(weight / step[:, None]), step


def window(i, w):
    y, x = divmod(i, w)
    return y * (w + 2) + x


def even(x):
    low = math.floor(x)
    if x - low == 0.5:
        return low + low % 2
    return math.floor(x + 0.5)


BANK: Bank = {
    "check_coarser": Answers(
        right=[127 / 31, 4.1, torch.tensor(4.0968)],
        wrong=[
            (4.0, "Nearly"),
            (31 / 127, "other way round"),
            (8 / 6, "no measure"),
            (2, "That is one bit"),
            (255 / 63, "are negative"),
            (16.8, "mean square"),
            (0.25, "other way round"),
        ],
    ),
    "check_round_weights": Answers(
        right=[round_weights, round_weights_in_numpy, round_weights_by_row],
        wrong=[
            (round_in_one_step, "each row has its own"),
            (lambda w, bits: round_by(w, 2 ** (bits - 1)), "one more than fits"),
            (lambda w, bits: round_by(w, 2**bits - 1), "no room for the sign"),
            (lambda w, bits: round_by(w, 2 ** (bits - 1) - 1, torch.floor), "rounded down"),
            (lambda w, bits: round_by(w, 2 ** (bits - 1) - 1, torch.trunc), "cut the decimals off"),
            (
                lambda w, bits: (
                    round_weights(w, bits)[0] * round_weights(w, bits)[1][:, None],
                    w.abs().amax(1) / (2 ** (bits - 1) - 1),
                ),
                "multiplied by the step again",
            ),
        ],
    ),
    "check_window": Answers(
        right=[window, lambda i, w: i + 2 * (i // w), lambda i, w: (w + 2) * math.floor(i / w) + i % w],
        wrong=[
            (lambda i, w: i, "forgets the frame"),
            (lambda i, w: i + i // w, "on both sides"),
            (lambda i, w: window(i, w) + w + 3, "middle of the window"),
            (lambda i, w: i % w * (w + 2) + i // w, "changed places"),
            (lambda i, w: i * (w + 2), "share a row"),
            (lambda i, w: window(i, w) + 1, "too far to the right"),
            (lambda i, w: window(i + w, w), "too low"),
            (lambda i, w: i // w * (w + 2) + i % (w + 2), "counted w a row"),
        ],
    ),
    "check_loads": Answers(
        right=[
            lambda rows, columns: (rows + columns) / (rows * columns),
            lambda rows, columns: 1 / rows + 1 / columns,
            lambda rows, columns: np.float64(rows + columns) / rows / columns,
        ],
        wrong=[
            (lambda r, c: r * c / (r + c), "upside down"),
            (lambda r, c: r + c, "whole tile"),
            (lambda r, c: 2, "without a tile"),
            (lambda r, c: 1 / r / c, "one number for each row"),
            (lambda r, c: 2 + 1 / r + 1 / c, "neither loaded nor stored"),
        ],
    ),
    "check_round_even": Answers(
        right=[even, np.rint, lambda x: int(decimal.Decimal(x).to_integral_value(decimal.ROUND_HALF_EVEN))],
        wrong=[
            (lambda x: math.floor(x + 0.5), "as it was"),
            (lambda x: math.ceil(x - 0.5), "Now every half goes down"),
            (math.floor, "Rounded down"),
            (math.ceil, "Rounded up"),
            (lambda x: even(x) if x % 1 != 0.5 else 2 * math.floor(x) + 1 - even(x), "odd neighbor"),
            (lambda x: 2 * even(x / 2), "3.0 stays 3"),
        ],
    ),
    "check_layer_noise": Answers(
        right=[DECIBELS, round(DECIBELS, 1), torch.tensor(20 * math.log10((SIGNAL / NOISE) ** 0.5))],
        wrong=[
            (2 * DECIBELS, "ratio of amplitudes"),
            (DECIBELS / 2, "square them first"),
            (SIGNAL / NOISE, "the ratio itself"),
            (DECIBELS * math.log(10), "natural logarithm"),
            (-DECIBELS, "The sign"),
            (10 * math.log10(SIGNAL / LARGEST**2), "the largest error"),
        ],
    ),
}
