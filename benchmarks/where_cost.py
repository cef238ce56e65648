"""A row of benchmarks/where.py: what the networks of the latent and of the pixels cost."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median

import torch
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

import ddpm_lib
from benchmarks.arms import Row
from benchmarks.latents import LATENT, NETWORKS, trained
from benchmarks.timing import digits, interleave
from ddpm_lib.models import Autoencoder


def multiply_adds(arm: Callable[[], object]) -> float:
    """Of a call, in millions; attention as the matrix products that it is."""
    with torch.inference_mode(), sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
        arm()
    return round(int(counter.get_total_flops()) / 2e6, 2)


def cost(save: Path, steps: dict[str, int], autoencoder: Autoencoder) -> Row:
    """Parameters, multiply-adds an image, and the time of a call with 64, in units of that of the pixels' U-Net."""
    networks: dict[str, nn.Module] = {
        name: trained(name, save, steps[name], autoencoder).network() for name in NETWORKS
    }
    networks["pixels"] = ddpm_lib.load("cpu-minutes").network()
    halves = {"encoder": autoencoder.encoder, "decoder": autoencoder.decoder}

    def call(name: str, b: int) -> Callable[[], object]:
        x = torch.randn(b, *((1, 28, 28) if name in ("pixels", "encoder") else LATENT))
        if name in halves:
            return partial(halves[name], x)
        return partial(networks[name], x, torch.full((b,), 250), torch.arange(b) % 10)

    both = {**networks, **halves}
    with torch.inference_mode():
        seconds = interleave({name: call(name, 64) for name in both}, rounds=15)
    return {
        name: {
            "parameters": sum(p.numel() for p in part.parameters()),
            "madds": multiply_adds(call(name, 1)),
            "time": digits(
                median(own / pixels for own, pixels in zip(seconds[name], seconds["pixels"], strict=True))
            ),
        }
        for name, part in both.items()
    }
