"""A widget in Python, and what its display holds."""

import sys
import types
from typing import Any

import pytest
import torch
import traitlets
from playwright.sync_api import Page

from ddpm_lib.sampling import Noise
from ddpm_lib.schedule import cosine_schedule, linear_schedule
from ddpm_lib.widgets import ScrubWidget
from ddpm_lib.widgets.host import widget
from ddpm_lib.widgets.host.noise import noise
from tests.shown import X0
from tests.widget_page import drive

VIEW = "application/vnd.jupyter.widget-view+json"


def test_noise_is_gaussian_and_depends_on_the_seed_alone() -> None:
    eps = noise(7, (1, 1, 400, 250))
    assert abs(eps.mean()) < 0.01
    assert abs(eps.std() - 1) < 0.01
    assert abs((eps**4).mean() - 3) < 0.1
    assert abs((eps.flatten()[1:] * eps.flatten()[:-1]).mean()) < 0.01
    assert torch.equal(eps, noise(7, eps.shape))
    assert not torch.equal(eps, noise(8, eps.shape))
    assert torch.equal(eps.float(), Noise([7], eps.shape)()[0])


def test_xt_is_the_closed_form() -> None:
    schedule = cosine_schedule(200)
    w = ScrubWidget(X0, schedule, t=60, seed=4, digit=2)
    ab = schedule.alpha_bar[60]
    assert (w.x0 - X0[2:3]).abs().max() <= 1 / 255 + 1e-6
    assert torch.allclose(w.xt, (ab.sqrt() * w.x0 + (1 - ab).sqrt() * w.eps).float(), atol=1e-6)
    w.t = 0
    assert torch.equal(w.xt, w.x0)
    w.t = w.T
    assert (w.xt - w.eps).abs().max() < 0.01


def test_a_saved_pixel_value_is_kept_exactly() -> None:
    bytes_ = torch.arange(256).reshape(1, 1, 16, 16)
    w = ScrubWidget(bytes_ / 127.5 - 1)
    assert torch.equal(((w.x0 + 1) * 127.5).round().long(), bytes_)


def test_the_state_can_be_observed_and_linked() -> None:
    a, b = ScrubWidget(X0), ScrubWidget(X0)
    seen: list[int] = []
    a.observe(lambda change: seen.append(change["new"]), "t")
    link = traitlets.link((a, "t"), (b, "t"))
    b.t = 90
    assert (a.t, seen) == (90, [90])
    link.unlink()
    a.close()
    b.close()


def test_a_shorter_schedule_keeps_t_in_range() -> None:
    w = ScrubWidget(X0, {"long": linear_schedule(500), "short": linear_schedule(50)}, t=300)
    w.schedule = "short"
    assert (w.T, w.t) == (50, 50)


def test_the_page_can_set_a_shorter_schedule_and_its_t_at_once() -> None:
    w = ScrubWidget(X0, {"long": linear_schedule(500), "short": linear_schedule(50)}, t=300)
    w.set_state({"schedule": "short", "t": 20})  # what a comm message from the page does
    assert (w.schedule, w.t) == ("short", 20)


def test_schedules_may_be_one_several_or_named() -> None:
    assert list(ScrubWidget(X0).alpha_bar) == ["linear", "cosine"]
    assert list(ScrubWidget(X0, linear_schedule(90)).alpha_bar) == ["linear"]
    assert list(ScrubWidget(X0, [cosine_schedule(9), linear_schedule(90)]).alpha_bar) == ["cosine", "linear"]
    assert ScrubWidget(X0, {"a": linear_schedule(90), "b": linear_schedule(50)}, schedule="b").T == 50


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"x0": X0[0]}, r"x0 has shape \(1, 28, 28\).*\(n, c, h, w\)"),
        ({"x0": X0.repeat(1, 2, 1, 1)}, "c = 1 or 3"),
        ({"x0": X0[:0]}, "x0 has shape"),
        ({"x0": X0.repeat(6, 1, 1, 1)}, "18 images.*at most 16"),
        ({"x0": (X0 + 1) * 127.5}, r"x0 runs from .* to 25\d.*in \[-1, 1\]"),
        ({"x0": X0 * torch.nan}, r"in \[-1, 1\]"),
        ({"labels": [1, 2]}, "2 labels for 3 images"),
        ({"schedules": []}, "no schedule"),
        ({"schedules": [cosine_schedule(5), cosine_schedule(9)]}, "names must differ"),
        ({"schedule": "quadratic"}, "no schedule 'quadratic' here: choose one of"),
        ({"t": 501}, "t is 501, but the linear schedule runs from 0 to 500"),
        ({"t": -1}, "t is -1"),
        ({"digit": 3}, "digit is 3, but the images run from 0 to 2"),
        ({"seed": -1}, "seed"),
    ],
)
def test_what_does_not_fit_is_refused_with_one_sentence(arguments: dict[str, Any], words: str) -> None:
    with pytest.raises((ValueError, traitlets.TraitError), match=words) as refusal:
        ScrubWidget(**{"x0": X0, **arguments})
    assert "\n" not in str(refusal.value)


