"""A tiny U-Net, a schedule and what the tests of the samplers draw."""

from __future__ import annotations

import torch

from ddpm_lib.diffusion import GaussianDiffusion
from ddpm_lib.models import UNet, UNetConfig
from ddpm_lib.sampling import sample
from ddpm_lib.schedule import cosine_schedule, linear_schedule

LINEAR, COSINE = GaussianDiffusion(linear_schedule(1000)), GaussianDiffusion(cosine_schedule(1000))


def tiny_unet(**kwargs):
    torch.manual_seed(0)
    net = UNet(UNetConfig(base=8, mults=(1, 2), blocks=1, heads=2, groups=1, **kwargs)).eval()
    for parameter in net.parameters():  # the zero-initialised layers too
        if not parameter.any():
            torch.nn.init.normal_(parameter, std=0.05)
    return net


def final(*args, **kwargs):
    *_, last = sample(*args, **kwargs)
    return last.xt
