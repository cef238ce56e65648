"""Graders of the chapter on the U-Net: its shapes, what its levels cost, the time's embedding, attention."""

from __future__ import annotations

import math
from functools import partial

import torch
from torch import Tensor

from ddpm_lib.assets.measured import measured
from ddpm_lib.exercises.grading import Mistake, Verdict, grade, grade_value
from ddpm_lib.models.blocks import time_embedding


def rows_for_columns(t: Tensor, dim: int) -> Tensor:
    """The classic mistake: sines and cosines take turns along the times, not along the features. (b, dim)."""
    frequency = torch.exp(-math.log(10_000) * torch.arange(dim, device=t.device) / dim)
    angle = t[:, None] * frequency[None, :]
    return torch.where(t[:, None] % 2 == 0, angle.sin(), angle.cos())


def check_middle(answer: object) -> Verdict:
    """answer: (channels, height, width) in the middle of a U-Net of base 64, mults 1, 2, 3, 4, for 32 x 32 pictures."""
    mistakes: list[tuple[object, str]] = [
        (
            (1536, 4, 4),
            "The multipliers all count from the base of 64: the last level has four times that.",
        ),
        ((256, 8, 8), "There are three steps between four levels, and each halves the sides."),
        ((256, 2, 2), "Four levels have three steps between them, not four."),
        ((64, 4, 4), "The sides are right. The last multiplier is 4."),
        ((4, 4, 256), "The numbers are right: the channels come first."),
        (
            (192, 4, 4),
            "The middle has as many channels as the last of the four sizes, whose multiplier is 4.",
        ),
    ]
    return grade_value(answer, (256, 4, 4), mistakes, "64 times 4 channels, and 32 halved three times.")


def check_conv_cost(answer: object) -> Verdict:
    """answer(c, s, level): multiply-adds of a 3 x 3 convolution, c 2^level channels in and out, sides s / 2^level."""
    mistakes = [
        Mistake(lambda c, s, level: 9 * c * s**2 / 2**level, "Every channel out reads *every* channel in."),
        Mistake(lambda c, s, level: (c * s) ** 2, "Each pair of channels has 9 weights."),
        Mistake(
            lambda c, s, level: 18 * (c * s) ** 2,
            "That is in FLOP, a multiplication and an addition each. Multiplications alone were asked for.",
        ),
        Mistake(lambda c, s, level: 9 * (c * s) ** 2 / 4**level, "The channels grow as the sides shrink."),
        Mistake(lambda c, s, level: 9 * (c * s) ** 2 * 4**level, "The sides shrink: there are fewer pixels."),
        Mistake(
            lambda c, s, level: 9 * (c * 2**level) ** 2,
            "That is the number of weights. Each is used once per pixel.",
        ),
        Mistake(lambda c, s, level: 9 * c**2 * s**2 * 2**level, "Both sides of the picture are halved."),
        Mistake(
            lambda c, s, level: 9 * c * s**2, "Every channel out reads *every* channel in: c appears twice."
        ),
    ]
    cases = [(96, 28, 0), (96, 28, 1), (64, 32, 2)]
    praise = "The level cancels: four times the weights at a quarter of the pixels."
    return grade(answer, lambda c, s, level: 9 * c**2 * s**2, mistakes, cases, praise)


