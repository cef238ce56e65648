"""Finished images: seeds, labels, samplers and the PNG."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from ddpm_lib.diffusion import GaussianDiffusion
from ddpm_lib.evaluate.generate import class_labels, generate, last, sampler, save_grid, tile, with_guidance
from ddpm_lib.guidance import Guided
from ddpm_lib.models import GaussianMixture, OracleDenoiser, ResNet, ResNetConfig, UNet, UNetConfig
from ddpm_lib.sampling import sample
from ddpm_lib.schedule import cosine_schedule


def test_generate_gives_the_same_images_in_any_batches() -> None:
    torch.manual_seed(0)
    model, diffusion = ResNet(ResNetConfig(blocks=1)).eval(), GaussianDiffusion(cosine_schedule(20))
    whole = torch.cat(list(generate(model, diffusion, (1, 8, 8), range(5), steps=5, batch=5)))
    parts = list(generate(model, diffusion, (1, 8, 8), range(5), steps=5, batch=2))
    assert [len(part) for part in parts] == [2, 2, 1]
    torch.testing.assert_close(torch.cat(parts), whole, rtol=0, atol=1e-5)
    direct = last(sample(model, diffusion, (1, 8, 8), seeds=[3], step=sampler("ddim"), steps=5))
    torch.testing.assert_close(direct.xt, whole[3:4], rtol=0, atol=1e-5)


def test_labels_follow_their_images_through_the_batches() -> None:
    seen: list[int] = []

    class Spy:
        predicts = "eps"

        def __call__(self, xt: torch.Tensor, t: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
            seen.extend(y.tolist())
            return torch.zeros_like(xt)

    y = class_labels(5, 3)
    list(generate(Spy(), GaussianDiffusion(cosine_schedule(4)), (1, 2, 2), range(5), y=y, steps=1, batch=2))
    assert seen == [0, 1, 2, 0, 1]


def test_images_are_clipped_and_points_are_not() -> None:
    far, schedule = (
        GaussianMixture(torch.full((1, 2), 1.8), torch.full((1,), 0.05), torch.ones(1)),
        cosine_schedule(50),
    )
    oracle, diffusion = OracleDenoiser(far, schedule.alpha_bar), GaussianDiffusion(schedule)
    points = torch.cat(list(generate(oracle, diffusion, (2,), range(200), steps=25)))
    assert abs(float(points.mean()) - 1.8) < 0.02
    (clipped,) = generate(oracle, diffusion, (2,), [0], steps=25, clip=True)
    assert float(clipped.max()) <= 1

    class Bright:
        predicts = "x0"

        def __call__(self, xt: torch.Tensor, t: torch.Tensor, y: torch.Tensor | None = None) -> torch.Tensor:
            return torch.full_like(xt, 1.8)

    (image,) = generate(Bright(), diffusion, (1, 4, 4), [0], steps=5)
    (free,) = generate(Bright(), diffusion, (1, 4, 4), [0], steps=5, clip=False)
    assert (float(image.max()), float(free.min())) == (pytest.approx(1.0), pytest.approx(1.8))


def test_class_labels() -> None:
    assert class_labels(4, 3).tolist() == [0, 1, 2, 0]
    assert class_labels(2, 3, label=2).tolist() == [2, 2]
    assert class_labels(4, 0) is None
    with pytest.raises(ValueError, match="classes are 0 to 2"):
        class_labels(1, 3, label=3)
    with pytest.raises(ValueError, match="knows no classes"):
        class_labels(1, 0, label=0)


def test_guidance_is_for_networks_with_classes() -> None:
    plain, conditional = UNet(UNetConfig(base=16)), UNet(UNetConfig(base=16, classes=10))
    assert with_guidance(plain, 2.0) is plain
    assert with_guidance(conditional, 0.0) is conditional
    guided = with_guidance(conditional, 2.0)
    assert isinstance(guided, Guided)
    assert guided.null == 10


def test_an_unknown_sampler_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="no sampler 'euler': choose one of ddpm, ddpm-beta, ddim"):
        sampler("euler")


def test_a_grid_shows_every_image_in_its_place(tmp_path: Path) -> None:
    x = torch.linspace(-1, 1, 5).reshape(5, 1, 1, 1).expand(5, 1, 4, 4)
    page = tile(x, columns=3, pad=1)
    assert page.shape == (2 * 5 + 1, 3 * 5 + 1, 1)
    for i, level in enumerate((0, 64, 128, 191, 255)):
        top, left = 1 + i // 3 * 5, 1 + i % 3 * 5
        assert np.abs(page[top : top + 4, left : left + 4].astype(int) - level).max() <= 1
    save_grid(tmp_path / "deep" / "grid.png", x, columns=3, zoom=2)
    saved = np.asarray(Image.open(tmp_path / "deep" / "grid.png"))
    assert saved.shape == (2 * (2 * 6 + 2), 2 * (3 * 6 + 2))


def test_color_images_make_a_color_grid(tmp_path: Path) -> None:
    save_grid(tmp_path / "grid.png", torch.zeros(2, 3, 4, 4))
    assert Image.open(tmp_path / "grid.png").mode == "RGB"
