"""Graders of the chapter on the U-Net in JavaScript: what rounded weights lose."""

from __future__ import annotations

import math

from ddpm_lib.assets.weights import load_weights
from ddpm_lib.exercises.grading import Verdict, grade_value
from ddpm_lib.exercises.javascript import rounded

BITS = 8


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
        (
            128 / 31,
            "Nearly. With 8 bits the largest whole number is 127, since one bit is the sign's and 0 needs a place.",
        ),
        (127 / 32, "Nearly. With 6 bits the largest whole number is 31."),
        (127 / 63, "That is one bit less. Here are two."),
        (16.0, "That is the factor of the mean square error, roughly. The largest error is a length."),
        (96.0, "That is a difference. By what factor does the step grow?"),
    ]
    sides = (
        "More than that: the step is m / 127 with 8 bits, and m / 31 with 6.",
        "Less than that: the step is m / 127 with 8 bits, and m / 31 with 6.",
    )
    return grade_value(
        answer, 127 / 31, mistakes, "A bit less, and the error doubles, or a little more.", sides
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
        (math.log10(signal / noise), "A decibel is a tenth of that unit: 10 log10."),
        (10 * math.log2(signal / noise), "A decibel counts tens: take log10, and not log2."),
        (10 * math.log10(signal), "That is the signal alone. Divide by the mean square of the errors first."),
        (10 * math.log10(noise), "That is the noise alone. Divide the mean square of the weights by it."),
        (signal, "That is the mean square of the weights. Divide by that of the errors, and take decibels."),
        (noise, "That is the mean square of the errors. Divide the weights' by it, and take decibels."),
    ]
    praise = "Each bit more adds 6 decibels, which is a factor of 2 in the error."
    sides = (
        "It is more: 10 log10 of the mean square of the weights over that of `dequantize(whole, step) - weight`.",
        "It is less: 10 log10 of the mean square of the weights over that of `dequantize(whole, step) - weight`.",
    )
    return grade_value(answer, right, mistakes, praise, sides)
