"""Noise that depends on an image's seed alone."""

from __future__ import annotations

import pytest
import torch

from ddpm_lib.diffusion import GaussianDiffusion
from ddpm_lib.sampling import DDIM, Noise, ddpm_step
from ddpm_lib.schedule import linear_schedule
from tests.helpers import close
from tests.sampled import final, tiny_unet


def test_noise_of_an_image_depends_on_its_seed_alone():
    seeds = [3, 1, 4, 1]
    together = Noise(seeds, (2, 5))
    first, second = together(), together()
    assert first.shape == (4, 2, 5)
    for i, seed in enumerate(seeds):
        alone = Noise([seed], (2, 5))
        assert torch.equal(alone()[0], first[i])
        assert torch.equal(alone()[0], second[i])
    assert torch.equal(first[1], first[3])
    assert not torch.equal(first[0], first[1])
    assert not torch.equal(first, second)


def test_every_draw_is_the_next_of_each_generator():
    noise = Noise([3, 8], (1, 4, 6))
    generators = [torch.Generator().manual_seed(seed) for seed in (3, 8)]
    for _ in range(3):
        assert torch.equal(noise(), torch.stack([torch.randn(1, 4, 6, generator=g) for g in generators]))


@pytest.mark.parametrize("step", [ddpm_step, DDIM(0.5)])
def test_a_batch_of_8_gives_the_same_images_as_one_at_a_time(step):
    net, seeds, y = tiny_unet(classes=3), list(range(8)), torch.arange(8) % 3
    diffusion = GaussianDiffusion(linear_schedule(50))
    together = final(net, diffusion, (1, 8, 8), seeds=seeds, y=y, step=step, steps=3)
    for i in range(8):
        alone = final(net, diffusion, (1, 8, 8), seeds=seeds[i : i + 1], y=y[i : i + 1], step=step, steps=3)
        close(alone[0], together[i], 1e-5)
