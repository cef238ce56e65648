"""What the page trains on digits, and how: the network and the settings that benchmarks/digits_search.py compares."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from ddpm_lib.models import UNetConfig

# One level of 7 x 7 places, each of which holds 4 x 4 pixels: a few million multiplications an image.
NETWORK = UNetConfig(
    base=24,
    mults=(1,),
    blocks=1,
    heads=1,
    groups=1,
    activation="silu",
    scale_shift=True,
    fold=4,
    classes=10,
    predicts="x0",
)
SCHEDULE, T = "cosine", 500
# The names are those of TrainConfig (ddpm_lib/train/config.py), which says what each means.
TRAINING: dict[str, Any] = {
    "steps": 1_200,
    "batch": 32,
    "lr": 8e-3,
    "warmup": 0.05,
    "betas": (0.9, 0.99),
    "clip": 1.0,
    "ema": 0.995,
    "label_drop": 0.1,
    "draw_t": "lognormal",
}
# How digits are drawn from it, and what they are.
GUIDANCE, DDIM_STEPS = 0.5, 25
DRAWING: dict[str, Any] = {"w": GUIDANCE, "steps": DDIM_STEPS}
ABOUT: dict[str, Any] = {"name": "mnist", "side": 28, "classes": list("0123456789")}


def recipe(**changed: Any) -> dict[str, Any]:
    """What the worker is told (ImageRecipe in web/learn/images/learner.js)."""
    config = {name: value for name, value in asdict(NETWORK).items() if name != "dropout"}  # it drops nothing
    return {"config": config, "schedule": SCHEDULE, "T": T, **TRAINING, "seed": 0, **changed}
