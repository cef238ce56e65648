"""An oracle that knows classes, and points to ask it about."""

from __future__ import annotations

import torch

from ddpm_lib.models import ClassOracle, GaussianMixture, UNet, UNetConfig
from ddpm_lib.schedule import cosine_schedule
from tests.helpers import generator

SCHEDULE = cosine_schedule(200)


def table(*rows: object) -> torch.Tensor:
    return torch.tensor(rows, dtype=torch.float64)


CLASSES = [
    GaussianMixture(table([1.0, 0.6], [-0.8, 0.4]), table(0.2, 0.4), table(0.7, 0.3)),
    GaussianMixture(table([0.2, -0.4]), table(0.3), table(1.0)),
]
ORACLE = ClassOracle(CLASSES, table(0.6, 0.4), SCHEDULE.alpha_bar)
XT = torch.randn(40, 2, generator=generator(0), dtype=torch.float64)
Y = torch.arange(40) % 2


def at(t: int) -> torch.Tensor:
    return torch.full((40,), t)


def network() -> UNet:
    torch.manual_seed(0)
    net = UNet(UNetConfig(base=8, mults=(1,), blocks=1, heads=1, classes=3))
    for p in net.parameters():  # no layer may be zero, as some are at birth
        torch.nn.init.normal_(p, std=0.1)
    return net.eval()
