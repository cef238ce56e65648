"""Further slips in the exercises on the U-Net in JavaScript."""

import math

from tests.bank import More
from tests.bank.javascript import NOISE, SIGNAL, round_weights, window

MORE: More = {
    "check_coarser": [
        (3.0, "More than that: the step is m"),
        (16, "That is the factor of the mean"),
        (128 / 31, "Nearly. With 8 bits the largest whole"),
        (127 / 32, "Nearly. With 6 bits the largest whole"),
        (1.33, "Each bit doubles the number of steps"),
    ],
    "check_round_weights": [
        (
            lambda w, bits: (round_weights(w, bits)[1], round_weights(w, bits)[0]),
            "Your function's result holds its parts in",
        ),
        (
            lambda w, bits: (round_weights(w, bits)[0], 1 / round_weights(w, bits)[1]),
            "Of the second: That is upside down",
        ),
        (
            lambda w, bits: (round_weights(w, bits)[0], w.abs().amax(1)),
            "Your result does not change with `bits`",
        ),
        (
            lambda w, bits: (round_weights(w, bits)[0] / 127, round_weights(w, bits)[1]),
            "Of the first: Right up to the",
        ),
        (
            lambda w, bits: (
                (w / (w.abs().amax(0) / (2 ** (bits - 1) - 1))).round(),
                w.abs().amax(0)[: len(w)] / (2 ** (bits - 1) - 1),
            ),
            "You took the largest of each column",
        ),
    ],
    "check_window": [
        (lambda i, w: (i // w) * w + i % w, "That forgets the frame"),
        (lambda i, w: i + 2, "Your result does not change with `w`"),
        (lambda i, w: window(i, w) + w + 2, "A row too low: the window begins"),
        (lambda i, w: window(i, w) - 1, "Right up to a sum"),
        (lambda i, w: i // w * (w - 2) + i % w, "It is right for i = 0"),
    ],
    "check_loads": [
        (lambda r, c: (r * c) / (r * c), "Your result does not change with `r`"),
        (lambda r, c: (r + c) / (2 * r * c), "Right up to the factor 1 /"),
        (lambda r, c: 2 * (r + c) / (r * c), "Right up to the factor 2, which"),
        (lambda r, c: 1 / r, "Your result does not change with `c`"),
        (lambda r, c: (r + c + r * c) / (r * c), "Right up to a sum"),
    ],
    "check_round_even": [
        (lambda x: int(x), "Rounded down. Only a half is special"),
        (lambda x: math.floor(x + 0.49), "Now every half goes down"),
        (lambda x: x, "That is `x` itself, as the function"),
        (lambda x: math.floor(x / 2) * 2, "It is right for number = 0"),
        (
            lambda x: math.floor(x + 0.5) - 1 if x % 1 == 0.5 and math.floor(x) % 2 else math.floor(x + 0.5),
            "That is the odd neighbor of a",
        ),
    ],
    "check_layer_noise": [
        (10 * math.log10(NOISE), "That is the noise alone"),
        (20 * math.log10(SIGNAL / NOISE) / 4, "You took 10 log10 of a ratio"),
        (math.log10(SIGNAL / NOISE), "A decibel is a tenth of that"),
        (6.02 * 8, "It is less: 10 log10 of the"),
        (6 * 7, "It is more: 10 log10 of the"),
    ],
}
