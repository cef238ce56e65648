"""Answers to the exercises of the chapter on the variance of a step."""

import math

import numpy as np

from tests.bank import Answers, Bank

BANK: Bank = {
    "check_step_cost": Answers(
        right=[
            lambda r, k: (math.log(k) + (1 + r) / k - 1) / 2,
            lambda r, k: 0.5 * np.log(k) + (1 + r - k) / (2 * k),
            lambda r, k: -0.5 * math.log(1 / k) + 0.5 * ((1 + r) / k - 1),
        ],
        wrong=[
            (lambda r, k: math.log(k) + (1 + r) / k - 1, "begins with a half"),
            (lambda r, k: 0.5 * (math.log(k) + 1 / k + r - 1), "divides what the mean is off by"),
            (lambda r, k: 0.5 * (math.log(k) + (1 + r) / k), "must be 0"),
            (lambda r, k: 0.5 * (k + r - 1 - math.log(k)), "other way round"),
            (lambda r, k: 0.5 * ((1 + r) / k - 1 - math.log(k)), "its sign is +"),
            (lambda r, k: math.log(1 + r) / 2, "the least cost"),
        ],
    ),
    "check_nu": Answers(
        right=[
            lambda x, a, b: (x / a).log() / (b / a).log(),
            lambda x, a, b: (x.log() - a.log()) / (b.log() - a.log()),
            lambda x, a, b: np.log2(x.numpy() / a.numpy()) / np.log2(b.numpy() / a.numpy()),
        ],
        wrong=[
            (lambda x, a, b: (x - a) / (b - a), "straight line"),
            (lambda x, a, b: (b / x).log() / (b / a).log(), "1 - nu"),
            (lambda x, a, b: (x / a).log(), "whole distance"),
            (lambda x, a, b: x.log() / (b / a).log(), "measure from there"),
            (lambda x, a, b: (b / a).log() / (x / a).log(), "Upside down"),
        ],
    ),
}
