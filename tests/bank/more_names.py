"""Further slips in the exercises on one idea under many names."""

import torch

from tests.bank import More

MORE: More = {
    "check_clocks": [
        ((0.5, 1 / 3, 0.6), "Right: the first and the second"),
        ((0.5, 0.25, 0.75), "Right: the first and the third"),
        ((0.5, 1 / 3, 2 / 3), "That is a' alone: divide it by"),
        ((0.2, 1 / 3, 0.745), "Right: the second and the third"),
        ((0.5, 0.2, 0.745), "Right: the first and the third"),
    ],
    "check_velocity_from_eps": [
        (lambda x, t, e: (e - x) / t, "Divide by the image's share, 1 -"),
        (lambda x, t, e: e - x / (1 - t), "the weight of `e` is 1, and should not be"),
        (lambda x, t, e: (x - e) / t, "the weight of `e` is"),
        (lambda x, t, e: (e - x) * (1 - t), "the weight of `e` is upside down"),
        (lambda x, t, e: (x - t * e) / (1 - t) - e, "tau grows towards the noise"),
    ],
    "check_tweedie": [
        (lambda u, s, c: u + s**4 * c, "It is what comes out with `s`"),
        (lambda u, s, c: u + s**2 * c / 2, "It is what comes out with `c`"),
        (lambda u, s, c: (u + s**2 * c) / (1 + s**2), "the weight of `c` is"),
        (lambda u, s, c: (u + s**2 * c) / (1 + s**2) ** 0.5, "The image in u was never shrunk"),
        (lambda u, s, c: u * s**2 + c, "It is what comes out with `u`"),
    ],
    "check_langevin": [
        (lambda x, s, h, z: x + h * s + 2 * h**0.5 * z, "The 2 belongs under the root"),
        (lambda x, s, h, z: x + h * s + h * z, "the weight of `z` is that of `s`"),
        (lambda x, s, h, z: x + h * s + (h / 2) ** 0.5 * z, "It is what comes out with `z`"),
        (
            lambda x, s, h, z: x + h * s + (2 * h) ** 0.5 * torch.randn_like(z),
            "Another call gives another result",
        ),
        (lambda x, s, h, z: x + 2 * h * s + (2 * h) ** 0.5 * z, "It is what comes out with `s`"),
    ],
    "check_score_from_velocity": [
        (lambda x, t, u: (x + (1 - t) * u) / t, "Uphill is away from the noise"),
        (lambda x, t, u: -(x + t * u) / t, "the weight of `u` is"),
        (lambda x, t, u: -(x + u) / t, "the weight of `u` is"),
        (lambda x, t, u: -(x + (1 - t) * u) / t**0.5, "the weight of `x` is the square root"),
        (lambda x, t, u: -(x - (1 - t) * u) / t, "with the other sign"),
    ],
}
