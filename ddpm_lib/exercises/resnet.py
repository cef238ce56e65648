"""Graders of the chapter on the ResNet: its receptive field, its block, the time, and what its repairs are worth."""

from __future__ import annotations

from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor

from ddpm_lib.exercises.answers import Function
from ddpm_lib.exercises.grading import Mistake, Verdict, grade


def _conv(x: Tensor, w: Tensor, b: Tensor) -> Tensor:
    return F.conv2d(x, w, b, padding=1)


def check_residual(answer: object) -> Verdict:
    """answer(x, w1, b1, w2, b2, conv, lrelu): x + conv(lrelu(conv(lrelu(x))))."""

    def right(
        x: Tensor, w1: Tensor, b1: Tensor, w2: Tensor, b2: Tensor, conv: Function, lrelu: Function
    ) -> Tensor:
        result: Tensor = x + conv(lrelu(conv(lrelu(x), w1, b1)), w2, b2)
        return result

    mistakes = [
        Mistake(
            lambda x, w1, b1, w2, b2, conv, lrelu: x + conv(lrelu(conv(x, w1, b1)), w2, b2),
            "The first convolution reads the activation of the input, not the input itself.",
        ),
        Mistake(
            lambda x, w1, b1, w2, b2, conv, lrelu: conv(lrelu(conv(lrelu(x), w1, b1)), w2, b2),
            "That is the correction. The block adds it to x.",
        ),
        Mistake(
            lambda x, w1, b1, w2, b2, conv, lrelu: x + lrelu(conv(lrelu(conv(x, w1, b1)), w2, b2)),
            "Your activations come after each convolution. Here they come before: a correction may have any sign.",
        ),
        Mistake(
            lambda x, w1, b1, w2, b2, conv, lrelu: x + conv(conv(lrelu(x), w1, b1), w2, b2),
            "Without the second activation the two convolutions are one larger convolution.",
        ),
        Mistake(
            lambda x, w1, b1, w2, b2, conv, lrelu: x + conv(lrelu(x), w2, b2),
            "The second convolution reads the input: the first one's result is never used.",
        ),
        Mistake(
            lambda x, w1, b1, w2, b2, conv, lrelu: lrelu(x) + conv(lrelu(conv(lrelu(x), w1, b1)), w2, b2),
            "The correction is added to x itself, not to its activation.",
        ),
        Mistake(
            lambda x, w1, b1, w2, b2, conv, lrelu: right(x, w2, b2, w1, b1, conv, lrelu),
            "The weights have changed places: w1 belongs to the inner convolution, which comes first.",
        ),
        Mistake(
            lambda x, w1, b1, w2, b2, conv, lrelu: lrelu(right(x, w1, b1, w2, b2, conv, lrelu)),
            "After the sum there is no activation: a block passes x on as it is, plus a correction.",
        ),
        Mistake(
            lambda x, w1, b1, w2, b2, conv, lrelu: x + lrelu(conv(lrelu(conv(lrelu(x), w1, b1)), w2, b2)),
            "There are two activations, each before a convolution: the last one is too many.",
        ),
        Mistake(
            lambda x, w1, b1, w2, b2, conv, lrelu: lrelu(x) + conv(lrelu(conv(x, w1, b1)), w2, b2),
            "The activation belongs before the first convolution, and the sum takes x as it is: you have it the other "
            "way round.",
        ),
        Mistake(
            lambda x, w1, b1, w2, b2, conv, lrelu: x * conv(lrelu(conv(lrelu(x), w1, b1)), w2, b2),
            "The correction is added to x, not multiplied.",
        ),
        Mistake(
            lambda x, w1, b1, w2, b2, conv, lrelu: x - conv(lrelu(conv(lrelu(x), w1, b1)), w2, b2),
            "The correction is added to x, not taken off.",
        ),
        Mistake(
            lambda x, w1, b1, w2, b2, conv, lrelu: x + conv(torch.relu(conv(torch.relu(x), w1, b1)), w2, b2),
            "The activation is the one that you are given, `lrelu`.",
        ),
        Mistake(
            lambda x, w1, b1, w2, b2, conv, lrelu: x + conv(lrelu(x + conv(lrelu(x), w1, b1)), w2, b2),
            "x is added once, at the end.",
        ),
    ]
    draw = partial(torch.randn, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    lrelu = partial(F.leaky_relu, negative_slope=0.2)
    cases = [(draw(2, 1, 6, 5), draw(1, 1, 3, 3), draw(1), draw(1, 1, 3, 3), draw(1), _conv, lrelu)]
    praise = "Activation, convolution, twice; then the input is added untouched."
    return grade(answer, right, mistakes, cases, praise)


def check_add_time(answer: object) -> Verdict:
    """answer(h, features): the features (b, c) added to every pixel of the maps (b, c, h, w)."""
    mistakes = [
        Mistake(
            lambda h, f: h + f[:, None, None, :],
            "This is the function as it was: the features run along the columns of the picture.",
        ),
        Mistake(lambda h, f: h + f[:, None, :, None], "Now the features run down the rows of the picture."),
        Mistake(
            lambda h, f: h + f,
            "Trailing axes meet: (B, C) is laid over (H, W). Give the features two axes of length 1 at the end.",
        ),
        Mistake(
            lambda h, f: h + f.T[:, :, None, None],
            "The first two axes are the wrong way round: that of the images comes first.",
        ),
        Mistake(
            lambda h, f: h * f[:, :, None, None],
            "The axes are right. The features are added, not multiplied.",
        ),
        Mistake(
            lambda h, f: h + f[None, :, :, None],
            "The features begin with as many rows as images here: keep that axis first, and add two at the end.",
        ),
        Mistake(
            lambda h, f: h + f.mean(1)[:, None, None, None],
            "Each feature map has a number of its own: take no mean over them.",
        ),
        Mistake(
            lambda h, f: h - f[:, :, None, None], "The axes are right. The features are added, not taken off."
        ),
        Mistake(
            lambda h, f: h * (1 + f[:, :, None, None]),
            "The axes are right. The features are added, not multiplied.",
        ),
        Mistake(
            lambda h, f: h + f[None, :, None, :],
            "The features' first axis is that of the images: keep it first, and add two at the end.",
        ),
        Mistake(
            lambda h, f: f[:, :, None, None].expand_as(h),
            "The axes are right. The feature maps themselves are missing.",
        ),
    ]
    draw = partial(torch.randn, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    praise = "One number for each image and feature map, the same at every pixel."
    return grade(
        answer, lambda h, f: h + f[:, :, None, None], mistakes, [(draw(4, 4, 4, 4), draw(4, 4))], praise
    )
