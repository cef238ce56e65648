"""Graders of attention: its formula and its heads."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor

from ddpm_lib.exercises.grading import Mistake, Verdict, grade
from ddpm_lib.exercises.slips import CHANNELS, HEADS, Weights, picture, run, weights_of

AXIS = "The softmax runs along the wrong axis: the weights that one pixel gives must sum to 1."
LAYOUTS = ("", "heads first", "heads last")  # which channels a head gets is a convention


def _mix(scores: Tensor, v: Tensor) -> Tensor:
    return scores.softmax(dim=-1) @ v


def check_attention(answer: object) -> Verdict:
    """answer(q, k, v): softmax(q k^T / sqrt(d)) v, one row per pixel."""

    def over(divisor: Callable[[Tensor, Tensor], float]) -> Callable[[Tensor, Tensor, Tensor], Tensor]:
        return lambda q, k, v: _mix(q @ k.T / divisor(q, v), v)

    def width(q: Tensor) -> float:
        return float(q.shape[1])

    right = over(lambda q, v: math.sqrt(width(q)))
    root = "What divides the scores is the root of d, the number of features in a row of q:"
    mistakes = [
        Mistake(over(lambda q, v: 1), "The scores are not divided by the root of d."),
        Mistake(over(lambda q, v: width(q)), "Divide by the *root* of d."),
        Mistake(over(lambda q, v: math.sqrt(len(q))), "d is the number of features, not of pixels."),
        Mistake(over(lambda q, v: len(q)), "d is the number of features, not of pixels; and take its root."),
        Mistake(
            over(lambda q, v: math.sqrt(v.shape[1])), "d is a query's length, not a value's."
        ),
        Mistake(over(lambda q, v: 1 / math.sqrt(width(q))), "Divide, do not multiply: by root d."),
        Mistake(over(lambda q, v: width(q) ** 2), f"{root} you took its square."),
        Mistake(over(lambda q, v: width(q) ** 0.25), f"{root} you took a root too many."),
        Mistake(over(lambda q, v: width(q) / 2), f"{root} half of d is not its root."),
        Mistake(over(lambda q, v: math.sqrt(2 * width(q))), f"{root} there is no 2 under it."),
        Mistake(over(lambda q, v: math.sqrt(width(q) / 2)), f"{root} d is not halved."),
        Mistake(over(lambda q, v: 2 ** width(q)), f"{root} not 2 to the power of d."),
        Mistake(over(lambda q, v: 2), f"{root} it is 2 only where d is 4."),
        Mistake(lambda q, k, v: (q @ k.T / math.sqrt(width(q))).softmax(dim=0) @ v, AXIS),
        Mistake(
            lambda q, k, v: _mix(k @ q.T / math.sqrt(width(q)), v),
            "Keys and queries are swapped: each row belongs to a query.",
        ),
        Mistake(
            lambda q, k, v: (q @ k.T / math.sqrt(width(q))).softmax(dim=-1).T @ v,
            "The weights are transposed: their row i belongs to pixel i, and weighs the rows of v.",
        ),
        Mistake(lambda q, k, v: q @ k.T / math.sqrt(width(q)) @ v, "The softmax is missing."),
        Mistake(
            lambda q, k, v: (q @ k.T / math.sqrt(width(q))).exp() @ v,
            "Exponentials alone do not sum to 1: divide each row by its sum, as the softmax does.",
        ),
        Mistake(
            lambda q, k, v: (q @ k.T / math.sqrt(width(q))).sigmoid() @ v,
            "A sigmoid weighs each pixel by itself: the softmax makes the weights of a row sum to 1.",
        ),
        Mistake(
            lambda q, k, v: _mix(q @ k.T, v) / math.sqrt(width(q)),
            "The root of d divides the scores, before the softmax.",
        ),
        Mistake(
            lambda q, k, v: _mix(q @ k.T, v) / width(q), "It is the scores that are divided, and by the root of d."
        ),
    ]  # fmt: skip
    draw = partial(torch.randn, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    praise = "Every pixel reads every other, and how much is computed from what they hold."
    cases = [(draw(n, d), draw(n, d), draw(n, width)) for n, d, width in ((6, 5, 3), (4, 7, 2))]
    return grade(answer, right, mistakes, cases, praise)


def _look(
    x: Tensor,
    weights: Weights,
    heads: int = HEADS,
    scale: int | float = CHANNELS // HEADS,
    skip: bool = True,
    layout: str = "",
    axis: int = -1,
    swapped: bool = False,
    transposed: bool = False,
) -> Tensor:
    b, c, height, width = x.shape
    d = c // heads
    qkv = F.conv2d(x, weights["qkv.weight"], weights["qkv.bias"])
    if layout == "heads first":
        qkv = qkv.reshape(b, heads, 3, d, -1).transpose(1, 2)
    elif layout == "heads last":
        qkv = qkv.reshape(b, 3, d, heads, -1).transpose(2, 3)
    q, k, v = qkv.reshape(b, 3, heads, d, -1).unbind(1)
    q, k = (k, q) if swapped else (q, k)
    shares = (q.transpose(-1, -2) @ k / scale**0.5).softmax(axis)
    found = v @ (shares if transposed else shares.transpose(-1, -2))
    if layout == "heads last":
        found = found.transpose(1, 2)
    result: Tensor = x * skip + found.reshape(b, c, height, width)
    return result


def _channels(x: Tensor, weights: Weights) -> Tensor:
    b, c = x.shape[:2]
    qkv = F.conv2d(x, weights["qkv.weight"], weights["qkv.bias"])
    q, k, v = qkv.reshape(b, 3, HEADS, c // HEADS, -1).unbind(1)
    result: Tensor = x + ((q @ k.transpose(-1, -2) / (c // HEADS) ** 0.5).softmax(-1) @ v).reshape(x.shape)
    return result


def check_look(answer: object) -> Verdict:
    """answer: the class of the attention, Look(channels, heads), with qkv."""
    one = "The root has changed, but there is still one softmax for all features: split them first."
    d = CHANNELS // HEADS
    mistakes = [
        Mistake(
            partial(_look, heads=1, scale=CHANNELS),
            "Call it with 1 head and with 4: the result is the same. Where is `self.heads` used?",
        ),
        Mistake(partial(_look, heads=1, scale=d), one),
        Mistake(_channels, "The scores compare channels here: pixels are to be compared, over the features of a head."),
    ]  # fmt: skip
    slips: list[tuple[dict[str, object], str]] = [
        (
            {"scale": CHANNELS},
            "The heads are split. Each now has channels / heads features: that is the d under the root.",
        ),
        ({"skip": False}, "What is found is added to x."),
        ({"axis": -2}, AXIS),
        ({"axis": 1}, "The softmax runs over the heads: it runs over the pixels that are read."),
        ({"axis": 0}, "The softmax runs over the pictures of the batch: it runs over the pixels that are read."),
        ({"scale": 1}, "The scores are not divided by the root of d."),
        ({"scale": d**2}, "Divide by the root of d, not by d."),
        ({"scale": CHANNELS**2}, "Divide by a root, that of the features of one head: channels / heads."),
        ({"scale": 1 / d}, "Divide by the root of d, do not multiply."),
        ({"scale": _picture_size()}, "d is the number of features of a head, not of pixels."),
        ({"swapped": True}, "Keys and queries are swapped: a pixel asks with its query."),
        ({"transposed": True}, "The weights meet the wrong axis of v: those of one pixel weigh what it reads."),
    ]  # fmt: skip
    mistakes += [
        Mistake(partial(_look, layout=layout, **slip), told)  # type: ignore[arg-type]
        for slip, told in slips
        for layout in LAYOUTS
    ]
    weights = weights_of({"qkv.weight": (3 * CHANNELS, CHANNELS, 1, 1), "qkv.bias": (3 * CHANNELS,)})
    praise = "Each head has its own softmax now, and can look elsewhere."
    cases = [(picture(), weights)]
    called = run(answer, CHANNELS, HEADS)
    verdict = grade(called, _look, mistakes, cases, praise)
    for layout in LAYOUTS[1:]:
        if not verdict and grade(called, partial(_look, layout=layout), [], cases, ""):
            return Verdict(True, praise)
    return verdict


def _picture_size() -> int:
    return picture().shape[2] * picture().shape[3]
