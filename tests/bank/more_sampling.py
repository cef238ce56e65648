"""Further slips in the exercises on sampling."""

import math

import torch

from tests.bank import More
from tests.bank.sampling import AB, LEFT, line_4, loop
from tests.bank.sampling_ddim import ddim, eta_sigma, plain, sigma

MORE: More = {
    "check_left_over": [
        (0.0, "The pictures do not all become one"),
        (0.5, "Less is left: x_25 has variance 1"),
        (LEFT**2, "That is the square of what was"),
        (1 - LEFT**2, "That is the variance with noise at"),
        (float(AB[-1]) / LEFT, "More is left: x_25 has variance 1"),
    ],
    "check_line_4": [
        (
            lambda xt, e, z, t, b, ab: (xt - b[t] * e) / (1 - b[t]).sqrt() + (t > 1) * b[t].sqrt() * z,
            "Your result does not change with `ab`",
        ),
        (
            lambda xt, e, z, t, b, ab: (
                (xt - (1 - b[t]) / (1 - ab[t]).sqrt() * e) / (1 - b[t]).sqrt() + (t > 1) * b[t].sqrt() * z
            ),
            "the weight of `e` is",
        ),
        (
            lambda xt, e, z, t, b, ab: line_4(xt, e, z, t, b, ab) - 2 * (t > 1) * b[t].sqrt() * z,
            "It is what comes out with `z`",
        ),
        (
            lambda xt, e, z, t, b, ab: line_4(xt, e, 0 * z, t, b, ab) + (t > 1) * b[t] ** 0.25 * z,
            "the weight of `z` is the square root of what it should be",
        ),
        (
            lambda xt, e, z, t, b, ab: line_4(xt, e, torch.randn_like(z), t, b, ab),
            "Another call gives another result",
        ),
    ],
    "check_ddim": [
        (
            lambda *p: ddim(*p, sd=lambda t, s, eta: eta**2 * eta_sigma(t, s, 1.0)),
            "It is what comes out with `eta`",
        ),
        (
            lambda xt, e, z, t, s, eta, ab: ddim(xt, e, torch.randn_like(z), t, s, eta, ab),
            "Another call gives another result",
        ),
        (lambda xt, e, z, t, s, eta, ab: ddim(xt, z, e, t, s, eta, ab), "It is what comes out with `e`"),
        (
            lambda *p: ddim(
                *p, sd=lambda t, s, eta: eta * ((1 - t) / (1 - s) * (1 - t / s)).sqrt() if s < 1 else 0 * s
            ),
            "the weight of `z` is",
        ),
        (
            lambda xt, e, z, t, s, eta, ab: ddim(xt, e, z, s, t, eta, ab),
            "Your function's result holds NaN or infinite",
        ),
    ],
    "check_clean_end": [
        (lambda xt, e, t, s, ab: plain(xt, e, t, s, ab).clamp(-1, 1), "It is right for t = 5"),
        (
            lambda xt, e, t, s, ab: (
                ab[s].sqrt() * (xt - (1 - ab[s]).sqrt() * e) / ab[t].sqrt() + (1 - ab[s]).sqrt() * e
            ),
            "the weight of `e` is",
        ),
        (
            lambda xt, e, t, s, ab: (
                ab[s].sqrt() * (xt - (1 - ab[t]).sqrt() * e) / ab[t].sqrt() + (1 - ab[t]).sqrt() * e * (s > 0)
            ),
            "The end is clean now, but only",
        ),
        (
            lambda xt, e, t, s, ab: (
                ab[s].sqrt() * (xt - (1 - ab[t]).sqrt() * e) / ab[t].sqrt()
                + (1 - ab[s]).sqrt() * torch.randn_like(e)
            ),
            "Another call gives another result",
        ),
        (
            lambda xt, e, t, s, ab: (
                ab[s].sqrt() * (xt - (1 - ab[s]).sqrt() * e) / ab[t].sqrt() + (1 - ab[t]).sqrt() * e
            ),
            "the weight of `e` is",
        ),
    ],
    "check_loop": [
        (
            lambda *p: loop(
                *p, step=lambda xt, e, z, t, b, ab: line_4(xt, e, z if t > 2 else 0 * z, t, b, ab)
            ),
            "One step too early",
        ),
        (
            lambda *p: loop(
                *p, step=lambda xt, e, z, t, b, ab: line_4(xt, e, 0 * z, t, b, ab) + (t > 1) * b[t] * z
            ),
            "The standard deviation of the noise is",
        ),
        (
            lambda *p: loop(
                *p,
                step=lambda xt, e, z, t, b, ab: (
                    line_4(xt, e, 0 * z, t, b, ab) + (t > 1) * b[t - 1].sqrt() * z
                ),
            ),
            "This is the loop as it was",
        ),
        (
            lambda *p: loop(
                *p,
                step=lambda xt, e, z, t, b, ab: (
                    line_4(xt, e, 0 * z, t, b, ab) + (t > 1) * b[min(t + 1, 50)].sqrt() * z
                ),
            ),
            "You moved the index the wrong way",
        ),
        (
            lambda x, z, guess, b, ab: line_4(x, guess(x, 50), z[50], 50, b, ab),
            "Your loop ends after its first step",
        ),
    ],
    "check_euler": [
        (lambda xt, e, t, s: xt / s.sqrt() + (sigma(s) - sigma(t)) * e, "u_t is x_t over the root of"),
        (lambda xt, e, t, s: (xt - (1 - t).sqrt() * e) / t.sqrt(), "Your result does not change with `s`"),
        (lambda xt, e, t, s: xt / t.sqrt() + (s - t) * e, "the weight of `e` is"),
        (lambda xt, e, t, s: xt / t.sqrt() + (sigma(s) - sigma(t)) / 2 * e, "It is what comes out with `e`"),
        (lambda xt, e, t, s: (sigma(s) - sigma(t)) * e, "Your result does not change with `xt`"),
    ],
    "check_timesteps": [
        (lambda T, steps: list(range(T, 0, -T // steps)), "For T = 50 and 5 steps"),
        (lambda T, steps: torch.linspace(T, 1, steps + 1).round().tolist(), "Your path ends at 1"),
        (lambda T, steps: [int(x) for x in torch.linspace(T, 0, steps + 1)], "It is right for T = 50"),
        (
            lambda T, steps: [math.floor(T * i / steps + 0.5) for i in range(steps + 1)],
            "Time runs backwards in a sampler",
        ),
        (
            lambda T, steps: [T - round(i * round(T / steps)) for i in range(steps)] + [0],
            "Your last stride is longer than the",
        ),
    ],
    "check_enough_steps": [
        (20, "Too few: the variance of the draws"),
        (200, "More than needed: with fewer steps the"),
        (5, "Too few: the variance of the draws"),
        (25, "Too few: the variance of the draws"),
        (10, "Too few: the variance of the draws"),
    ],
}
