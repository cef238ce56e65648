"""Answers to the exercises of the chapter on the experiment."""

import numpy as np
import torch

from ddpm_lib.assets.measured import measured
from tests.bank import Answers, Bank

DISTANCES = {row["rung"]: row["distance"] for row in measured("ladder")["rows"]}
FLOOR, SMALL, LARGE = (DISTANCES[name] for name in ("real digits", "classic-small", "classic-unet"))
EXCESS = (LARGE - FLOOR) / (SMALL - FLOOR)


def race(a, b, distance):
    n = min(len(a), len(b))
    return distance(a[:n]) - distance(b[:n])


def race_of_the_last(a, b, distance):
    n = min(map(len, (a, b)))
    return distance(a[-n:]) - distance(b[-n:])


def race_of_random_ones(a, b, distance):
    n = min(len(a), len(b))
    return distance(a[torch.randperm(len(a))[:n]]) - distance(b[torch.randperm(len(b))[:n]])


BANK: Bank = {
    "check_epoch_steps": Answers(
        right=[9370, 10 * (60_000 // 64), np.int64(9370)],
        wrong=[
            (9375, "no multiple of 64"),
            (9380, "not counted"),
            (937, "one epoch"),
            (600_000, "number of pictures"),
            (937.5, "one epoch"),
            (938, "with its incomplete batch"),
        ],
    ),
    "check_training_cost": Answers(
        right=[
            lambda forward, pictures: 3 * forward * pictures,
            lambda forward, pictures: forward * pictures + 2 * forward * pictures,
            lambda forward, pictures: np.float64(3.0 * forward) * pictures,
        ],
        wrong=[
            (lambda forward, pictures: forward * pictures, "forward pass alone"),
            (lambda forward, pictures: 2 * forward * pictures, "two products for each"),
            (lambda forward, pictures: 4 * forward * pictures, "not four"),
            (lambda forward, pictures: 6 * forward * pictures, "FLOP already"),
            (lambda forward, pictures: 3 * forward, "one picture"),
            (lambda forward, pictures: forward + 2 * forward * pictures, "for each picture, too"),
        ],
    ),
    "check_seconds": Answers(
        right=[
            lambda cost, peak, share: cost / (peak * share),
            lambda cost, peak, share: cost / peak / share,
            lambda cost, peak, share: torch.tensor(cost).double() / (share * peak),
        ],
        wrong=[
            (lambda cost, peak, share: cost / peak, "only a share"),
            (lambda cost, peak, share: cost / peak * share, "divide by it"),
            (lambda cost, peak, share: peak * share / cost, "Upside down"),
            (lambda cost, peak, share: cost / (peak * (1 - share)), "not used"),
            (lambda cost, peak, share: cost / (peak * share) / 3600, "in hours"),
        ],
    ),
    "check_race": Answers(
        right=[race, race_of_the_last, race_of_random_ones],
        wrong=[
            (lambda a, b, distance: distance(a) - distance(b), "different numbers"),
            (lambda a, b, distance: race(b, a, distance), "The sign"),
            (lambda a, b, distance: distance(a[: len(b)]) - distance(b), "first is the longer"),
            (lambda a, b, distance: distance(a) - distance(b[: len(a)]), "second is the longer"),
            (lambda a, b, distance: distance(a) / len(a) - distance(b) / len(b), "only equal numbers"),
            (lambda a, b, distance: race(a, b, distance) / distance(b[: len(a)]), "difference"),
        ],
    ),
    "check_excess": Answers(
        right=[EXCESS, round(EXCESS, 4), torch.tensor(EXCESS)],
        wrong=[
            (1 / EXCESS, "other way round"),
            (LARGE / SMALL, "Subtract the floor"),
            ((LARGE - FLOOR) / SMALL, "Subtract the floor from both"),
            (LARGE / (SMALL - FLOOR), "Subtract the floor from both"),
            (LARGE - FLOOR, "Divide by the small one's"),
            (1 - EXCESS, "is gone"),
            (SMALL - FLOOR, "small network's own"),
            (LARGE / FLOOR, "how many floors"),
        ],
    ),
    "check_widest_gap": Answers(
        right=[200, np.int64(200), torch.tensor(200.0)],
        wrong=[
            (5, "turn the ratio round"),
            (500, "less than at another t"),
            (100, "by more at another t"),
            (350, "same loss there"),
            (50, "still a little ahead"),
        ],
    ),
}
