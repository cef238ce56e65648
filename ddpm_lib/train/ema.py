"""An exponential moving average of the weights: what is sampled from, in place of the last weights."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn


class EMA:
    """`average` is a frozen copy of the model whose weights trail behind it (Ho et al. 2020, appendix B).

    The schedule's tables are no weights and are not averaged: they live in GaussianDiffusion.
    """

    def __init__(self, model: nn.Module, decay: float) -> None:
        if not 0 <= decay < 1:
            raise ValueError(
                f"The EMA's decay is {decay}, but it must be at least 0 and below 1 (usual: 0.999)."
            )
        self.decay = decay
        self.average = copy.deepcopy(model).eval().requires_grad_(False)

    @torch.no_grad()
    def update(self, model: nn.Module, step: int) -> None:
        """average += (1 - d) (model - average), d = min(decay, (1 + step) / (10 + step)).

        The smaller decay of the first steps lets the average forget the random start.
        """
        decay = min(self.decay, (1 + step) / (10 + step))
        ours: list[Tensor] = list(self.average.parameters())
        torch._foreach_lerp_(ours, list(model.parameters()), 1 - decay)
        for average, buffer in zip(self.average.buffers(), model.buffers(), strict=True):
            average.copy_(buffer)
