"""Graders of the chapter "Where it goes": a latent's unit, attention to words, cost, gates, and what fits."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from ddpm_lib.exercises.answers import Function
from ddpm_lib.exercises.grading import Mistake, Verdict, grade, grade_value


def check_unit_latent(answer: object) -> Verdict:
    """answer(z): the latents (n, c, h, w) divided by the one number that makes their variance 1."""
    channels = (0, 2, 3)
    mistakes = [
        Mistake(lambda z: z / z.var(), "That divides by the variance: its root is the unit."),
        Mistake(
            lambda z: (z - z.min()) / (z.max() - z.min()),
            "That brings all to between 0 and 1: the unit is their standard deviation.",
        ),
        Mistake(
            lambda z: z / z.std(channels, keepdim=True),
            "One number for all: a unit for each channel would weigh the channels anew.",
        ),
        Mistake(
            lambda z: (z - z.mean()) / z.std(),
            "Divide alone: the decoder would have to be told what was taken off.",
        ),
        Mistake(
            lambda z: z * z.std(), "Upside down: a latent of spread s has spread 1 after a division by s."
        ),
        Mistake(lambda z: z / z.abs().max(), "That brings the largest number to 1, not the variance."),
        Mistake(lambda z: z / z.std((1, 2, 3), keepdim=True), "One number for all images, not one for each."),
        Mistake(
            lambda z: z / z.std(0), "One number for all: a unit for each place would weigh the places anew."
        ),
        Mistake(
            lambda z: z / z.std((2, 3), keepdim=True),
            "One number for all, not one for each image and channel.",
        ),
        Mistake(
            lambda z: (z - z.mean()) / z.var(),
            "Nothing is taken off, and the root of the variance divides.",
        ),
        Mistake(lambda z: z - z.mean(), "The mean may stay. It is the spread that is to become 1: divide."),
        Mistake(
            lambda z: z / z.square().mean().sqrt(),
            "That is the root of the mean square, which counts the mean as well.",
        ),
    ]
    draw = torch.Generator().manual_seed(0)
    spread = torch.tensor([0.5, 1.0, 2.0, 3.0]).reshape(1, 4, 1, 1)
    z = 0.4 + spread * torch.randn(600, 4, 7, 7, generator=draw, dtype=torch.float64)
    return grade(
        answer, lambda z: z / z.std(), mistakes, [(z,), (z[:300] * 3,)], "The unit that a schedule expects."
    )


def check_block_cost(answer: object) -> Verdict:
    """answer(n, d): the multiply-adds of a transformer's block with n tokens of d features."""
    mistakes = [
        Mistake(
            lambda n, d: 12 * n * d**2, "The products between tokens are missing: n of them for each of n."
        ),
        Mistake(
            lambda n, d: 12 * n * d**2 + n**2 * d,
            "Tokens meet twice: queries with keys, then the weights with the values.",
        ),
        Mistake(
            lambda n, d: 12 * n * d**2 + 2 * n**2,
            "The product of a query and a key is d multiplications, not one.",
        ),
        Mistake(lambda n, d: 4 * n * d**2 + 2 * n**2 * d, "The small network is missing."),
        Mistake(lambda n, d: 8 * n * d**2 + 2 * n**2 * d, "The layers of the attention are missing."),
        Mistake(lambda n, d: 8 * n * d**2, "That is the small network: the attention is missing."),
        Mistake(lambda n, d: 2 * n**2 * d, "Those are the products between tokens: the layers are missing."),
        Mistake(
            lambda n, d: 11 * n * d**2 + 2 * n**2 * d,
            "Attention has four layers: queries, keys, values, and the output.",
        ),
        Mistake(
            lambda n, d: 6 * n * d**2 + 2 * n**2 * d,
            "The small network's middle is 4 d wide: each of its two layers has 4 d^2 weights.",
        ),
        Mistake(
            lambda n, d: 4 * n * d**2, "Those are the attention's layers: more is multiplied in a block."
        ),
        Mistake(
            lambda n, d: 12 * n * d**2 + 2 * n**2 * d + 6 * d**2,
            "What is made of time and class is left out here.",
        ),
        Mistake(lambda n, d: 12 * d**2 + 2 * n * d, "That is one token: there are n."),
        Mistake(lambda n, d: 24 * n * d**2 + 4 * n**2 * d, "A multiplication and its addition count as one."),
    ]
    cases = [(49, 64), (256, 384), (1024, 16)]
    praise = "Layers grow with the tokens, the products between tokens with their square."
    return grade(answer, lambda n, d: 12 * n * d**2 + 2 * n**2 * d, mistakes, cases, praise)


