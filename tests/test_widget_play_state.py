"""Play in Python: a network's recipe, shapes, checks; and what page and Python hear of each other."""

from __future__ import annotations

import json

import pytest
import torch
import traitlets
from playwright.sync_api import Page, expect

from ddpm_lib.diffusion import GaussianDiffusion
from ddpm_lib.models import MLP, MLPConfig
from ddpm_lib.models.storage import CheckpointError
from ddpm_lib.schedule import linear_schedule
from ddpm_lib.web.learned import to_learned
from ddpm_lib.widgets import PlayWidget
from ddpm_lib.widgets.play.shapes import shapes
from tests.helpers import assert_mean, close
from tests.play_page import press, steps, trained_for
from tests.widget_page import drive


def test_python_hears_what_was_learned_and_the_page_what_python_learned(page: Page) -> None:
    widget = PlayWidget(T=50)
    drive(page, widget)
    trained_for(page, 10)
    learned = page.evaluate("model.get('learned')")
    widget.learned = learned
    assert widget.trained.step == steps(page)
    assert widget.trained.schedule.T == 50
    torch.manual_seed(1)
    own = MLP(MLPConfig(width=16, predicts="x0"))
    text = to_learned(own, GaussianDiffusion(linear_schedule(50)))
    page.evaluate("text => model.set('learned', text)", text)
    expect(page.locator(".ddpm-status")).to_contain_text("A network that was trained")
    press(page, "One step")
    page.wait_for_function("() => JSON.parse(model.get('learned')).step === 1")
    assert json.loads(page.evaluate("model.get('learned')"))["config"]["width"] == 16


def test_a_network_of_python_sets_the_recipe() -> None:
    network = MLP(MLPConfig(width=16, predicts="x0"))
    widget = PlayWidget(network, GaussianDiffusion(linear_schedule(50)))
    assert (widget.width, widget.predicts, widget.T, widget.schedule) == (16, "x0", 50, "linear")
    for ours, theirs in zip(widget.trained.network().parameters(), network.parameters(), strict=True):
        close(ours.detach(), theirs.detach(), 1e-12)


def test_the_shapes_fill_the_plane_evenly() -> None:
    made = shapes(4000)
    assert list(made) == ["moons", "rings", "spiral", "letter"]
    for x in made.values():
        assert x.abs().max() < 2.8
    radius = made["rings"].norm(dim=1)
    outer = (radius > 1.2).float()[:, None]
    assert_mean(outer, 1.7 / 2.4)
    assert_mean(radius[radius > 1.2][:, None], 1.7005, errors=8)


def test_what_does_not_fit_is_refused_in_a_sentence() -> None:
    widget = PlayWidget()
    with pytest.raises(CheckpointError, match="button"):
        _ = widget.trained
    with pytest.raises(traitlets.TraitError, match="choose one of"):
        widget.data = "cube"
    with pytest.raises(traitlets.TraitError, match="pass a T in that range"):
        widget.T = 5000
    with pytest.raises(CheckpointError):
        widget.learned = "{}"
    with pytest.raises(TypeError, match="no option"):
        PlayWidget(rate=1)
    with pytest.raises(ValueError, match="no points"):
        PlayWidget(points={})
    with pytest.raises(ValueError, match="stays in the page"):
        _ = PlayWidget(data="drawing").x0
