"""The last check: a walk from noise, and whether what it draws is as varied as the images are."""

from __future__ import annotations

import torch

from ddpm_lib.denoiser import X
from ddpm_lib.evaluate.diagnose.case import Case, Finding
from ddpm_lib.evaluate.generate import class_labels, last
from ddpm_lib.sampling import sample

COUNT, STEPS = 32, 20
CLOSE = 0.6  # neighbors so much nearer than the images' are copies


def variety(case: Case) -> Finding:
    """Are the drawings as far from one another as as many images are?"""
    n, T = min(COUNT, len(case.x0)), case.diffusion.T
    states = sample(
        case.denoiser, case.diffusion, case.x0.shape[1:], seeds=range(n), y=class_labels(n, case.classes),
        step=case.step, steps=min(STEPS, T), device=case.x0.device,
    )  # fmt: skip
    drawn = last(states).xt
    if not bool(drawn.isfinite().all()):
        return Finding("walk", "not finite", "NaN in sampling: a division by 0 at one end of the schedule?")
    ours, real = neighbor_distance(drawn), neighbor_distance(case.x0[:n])
    return Finding(
        "walk",
        f"a quarter of the drawings have a neighbor within {ours:.1f}, of the images within {real:.1f}",
        "all alike: too few images, learned by heart, or one drawing for every noise"
        if ours < CLOSE * real
        else "",
    )


def neighbor_distance(x: X) -> float:
    """The distance to the nearest neighbor that a quarter of the images fall below."""
    distance = torch.cdist(x.flatten(1).double(), x.flatten(1).double())
    distance.fill_diagonal_(float("inf"))
    return float(distance.min(1).values.quantile(0.25))
