"""Grader of a loss in the chapter on editing: how much of the ink is missing that was wished for."""

from __future__ import annotations

import torch
from torch import Tensor

from ddpm_lib.exercises.grading import Mistake, Verdict, grade


def check_missing_ink(answer: object) -> Verdict:
    """answer(x, mask): for pictures (b, 1, h, w) the mean of ((x - 1) / 2)^2 where the mask (h, w) is 1, (b,)."""

    def off(x: Tensor) -> Tensor:
        return ((x - 1) / 2).square()

    def right(x: Tensor, mask: Tensor) -> Tensor:
        return (off(x) * mask).sum((1, 2, 3)) / mask.sum()

    mistakes = [
        Mistake(
            lambda x, mask: (off(x) * mask).mean((1, 2, 3)),
            "That is divided by all pixels, so a small mask is a weak wish: divide by the number of ones in the mask.",
        ),
        Mistake(
            lambda x, mask: (off(x) * mask).sum((1, 2, 3)),
            "A sum: a large mask would pull harder than a small one. Divide by the number of ones in the mask.",
        ),
        Mistake(
            lambda x, mask: right(-x, mask),
            "That is the ink that is there, which the wish would remove: the target is 1, not -1.",
        ),
        Mistake(
            lambda x, mask: 4 * right(x, mask),
            "Without the division by 2 paper costs 4, and not 1.",
        ),
        Mistake(
            lambda x, mask: (((1 - x) / 2) * mask).sum((1, 2, 3)) / mask.sum(),
            "The distance is not squared, so its slope never falls as the wish comes true.",
        ),
        Mistake(
            lambda x, mask: right(x, 1 - mask),
            "That wishes for ink everywhere but in the mask.",
        ),
        Mistake(
            lambda x, mask: ((x * mask - 1) / 2).square().sum((1, 2, 3)) / mask.sum(),
            "Outside the mask x becomes 0 there, which counts as missing ink: multiply the squares by the mask.",
        ),
        Mistake(
            lambda x, mask: (((x - 1) / 2) * mask).sum((1, 2, 3)).square() / mask.sum(),
            "Square first, then sum: each pixel's own distance counts.",
        ),
    ]
    draw = torch.Generator().manual_seed(2)
    x = 2 * torch.rand(3, 1, 5, 6, generator=draw, dtype=torch.float64) - 1
    masks = [torch.zeros(5, 6, dtype=torch.float64) for _ in range(2)]
    masks[0][1:3, 2:4] = masks[1][:, 0] = 1
    praise = "Its gradient is 0 outside the mask, and within it grows with what is missing."
    return grade(answer, right, mistakes, [(x, mask) for mask in masks], praise)
