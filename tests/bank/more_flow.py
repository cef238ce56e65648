"""Further slips in the exercises on the probability flow."""

import math

from tests.bank import More
from tests.bank.probability_flow import divergence, heun

MORE: More = {
    "check_steps_for_calls": [
        ((33, 17, 34), "has no past"),
        ((33, 16.5, 33), "Right: the first and the third"),
        ((33, 18, 33), "Right: the first and the third"),
        ((32, 17, 33), "Right: the second and the third"),
        ((33, 17), "The answer should be 3 numbers in"),
    ],
    "check_divergence": [
        (lambda phi, s, d: divergence(phi, s**0.5, d), "`s` under a root"),
        (lambda phi, s, d: divergence(phi, 1 / s, d), "`s` upside down"),
        (lambda phi, s, d: divergence(phi, s, d - 1), "`d` - 1"),
        (lambda phi, s, d: d * math.tan(phi), "does not change with `s`"),
        (lambda phi, s, d: 2 * divergence(phi, s, d), "Right up to the factor 2"),
    ],
    "check_heun": [
        (lambda x, f, p, q: heun(x, f, q, p), "`p` and `q` exchanged"),
        (lambda x, f, p, q: f(x, p), "does not change with `q`"),
        (lambda x, f, p, q: x, "That is `x` itself"),
        (lambda x, f, p, q: x + (q - p) * f(x + (q - p) / 2 * f(x, p), (p + q) / 2), "midpoint method"),
        (lambda x, f, p, q: heun(x, f, p, q) - x, "Right but for `x`"),
    ],
    "check_extrapolate": [
        (
            lambda x, b, p, q, n: x + (n - q) / (2 * (q - p)) * (b - x),
            "Backwards: add the change, do not take",
        ),
        (lambda x, b, p, q, n: b + (n - q) / (2 * (q - p)) * (x - b), "the weight of `b` is"),
        (lambda x, b, p, q, n: x + (n - q) / 2 * (x - b), "Your result does not change with `p`"),
        (lambda x, b, p, q, n: x, "That is `x` itself, as the function"),
        (lambda x, b, p, q, n: (n - q) / (2 * (q - p)) * (x - b), "the weight of `x` is"),
    ],
    "check_shares_of_noise": [
        ((0.27, 0.5), "Right: the first"),
        ((0.5, 0.1587), "Right: the second"),
        ((26.89, 15.87), "That is in percent"),
        ((0.2689, 0.8413), "Of the second: That is 1 minus"),
        (0.2689, "The answer should be 2 numbers in"),
    ],
}
