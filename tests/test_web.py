"""The engine in headless Chromium: it draws what torch draws, says what is wrong, and stops when told to."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from playwright.sync_api import Page

from ddpm_lib.models import UNetConfig
from ddpm_lib.web.export import checkpoint_of, detail
from ddpm_lib.web.worker_source import worker_source
from tests.engine import TINY, last, recorded
from tests.engine import digits as digits
from tests.engine import tiny as tiny
from tests.helpers import close
from tests.worker_page import Engine, in_torch, random_checkpoint


def test_fifty_steps_with_the_shipped_weights_draw_the_image_that_torch_draws(
    page: Page, digits: dict[str, Any]
) -> None:
    checkpoint, engine = checkpoint_of(digits), Engine(page)
    assert engine.load(digits) == {"type": "loaded", "kind": "wasm-simd"}
    runs = [
        recorded(checkpoint, steps=50, labels=[7]),
        recorded(checkpoint, steps=50, labels=[3], w=0.5),
        recorded(checkpoint, steps=10, n=2, labels=[4, -1], w=1.5, eta=0.6),
        recorded(checkpoint, steps=25, labels=[8], sampler="ddpm"),
    ]
    for run in runs:
        close(last(engine.run(**run), run["x"]), in_torch(checkpoint, run), 1e-3)


CONFIGS = {
    "no norm, leaky_relu, added time, eps": UNetConfig(base=8, mults=(1, 2), blocks=2, heads=2),
    "groups, attention at a level, color, v": UNetConfig(
        channels=3, base=12, mults=(1, 2), blocks=1, attention=(1,), heads=4, groups=4, activation="silu", predicts="v"
    ),
    "three levels, fold, scale-shift, attention at the first": UNetConfig(
        base=8, mults=(1, 1, 2), blocks=1, attention=(0, 2), heads=1, groups=32, activation="silu", scale_shift=True,
        fold=2, classes=2, predicts="x0",
    ),
    "one level, scale-shift without norm": UNetConfig(
        base=6, mults=(2,), blocks=1, heads=3, scale_shift=True, predicts="v"
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CONFIGS)
def test_every_kind_of_unet_agrees_with_torch(page: Page, name: str) -> None:
    config = CONFIGS[name]
    weights = detail(random_checkpoint(config, side=16 if config.fold > 1 else 8))
    checkpoint, engine = checkpoint_of(weights), Engine(page)
    assert engine.load(weights)["type"] == "loaded"
    labels = [1, -1] if config.classes else [-1, -1]
    for sampler, eta in [("ddim", 0.0), ("ddim", 0.7), ("ddpm", 0.0)]:
        w = 0.5 if config.classes else 0.0
        run = recorded(checkpoint, n=2, labels=labels, steps=7, sampler=sampler, eta=eta, w=w)
        expected = in_torch(checkpoint, run)
        assert expected.std() > 0.05  # a constant picture would prove nothing
        close(last(engine.run(**run), run["x"]), expected, 1e-3)


def test_a_picture_that_does_not_fill_the_square(page: Page) -> None:
    checkpoint = random_checkpoint(TINY)
    object.__setattr__(checkpoint, "about", type(checkpoint.about)("noise", (1, 6, 10)))
    weights = detail(checkpoint)
    engine, checkpoint = Engine(page), checkpoint_of(weights)
    engine.load(weights)
    run = recorded(checkpoint, labels=[1])
    close(last(engine.run(**run), run["x"]), in_torch(checkpoint, run), 1e-3)


def test_without_webassembly_the_same_picture(page: Page, tiny: dict[str, Any]) -> None:
    run = recorded(checkpoint_of(tiny), labels=[2], steps=10, eta=0.3)
    pictures = []
    no_simd = "WebAssembly.validate = () => false;"
    for missing in ("", "const WebAssembly = undefined;", no_simd):
        engine = Engine(page, missing + worker_source())
        kind = engine.load(tiny)["kind"]
        pictures.append((kind, last(engine.run(**run), run["x"])))
    assert [kind for kind, _ in pictures] == ["wasm-simd", "javascript", "javascript"]
    close(pictures[0][1], pictures[1][1], 1e-5)
    assert torch.equal(pictures[1][1], pictures[2][1])
