"""The widget of the posterior in Python: its state, its checks and its HTML."""

import re
from typing import Any

import pytest
import torch
import traitlets

from ddpm_lib import gaussian
from ddpm_lib.diffusion import GaussianDiffusion
from ddpm_lib.schedule import linear_schedule
from ddpm_lib.widgets import PosteriorWidget


def test_mean_and_variance_are_the_librarys() -> None:
    w = PosteriorWidget(x0=0.4, xt=1.2, t=30, s=12)
    pixel = torch.tensor([[0.4], [1.2]], dtype=torch.float64)
    mean, variance = GaussianDiffusion(linear_schedule(50)).q_posterior(pixel[:1], pixel[1:], 30, 12)
    assert (w.mean, w.variance) == (float(mean), float(variance))
    w.s = 0
    assert (w.mean, w.variance, w.pulls) == (0.4, 0.0, (1.0, 0.0))


def test_the_posterior_is_the_product_of_its_two_curves() -> None:
    w = PosteriorWidget(t=20, s=13)
    grid = torch.linspace(-6, 6, 2001, dtype=torch.float64)
    curves = w.curves(grid)
    assert all(float(curve.max()) == pytest.approx(1, abs=1e-4) for curve in curves.values())
    product, posterior = curves["prior"] * curves["likelihood"], curves["posterior"]
    assert torch.allclose(product / product.sum(), posterior / posterior.sum(), atol=1e-12)
    assert posterior.sum() < min(
        curves["prior"].sum(), curves["likelihood"].sum()
    )  # the narrowest of the three
    ab = linear_schedule(50).alpha_bar
    m, v = gaussian.product(
        ab[13].sqrt() * 0.8, 1 - ab[13], -0.3 / (ab[20] / ab[13]).sqrt(), ab[13] / ab[20] - 1
    )
    assert w.mean == pytest.approx(float(m), rel=1e-12)
    assert w.pulls[0] == pytest.approx(float(v / (1 - ab[13])), rel=1e-9)


def test_the_stride_is_kept_when_t_moves() -> None:
    w = PosteriorWidget(t=20, s=15)
    for t, s in ((40, 35), (3, 0), (2, 0), (20, 15)):
        w.t = t
        assert w.s == s
    w.s = 18
    w.t = 30
    assert (w.s, repr(w)) == (28, "PosteriorWidget(x0=0.8, xt=-0.3, t=30, s=28)")
    w.set_state({"t": 12, "s": 0})  # as the page does
    assert (w.t, w.s) == (12, 0)
    w.t = 50
    assert w.s == 38
    assert (PosteriorWidget().s, PosteriorWidget(s=0).s, PosteriorWidget(t=1).s) == (19, 0, 0)


def test_the_state_can_be_observed_and_linked() -> None:
    a, b = PosteriorWidget(), PosteriorWidget()
    seen: list[int] = []
    a.observe(lambda change: seen.append(change["new"]), "s")
    link = traitlets.link((a, "t"), (b, "t"))
    b.t = 33
    assert (a.t, a.s, seen) == (33, 32, [32])
    link.unlink()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"t": 0}, "t is 0, but it runs from 1 to 50"),
        ({"t": 51}, "t is 51, but it runs from 1 to 50"),
        ({"t": 5, "s": 5}, r"s is 5, but x_s lies before t = 5: pass an s from 0 to 4\."),
        ({"t": 5, "s": -1}, "s is -1"),
        ({"x0": 1.2}, r"x0 is 1\.2, but it runs from -1 to 1"),
        ({"xt": -4}, "xt is -4, but it runs from -3 to 3"),
        ({"xt": float("nan")}, "xt is nan"),
    ],
)
def test_what_does_not_fit_is_refused_with_one_sentence(arguments: dict[str, Any], words: str) -> None:
    with pytest.raises(traitlets.TraitError, match=words) as refusal:
        PosteriorWidget(**arguments)
    assert "\n" not in str(refusal.value)


def test_a_refused_value_changes_nothing() -> None:
    w = PosteriorWidget(t=20, s=15)
    for name, value in {"t": 0, "s": 20, "x0": 2.0, "xt": 5.0}.items():
        with pytest.raises(traitlets.TraitError):
            setattr(w, name, value)
    assert repr(w) == "PosteriorWidget(x0=0.8, xt=-0.3, t=20, s=15)"


def test_the_html_is_small_and_has_no_ids() -> None:
    for w in (PosteriorWidget(), PosteriorWidget(s=0), PosteriorWidget(linear_schedule(1000), t=1000)):
        assert len(w.fallback().png) < 8_000
        assert len(w.to_html()) < 49_000  # a table of 1,001 float64 takes 10,700
    page = PosteriorWidget().to_html()
    assert len(page) < 35_000
    page = re.sub(r"base64,[^\"]*", "", page)
    assert " id=" not in page
    assert "http" not in page.replace("http://www.w3.org/2000/svg", "")
