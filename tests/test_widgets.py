"""The widgets, in Python and in Chromium: one picture in both, from a server, from a file, in a sandbox."""

import html
import json
import re
import sys
import types
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import traitlets
from playwright.sync_api import Browser, Frame, Locator, Page

from ddpm_lib.sampling import Noise
from ddpm_lib.schedule import cosine_schedule, linear_schedule
from ddpm_lib.widgets import ScrubWidget
from ddpm_lib.widgets.host import widget
from ddpm_lib.widgets.host.noise import NOISE_JS, noise
from ddpm_lib.widgets.host.widget import read
from tests.browser import ChromiumMissing, find_chromium, pixels
from tests.widget_page import document, drive

X0 = torch.rand(3, 1, 28, 28, generator=torch.Generator().manual_seed(0)) * 2 - 1
VIEW = "application/vnd.jupyter.widget-view+json"


def grey(
    scope: Page | Frame | Locator, name: str | re.Pattern[str] = re.compile("the (noisy|clean) image x t")
) -> np.ndarray:
    """The levels (h, w, 3) on the canvas with this accessible name."""
    return pixels(scope.get_by_role("img", name=name))[..., :3].astype(int)


def levels(x: torch.Tensor) -> np.ndarray:
    """The levels (h, w, 3) that a picture (1, c, h, w) in [-1, 1] is drawn with."""
    drawn = ((x[0].double() + 1) * 127.5).clamp(0, 255).permute(1, 2, 0)
    return drawn.expand(-1, -1, 3).numpy()


def assert_drawn(actual: np.ndarray, x: torch.Tensor) -> None:
    assert np.abs(actual - levels(x)).max() <= 0.5 + 1e-4  # rounding alone


# In Python


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


# What a display holds


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


# In a browser


def test_a_missing_chromium_fails_and_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda name: None)
    with pytest.raises(ChromiumMissing, match="run `make chromium`"):
        find_chromium()


@pytest.mark.parametrize("seed", [0, 1, 12345, 2**31 - 1])
def test_noise_is_the_same_in_python_and_in_the_page(page: Page, seed: int) -> None:
    module = read(*NOISE_JS)
    drawn = page.evaluate(f"() => {{ {module}\nreturn Array.from(noise({seed}, 785)); }}")
    assert np.abs(np.array(drawn) - noise(seed, (785,)).numpy()).max() < 2e-6


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("t", [0, 1, 50, 200, 499, 500])
def test_the_page_draws_what_python_computes(show: Any, channels: int, t: int) -> None:
    tint = torch.linspace(0.5, 1, channels)[:, None, None]
    w = ScrubWidget(X0.repeat(1, channels, 1, 1) * tint, t=t, seed=3, digit=1)
    page = show(w)
    assert_drawn(grey(page), w.xt)
    assert_drawn(grey(page, "the clean image x 0"), w.x0)
    assert_drawn(grey(page, "the noise epsilon"), w.eps)


def test_the_keyboard_moves_the_slider_and_the_picture(show: Any) -> None:
    w = ScrubWidget(X0, t=100)
    page = show(w)
    widget, slider = page.locator(".ddpm-scrub"), page.get_by_role("slider", name="time step t")
    assert (
        page.get_by_role("img", name="the noisy image x t at t = 100: image 1, seed 0", exact=True).count()
        == 1
    )
    slider.focus()
    before = grey(page)
    keys = {"ArrowRight": 101, "ArrowLeft": 100, "PageUp": 150, "PageDown": 100, "End": 500, "Home": 0}
    for key, t in keys.items():
        page.keyboard.press(key)
        assert widget.get_attribute("data-t") == str(t), key
        assert slider.get_attribute("aria-valuetext") == f"t = {t} of 500"
        w.t = t
        assert_drawn(grey(page), w.xt)
    assert not np.array_equal(before, grey(page))


def test_schedule_image_and_noise_can_be_chosen(show: Any) -> None:
    w = ScrubWidget(X0, labels=[7, 2, 1], t=120)
    page = show(w)
    widget = page.locator(".ddpm-scrub")
    page.get_by_role("radiogroup", name="Schedule").get_by_role("radio", name="linear").focus()
    page.keyboard.press("ArrowRight")
    w.schedule = "cosine"
    assert widget.get_attribute("data-schedule") == "cosine"
    assert_drawn(grey(page), w.xt)
    page.get_by_role("radiogroup", name="Image").get_by_role("radio", name="7").focus()
    page.keyboard.press("ArrowRight")
    w.digit = 1
    assert page.get_by_role("radio", name="2").is_checked()
    assert_drawn(grey(page), w.xt)
    page.get_by_role("button", name="New noise").press("Enter")
    w.seed = 1
    assert widget.get_attribute("data-seed") == "1"
    assert_drawn(grey(page), w.xt)


