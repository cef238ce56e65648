"""The generator in Python: its state, its HTML, its weights."""

import json
import re
import sys
import types

import pytest
import torch
import traitlets

from ddpm_lib.diffusion import GaussianDiffusion
from ddpm_lib.schedule import cosine_schedule
from ddpm_lib.widgets import GenerateWidget
from tests.generator_page import fake
from tests.generator_parts import tiny


def test_the_state_can_be_set_and_is_checked() -> None:
    w = fake(digit=7, sampler="ddpm", eta=0.5, w=2.0, seed=9, n=4, mode="hole", start=120)
    assert (w.digit, w.T, w.shape, w.labels[7], w.start) == (7, 500, [1, 28, 28], "7", 120)
    w.digit = "each"
    w.digit = "none"
    for name, value, words in (
        ("digit", 10, 'digit is 10: pass 0 to 9, "each" or "none"'),
        ("digit", True, "digit is True"),
        ("steps", 501, "steps is 501, but the chain has T = 500: pass 1 to 500"),
        ("start", 501, "start is 501"),
        ("n", 17, "n"),
        ("eta", 1.1, "eta"),
        ("sampler", "heun", "sampler"),
    ):
        before = w.state()
        with pytest.raises(traitlets.TraitError, match=words) as refusal:
            setattr(w, name, value)
        assert "\n" not in str(refusal.value)
        assert w.state() == before
    with pytest.raises(TypeError, match="no option 'speed': choose from sampler, steps"):
        fake(speed=3)
    assert repr(w) == "GenerateWidget(digit='none', sampler='ddpm', steps=20, seed=9, n=4)"


def test_the_html_of_a_published_page_is_light_and_holds_neither_engine_nor_weights() -> None:
    w = GenerateWidget()
    page = w.to_html()
    assert len(page) < 62_000
    assert " id=" not in re.sub(r"base64,[^\"]*", "", page)
    assert (w.state()["worker"], w.state()["weights"], w.state()["url"]) == (
        "",
        "",
        "_static/generate-weights.js",
    )
    assert (
        GenerateWidget(url="mine.js").state()["worker"] == w.worker != ""
    )  # somebody else's file has no engine


def test_in_colab_and_for_a_network_of_ones_own_the_weights_lie_in_the_output(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    own = GenerateWidget(tiny(), GaussianDiffusion(cosine_schedule(50)), shape=(1, 8, 8))
    assert json.loads(own.state()["weights"])["config"]["base"] == 8
    assert (own.digit, own.T, own.steps, own.shape, own.url) == ("none", 50, 50, [1, 8, 8], "")
    w = GenerateWidget()
    monkeypatch.setitem(sys.modules, "google.colab", types.ModuleType("google.colab"))
    assert json.loads(w.state()["weights"])["config"]["base"] == 32
    assert w.state()["worker"]


def test_python_sends_the_weights_when_the_page_asks() -> None:
    w = fake()
    assert w.weights == ""
    w._handle_custom_msg({"type": "weights"}, [])
    assert json.loads(w.weights)["config"]["classes"] == 10


def test_a_network_that_the_pages_cannot_run_is_refused() -> None:
    with pytest.raises(ValueError, match="pass its diffusion as well"):
        GenerateWidget(tiny())
    with pytest.raises(ValueError, match="grey images"):
        GenerateWidget(tiny(channels=3), GaussianDiffusion(cosine_schedule(50)), shape=(3, 8, 8))


def test_python_draws_what_it_is_set_to_from_its_seed() -> None:
    diffusion = GaussianDiffusion(cosine_schedule(50))
    w = GenerateWidget(tiny(), diffusion, shape=(1, 8, 8), seed=3, n=2, steps=5, worker="")
    assert w.python == "model, diffusion, shape=(1, 8, 8), "
    x = w.draw()
    assert x.shape == (2, 1, 8, 8)
    w.seed = 4
    assert torch.equal(w.draw()[0], x[1])  # image i of a seed is image 0 of seed + i
    w.mode = "drawing"
    with pytest.raises(ValueError, match="Python has no drawing to start from: set mode='noise'"):
        w.draw()
