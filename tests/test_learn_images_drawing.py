"""A page that has learned images: what it draws, what it saves, and what it refuses."""

from __future__ import annotations

import base64
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from playwright.sync_api import Page

from ddpm_lib import load
from ddpm_lib.evaluate.generate import generate, with_guidance
from tests.helpers import close
from tests.learning_images import READY, SIDE, SMALL, fresh, in_page, network, ready, recipe


@pytest.mark.parametrize("w", [0.0, 0.5])
def test_what_the_page_draws_is_what_python_draws(page: Page, tmp_path: Path, w: float) -> None:
    """From the same file and seeds; a page that opens the file again has the same network."""
    body = (
        READY
        + """
      const file = trainedFile(learner, 0), drawn = learner.generate([0, 1, 2], arg.how);
      const other = new ImageLearner(recipe, arg.images);
      openTrained(other, file);
      return [btoa(String.fromCharCode(...file)), [...drawn], [...other.generate([0, 1, 2], arg.how)]];"""
    )
    file, drawn, again = in_page(page, body, ready(network(), how={"seed": 4, "steps": 7, "w": w}))
    path = tmp_path / "digits.safetensors"
    path.write_bytes(base64.b64decode(file))
    trained = load(path)
    denoiser = with_guidance(trained.network(), w)
    (x,) = generate(denoiser, trained.diffusion, (1, SIDE, SIDE), [4, 5, 6], y=torch.arange(3), steps=7)
    assert x.std() > 0.1
    close(torch.tensor(drawn).reshape(x.shape), x, 1e-3)
    assert drawn == again


@pytest.mark.parametrize(
    "changed",
    [{"mults": (1, 2)}, {"heads": 2}, {"activation": "leaky_relu"}, {"fold": 1}, {"predicts": "eps"}],
)
def test_a_network_that_the_page_cannot_train_is_refused(page: Page, changed: dict[str, Any]) -> None:
    arg = {**fresh(), "recipe": recipe(replace(SMALL, **changed))}
    said = in_page(
        page, "try { new ImageLearner(arg.recipe, arg.images); } catch (e) { return e.message; }", arg
    )
    assert said.endswith(("choose these.", "choose such a network."))


def test_a_page_trains_stripes_until_it_can_draw_them(page: Page) -> None:
    """Three classes, told apart by the gray of their stripes, after 150 steps."""
    body = """
      const learner = new ImageLearner({ ...arg.recipe, steps: 150, batch: 12 }, arg.images);
      const losses = Array.from({ length: 150 }, () => learner.step());
      return [losses, [...learner.generate([0, 1, 2], { seed: 0, steps: 10, w: 0 })]];"""
    losses, drawn = in_page(page, body, fresh())
    assert sum(losses[-20:]) / 20 < losses[0] / 4
    stripes = torch.tensor(drawn).reshape(3, SIDE, SIDE)[:, :, 1::2].mean((1, 2))
    close(stripes, torch.tensor([-1.0, -1 + 14 / 15, -1 + 28 / 15]), 0.25)


BROKEN = {
    "no file at all": "new Uint8Array(3)",
    "no header": "new Uint8Array(100)",
    "another format": "safetensors({ format: 'pt' }, [])",
    "another network": "trainedFile({ ...learner, steps: 0, recipe: { ...recipe, config: {} } }, 0)",
    "too short": "trainedFile(learner, 0).slice(0, -4)",
    "not finite": "(net.heap.f32.fill(NaN, net.average, net.average + net.length), trainedFile(learner, 0))",
}


@pytest.mark.parametrize("how", BROKEN)
def test_a_file_that_holds_no_such_network_is_refused_in_a_sentence(page: Page, how: str) -> None:
    body = READY + f"try {{ openTrained(learner, {BROKEN[how]}); }} catch (e) {{ return e.message; }}"
    assert in_page(page, body, ready(network())).endswith("choose a file that this page saved.")
