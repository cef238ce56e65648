"""The same size of U-Net in three libraries: parameters and FLOPs within 5 % of ours, held by a test.

diffusers' `UNet2DModel` has our layers, so it takes our widths. denoising-diffusion-pytorch's `Unet` has layers of
its own (linear attention at every level, a 7 x 7 convolution first); its width and its heads are chosen to match.
Every network reads 28 x 28 pixels of one channel and knows no classes.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from ddpm_lib.models import UNet, UNetConfig

LIBRARIES = ("ours", "diffusers", "lucidrains")
# What a peer's training loop imports.
NEEDS = {
    "ours": (),
    "diffusers": ("diffusers", "accelerate"),
    "lucidrains": ("denoising_diffusion_pytorch", "ema_pytorch", "einops", "accelerate"),
}
SHAPE = (1, 28, 28)


@dataclass(frozen=True)
class Size:
    """One size of network: ours, and the width of denoising-diffusion-pytorch's that matches it."""

    config: UNetConfig
    dim: int  # its width
    mults: tuple[int, ...]  # its widths at the levels, in units of dim
    dim_head: int = 32  # features of a head of its attention; 32 is its default


def _modern(base: int, mults: tuple[int, ...]) -> UNetConfig:
    return UNetConfig(base=base, mults=mults, blocks=1, groups=1, activation="silu")


SIZES: dict[str, Size] = {
    "0.3 M": Size(_modern(28, (1, 1, 1)), 16, (1, 1, 2), 28),
    "1 M": Size(_modern(32, (1, 2, 2)), 28, (1, 2, 2), 24),
    "2.5 M": Size(_modern(48, (1, 2, 2)), 42, (1, 2, 2)),
    "10 M": Size(_modern(96, (1, 2, 2)), 88, (1, 2, 2)),
    "13.8 M": Size(UNetConfig(), 106, (1, 2, 2)),  # the classic U-Net: no norm, LeakyReLU
}


def ours(size: Size) -> UNet:
    """This project's network."""
    return UNet(size.config)


def diffusers(size: Size) -> nn.Module:
    """diffusers' network with the same layers; GroupNorm in 32 groups, its default, or in as many as divide."""
    from diffusers import UNet2DModel

    config, levels = size.config, len(size.config.mults)
    network: nn.Module = UNet2DModel(
        sample_size=SHAPE[-1],
        in_channels=SHAPE[0],
        out_channels=SHAPE[0],
        layers_per_block=config.blocks,
        block_out_channels=tuple(config.base * m for m in config.mults),
        down_block_types=("DownBlock2D",) * levels,
        up_block_types=("UpBlock2D",) * levels,
        norm_num_groups=math.gcd(config.base, 32),
        attention_head_dim=config.base * config.mults[-1] // config.heads,
    )
    return network


def lucidrains(size: Size) -> nn.Module:
    """denoising-diffusion-pytorch's network, its options as they come but for the widths."""
    network: nn.Module = denoising_diffusion_pytorch().Unet(
        size.dim, dim_mults=size.mults, channels=SHAPE[0], attn_dim_head=size.dim_head
    )
    return network


class NotInstalled(Exception):
    """A library that a measurement needs and this machine lacks."""


def require(library: str) -> None:
    """Raise NotInstalled, in words for a table, where a library or what its loop needs is missing."""
    _look_apart()
    for name in NEEDS[library]:
        if find_spec(name) is None:
            raise NotInstalled(f"not measured: {name} is not installed")


def installed(libraries: Iterable[str]) -> tuple[list[str], dict[str, str]]:
    """Those that can be measured here, and for each other one why not; the latter are printed, a line each."""
    here, missing = [], {}
    for library in libraries:
        try:
            require(library)
            here.append(library)
        except NotInstalled as error:
            missing[library] = str(error)
            print(f"{library}: {error}", flush=True)
    return here, missing


def _look_apart() -> None:
    # where `make bench` installs what is needed for comparisons alone
    if (apart := str(Path(sys.prefix) / "bench")) not in sys.path:
        sys.path.append(apart)


def denoising_diffusion_pytorch() -> Any:
    """That package's main module. It imports torchvision to load image files: an empty stand-in does for us."""
    _look_apart()
    names = ("torchvision", "torchvision.transforms", "torchvision.utils")
    absent = [name for name in names if name not in sys.modules]
    modules = {name: ModuleType(name) for name in absent}
    for name, module in modules.items():
        parent, _, child = name.rpartition(".")
        if parent in modules:
            setattr(modules[parent], child, module)
    sys.modules.update(modules)
    try:
        from denoising_diffusion_pytorch import denoising_diffusion_pytorch as package
    except ImportError as error:
        raise SystemExit(
            f"The benchmark needs what benchmarks/requirements.txt names ({error}): run it with `make bench`."
        ) from error
    finally:
        for name in absent:
            del sys.modules[name]
    return package


BUILD = {"ours": ours, "diffusers": diffusers, "lucidrains": lucidrains}


def parameters(network: nn.Module) -> int:
    """How many numbers training adjusts."""
    return sum(p.numel() for p in network.parameters())


def forward_flops(network: nn.Module, side: int = SHAPE[-1]) -> int:
    """Multiplications and additions of one image's forward pass: those of its matrix products and convolutions."""
    device = next(network.parameters()).device
    xt, t = (
        torch.zeros(1, SHAPE[0], side, side, device=device),
        torch.ones(1, dtype=torch.int64, device=device),
    )
    # The plain kernel of attention is made of matrix products, which are counted; the CPU's fused one is not.
    with FlopCounterMode(display=False) as counter, torch.no_grad(), sdpa_kernel(SDPBackend.MATH):
        network(xt, t)
    return int(counter.get_total_flops())
