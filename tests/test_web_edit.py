"""The engine edits as Python does: the way up to the noise, and a wish that is followed."""

from functools import partial
from typing import Any

import pytest
import torch
from playwright.sync_api import Page
from torch import Tensor

from ddpm_lib.data import mnist
from ddpm_lib.evaluate.editing import invert
from ddpm_lib.evaluate.generate import last as end
from ddpm_lib.evaluate.steering import Loss, SteeredForward, ink_error
from ddpm_lib.guidance import Guided
from ddpm_lib.models import UNetConfig
from ddpm_lib.sampling import DDIM, ddim_step, sample_from
from ddpm_lib.web.export import checkpoint_of, detail
from tests.engine import TINY, last, recorded
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


def slant(x: Tensor) -> Tensor:
    """Column over row, by the ink, as the chapter on editing defines it."""
    ink = ((x + 1) / 2).clamp(0, 1)
    ink = ink / ink.sum((2, 3), keepdim=True)
    row, column = torch.meshgrid(*(torch.arange(float(side)) for side in x.shape[2:]), indexing="ij")
    row = row - (ink * row).sum((2, 3), keepdim=True)
    column = column - (ink * column).sum((2, 3), keepdim=True)
    return ((ink * row * column).sum((2, 3)) / (ink * row**2).sum((2, 3))).squeeze(1)


def regions(side: int) -> tuple[Tensor, Tensor]:
    """Ink in a bar near the middle, none in the two last columns, and what of it matters."""
    target, cares = torch.ones(side, side), torch.zeros(side, side)
    cares[side // 2 : side // 2 + 2, 2:-2] = cares[:, -2:] = 1
    target[:, -2:] = -1
    return target, cares


def follows(name: str, side: int, scale: float) -> tuple[dict[str, Any], Loss]:
    """What the page tells its worker, and the loss that it stands for."""
    if name == "slant":
        return {"loss": name, "wish": 0.6, "scale": scale}, lambda x0: (slant(x0) - 0.6).square()
    target, cares = regions(side)
    told = {"target": target.flatten().tolist(), "cares": cares.flatten().tolist()}
    return {"loss": name, "scale": scale, **told}, partial(ink_error, target=target, cares=cares)


@pytest.mark.parametrize("name", ["slant", "ink"])
def test_a_wish_is_followed_as_in_torch(page: Page, digits: dict[str, Any], name: str) -> None:
    checkpoint, engine = checkpoint_of(digits), Engine(page)
    engine.load(digits)
    told, loss = follows(name, 28, 20.0)
    run = recorded(checkpoint, n=2, labels=[4, -1], steps=20, steer=told)
    got = last(engine.run(**run), run["x"])
    steered = SteeredForward(checkpoint.network(), checkpoint.diffusion, loss, 20.0)
    how = {"y": torch.tensor([4, 10]), "step": ddim_step, "steps": 20}
    want = end(sample_from(steered, checkpoint.diffusion, run["x"], **how)).xt
    plain = end(sample_from(checkpoint.network(), checkpoint.diffusion, run["x"], **how)).xt
    close(got, want, 5e-3)
    assert (want - plain).square().mean() > 0.02
    assert loss(want).mean() < 0.8 * loss(plain).mean()


def test_of_a_random_network_each_step_follows_the_wish_under_guidance(
    page: Page, tiny: dict[str, Any]
) -> None:
    checkpoint, engine = checkpoint_of(tiny), Engine(page)
    engine.load(tiny)
    for name in ("slant", "ink"):
        told, loss = follows(name, 8, 5.0)
        run = recorded(checkpoint, n=3, labels=[0, 1, 2], steps=6, w=0.5, eta=0.4, steer=told)
        guided = Guided(checkpoint.network(), 0.5, null=3)
        steered = SteeredForward(guided, checkpoint.diffusion, loss, 5.0)
        how = {"y": torch.arange(3), "step": DDIM(0.4), "steps": 6}
        want = end(
            sample_from(steered, checkpoint.diffusion, run["x"], noise=iter(run["noise"]).__next__, **how)
        ).xt
        close(last(engine.run(**run), run["x"]), want, 2e-3)


@pytest.mark.parametrize(
    ("steer", "sentence"),
    [
        ({"loss": "ink", "scale": 1}, "The wish for ink needs a target and what matters of it, 64 numbers each."),
        ({"loss": "slant", "scale": None}, "The wish and its strength must be numbers."),
    ],
)  # fmt: skip
def test_a_wish_that_cannot_be_is_one_sentence(
    page: Page, tiny: dict[str, Any], steer: dict[str, Any], sentence: str
) -> None:
    engine = Engine(page)
    engine.load(tiny)
    engine.send("run", **request(steer=steer))
    assert engine.heard("error", "done")[-1]["message"] == sentence
