"""Configurations of small networks, and networks that answer something."""

from __future__ import annotations

from dataclasses import replace

import torch

from ddpm_lib.models import (
    ResNetConfig,
    UNetConfig,
    build,
)
from tests.helpers import generator

CLASSIC = UNetConfig()
SMALL = UNetConfig(base=8, mults=(1, 2), blocks=1, heads=2)
MODERN = replace(
    SMALL, groups=4, activation="silu", scale_shift=True, attention=(1,), fold=2, classes=3, predicts="v"
)
WIDE = ResNetConfig(width=8, blocks=2, time=True)


def normal(*shape, seed=0):
    return torch.randn(shape, generator=generator(seed))


def awake(config):
    """A network whose zero-initialised layers have been filled, as after some training."""
    torch.manual_seed(0)
    net = build(config).eval()
    for parameter in net.parameters():
        if not parameter.any():
            torch.nn.init.normal_(parameter, std=0.1)
    return net


def times(*t):
    return torch.tensor(t)
