"""The engine edits as Python does: the way up to the noise."""

from typing import Any

import pytest
import torch
from playwright.sync_api import Page
from torch import Tensor

from ddpm_lib.data import mnist
from ddpm_lib.evaluate.editing import invert
from ddpm_lib.models import UNetConfig
from ddpm_lib.web.export import checkpoint_of, detail
from tests.engine import TINY, last
from tests.engine import digits as digits
from tests.engine import tiny as tiny
from tests.helpers import close, generator
from tests.worker_page import Engine, random_checkpoint, request

KINDS = {
    "x0": TINY,
    "eps": UNetConfig(base=8, mults=(1, 2), blocks=1, heads=2, predicts="eps"),
    "v": UNetConfig(base=8, mults=(1,), blocks=1, heads=2, predicts="v"),
}


def climbed(weights: dict[str, Any], x: Tensor, labels: list[int], steps: int) -> list[tuple[int, Tensor]]:
    """Every state of the way up in torch."""
    checkpoint = checkpoint_of(weights)
    config = checkpoint.model_config
    assert isinstance(config, UNetConfig)
    y = torch.tensor([config.classes if y < 0 else y for y in labels]) if config.classes else None
    states = invert(checkpoint.network(), checkpoint.diffusion, x, y=y, steps=steps)
    return [(state.t, state.xt) for state in states]


@pytest.mark.parametrize("kind", KINDS)
def test_the_way_up_is_inversion_at_every_state(page: Page, kind: str) -> None:
    weights = detail(random_checkpoint(KINDS[kind]))
    engine = Engine(page)
    engine.load(weights)
    x = torch.rand(2, 1, 8, 8, generator=generator(1)) * 2 - 1
    labels = [1, -1] if kind == "x0" else [-1, -1]
    states = engine.run(n=2, labels=labels, steps=7, x=x, up=True)
    want = climbed(weights, x, labels, 7)
    assert [state["t"] for state in states] == [t for t, _ in want] == [0, 6, 11, 17, 23, 29, 34, 40]
    for state, (_, xt) in zip(states, want, strict=True):
        close(torch.tensor(state["xt"]).reshape(x.shape), xt, 1e-3)
    assert (want[-1][1] - x).abs().max() > 0.1


def test_the_shipped_network_finds_the_noise_that_torch_finds(page: Page, digits: dict[str, Any]) -> None:
    engine = Engine(page)
    engine.load(digits)
    x = mnist(train=False).x0(slice(0, 2))
    states = engine.run(n=2, steps=25, x=x, up=True)
    close(last(states, x), climbed(digits, x, [-1, -1], 25)[-1][1], 1e-3)


def test_the_way_up_needs_pictures(page: Page, tiny: dict[str, Any]) -> None:
    engine = Engine(page)
    engine.load(tiny)
    engine.send("run", **request(up=True))
    assert engine.heard("error")[-1]["message"] == "The way up begins at pictures: pass them as x."
