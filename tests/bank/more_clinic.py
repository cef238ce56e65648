"""Further slips in the exercises of the clinic."""

import torch

from tests.bank import More
from tests.bank.clinic import SQUARE, decay

MORE: More = {
    "check_mend_pixels": [
        (lambda x: x / 255 * 2, "From 0 to 2: subtract 1"),
        (lambda x: (x - 127.5) / 255, "From -0.5 to 0.5: that is half"),
        (lambda x: x / 127 - 1, "Of its 4 entries 1 are right"),
        (lambda x: x * 2 - 1, "Not divided at all"),
        (lambda x: x, "That is `x` itself, as the function"),
    ],
    "check_mend_noising": [
        (lambda x, e, ab: x + (1 - ab) ** 0.5 * e, "the weight of `x` is 1, and should not be"),
        (lambda x, e, ab: ab**0.5 * x - (1 - ab) ** 0.5 * e, "It is what comes out with `e`"),
        (lambda x, e, ab: ab**0.5 * (x + e), "The noise has the weight sqrt(1 -"),
        (lambda x, e, ab: ab**0.5 * x, "Your result does not change with `e`"),
        (lambda x, e, ab: ab**0.5 * x + (1 - ab**2) ** 0.5 * e, "the weight of `e` is"),
    ],
    "check_mend_embedding": [
        (
            lambda a: torch.cat([a[:, ::2].cos(), a[:, 1::2].sin()], 1),
            "Sine and cosine have changed places, and",
        ),
        (
            lambda a: torch.stack([a[:, ::2].sin(), a[:, 1::2].cos()]),
            "Your function's result has shape (2, 3",
        ),
        (lambda a: torch.where(torch.arange(4) < 2, a.sin(), a.cos()), "Of its 12 entries 6 are right"),
        (lambda a: a.sin() + a.cos(), "A column is either a sine or"),
        (lambda a: torch.cat([a.sin(), a.cos()], 1), "Your function's result has shape (3, 8)"),
    ],
    "check_mend_average": [
        (lambda a, w, s: 0.999 * a + 0.001 * w, "Your result does not change with `s`"),
        (lambda a, w, s: decay(s) * a + w, "the weight of `w` is 1, and should not be"),
        (lambda a, w, s: a, "That is `a` itself, as the function"),
        (lambda a, w, s: decay(s + 1) * a + (1 - decay(s + 1)) * w, "It is what comes out with `s`"),
        (lambda a, w, s: decay(s) * a + (1 - 0.9999) * w, "the weight of `w` is"),
    ],
    "check_mend_times": [
        (lambda T, steps: list(range(T, 0, -1))[:steps], "Each stride is T / steps long"),
        (lambda T, steps: list(range(T, -1, -T // steps)), "Your function's result has shape (21,), but"),
        (lambda T, steps: list(range(0, T, T // steps)), "From 0 up: the sampler begins at"),
        (lambda T, steps: [T] * steps, "Only the first input has the noise"),
        (lambda T, steps: list(range(T, 0, -steps)), "Your function's result has shape (5,), but"),
    ],
    "check_mend_step": [
        (lambda m, v, z, s: m + v**0.5 * z if s else z, "the weight of `z` is"),
        (lambda m, v, z, s: m - v**0.5 * z * (s > 0), "It is what comes out with `z`"),
        (lambda m, v, z, s: m + z * (s > 0), "Your result does not change with `v`"),
        (lambda m, v, z, s: m + v**0.5 * torch.randn_like(z) * (s > 0), "Another call gives another result"),
        (lambda m, v, z, s: m + v**0.5 * z * (s == 0), "The root is right, and the cases"),
    ],
    "check_first_loss": [
        ((0.0, 1.0), "Right: the second"),
        ((SQUARE, 0.5), "Of the second: That is half of"),
        ((SQUARE, 2.0), "Of the second: That is twice what"),
        ((0.0, 0.0), "Of the second: That is 1 minus"),
        ((SQUARE * 784, 784), "The loss is a mean over the"),
    ],
    "check_company": [
        (
            lambda n, x, t: (
                (n(x, t) - torch.cat([n(x[i : i + 1], t[i : i + 1]) for i in range(len(x))])).square().max()
            ),
            "That is the square",
        ),
        (
            lambda n, x, t: (
                (n(x, t) - torch.cat([n(x[i : i + 1], t[i : i + 1]) for i in range(len(x))])).abs().sum()
            ),
            "The sum grows with the batch",
        ),
        (
            lambda n, x, t: (
                n(x, t) - torch.cat([n(x[i : i + 1], t[i : i + 1]) for i in range(len(x))])
            ).norm(),
            "The norm grows with the batch",
        ),
        (
            lambda n, x, t: (
                (n(x, t) - torch.cat([n(x[i : i + 1], t) for i in range(len(x))])[: len(x)]).abs().max()
            ),
            "A batch of one has one time",
        ),
        (
            lambda n, x, t: (n(x, t) - n(x.flip(0), t.flip(0)).flip(0)).abs().max(),
            "Your result does not change with `x`",
        ),
    ],
}