def check_gated(answer: object) -> Verdict:
    """answer(h, f, shift, scale, gate): half a block of a DiT, tokens (n, c) normalized over c; f is the layer."""

    def norm(h: Tensor) -> Tensor:
        return (h - h.mean(-1, keepdim=True)) / h.std(-1, keepdim=True, correction=0)

    def right(h: Tensor, f: Function, shift: float, scale: float, gate: float) -> Tensor:
        out: Tensor = h + gate * f((1 + scale) * norm(h) + shift)
        return out

    mistakes = [
        Mistake(
            lambda h, f, a, b, g: h + g * f(b * norm(h) + a),
            "The scale is 1 + scale: where the network says 0, the tokens pass unscaled.",
        ),
        Mistake(
            lambda h, f, a, b, g: h + f((1 + b) * norm(h) + a),
            "The gate is missing: the block could not begin as the identity.",
        ),
        Mistake(
            lambda h, f, a, b, g: g * f((1 + b) * norm(h) + a),
            "The tokens themselves are missing: h + gate * ...",
        ),
        Mistake(
            lambda h, f, a, b, g: h + (1 + g) * f((1 + b) * norm(h) + a),
            "The gate begins at 0, and nothing is added to it: h must come out as it went in.",
        ),
        Mistake(
            lambda h, f, a, b, g: h + g * f((1 + b) * h + a),
            "The tokens are normalized before they are scaled.",
        ),
        Mistake(lambda h, f, a, b, g: h + g * f((1 + b) * (norm(h) + a)), "Scale first, then shift."),
        Mistake(
            lambda h, f, a, b, g: norm(h) + g * f((1 + b) * norm(h) + a),
            "What is added to is h itself, as it came in: only the layer sees it normalized.",
        ),
        Mistake(
            lambda h, f, a, b, g: norm(h + g * f((1 + b) * norm(h) + a)),
            "The sum is not normalized: with a gate of 0, h must come out as it went in.",
        ),
        Mistake(
            lambda h, f, a, b, g: h + g * ((1 + b) * f(norm(h)) + a),
            "Scale and shift act on what the layer reads, not on what it answers.",
        ),
        Mistake(
            lambda h, f, a, b, g: norm(h) + f(b * norm(h) + a),
            "The function as it was: h is normalized before the sum, the scale lacks its 1, the gate is missing.",
        ),
        Mistake(
            lambda h, f, a, b, g: norm(h) + g * f(b * norm(h) + a),
            "The gate is there. Now keep h itself for the sum, and scale by 1 + scale.",
        ),
        Mistake(
            lambda h, f, a, b, g: h + f(b * norm(h) + a),
            "h is kept now. The gate is missing, and the scale lacks its 1.",
        ),
    ]
    draw = torch.Generator().manual_seed(2)
    h = 10 * torch.randn(5, 8, generator=draw, dtype=torch.float64)  # beside it any eps of a norm is small
    layer: Callable[[Tensor], Tensor] = lambda x: x.flip(0).tanh() + x  # noqa: E731
    cases = [(h, layer, 0.3, 0.5, 0.7), (h, layer, -1.0, -0.4, 0.0)]
    praise = "With a gate of 0 the block is the identity, whatever the layer does."
    return grade(answer, right, mistakes, cases, praise)


def check_smaller(answer: object) -> Verdict:
    """answer: what a layer costs less, a convolution and a self-attention, where each side is an eighth as long."""
    mistakes: list[tuple[object, str]] = [
        ((8, 64), "There are an eighth as many pixels in each of two directions: 64 times fewer."),
        ((64, 64), "Attention compares all pairs of pixels: 64 times fewer of each make 64^2."),
        ((8, 8), "There are an eighth as many pixels in each of two directions: 64 times fewer."),
        ((64, 512), "The pairs fall by the square of 64, not by 64 times 8."),
        ((512, 4096), "A convolution costs the same at each pixel: it falls as their number, 8 times 8."),
        ((64, 128), "Not twice but the square: each of 64 times fewer pixels asks 64 times fewer."),
        ((64, 64**3), "Pairs of points: 64 times 64, and not once more."),
        ((4, 16), "Each side is an eighth as long, not half."),
    ]
    return grade_value(
        answer, (64, 4096), mistakes, "8^2 times fewer pixels, and 8^4 times fewer pairs of them."
    )