def check_time_embedding(answer: object) -> Verdict:
    """answer(t, dim): the (b, dim) embedding of times t, cosines first."""

    def angle(t: Tensor, dim: int, sign: int = -1, over: int = 1) -> Tensor:
        return t[:, None] * 10_000 ** (sign * torch.arange(dim // 2) * over / dim)[None, :]

    def both(a: Tensor) -> Tensor:
        return torch.cat([a.cos(), a.sin()], dim=1)

    mistakes = [
        Mistake(
            rows_for_columns,
            "Sines and cosines take turns along the *times*: the rows were masked, not the columns.",
        ),
        Mistake(
            lambda t, dim: angle(t, dim, over=2).cos().repeat(1, 2),
            "Each cosine stands there twice: the sines are missing.",
        ),
        Mistake(
            lambda t, dim: both(angle(t, dim, over=2)).roll(dim // 2, 1),
            "The sines come first here. A network would not mind, but the formula has the cosines first.",
        ),
        Mistake(
            lambda t, dim: torch.stack([angle(t, dim, over=2).cos(), angle(t, dim, over=2).sin()], 2).flatten(
                1
            ),
            "Cosines and sines alternate here. A network would not mind, but the formula has all cosines first.",
        ),
        Mistake(
            lambda t, dim: both(angle(t, dim)),
            "The exponent ends at 1/2: divide i by dim / 2, the number of frequencies, and not by dim.",
        ),
        Mistake(
            lambda t, dim: both(angle(t, dim, sign=1, over=2)),
            "The frequencies grow: the exponent is negative.",
        ),
        Mistake(
            lambda t, dim: both(2 * math.pi * angle(t, dim, over=2)),
            "There is no 2 pi in the formula: the first frequency is 1 radian per timestep.",
        ),
        Mistake(  # the same, rounded otherwise
            lambda t, dim: both(angle(2 * math.pi * t, dim, over=2)),
            "There is no 2 pi in the formula: the first frequency is 1 radian per timestep.",
        ),
    ]
    cases = [(torch.tensor([0, 1, 2, 7, 100, 499]), dim) for dim in (8, 32)]
    praise = "One row per time, one column per frequency."
    return grade(answer, time_embedding, mistakes, cases, praise)


def check_similarity(answer: object) -> Verdict:
    """answer(d, w): the inner product of two embeddings whose times are d apart, for frequencies w."""
    mistakes = [
        Mistake(
            lambda d, w: (d * w).sin().sum(), "At d = 0 an embedding must be most like itself: a cosine."
        ),
        Mistake(lambda d, w: (d * w).cos().mean(), "That is the mean. An inner product is a sum."),
        Mistake(
            lambda d, w: ((d * w).cos() + (d * w).sin()).sum(), "cos a cos b + sin a sin b is one cosine."
        ),
        Mistake(
            lambda d, w: 2 * (d * w).cos().sum(), "Cosine and sine of one frequency give one term together."
        ),
        Mistake(lambda d, w: ((d * w).cos() ** 2).sum(), "You squared the cosine of the difference."),
        Mistake(lambda d, w: torch.cos(d * w.sum()), "Each frequency has its own cosine: sum these."),
    ]
    w = 10_000 ** (-torch.arange(16, dtype=torch.float64) / 16)
    praise = "Only the difference counts: the embedding knows how far apart two times are, wherever they lie."
    return grade(answer, lambda d, w: (d * w).cos().sum(), mistakes, [(d, w) for d in (0, 1, 3, 50)], praise)


def check_attention(answer: object) -> Verdict:
    """answer(q, k, v): softmax(q k^T / sqrt(d)) v, one row per pixel."""

    def mix(scores: Tensor, v: Tensor) -> Tensor:
        return scores.softmax(dim=-1) @ v

    mistakes = [
        Mistake(lambda q, k, v: mix(q @ k.T, v), "The scores are not divided by the root of d."),
        Mistake(lambda q, k, v: mix(q @ k.T / q.shape[1], v), "Divide by the *root* of d."),
        Mistake(
            lambda q, k, v: mix(q @ k.T / len(q) ** 0.5, v), "d is the number of features, not of pixels."
        ),
        Mistake(
            lambda q, k, v: (q @ k.T / q.shape[1] ** 0.5).softmax(dim=0) @ v,
            "The softmax runs along the wrong axis: the weights that one pixel gives must sum to 1.",
        ),
        Mistake(
            lambda q, k, v: mix(k @ q.T / q.shape[1] ** 0.5, v),
            "Keys and queries are swapped: each row belongs to a query.",
        ),
        Mistake(lambda q, k, v: q @ k.T / q.shape[1] ** 0.5 @ v, "The softmax is missing."),
        Mistake(
            lambda q, k, v: mix(q @ k.T, v) / q.shape[1] ** 0.5,
            "The root of d divides the scores, before the softmax.",
        ),
        Mistake(lambda q, k, v: mix(q @ k.T * q.shape[1] ** 0.5, v), "Divide, do not multiply: by root d."),
        Mistake(
            lambda q, k, v: (q @ k.T / q.shape[1] ** 0.5).exp() @ v,
            "The exponentials are not weights yet: divide each row by its sum.",
        ),
        Mistake(lambda q, k, v: mix(q @ k.T / v.shape[1] ** 0.5, v), "d is a query's length, not a value's."),
    ]
    draw = partial(torch.randn, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    praise = "Every pixel reads every other, and how much is computed from what they hold."
    right = lambda q, k, v: mix(q @ k.T / q.shape[1] ** 0.5, v)  # noqa: E731
    return grade(answer, right, mistakes, [(draw(6, 4), draw(6, 4), draw(6, 3))], praise)


def check_time_factor(answer: object) -> Verdict:
    """answer: by what factor the mean distance changes when a network for the noise is not given the time."""
    found, image = _means("ablate-eps"), _means("ablate")
    right = found["no time"] / found["the whole"]
    mistakes: list[tuple[object, str]] = [
        (1 / right, "That is the other way round: divide by the distance of the whole."),
        (found["no time"] - found["the whole"], "That is the difference. The factor was asked for."),
        (found["rows for columns"] / found["the whole"], "That is what the mistaken embedding costs."),
        (found["no time"], "That is the distance itself: divide by that of the whole."),
        (found["time only added"] / found["the whole"], "That is for the time only added, not left out."),
        (
            image["no time"] / image["the whole"],
            "That is for the network that is asked for the image: take the other.",
        ),
        (right - 1, "That is the change, in parts of the whole's distance. The factor is 1 more."),
    ]
    return grade_value(answer, right, mistakes, "Above 1 it does worse without the time, below 1 better.")


def _means(table: str) -> dict[str, float]:
    """Mean distance of each arm of that ablation over its seeds."""
    found: dict[str, list[float]] = {}
    for row in measured(table)["rows"]:
        found.setdefault(row["arm"], []).append(row["distance"])
    return {arm: sum(values) / len(values) for arm, values in found.items()}
