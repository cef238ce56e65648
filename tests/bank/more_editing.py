"""Further slips in the exercises on editing."""

import math

import torch

from tests.bank import More
from tests.bank.editing import angle, arc, missing

MORE: More = {
    "check_edit_calls": [
        ((30, 10), "Right: the first"),
        ((300, 2500), "That is ten times what was asked"),
        ((20, 250), "Right: the second"),
        ((29, 250), "Of the first: That is 1 less"),
        ((31, 255), "Of the first: That is 1 more"),
    ],
    "check_replace": [
        (
            lambda g, x0, k, ab, z: torch.where(k, ab**0.5 * x0 + (1 - ab) * z, g),
            "1 - alpha_bar is the variance of",
        ),
        (
            lambda g, x0, k, ab, z: torch.where(k, x0 + (1 - ab) ** 0.5 * z, g),
            "It is right for alpha_bar_s = 1",
        ),
        (
            lambda g, x0, k, ab, z: torch.where(k, ab**0.5 * x0 + (1 - ab) ** 0.5 * torch.randn_like(z), g),
            "Another call gives another result",
        ),
        (
            lambda g, x0, k, ab, z: torch.where(k, (1 - ab) ** 0.5 * x0 + ab**0.5 * z, g),
            "It is what comes out with `ab`",
        ),
        (lambda g, x0, k, ab, z: g, "That is `g` itself, as the function"),
    ],
    "check_share_above": [
        (lambda c, m, s: torch.sigmoid(torch.tensor(c)), "Your result does not change with `m`"),
        (
            lambda c, m, s: torch.exp(-((c - m[0, 0]) ** 2) / (2 * s**2)) / (s * math.sqrt(2 * math.pi)),
            "That is a density, and no probability",
        ),
        (
            lambda c, m, s: (-((c - m) ** 2).sum(1) / (2 * s**2)).softmax(0)[0],
            "Your result does not change with `c`",
        ),
        (
            lambda c, m, s: (-((c - m[:, 0]) ** 2) / (2 * s**2)).softmax(0),
            "Your function's result has shape (2,), but",
        ),
        (
            lambda c, m, s: ((c - m[:, 0]) ** 2 / (2 * s**2)).softmax(0)[0],
            "That is the second component's share",
        ),
    ],
    "check_slerp": [
        (
            lambda a, b, f: torch.sin(f * angle(a, b)) * a + torch.sin((1 - f) * angle(a, b)) * b,
            "the weight of `b` is",
        ),
        (
            lambda a, b, f: (
                (
                    torch.sin((1 - f) * (a @ b).clamp(-1, 1).acos()) * a
                    + torch.sin(f * (a @ b).clamp(-1, 1).acos()) * b
                )
                / torch.sin((a @ b).clamp(-1, 1).acos() + 1e-9)
            ),
            "The cosine of the angle is a",
        ),
        (
            lambda a, b, f: (
                (torch.sin(f * angle(a, b)) * a + torch.sin((1 - f) * angle(a, b)) * b)
                / torch.sin(angle(a, b))
            ),
            "share = 0 should give a, and",
        ),
        (lambda a, b, f: arc(a / a.norm(), b / b.norm(), f), "the weight of `b` is"),
        (
            lambda a, b, f: (
                torch.cos(f * torch.tensor(math.pi / 2)) * a + torch.sin(f * torch.tensor(math.pi / 2)) * b
            ),
            "the weight of `b` is",
        ),
    ],
    "check_invert_step": [
        (lambda xs, ss, st, rs, rt, e: xs + (st - ss) * e, "Your result does not change with `rs`"),
        (lambda xs, ss, st, rs, rt, e: rt / rs * (xs + (st - ss) * e), "the weight of `e` is"),
        (lambda xs, ss, st, rs, rt, e: xs * rt / rs, "Your result does not change with `ss`"),
        (lambda xs, ss, st, rs, rt, e: rs * (xs / rt + (st - ss) * e), "It is what comes out with `rs`"),
        (lambda xs, ss, st, rs, rt, e: rt * xs / rs + (st - ss) * e, "The noise that is added belongs to"),
    ],
    "check_forgets": [
        (0.5, "A starting time is asked for, one"),
        ("400", "The answer should be made of numbers"),
        (200, "That is half of what was asked"),
        (150, "From there most of them are still"),
        (425, "There is an earlier one among the"),
    ],
    "check_missing_ink": [
        (lambda x, m: missing(x, m).mean(), "Your function's result has shape (), but"),
        (lambda x, m: (((x - 1) / 2) * m).sum((1, 2, 3)).square() / m.sum(), "Square first, then sum"),
        (lambda x, m: ((x - 1).square() / 2 * m).sum((1, 2, 3)) / m.sum(), "Right up to the factor 2, which"),
        (lambda x, m: missing(x, m).sqrt(), "That is the square root of what"),
        (lambda x, m: -missing(x, m), "Right but for the sign"),
    ],
}
