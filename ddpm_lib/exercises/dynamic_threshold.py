"""Grader of the chapter on guidance: clipping by a quantile of each picture."""

from __future__ import annotations

import torch
from torch import Tensor

from ddpm_lib.evaluate.montecarlo import normals
from ddpm_lib.exercises.grading import Mistake, Verdict, grade


def check_dynamic_threshold(answer: object) -> Verdict:
    """answer(x0_hat, share): each picture (b, c, h, w) brought into [-1, 1] by its own quantile of |x0_hat|."""

    def level(x: Tensor, share: float) -> Tensor:
        return x.abs().flatten(1).quantile(share, dim=1)[:, None, None, None]

    def bring(x: Tensor, s: Tensor) -> Tensor:
        return x.clamp(-s, s) / s

    def right(x: Tensor, share: float) -> Tensor:
        return bring(x, level(x, share).clamp(min=1))

    mistakes = [
        Mistake(lambda x, share: x.clamp(-1, 1), "That is the fixed clipping, which this should soften."),
        Mistake(
            lambda x, share: bring(x, level(x, share)),
            "A picture that stays within -1 and 1 must be left alone: s is never below 1.",
        ),
        Mistake(
            lambda x, share: bring(
                x, x.abs().flatten(2).quantile(share, dim=2)[..., None, None].clamp(min=1)
            ),
            "You took one quantile per channel. Each picture has one s, from all of its channels.",
        ),
        Mistake(
            lambda x, share: bring(x, x.abs().quantile(share).clamp(min=1)),
            "One bold picture dims the whole batch: take the quantile picture by picture.",
        ),
        Mistake(
            lambda x, share: x / level(x, share).clamp(min=1),
            "Divided, but not clipped: the pixels above the quantile are still outside.",
        ),
        Mistake(
            lambda x, share: torch.maximum(
                torch.minimum(x, level(x, share).clamp(min=1)), -level(x, share).clamp(min=1)
            ),
            "Clipped to s, but s may be 3: divide by it.",
        ),
        Mistake(
            lambda x, share: bring(x, x.flatten(1).quantile(share, dim=1)[:, None, None, None].clamp(min=1)),
            "Take the quantile of |x0_hat|: black pixels leave the range, too.",
        ),
        Mistake(
            lambda x, share: bring(x, x.abs().amax((1, 2, 3), keepdim=True).clamp(min=1)),
            "One brightest pixel decides for the picture: take the quantile, not the largest value.",
        ),
        Mistake(
            lambda x, share: (x / level(x, share).clamp(min=1)).tanh(),
            "tanh bends all values. Clip to s, then divide.",
        ),
        Mistake(
            lambda x, share: bring(x, level(x, share).clamp(max=1)),
            "At *least* 1: s is the larger of the quantile and 1.",
        ),
        Mistake(
            lambda x, share: bring(x, level(x, 1 - share).clamp(min=1)),
            "That is the other end: the quantile `share` itself.",
        ),
        Mistake(
            lambda x, share: bring(x, x.abs().quantile(share, dim=0, keepdim=True).clamp(min=1)),
            "You took a quantile over the pictures. Each picture has its own, over its pixels.",
        ),
    ]
    normal = normals(6)
    quiet, bold, black = 0.3 * normal(1, 2, 6, 6), 1.8 * normal(1, 2, 6, 6), -1.2 - normal(1, 2, 6, 6).abs()
    cases = [(torch.cat([quiet, bold, black]), 0.9), (torch.cat([bold, 0.7 * bold.flip(2)]), 0.8)]
    return grade(answer, right, mistakes, cases, "Bold pictures are dimmed, quiet ones left alone.")