def test_a_shorter_schedule_shortens_the_slider(show: Any) -> None:
    page = show(ScrubWidget(X0, {"long": linear_schedule(500), "short": linear_schedule(50)}, t=300))
    page.get_by_role("radio", name="short").check()
    assert page.locator(".ddpm-scrub").get_attribute("data-t") == "50"
    assert page.get_by_role("slider").get_attribute("max") == "50"


def test_the_weights_are_shown_as_numbers_and_as_bars(show: Any) -> None:
    page = show(ScrubWidget(X0, t=100))
    ab = linear_schedule(500).alpha_bar[100].item()
    text = page.locator(".ddpm-panels").inner_text()
    for number in (f"{ab**0.5:.3f}", f"{(1 - ab) ** 0.5:.3f}", f"{10 * np.log10(ab / (1 - ab)):.1f} dB"):
        assert number in text
    bars = page.locator(".ddpm-fill").evaluate_all("bars => bars.map(b => parseFloat(b.style.width))")
    assert bars == pytest.approx([100 * ab**0.5, 100 * (1 - ab) ** 0.5, 100 * ab, 100 - 100 * ab], abs=1e-3)
    page.get_by_role("slider").press("Home")
    assert "\u221e dB" in page.locator(".ddpm-panels").inner_text()


def test_what_happened_is_said_once_things_are_still(show: Any) -> None:
    page = show(ScrubWidget(X0, t=99))
    live = page.locator("[aria-live=polite]")
    page.wait_for_timeout(900)
    assert live.inner_text() == ""  # nothing is said before the reader acts
    page.get_by_role("slider").press("ArrowRight")
    page.wait_for_timeout(900)
    assert live.inner_text() == "t = 100: signal 0.81, noise 0.58, signal to noise 2.9 dB"


@pytest.mark.parametrize("motion", ["no-preference", "reduce"])
def test_play_starts_when_asked_and_stops_when_asked(show: Any, page: Page, motion: Any) -> None:
    page.emulate_media(reduced_motion=motion)
    show(ScrubWidget(X0, t=10))
    widget = page.locator(".ddpm-scrub")
    page.wait_for_timeout(700)
    assert widget.get_attribute("data-t") == "10"  # never by itself
    page.get_by_role("button", name="Play").press("Enter")
    page.wait_for_function("document.querySelector('.ddpm-scrub').dataset.t > 30")
    page.get_by_role("button", name="Pause").press("Enter")
    t = int(widget.get_attribute("data-t") or 0)
    page.wait_for_timeout(700)
    assert widget.get_attribute("data-t") == str(t)
    assert motion == "no-preference" or t % 50 == 10


def test_play_ends_at_the_last_step(show: Any, page: Page) -> None:
    show(ScrubWidget(X0, t=480))
    page.get_by_role("button", name="Play").click()
    page.wait_for_function("document.querySelector('.ddpm-scrub').dataset.t == 500")
    page.get_by_role("button", name="Play").wait_for()


def test_two_widgets_on_a_page_are_independent(show: Any) -> None:
    a, b = ScrubWidget(X0, t=5), ScrubWidget(X0, cosine_schedule(80), t=70, seed=9)
    page = show(a, b)
    widgets = page.locator(".ddpm-scrub")
    assert widgets.count() == 2
    widgets.nth(0).get_by_role("slider").press("End")
    widgets.nth(0).get_by_role("radio", name="cosine").check()
    a.t, a.schedule = 500, "cosine"
    assert_drawn(grey(widgets.nth(0)), a.xt)
    assert_drawn(grey(widgets.nth(1)), b.xt)
    widgets.nth(1).get_by_role("slider").press("Home")
    assert [widgets.nth(i).get_attribute("data-t") for i in (0, 1)] == ["500", "0"]


def test_it_leaves_nothing_global(show: Any, page: Page) -> None:
    show()
    names = set(page.evaluate("Object.getOwnPropertyNames(window)"))
    show(ScrubWidget(X0))
    assert set(page.evaluate("Object.getOwnPropertyNames(window)")) == names
    assert page.locator("[id]").count() == 0


def test_it_works_in_a_sandboxed_frame(page: Page) -> None:
    w = ScrubWidget(X0, t=20)
    page.set_content(f'<iframe sandbox="allow-scripts" srcdoc="{html.escape(document(w))}"></iframe>')
    frame = page.frames[1]
    frame.get_by_role("slider").press("PageUp")
    w.t = 70
    assert_drawn(grey(frame), w.xt)


