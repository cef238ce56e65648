"""The widget of scaled and shifted noise: its state, and the page's own arithmetic against Python's."""

import math
import re
from typing import Any

import numpy as np
import pytest
import torch
import traitlets
from playwright.sync_api import Page

from ddpm_lib.widgets import GaussianWidget
from tests.widget_page import drive


def data(page: Page, name: str) -> float:
    return float(page.locator(".ddpm-gaussian").get_attribute(f"data-{name}") or "nan")


def drawn(page: Page, name: str) -> np.ndarray:
    """The points of a path of the chart, as x and share of the frame's height from its bottom."""
    d = page.locator(f".ddpm-frame path.ddpm-the-{name}").get_attribute("d") or ""
    points = np.array(re.findall(r"(-?[\d.]+) (-?[\d.]+)", d), float)
    return np.stack([points[:, 0] * 10 - 5, 1 - points[:, 1]], 1)


def test_the_draws_are_the_noise_scaled_and_shifted() -> None:
    w = GaussianWidget(0.7, 0.5, seed=3)
    assert torch.equal(w.x, 0.7 + 0.5 * w.eps)
    eps = w.eps
    w.mu, w.sigma = -1.0, 2.0
    assert torch.equal(w.eps, eps)
    w.seed = 4
    assert not torch.equal(w.eps, eps)
    assert repr(w) == "GaussianWidget(mu=-1.0, sigma=2.0, seed=4)"


def test_the_density_has_its_mean_its_variance_and_an_area_of_1() -> None:
    w = GaussianWidget(-0.5, 0.4)
    x = torch.linspace(-6, 6, 4001, dtype=torch.float64)
    p = w.density(x)
    assert float(torch.trapezoid(p, x)) == pytest.approx(1)
    assert float(torch.trapezoid(x * p, x)) == pytest.approx(-0.5)
    assert float(torch.trapezoid((x + 0.5) ** 2 * p, x)) == pytest.approx(0.16)


def test_the_page_draws_what_python_draws(page: Page) -> None:
    w = GaussianWidget(seed=1)
    drive(page, w)
    for seed, mu, sigma in ((1, 0.0, 1.0), (1, 1.5, 0.25), (7, -2.0, 2.0), (7, 0.35, 0.6)):
        w.seed, w.mu, w.sigma = seed, mu, sigma
        page.evaluate(
            "values => { for (const [k, v] of Object.entries(values)) model.set(k, v); }", w.state()
        )
        assert [data(page, name) for name in ("mu", "sigma", "seed")] == [mu, sigma, seed]
        assert data(page, "mean") == pytest.approx(float(w.x.mean()), abs=1e-5)
        assert data(page, "sd") == pytest.approx(float(w.x.std()), abs=1e-5)
        assert drawn(page, "noise")[:, 0] == pytest.approx(w.eps.numpy(), abs=1e-3)
        assert drawn(page, "draws")[:, 0] == pytest.approx(w.x.numpy(), abs=1e-3)
        joins = drawn(page, "joins")
        assert joins[::2, 0] == pytest.approx(w.eps.numpy(), abs=1e-3)
        assert joins[1::2, 0] == pytest.approx(w.x.numpy(), abs=1e-3)
        curve = drawn(page, "density")
        expected = w.density(torch.from_numpy(curve[:, 0].copy())).numpy()
        highest = 1 / (0.25 * math.sqrt(2 * math.pi))
        assert curve[:, 1] / 0.86 * highest == pytest.approx(expected, abs=4e-3)
        assert curve[:, 1].max() < 0.9  # below the noise


def test_keys_move_mean_and_width_and_the_noise_stays(show: Any) -> None:
    page = show(GaussianWidget(0.7, 0.5))
    before = drawn(page, "noise")
    for name, presses in {
        "mean mu": {"ArrowRight": 0.75, "Home": -2, "End": 2},
        "standard deviation sigma": {"ArrowLeft": 0.45, "Home": 0.25, "End": 2},
    }.items():
        for key, value in presses.items():
            page.get_by_role("slider", name=name).press(key)
            assert data(page, name.split()[-1]) == pytest.approx(value), (name, key)
    assert (drawn(page, "noise") == before).all()
    page.get_by_role("button", name="New noise").click()
    assert data(page, "seed") == 1
    assert not np.allclose(drawn(page, "noise"), before)


def test_the_equation_and_the_moments_are_read_out(show: Any) -> None:
    w = GaussianWidget(-0.7, 0.5)
    text = re.sub(r"\s+", " ", show(w).locator(".ddpm-gaussian").inner_text())
    assert "x = \u22120.70 + 0.50 \u03b5" in text
    assert f"mean {float(w.x.mean()):.2f}".replace("-", "\u2212") in text
    assert f"standard deviation {float(w.x.std()):.2f}" in text


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"mu": 2.5}, r"mu is 2\.5, but it runs from -2 to 2"),
        ({"mu": float("nan")}, "mu is nan"),
        ({"sigma": 0}, r"sigma is 0, but it runs from 0\.25 to 2: pass a standard deviation"),
        ({"sigma": -1}, "sigma is -1"),
        ({"seed": -1}, "seed"),
    ],
)
def test_what_does_not_fit_is_refused_with_one_sentence(arguments: dict[str, Any], words: str) -> None:
    with pytest.raises(traitlets.TraitError, match=words) as refusal:
        GaussianWidget(**arguments)
    assert "\n" not in str(refusal.value)
