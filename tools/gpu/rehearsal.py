"""Everything a thousand times smaller: `--tiny` runs every piece anywhere, with presets that are small in every way."""

from __future__ import annotations

from dataclasses import replace

from ddpm_lib.assets import weights
from ddpm_lib.models import ResNetConfig, UNetConfig
from ddpm_lib.train.presets import PRESETS, Preset

T = 24  # the linear schedule needs more than 20


def shrink() -> None:
    """Make the presets of this process tiny, and the files that weights are stored in."""
    for name, preset in PRESETS.items():
        PRESETS[name] = _tiny(preset)
    weights.MOST_BYTES = 50_000


def _tiny(preset: Preset) -> Preset:
    model = preset.model
    if isinstance(model, UNetConfig):
        # still of different sizes, so that each is found by its shape
        model = replace(model, base=max(4, model.base // 12), heads=2, mults=model.mults[:2], blocks=1)
    elif isinstance(model, ResNetConfig):
        model = replace(model, width=model.width // 16, blocks=1)
    train = replace(preset.train, steps=4, seconds=None, batch=4, every=2)
    return replace(preset, model=model, train=train, T=T)