def test_it_works_where_scripts_are_run_again_by_hand(page: Page) -> None:
    """JupyterLab sets innerHTML and then replaces every script element by a copy, which runs."""
    w = ScrubWidget(X0, t=20)
    page.set_content("<main></main>")
    for _ in range(2):  # the cell is run twice: the old output goes, a new one comes
        page.evaluate(
            """source => {
                const host = document.querySelector("main");
                host.innerHTML = source;
                for (const old of host.querySelectorAll("script")) {
                    const copy = document.createElement("script");
                    copy.textContent = old.textContent;
                    old.replaceWith(copy);
                }
            }""",
            w.to_html(),
        )
    assert page.locator(".ddpm-scrub").count() == 1
    page.get_by_role("slider").press("End")
    w.t = 500
    assert_drawn(grey(page), w.xt)


def test_it_works_where_scripts_lose_their_place(page: Page) -> None:
    """Some hosts run an output's scripts in the page's head, or twice."""
    w = ScrubWidget(X0, t=20)
    body, script = w.to_html().split("<script>")
    page.set_content(body)
    for _ in range(2):
        page.evaluate(
            """s => {
                const script = document.createElement("script");
                script.textContent = s;
                document.head.append(script);
            }""",
            script.split("</script>")[0],
        )
    assert page.locator(".ddpm-scrub").count() == 1
    assert_drawn(grey(page), w.xt)


def test_it_works_as_an_anywidget(page: Page) -> None:
    """The same module, loaded as an ES module, on a model that Python would drive."""
    w = ScrubWidget(X0, t=20)
    drive(page, w)
    page.evaluate("model.set('t', 250)")  # from Python to the page
    w.t = 250
    assert page.get_by_role("slider").input_value() == "250"
    assert_drawn(grey(page), w.xt)
    page.get_by_role("slider").press("ArrowLeft")  # and back
    assert page.evaluate("saved.t") == 249


def test_without_scripts_the_picture_is_shown(browser: Browser, tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    path.write_text(document(ScrubWidget(X0)), encoding="utf-8")
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(path.as_uri())
    image = page.get_by_role("img", name="at t = 0 it is clean")
    assert image.is_visible()
    assert page.get_by_text("With scripts on").is_visible()
    box = image.bounding_box() or {}
    assert (box["width"], box["height"]) == pytest.approx((504, 79), abs=2)
    context.close()


def test_with_scripts_the_picture_is_hidden(show: Any) -> None:
    page = show(ScrubWidget(X0))
    assert not page.locator(".ddpm-fallback").is_visible()


def test_it_fits_a_phone(show: Any, page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 800})
    show(ScrubWidget(torch.cat([X0] * 5)))
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_a_label_cannot_break_out_of_the_page(show: Any) -> None:
    hostile = "</script><script>document.title='broken'</script>\"'<!--&"
    page = show(ScrubWidget(X0, labels=[hostile, "b", "c"]))
    assert page.title() == "w"
    assert page.get_by_role("radio", name=hostile).count() == 1
    state = page.locator(".ddpm-host").get_attribute("data-ddpm-state") or ""
    assert json.loads(state)["labels"][0] == hostile


def test_every_control_has_a_name(show: Any) -> None:
    page = show(ScrubWidget(X0))
    tree = page.locator("body").aria_snapshot()
    for expected in (
        'group "Scrub t and watch x t"',
        'slider "time step t"',
        'button "Play"',
        'button "New noise"',
        'radiogroup "Schedule"',
        'radio "linear"',
        'radiogroup "Image"',
        'radio "image 1"',
        'img "the clean image x 0',
        'img "the noise epsilon',
        'img "the noisy image x t',
    ):
        assert expected in tree


@pytest.mark.parametrize(("ground", "ink"), [("#ffffff", "#222832"), ("#14181e", "#ced6dd")])
def test_the_colors_can_be_read_on_light_and_on_dark(show: Any, ground: str, ink: str) -> None:
    """Contrast of at least 4.5 to 1, as WCAG 2 asks of text."""
    page = show(ScrubWidget(X0, t=100))
    page.locator("body").evaluate(
        "(e, [g, i]) => { e.style.background = g; e.style.color = i; }", [ground, ink]
    )

    def luminance(color: list[float]) -> float:
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in color]
        return float(np.dot([0.2126, 0.7152, 0.0722], linear))

    back = luminance([int(ground[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    for kind in ("signal", "noise"):
        # color(srgb r g b)
        text = page.locator(f"b.ddpm-{kind}").evaluate("e => getComputedStyle(e).color")
        front = luminance([float(x) for x in text.removeprefix("color(srgb ").rstrip(")").split()[:3]])
        assert (max(front, back) + 0.05) / (min(front, back) + 0.05) >= 4.5, (kind, text)
