"""Graders of two layers that run and are wrong, as in the classic code of the course's U-Net."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from ddpm_lib.exercises.answers import Function
from ddpm_lib.exercises.grading import Mistake, Verdict, grade

Weights = dict[str, Tensor]
CHANNELS, HEADS = 6, 2


def check_bend(answer: object) -> Verdict:
    """answer: the class of the residual block, Bend(channels), with conv1 and conv2."""

    def conv(x: Tensor, weights: Weights, name: str) -> Tensor:
        return F.conv2d(x, weights[f"{name}.weight"], weights[f"{name}.bias"], padding=1)

    def block(x: Tensor, weights: Weights, act1: bool = True, act2: bool = True, skip: bool = True) -> Tensor:
        h = conv(_lrelu(x) if act1 else x, weights, "conv1")
        h = conv(_lrelu(h) if act2 else h, weights, "conv2")
        return x + h if skip else h

    mistakes = [
        Mistake(
            lambda x, weights: block(x, weights, act1=False),
            "One line computes something that no other line uses: follow each `h` from where it is assigned.",
        ),
        Mistake(
            lambda x, weights: block(x, weights, act2=False),
            "Now the second activation is missing: there are two.",
        ),
        Mistake(lambda x, weights: block(x, weights, skip=False), "The block adds its correction to x."),
        Mistake(
            lambda x, weights: _lrelu(x) + block(x, weights, skip=False),
            "The correction is added to x as it came in, not to its activation.",
        ),
        Mistake(
            lambda x, weights: x + conv(F.relu(conv(F.relu(x), weights, "conv1")), weights, "conv2"),
            "The activation is the leaky ReLU, with slope 0.2 below zero.",
        ),
        Mistake(
            lambda x, weights: _lrelu(block(x, weights)),
            "After the sum there is no activation: a block passes x on as it is, plus a correction.",
        ),
        Mistake(
            lambda x, weights: (
                x + conv(F.leaky_relu(conv(F.leaky_relu(x), weights, "conv1")), weights, "conv2")
            ),
            "The slope below zero is 0.2 here; torch's own default is 0.01.",
        ),
        Mistake(
            lambda x, weights: x + conv(conv(x, weights, "conv1"), weights, "conv2"),
            "There are two activations, one before each convolution, and here is none.",
        ),
        Mistake(
            lambda x, weights: x - (block(x, weights) - x), "The correction is added to x, not taken off."
        ),
        Mistake(
            lambda x, weights: x + conv(_lrelu(conv(_lrelu(x), weights, "conv1")), weights, "conv1"),
            "conv1 is called twice, and conv2 never: which weights get no gradient?",
        ),
        Mistake(
            lambda x, weights: x + conv(_lrelu(_lrelu(x)), weights, "conv2"),
            "The first convolution is not called: which weights get no gradient?",
        ),
        Mistake(
            lambda x, weights: x + _lrelu(block(x, weights) - x),
            "There are two activations, each before a convolution: the last one is too many.",
        ),
        Mistake(
            lambda x, weights: x + _lrelu(block(x, weights, act1=False) - x),
            "Your activations come after each convolution. Here they come before: a correction may have any sign.",
        ),
        Mistake(
            lambda x, weights: x + 2 * (block(x, weights) - x), "The correction is added once, not twice."
        ),
        Mistake(
            lambda x, weights: x + conv(F.silu(conv(F.silu(x), weights, "conv1")), weights, "conv2"),
            "The activation is the leaky ReLU, and not SiLU.",
        ),
        Mistake(
            lambda x, weights: x + conv(_lrelu(conv(_lrelu(x), weights, "conv2")), weights, "conv1"),
            "The convolutions have changed places: conv1 comes first.",
        ),
    ]
    weights = weights_of(
        {
            "conv1.weight": (CHANNELS, CHANNELS, 3, 3),
            "conv1.bias": (CHANNELS,),
            "conv2.weight": (CHANNELS, CHANNELS, 3, 3),
            "conv2.bias": (CHANNELS,),
        }
    )
    praise = "It ran, it trained, and one activation had no effect."
    return grade(run(answer, CHANNELS), block, mistakes, [(picture(), weights)], praise)


def check_grow(answer: object) -> Verdict:
    """answer: the class of the upsampling, Grow(channels), with conv."""

    def conv(x: Tensor, weights: Weights) -> Tensor:
        return F.conv2d(x, weights["conv.weight"], weights["conv.bias"], padding=1)

    def double(x: Tensor) -> Tensor:
        return F.interpolate(x, scale_factor=2.0)

    mistakes = [
        Mistake(
            lambda x, weights: double(x), "One layer is made and never called: which weights get no gradient?"
        ),
        Mistake(
            lambda x, weights: double(conv(x, weights)),
            "The convolution comes after the doubling: before it, squares of four equal pixels remain.",
        ),
        Mistake(
            lambda x, weights: conv(F.interpolate(x, scale_factor=2.0, mode="bilinear"), weights),
            "The doubling repeats pixels here, and does not blend them: leave it as it is.",
        ),
        Mistake(
            lambda x, weights: conv(x.repeat(1, 1, 2, 2), weights),
            "You put four copies of the picture side by side: repeat each pixel in a square of four.",
        ),
        Mistake(
            lambda x, weights: F.relu(conv(double(x), weights)),
            "Only the convolution is missing: no activation follows it.",
        ),
        Mistake(
            lambda x, weights: conv(conv(double(x), weights), weights),
            "The convolution is called once, not twice.",
        ),
        Mistake(
            lambda x, weights: conv(F.interpolate(x, scale_factor=2.0, mode="bicubic"), weights),
            "The doubling repeats pixels here, and does not blend them: leave it as it is.",
        ),
        Mistake(
            lambda x, weights: double(x) + conv(double(x), weights),
            "There is no sum here: the convolution alone.",
        ),
    ]
    weights = weights_of({"conv.weight": (CHANNELS, CHANNELS, 3, 3), "conv.bias": (CHANNELS,)})
    praise = "A layer that is never called has weights, is saved and counted, and learns nothing."
    right = lambda x, weights: conv(double(x), weights)  # noqa: E731
    return grade(run(answer, CHANNELS), right, mistakes, [(picture(), weights)], praise)


def run(answer: object, *sizes: int) -> object:
    """A function of (x, weights) that builds the class `answer`, gives it the weights and calls it."""
    if not isinstance(answer, type):
        return answer

    def call(x: Tensor, weights: Weights) -> Tensor:
        layer = answer(*sizes).to(x.dtype)
        layer.load_state_dict(weights)
        result: Tensor = layer(x)
        return result

    function: Function = call
    return function


def weights_of(shapes: dict[str, tuple[int, ...]]) -> Weights:
    generator = torch.Generator().manual_seed(1)
    return {
        name: torch.randn(shape, generator=generator, dtype=torch.float64) for name, shape in shapes.items()
    }


def picture() -> Tensor:
    return torch.randn(2, CHANNELS, 6, 4, generator=torch.Generator().manual_seed(2), dtype=torch.float64)


def _lrelu(x: Tensor) -> Tensor:
    return F.leaky_relu(x, 0.2)
