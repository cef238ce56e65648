"""Networks whose last layers are no zeros, for the tests of latents."""

from __future__ import annotations

import torch

from ddpm_lib.models import (
    DiTConfig,
    WordsConfig,
)
from tests import helpers
from tests.helpers import generator

SMALL_DIT = DiTConfig(width=16, blocks=2, heads=2, classes=3)
SMALL_WORDS = WordsConfig(("one", "one or two", "not two"), base=8, blocks=2, heads=2)


def close(a, b):
    helpers.close(a, b, 1e-5)


def normal(*shape, seed=0):
    return torch.randn(shape, generator=generator(seed))


def awake(network):
    """The network, its zero-initialised layers filled as after some training."""
    torch.manual_seed(0)
    for parameter in network.parameters():
        if not parameter.any():
            torch.nn.init.normal_(parameter, std=0.3)
    return network.eval()
