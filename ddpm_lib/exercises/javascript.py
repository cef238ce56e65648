"""Graders of the chapter on the U-Net in JavaScript: rounded weights, windows, tiles, timesteps."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from ddpm_lib.exercises.answers import Function
from ddpm_lib.exercises.forward import normal
from ddpm_lib.exercises.grading import Mistake, Verdict, grade

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
        Mistake(
            lambda weight, bits: (
                (
                    (weight - weight.amin(1, True))
                    / rounded(lambda w: w.amax(1) - w.amin(1), lambda b: 2**b - 1)(weight, bits)[1][:, None]
                ).round(),
                rounded(lambda w: w.amax(1) - w.amin(1), lambda b: 2**b - 1)(weight, bits)[1],
            ),
            "You counted from the smallest weight up. Here 0 stays 0, and the whole numbers have signs.",
        ),
        Mistake(
            lambda weight, bits: (
                (weight / (weight.abs().amax(0) / (2 ** (bits - 1) - 1))).round(),
                weight.abs().amax(0)[: len(weight)] / (2 ** (bits - 1) - 1),
            ),
            "You took the largest of each column. A row is an output channel, and has a step.",
        ),
    ]
    cases = [(normal(1, 3, 5), 8), (-normal(2, 4, 6).abs(), 6)]
    return grade(answer, right, mistakes, cases, "A byte a weight, and four bytes a row for its step.")


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
        Mistake(lambda i, w: i * (w + 2), "That begins a row for each window: w windows share a row."),
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
        Mistake(
            lambda i, w: (i // w - 1) * (w + 2) + i % w - 1,
            "The frame is a part of memory: the first window begins at its corner, pixel 0.",
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
        Mistake(lambda r, c: 2 * r * c, "That is without a tile, and for the whole of it."),
        Mistake(lambda r, c: r * c, "Those are the multiplications. How many numbers are loaded for them?"),
        Mistake(
            lambda r, c: 1 / (r + c),
            "Upside down, nearly: r + c numbers are loaded, for r times c multiplications.",
        ),
        Mistake(lambda r, c: (r + c) // (r * c), "The quotient is a number below 1: do not round it down."),
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
