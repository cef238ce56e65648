"""Graders of the chapter on the U-Net in JavaScript: rounded weights, windows, tiles, timesteps."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from ddpm_lib.assets.weights import load_weights
from ddpm_lib.exercises.answers import Function
from ddpm_lib.exercises.forward import normal
from ddpm_lib.exercises.grading import Mistake, Verdict, grade, grade_value

BITS = 8


def rounded(
    largest: Callable[[Tensor], Tensor] = lambda w: w.abs().amax(dim=1),
    top: Callable[[int], int] = lambda bits: 2 ** (bits - 1) - 1,
    nearest: Callable[[Tensor], Tensor] = torch.round,
) -> Function:
    """(whole numbers, step of each row) of a matrix of weights, or a slip of it."""

    def function(weight: Tensor, bits: int) -> tuple[Tensor, Tensor]:
        step = (largest(weight) / top(bits)).expand(len(weight))
        return nearest(weight / step[:, None]), step

    return function


def check_round_weights(answer: object) -> Verdict:
    """answer(weight, bits): the whole numbers of a matrix of weights, and the step of each row."""
    right = rounded()
    mistakes = [
        Mistake(
            rounded(largest=lambda w: w.abs().max()), "One step serves the whole layer: each row has its own."
        ),
        Mistake(
            rounded(largest=lambda w: w.amax(dim=1)),
            "A large negative weight counts too: take absolute values.",
        ),
        Mistake(
            rounded(top=lambda bits: 2 ** (bits - 1)),
            "The largest weight becomes 2^(bits - 1), which is one more than fits: divide by 2^(bits - 1) - 1.",
        ),
        Mistake(
            rounded(top=lambda bits: 2**bits - 1),
            "You left no room for the sign: half of the whole numbers are negative, so the largest is "
            "2^(bits - 1) - 1.",
        ),
        Mistake(
            rounded(nearest=torch.floor),
            "The steps are right. You rounded down: to the nearest, the error is half as large and 0 on average.",
        ),
        Mistake(
            rounded(nearest=torch.trunc),
            "The steps are right. You cut the decimals off: round to the nearest.",
        ),
        Mistake(
            lambda weight, bits: (
                right(weight, bits)[0] * right(weight, bits)[1][:, None],
                right(weight, bits)[1],
            ),
            "You multiplied by the step again: those are the weights as the page sees them, not what is stored.",
        ),
    ]
    cases = [(normal(1, 3, 5), 8), (-normal(2, 4, 6).abs(), 6)]
    return grade(answer, right, mistakes, cases, "A byte a weight, and four bytes a row for its step.")


def check_coarser(answer: object) -> Verdict:
    """answer: by what factor the largest error of a weight grows from 8 bits to 6."""
    mistakes: list[tuple[object, str]] = [
        (4.0, "Nearly. 8 bits have 127 steps on either side and not 128, 6 bits have 31."),
        (31 / 127, "That is the other way round: fewer bits, larger error."),
        (8 / 6, "Each bit doubles the number of steps: the bits themselves are no measure."),
        (2.0, "That is one bit. Here are two."),
        (0.25, "That is the other way round: fewer bits, larger error."),
        (
            255 / 63,
            "Half of the whole numbers are negative: count the steps from 0 to the largest, 127 and 31.",
        ),
        ((127 / 31) ** 2, "That is the factor of the mean square error."),
    ]
    return grade_value(answer, 127 / 31, mistakes, "A bit less, and the error doubles, or a little more.")


def check_window(answer: object) -> Verdict:
    """answer(i, w): where window i of a picture w wide begins, in pixels of the picture in its frame of zeros."""
    mistakes = [
        Mistake(
            lambda i, w: i,
            "That forgets the frame: a row in memory is two pixels longer than a row of windows.",
        ),
        Mistake(
            lambda i, w: i // w * (w + 1) + i % w,
            "The frame adds a pixel on both sides: a row is w + 2 long.",
        ),
        Mistake(
            lambda i, w: (i // w + 1) * (w + 2) + i % w + 1,
            "That is the pixel in the middle of the window. It begins one row above and one pixel to the left.",
        ),
        Mistake(lambda i, w: i % w * (w + 2) + i // w, "Row and column have changed places."),
        Mistake(
            lambda i, w: i // w * (w + 2) + i % w + 1,
            "A pixel too far to the right: the window begins in the frame.",
        ),
        Mistake(
            lambda i, w: (i // w + 1) * (w + 2) + i % w, "A row too low: the window begins in the frame."
        ),
        Mistake(
            lambda i, w: i // w * (w + 2) + i % (w + 2),
            "The column of a window is i % w: windows are counted w a row.",
        ),
    ]
    cases = [(i, w) for w in (5, 28) for i in (0, 4, 7, 23)]
    praise = "And its two other rows begin w + 2 and 2 (w + 2) pixels later."
    return grade(answer, lambda i, w: i // w * (w + 2) + i % w, mistakes, cases, praise)


def check_loads(answer: object) -> Verdict:
    """answer(rows, columns): numbers loaded for each multiplication, with a tile of the result in registers."""
    mistakes = [
        Mistake(lambda r, c: r * c / (r + c), "That is upside down: multiplications for each number loaded."),
        Mistake(
            lambda r, c: r + c,
            "That is for the whole tile. Divide by its multiplications, rows times columns.",
        ),
        Mistake(lambda r, c: 2.0, "That is without a tile: two numbers for every multiplication."),
        Mistake(lambda r, c: 1 / (r * c), "A tile loads one number for each row and one for each column."),
        Mistake(
            lambda r, c: (r + c) / (r + c + r * c), "The denominator is the number of multiplications alone."
        ),
        Mistake(lambda r, c: 2 / (r + c), "The tile has rows times columns multiplications, not their mean."),
        Mistake(
            lambda r, c: (2 * r * c + r + c) / (r * c),
            "The result stays in the registers: it is neither loaded nor stored while k runs.",
        ),
    ]
    cases = [(4, 8), (2, 3), (8, 8)]
    praise = "It falls as the tile grows, until the registers are full."
    return grade(answer, lambda rows, columns: (rows + columns) / (rows * columns), mistakes, cases, praise)


def check_round_even(answer: object) -> Verdict:
    """answer(x): x >= 0 rounded as Python does, halves to the even number (the debugging exercise)."""

    def halves(half: Callable[[int], int]) -> Function:
        return lambda x: half(math.floor(x)) if x % 1 == 0.5 else math.floor(x + 0.5)

    mistakes = [
        Mistake(halves(lambda low: low + 1), "This is the function as it was: every half goes up."),
        Mistake(halves(lambda low: low), "Now every half goes down. Python looks for the even neighbor."),
        Mistake(
            halves(lambda low: low + 1 - low % 2), "That is the odd neighbor of a half: take the other one."
        ),
        Mistake(math.floor, "Rounded down. Only a half is special; all else goes to the nearest."),
        Mistake(math.ceil, "Rounded up. Only a half is special; all else goes to the nearest."),
        Mistake(lambda x: 2 * round(x / 2), "Only a *half* goes to the even number; 3.0 stays 3."),
    ]
    cases = [(x,) for x in (0.0, 0.5, 1.5, 2.5, 3.0, 7.25, 10.75, 239.5, 260.5)]
    return grade(
        answer, round, mistakes, cases, "Both programs now visit the same times, and draw one picture."
    )


def layer_noise() -> tuple[float, float, float]:
    """Mean squares of the weights of one layer of cpu-minutes and of their errors at 8 bits, and the largest error."""
    weight = (
        load_weights("cpu-minutes")
        .network()
        .state_dict()["middle.0.parts.0.conv1.weight"]
        .double()
        .flatten(1)
    )
    whole, step = rounded()(weight, BITS)
    off = whole * step[:, None] - weight
    return float(weight.square().mean()), float(off.square().mean()), float(off.abs().max())


def check_layer_noise(answer: object) -> Verdict:
    """answer: the signal-to-noise ratio of that layer's weights at 8 bits, in decibels."""
    signal, noise, largest = layer_noise()
    right = 10 * math.log10(signal / noise)
    mistakes: list[tuple[object, str]] = [
        (2 * right, "You took 20 log10 of a ratio of squares: the 20 belongs to a ratio of amplitudes."),
        (right / 2, "You took 10 log10 of a ratio of amplitudes: square them first."),
        (signal / noise, "That is the ratio itself. In decibels it is 10 log10 of it."),
        (10 * math.log(signal / noise), "A decibel counts tens: take log10, not the natural logarithm."),
        (-right, "The sign: the weights stand over their errors."),
        (10 * math.log10(signal / largest**2), "You took the largest error. Take the mean of the squares."),
    ]
    praise = "Each bit more adds 6 decibels, which is a factor of 2 in the error."
    return grade_value(answer, right, mistakes, praise)
