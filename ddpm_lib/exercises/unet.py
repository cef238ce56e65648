"""Graders of the chapter on the U-Net: its shapes, what its levels cost, the time's embedding."""

from __future__ import annotations

import math

import torch
from torch import Tensor

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
        Mistake(
            lambda c, s, level: 9 * c * s**2 * 4**level,
            "Both counts of channels double: c 2^level in and as many out, at s / 2^level.",
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
        Mistake(
            lambda t, dim: both(t[:, None] * torch.arange(dim // 2)[None, :]),
            "The frequencies are powers: 10000^(-i / (dim / 2)), from 1 down.",
        ),
        Mistake(
            lambda t, dim: both(t[:, None] * 10_000 ** (-torch.arange(dim // 2) / (dim // 2 - 1))[None, :]),
            "The exponent is -i / (dim / 2): i is divided by the number of frequencies, not by one less.",
        ),
        Mistake(
            lambda t, dim: torch.where(
                torch.arange(dim) % 2 == 0,
                (t[:, None] * 10_000 ** (-torch.arange(dim) / dim)).sin(),
                (t[:, None] * 10_000 ** (-torch.arange(dim) / dim)).cos(),
            ),
            "The columns are masked now. Here all cosines come first, and cosine i has the same frequency as sine i.",
        ),
        Mistake(
            lambda t, dim: torch.where(
                torch.arange(dim) < dim // 2,
                (t[:, None] * 10_000 ** (-torch.arange(dim) / dim)).cos(),
                (t[:, None] * 10_000 ** (-torch.arange(dim) / dim)).sin(),
            ),
            "The columns are right. But there are dim / 2 frequencies: cosine i and sine i share one.",
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
        Mistake(
            lambda d, w: (d + w).cos().sum(),
            "The angle of a frequency grows with the time: d times w, not d plus w.",
        ),
        Mistake(
            lambda d, w: ((d * w).cos() * (d * w).sin()).sum(),
            "cos a cos b + sin a sin b is the cosine of a - b.",
        ),
        Mistake(lambda d, w: (d * w).cos().prod(), "An inner product adds the frequencies' parts up."),
        Mistake(
            lambda d, w: (1 - (d * w).cos()).sum(),
            "That is how unlike they are. At d = 0 the product is the number of frequencies.",
        ),
    ]
    w = 10_000 ** (-torch.arange(16, dtype=torch.float64) / 16)
    praise = "Only the difference counts: the embedding knows how far apart two times are, wherever they lie."
    return grade(answer, lambda d, w: (d * w).cos().sum(), mistakes, [(d, w) for d in (0, 1, 3, 50)], praise)