def test_a_wrong_value_leaves_the_widget_as_it_was() -> None:
    w = ScrubWidget(X0, t=40)
    for name, value in {"t": 501, "digit": 3, "schedule": "quadratic", "seed": -1}.items():
        before = w.state()
        with pytest.raises(traitlets.TraitError):
            setattr(w, name, value)
        assert w.state() == before


def test_a_display_holds_the_live_view_and_the_html() -> None:
    w = ScrubWidget(X0)
    data, _ = w._repr_mimebundle_()
    assert set(data) == {VIEW, "text/html", "text/plain"}
    assert data[VIEW]["model_id"] == w.model_id
    assert data["text/plain"] == "ScrubWidget(t=0, seed=0, digit=0, schedule='linear')"


def outputs(w: ScrubWidget, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What a notebook keeps of a display of this widget."""
    kept: list[dict[str, Any]] = []
    monkeypatch.setattr(widget, "publish_display_data", lambda data, metadata=None: kept.append(data))
    w._ipython_display_()
    return kept


def test_the_html_is_an_output_of_its_own_for_a_notebook_shows_one_form_of_each(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Of live view and HTML in one output a reopened notebook tries the live view alone: "model not found"."""
    w = ScrubWidget(X0)
    live, saved = outputs(w, monkeypatch)
    assert set(live) == {VIEW, "text/plain"}
    assert set(saved) == {"text/html", "text/plain"}
    monkeypatch.setitem(sys.modules, "google.colab", types.ModuleType("google.colab"))
    (alone,) = outputs(w, monkeypatch)
    assert set(alone) == {"text/html", "text/plain"}


def test_a_live_view_hides_the_html_beside_it_while_it_is_there(page: Page) -> None:
    w, other = ScrubWidget(X0), ScrubWidget(X0, t=9)
    page.set_content(other.to_html(other._saved) + w.to_html(w._saved) + "<main></main>")
    saved = page.locator(f"[data-ddpm-saved='{w._saved}']")
    assert saved.is_visible()
    drive(page, w, clear=False)
    assert not saved.is_visible()
    assert page.locator(f"[data-ddpm-saved='{other._saved}']").is_visible()
    page.locator("main").evaluate("e => e.remove()")
    assert saved.is_visible()
    assert saved.get_by_role("slider").get_attribute("max") == "500"


def test_in_colab_a_display_holds_the_html_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    w = ScrubWidget(X0)
    monkeypatch.setitem(sys.modules, "google.colab", types.ModuleType("google.colab"))
    data, _ = w._repr_mimebundle_()
    assert set(data) == {"text/html", "text/plain"}


def test_the_html_is_small_and_has_no_ids() -> None:
    page = ScrubWidget(torch.cat([X0, X0, X0])[:8]).to_html()
    assert len(page) < 60_000
    assert " id=" not in page
    assert "http" not in page.replace("http://www.w3.org/2000/svg", "")


def test_a_module_that_does_not_end_in_the_export_is_named() -> None:
    class Broken(ScrubWidget):
        _esm = "function render() {}"

    with pytest.raises(ValueError, match="module of Broken must end in"):
        Broken(X0).to_html()
