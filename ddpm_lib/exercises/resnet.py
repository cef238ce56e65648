"""Graders of the chapter on the ResNet: its receptive field, its block, the time, and what its repairs are worth."""

from __future__ import annotations

from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor

from ddpm_lib.assets.measured import measured
from ddpm_lib.exercises.answers import Function
from ddpm_lib.exercises.grading import Mistake, Verdict, grade, grade_value


def check_view(answer: object) -> Verdict:
    """answer: the width in pixels of the receptive field of six plain one-channel blocks."""
    mistakes: list[tuple[object, str]] = [
        (13, "That is the receptive field of six convolutions. Each block has two."),
        (24, "The pixel itself belongs to it: add 1."),
        (12, "Twelve convolutions add 12 pixels to *each* side."),
        (
            36,
            "Not three pixels per convolution: each adds one to either side of what was there.",
        ),
        (625, "That is the number of pixels in the square. Its side was asked for."),
        (17, "That is the receptive field of four blocks. Here are six."),
        (49, "That is two pixels to each side for every convolution: it is one."),
    ]
    return grade_value(
        answer, 25, mistakes, "Twelve convolutions, one pixel to each side, and the pixel itself."
    )


def check_blocks_needed(answer: object) -> Verdict:
    """answer: the plain blocks until every output pixel of a 28 x 28 picture depends on every input."""
    mistakes: list[tuple[object, str]] = [
        (7, "Then a pixel in the middle depends on all. One in the corner reaches half of each side only."),
        (13.5, "Blocks come whole: round up."),
        (13, "Then the receptive field is 53 pixels wide, 26 to each side, and the far corner is 27 away."),
        (27, "That is the number of convolutions. A block has two."),
        (15, "One more than needed: 14 blocks reach 28 pixels to each side, and 27 are enough."),
        (28, "That is one block per pixel. A block reaches two pixels further to each side."),
    ]
    return grade_value(
        answer, 14, mistakes, "A corner is 27 pixels from the other: 27 to each side, two per block."
    )


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
    ]
    draw = partial(torch.randn, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    lrelu = partial(F.leaky_relu, negative_slope=0.2)
    cases = [(draw(2, 1, 6, 5), draw(1, 1, 3, 3), draw(1), draw(1, 1, 3, 3), draw(1), _conv, lrelu)]
    praise = "Activation, convolution, twice; then the input is added untouched."
    return grade(answer, right, mistakes, cases, praise)


def check_dilated_view(answer: object) -> Verdict:
    """answer(n): the width of the receptive field of n one-channel blocks, block k with pixels 2^k apart."""
    mistakes = [
        Mistake(lambda n: 4 * n + 1, "That is the receptive field of plain blocks."),
        Mistake(lambda n: 4 * (2**n - 1), "The pixel itself belongs to it: add 1."),
        Mistake(lambda n: 1 + 2 * (2**n - 1), "Each block has two convolutions, both with its distance."),
        Mistake(lambda n: 1 + 4 * 2**n, "1 + 2 + ... + 2^(n-1) is 2^n - 1, not 2^n."),
        Mistake(lambda n: 1 + 4 * (2 ** (n + 1) - 1), "Count the blocks from k = 0: the last one is n - 1."),
        Mistake(lambda n: 1 + 4 * (2 ** (n + 1) - 2), "Count the blocks from k = 0: the last one is n - 1."),
        Mistake(
            lambda n: 1 + 4 * 2 ** (n - 1), "That is the last block alone. What the others add comes on top."
        ),
        Mistake(
            lambda n: 1 + 2 * n, "Block k has its pixels 2^k apart, and each block has two convolutions."
        ),
        Mistake(lambda n: 1 + 4 * n**2, "The distances double from block to block: add up 2^k, not 2 k + 1."),
    ]
    cases = [(n,) for n in (1, 2, 3, 5)]
    return grade(
        answer,
        lambda n: 1 + 4 * (2**n - 1),
        mistakes,
        cases,
        "It doubles with every block, at the same cost.",
    )


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
    ]
    draw = partial(torch.randn, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    praise = "One number for each image and feature map, the same at every pixel."
    return grade(
        answer, lambda h, f: h + f[:, :, None, None], mistakes, [(draw(4, 4, 4, 4), draw(4, 4))], praise
    )


def check_repair_factor(answer: object) -> Verdict:
    """answer: the loss of the ResNet with no repair, over that with all three."""
    rows = {(r["width"] > 1, r["dilate"], r["time"]): r for r in measured("resnet")["rows"]}
    none, every, channels = rows[False, False, False], rows[True, True, True], rows[True, False, False]
    worst = max(r["loss"] for r in rows.values())
    mistakes: list[tuple[object, str]] = [
        (every["loss"] / none["loss"], "That is the other way round: divide the larger loss by the smaller."),
        (none["loss"] - every["loss"], "That is the difference. Divide."),
        (none["loss"] / channels["loss"], "That is what the channels alone are worth."),
        (channels["loss"] / every["loss"], "You started from the network that has the channels already."),
        (
            worst / every["loss"],
            "You started from the worst of the eight. Start from the one without repairs.",
        ),
        (
            none["distance"] / every["distance"],
            "That is the ratio of the distances. The first of them is larger than that of black paper, where the "
            "distance ranks nothing: take the losses.",
        ),
    ]
    praise = "And still no digits: read a ratio beside what it is a ratio of."
    return grade_value(answer, none["loss"] / every["loss"], mistakes, praise)
