"""Answers to the exercises of the engineering notes."""

import numpy as np
import torch

from tests.bank import Answers, Bank


def whole(p, k):
    return k / (k - p * (k - 1))


def by_the_clock(p, k):
    begun = 1000.0
    left = begun * (1 - p) + begun * p / k
    return begun / left


def share(m, r):
    return ((m + r - 1) / (m * r)) ** 2


def by_counting(m, r):
    read = {(y + v, x + u) for y in range(m) for x in range(m) for v in range(r) for u in range(r)}
    return len(read) / (m * m * r * r)


def maps(m, r):
    n = m + r - 1
    return n**2 * (n**2 + m**2) / (m**2 * r**2 - n**2)


def by_bisection(m, r):
    n, low, high = m + r - 1, 0.0, 1e4
    for _ in range(80):
        c = (low + high) / 2
        tiled = n**4 * c + n**2 * c**2 + m**2 * n**2 * c
        low, high = (c, high) if tiled > m**2 * r**2 * c**2 else (low, c)
    return high


BANK: Bank = {
    "check_faster_whole": Answers(
        right=[whole, by_the_clock, lambda p, k: torch.tensor(1 - p + p / k).reciprocal()],
        wrong=[
            (lambda p, k: 1 - p + p / k, "time that is left"),
            (lambda p, k: k, "the part alone"),
            (lambda p, k: 1 + p * (k - 1), "averaged the gains"),
            (lambda p, k: p * k, "A part of the step stays"),
            (lambda p, k: k / p, "has been left out"),
            (lambda p, k: 1 / (1 - p), "the limit"),
            (lambda p, k: 1 / (1 - p / k), "took p / k off"),
            (lambda p, k: k / (k * p + 1 - p), "changed places"),
            (lambda p, k: 1 / (1 - p + p * k), "a k-th of the time"),
        ],
    ),
    "check_share_of_products": Answers(
        right=[share, by_counting, lambda m, r: np.square(1 / m + 1 / r - 1 / (m * r))],
        wrong=[
            (lambda m, r: 1 / share(m, r), "Upside down"),
            (lambda m, r: 1 - share(m, r), "saved"),
            (lambda m, r: share(m, r) ** 0.5, "holds for a row"),
            (lambda m, r: (m + r - 1) ** 2, "Divide them"),
            (lambda m, r: ((m + r) / (m * r)) ** 2, "a pixel too wide"),
            (lambda m, r: 1 / r**2, "tile of inputs"),
            (lambda m, r: (m + r - 1) ** 2 / (m * m * r), "r^2 multiplications"),
            (lambda m, r: (m + r - 1) ** 2 / (m * r), "squares"),
        ],
    ),
    "check_break_even": Answers(
        right=[maps, by_bisection, lambda m, r: torch.tensor(maps(m, r))],
        wrong=[
            (lambda m, r: (m + r - 1) ** 4 / (m**2 * r**2 - (m + r - 1) ** 2), "outputs is missing"),
            (lambda m, r: m**2 * (m + r - 1) ** 2 / (m**2 * r**2 - (m + r - 1) ** 2), "inputs is missing"),
            (
                lambda m, r: (m + r - 1) ** 2 * ((m + r - 1) ** 2 + m**2) / (m**2 * r**2),
                "products are missing",
            ),
            (lambda m, r: (m + r - 1) ** 2 + m**2, "as dear as the products"),
            (lambda m, r: 1 / maps(m, r), "Upside down"),
            (
                lambda m, r: (m + r - 1) ** 2 * ((m + r - 1) ** 2 + m**2 + 1) / (m**2 * r**2),
                "grow with c^2",
            ),
            (lambda m, r: np.ceil(maps(m, r)), "before rounding"),
        ],
    ),
}
