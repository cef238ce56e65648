"""Further slips in the exercises on few steps."""

from tests.bank import More
from tests.bank.few_steps import land

MORE: More = {
    "check_spread_kept": [
        ((0.0, 0.75), "Right: the first"),
        ((0.5, 0.65), "Right: the second"),
        ((0.65, 0.0), "Both are right, in the other order"),
        ((1.0, 0.0), "Of the first: That is 1 minus"),
        ((0.0, 1 - 0.6495), "Of the second: That is 1 minus"),
    ],
    "check_landing": [
        (lambda x, xs, t, s: (xs - (1 - s) ** 0.5 * x) / s**0.5, "x_t is not pure noise"),
        (
            lambda x, xs, t, s: (
                (xs - ((1 - t) / max(1 - s, 1e-9)) ** 0.5 * x)
                / (s**0.5 - ((1 - t) / max(1 - s, 1e-9)) ** 0.5 * t**0.5)
            ),
            "the weight of `xs` is",
        ),
        (lambda x, xs, t, s: land(xs, x, t, s), "It is what comes out with `x`"),
        (
            lambda x, xs, t, s: xs - ((1 - s) / (1 - t)) ** 0.5 * x,
            "the weight of `xs` is 1, and should not be",
        ),
        (lambda x, xs, t, s: xs / s**0.5, "Your result does not change with `x`"),
    ],
    "check_two_in_one": [
        (lambda step, land, x, t, m, s: step(x, t, m), "Your result does not change with `s`"),
        (
            lambda step, land, x, t, m, s: land(x, t, s, step(step(x, t, m), m, 0)),
            "The teacher stops at s, not at",
        ),
        (
            lambda step, land, x, t, m, s: land(x, t, s, step(x, m, s)),
            "The second step starts where the first",
        ),
        (
            lambda step, land, x, t, m, s: land(step(x, t, m), t, s, step(step(x, t, m), m, s)),
            "The student starts from x_t",
        ),
        (lambda step, land, x, t, m, s: land(x, m, s, step(step(x, t, m), m, s)), "x_t is as noisy as at t"),
    ],
    "check_halvings": [
        ((6, 32), "Right: the first"),
        ((5, 2), "From 2 steps to 1 is a"),
        ((2, 6), "Both are right, in the other order"),
        ((6, 3), "Of the second: That is 1 more"),
        ((64, 2), "Right: the second"),
    ],
    "check_pays_off": [
        (38.79, "More digits are needed"),
        (7758, "That is twice what was asked for"),
        (6061, "Fewer are enough: 384,000 images of lessons"),
        (3880, "That is 1 more than what was"),
        (3838, "More digits are needed"),
    ],
    "check_mean_of_ends": [
        (lambda e, w: e[0], "Your result does not change with `w`"),
        (lambda e, w: (w.sqrt()[:, None] * e).sum(0) / w.sqrt().sum(), "It is what comes out with `w`"),
        (lambda e, w: (w[:, None] * e).sum() / w.sum(), "Your function's result has shape (), but"),
        (lambda e, w: ((w.softmax(0))[:, None] * e).sum(0), "The weights are counts"),
        (lambda e, w: ((w[:, None] * e**2).sum(0) / w.sum()).sqrt(), "That is the root of the mean"),
    ],
}
