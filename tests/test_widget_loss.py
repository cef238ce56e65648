"""The loss explorer: its factors against the library's conversions, its page against Python, its controls."""

import html
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import traitlets
from playwright.sync_api import Browser, Locator, Page

from ddpm_lib.diffusion import GaussianDiffusion
from ddpm_lib.schedule import NoiseSchedule, cosine_schedule, linear_schedule
from ddpm_lib.widgets import LossWidget
from ddpm_lib.widgets.loss_by_t.loss_by_t import SCALES
from tests.widget_page import document, drive

LONG = linear_schedule(1000)
SHORT = linear_schedule(60)


def losses(schedule: NoiseSchedule, n: int = 2) -> dict[str, torch.Tensor]:
    """The irreducible loss of data with variance 0.2, and n - 1 curves above it."""
    ab = schedule.alpha_bar
    floor = 1 / (1 + (1 - ab) / (0.2 * ab))  # E Var[eps | x_t]
    floor[0] = torch.nan
    names = ["irreducible", "trained", "linear", "zero"]
    return {name: floor * (1 + k / 4) + 0.003 * k for k, name in enumerate(names[:n])}


def root(page: Page) -> Locator:
    return page.locator(".ddpm-loss")


def values(page: Page) -> dict[str, Any]:
    shown: dict[str, Any] = json.loads(root(page).get_attribute("data-values") or "")
    return shown


def assert_shown(page: Page, w: LossWidget) -> None:
    expected = w.shown()
    assert list(values(page)) == list(expected)
    for name, value in values(page).items():
        assert value == (None if expected[name] is None else pytest.approx(expected[name], rel=1e-6)), name
    factor = root(page).get_attribute("data-factor") or "nan"
    assert float(factor) == pytest.approx(w.factor or np.nan, rel=1e-6, nan_ok=True)


# In Python


@pytest.mark.parametrize("schedule", [LONG, cosine_schedule(50)], ids=["linear", "cosine"])
@pytest.mark.parametrize("t", [1, 2, 20, 50])
def test_the_factors_are_those_of_the_librarys_conversions(schedule: NoiseSchedule, t: int) -> None:
    """x_t is fixed and eps_hat is off by d: how far off are x0, v, the score and the mean of p_theta?"""
    diffusion = GaussianDiffusion(schedule)
    generator = torch.Generator().manual_seed(t)
    x0, eps, d = torch.randn(3, 4, 100, dtype=torch.float64, generator=generator)
    xt = diffusion.q_sample(x0, t, eps)
    eps_hat = eps + 0.1 * d
    x0_hat = diffusion.predict_x0(xt, t, eps_hat)
    v_hat = diffusion.predict_v(x0_hat, t, eps_hat)
    noise = (1 - schedule.alpha_bar[t]).sqrt()

    def error(a: torch.Tensor, b: torch.Tensor) -> float:
        return float(((a - b) ** 2).mean())

    errors: dict[str, float | None] = {
        "eps": error(eps_hat, eps),
        "x0": error(x0_hat, x0),
        "v": error(v_hat, diffusion.predict_v(x0, t, eps)),
        "score": error(eps_hat / noise, eps / noise),
        "bound": None,  # the term at t = 1 is another
    }
    if t >= 2:  # KL(q(x_{t-1} | x_t, x0) || p_theta(x_{t-1} | x_t)): two Gaussians of one variance
        mean, variance = diffusion.q_posterior(x0, xt, t, t - 1)
        mean_hat, _ = diffusion.q_posterior(x0_hat, xt, t, t - 1)
        errors["bound"] = error(mean_hat, mean) / (2 * float(variance))
        snr = schedule.snr
        assert errors["bound"] == pytest.approx(
            float((snr[t - 1] - snr[t]) / 2) * error(x0_hat, x0), rel=1e-9
        )
    loss = torch.full((schedule.T + 1,), errors["eps"], dtype=torch.float64)
    for scale, expected in errors.items():
        w = LossWidget({"off": loss}, schedule, t=t, scale=scale)
        assert w.shown()["off"] == (None if expected is None else pytest.approx(expected, rel=2e-6)), scale


def test_every_time_of_a_short_chain_is_kept_and_a_long_one_is_thinned() -> None:
    assert LossWidget(losses(SHORT), SHORT).ts == list(range(1, 61))
    w = LossWidget(losses(LONG), LONG)
    assert w.ts == [*range(1, 51), *range(60, 1001, 10)]
    for T in (150, 151, 200, 300, 333, 500, 777):
        s = cosine_schedule(T)
        ts = LossWidget(losses(s), s).ts
        assert len(ts) <= 150
        assert ts[:50] == list(range(1, 51))
        assert ts[-1] == T
        assert len(set(np.diff(ts[51:]))) == 1


def test_t_moves_to_the_nearest_time_that_is_kept() -> None:
    w = LossWidget(losses(LONG), LONG)
    assert w.t == 250
    w.t = 103
    assert w.t == 100
    w.t = 998
    assert w.t == 1000
    assert w.shown()["trained"] == pytest.approx(float(losses(LONG)["trained"][1000]), rel=1e-6)


def test_only_what_was_measured_is_shown() -> None:
    sparse = torch.full((1001,), torch.nan)
    sparse[[1, 10, 100, 1000]] = torch.tensor([0.5, 0.4, 0.3, 0.2])
    w = LossWidget({"sparse": sparse}, LONG)
    assert w.ts == [1, 10, 100, 1000]
    both = LossWidget({"full": losses(LONG)["trained"], "sparse": sparse}, LONG, t=20)
    assert both.shown()["sparse"] is None
    assert both.shown()["full"] is not None


def test_the_state_can_be_observed_and_linked() -> None:
    a, b = LossWidget(losses(SHORT), SHORT), LossWidget(losses(SHORT), SHORT)
    link = traitlets.link((a, "t"), (b, "t"))
    b.t = 40
    assert a.t == 40
    link.unlink()
    assert repr(a) == "LossWidget(['irreducible', 'trained'], t=40, scale='eps', axis='t')"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"losses": {}}, "0 curves, but 1 to 4"),
        ({"losses": {str(i): torch.ones(61) for i in range(5)}}, "5 curves, but 1 to 4"),
        ({"losses": {"a": torch.ones(60)}}, r"'a' has shape \(60,\).*pass 61 values"),
        ({"losses": {"a": -torch.ones(61)}}, "'a' has a negative or infinite loss"),
        ({"losses": {"a": torch.full((61,), torch.inf)}}, "'a' has a negative or infinite loss"),
        ({"losses": {"a": torch.full((61,), torch.nan)}}, "No loss was measured"),
        ({"t": 0}, "t is 0, but the losses run from 1 to 60"),
        ({"t": 61}, "t is 61"),
        ({"scale": "mu"}, "scale.*'eps', 'x0', 'v', 'score', 'bound'"),
    ],
)
def test_what_does_not_fit_is_refused_with_one_sentence(arguments: dict[str, Any], words: str) -> None:
    with pytest.raises((ValueError, traitlets.TraitError), match=words) as refusal:
        LossWidget(**{"losses": losses(SHORT), "schedule": SHORT, **arguments})
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("schedule", [LONG, linear_schedule(150)], ids=["T = 1000", "T = 150"])
def test_the_html_is_small_and_has_no_ids(schedule: NoiseSchedule) -> None:
    w = LossWidget(losses(schedule, 3), schedule)
    assert len(w.fallback().png) < 8_000
    page = re.sub(r"base64,[^\"]*", "", w.to_html())
    assert len(page) < 30_000
    assert " id=" not in page
    assert "http" not in page.replace("http://www.w3.org/2000/svg", "")


# In a browser


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("t", [1, 2, 50, 300, 1000])
def test_the_page_shows_what_python_computes(show: Any, scale: str, t: int) -> None:
    w = LossWidget(losses(LONG, 4), LONG, t=t, scale=scale)
    page = show(w)
    assert_shown(page, w)
    assert (values(page)["trained"] is None) == (scale == "bound" and t == 1)


def test_numbers_and_what_lies_above_the_first_curve(show: Any) -> None:
    w = LossWidget(losses(SHORT, 3), SHORT, t=30)
    page = show(w)
    rows = page.locator(".ddpm-read tbody tr")
    a, b, c = (value or 0 for value in w.shown().values())
    assert [rows.nth(i).locator("td").all_inner_texts() for i in range(3)] == [
        [f"{a:#.3g}", ""],  # with its noughts
        [f"{b:#.3g}", f"+{b - a:#.3g}"],
        [f"{c:#.3g}", f"+{c - a:#.3g}"],
    ]
    assert "above \u201cirreducible\u201d" in page.locator(".ddpm-read thead").inner_text()


def test_the_scale_and_the_axis_are_chosen_by_keyboard(show: Any) -> None:
    w = LossWidget(losses(SHORT), SHORT, t=20)
    page = show(w)
    page.get_by_role("radio", name="eps").focus()
    law = page.locator(".ddpm-law")
    assert "factor is 1" in law.inner_text()
    for scale in ("x0", "v", "score", "bound"):
        page.keyboard.press("ArrowRight")
        w.scale = scale
        assert root(page).get_attribute("data-scale") == scale
        assert_shown(page, w)
        assert f"{w.factor:.3g}" in law.inner_text()
    page.get_by_role("radio", name="t", exact=True).focus()
    page.keyboard.press("ArrowRight")
    assert root(page).get_attribute("data-axis") == "log SNR"
    place = page.locator(".ddpm-cursor").evaluate("e => parseFloat(e.style.left)")
    log_snr = SHORT.log_snr.numpy()
    assert place == pytest.approx(100 * (log_snr[1] - log_snr[20]) / (log_snr[1] - log_snr[60]), abs=1e-3)


def test_the_keyboard_moves_the_slider_over_the_times_that_are_kept(show: Any) -> None:
    w = LossWidget(losses(LONG), LONG, t=49)
    page = show(w)
    slider = page.get_by_role("slider", name="time step t")
    keys = [
        "ArrowRight",
        "ArrowRight",
        "ArrowRight",
        "ArrowLeft",
        "ArrowLeft",
        "PageUp",
        "End",
        "ArrowRight",
        "Home",
    ]
    for key, t in zip(keys, [50, 60, 70, 60, 50, 150, 1000, 1000, 1], strict=True):
        slider.press(key)
        assert root(page).get_attribute("data-t") == str(t), key
        assert slider.get_attribute("aria-valuetext") == f"t = {t} of 1000"
        w.t = t
        assert_shown(page, w)


@pytest.mark.parametrize("axis", ["t", "log SNR"])
def test_the_arrow_keys_reach_every_time_in_both_directions(show: Any, axis: str) -> None:
    s = cosine_schedule(40)
    w = LossWidget(losses(s), s, t=1)
    w.axis = axis
    page = show(w)
    slider = page.get_by_role("slider")
    seen = []
    for key in ["ArrowRight"] * 39 + ["ArrowLeft"] * 39:
        slider.press(key)
        seen.append(int(root(page).get_attribute("data-t") or 0))
    assert seen == [*range(2, 41), *range(39, 0, -1)]


RAISED = str.maketrans("\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079\u207b", "0123456789-")


def number(text: str) -> float:
    """What the page writes as 0.02, or as 2 times ten to a raised power."""
    factor, ten, power = text.rpartition("10") if text.translate(RAISED) != text else (text, "", "")
    return float(factor.strip("\u00b7") or 1) * (10.0 ** int(power.translate(RAISED)) if ten else 1)


def test_the_curves_are_drawn_on_a_logarithmic_axis_with_readable_ticks(show: Any) -> None:
    w = LossWidget(losses(SHORT), SHORT)
    page = show(w)
    d = page.locator("path.ddpm-line-1").first.get_attribute("d") or ""
    drawn = np.array(re.findall(r"[\d.]+", d), float).reshape(-1, 2)
    ticks = page.locator(".ddpm-y")
    rungs = [(number(t.inner_text()), t.evaluate("e => parseFloat(e.style.top)") / 100) for t in ticks.all()]
    assert 3 <= len(rungs) <= 8
    (high, top), (low, bottom) = max(rungs), min(rungs)
    assert drawn[:, 0] == pytest.approx(np.arange(60) / 59, abs=1e-4)
    share = (drawn[:, 1] - bottom) / (top - bottom)
    there = 10 ** (np.log10(low) + share * np.log10(high / low))
    assert there == pytest.approx(losses(SHORT)["trained"][1:].numpy(), rel=5e-3)
    assert page.locator("path.ddpm-gap").get_attribute("d")


def test_curves_differ_in_more_than_color(show: Any) -> None:
    page = show(LossWidget(losses(SHORT, 4), SHORT))
    keys = page.locator(".ddpm-key path")
    dashes = keys.evaluate_all("p => p.map(e => getComputedStyle(e).strokeDasharray)")
    assert len(set(dashes)) == 4


@pytest.mark.parametrize("ground", ["#ffffff", "#14181e"])
def test_the_lines_can_be_seen_on_light_and_on_dark(show: Any, ground: str) -> None:
    """Contrast of at least 3 to 1, as WCAG 2 asks of graphics."""
    page = show(LossWidget(losses(SHORT, 4), SHORT))
    ink = "#222832" if ground == "#ffffff" else "#ced6dd"
    page.locator("body").evaluate(
        "(e, [g, i]) => { e.style.background = g; e.style.color = i; }", [ground, ink]
    )

    def luminance(color: list[float]) -> float:
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in color]
        return float(np.dot([0.2126, 0.7152, 0.0722], linear))

    back = luminance([int(ground[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    strokes = page.locator(".ddpm-key path").evaluate_all("p => p.map(e => getComputedStyle(e).stroke)")
    for stroke in strokes:
        front = luminance([float(x) for x in stroke.removeprefix("color(srgb ").rstrip(")").split()[:3]])
        assert (max(front, back) + 0.05) / (min(front, back) + 0.05) >= 3, stroke


def test_gaps_zeros_and_single_curves_break_nothing(show: Any) -> None:
    holes = losses(SHORT)["trained"].clone()
    holes[20:30] = torch.nan
    zeros = torch.zeros(61)
    one = torch.full((61,), torch.nan)
    one[7] = 0.3
    chain = linear_schedule(1, 0.5, 0.5, rescale=False)
    page = show(
        LossWidget({"whole": losses(SHORT)["trained"], "holes": holes, "zeros": zeros}, SHORT, t=25),
        LossWidget({"zeros": zeros}, SHORT),
        LossWidget({"one": one}, SHORT, scale="bound"),
        LossWidget({"a": torch.ones(2)}, chain, scale="bound"),
    )
    assert json.loads(root(page).nth(0).get_attribute("data-values") or "")["holes"] is None
    for i in range(4):
        for name in ("log SNR", "t"):
            for scale in ("x0", "in the bound"):
                root(page).nth(i).get_by_role("radio", name=scale).check()
            root(page).nth(i).get_by_role("radio", name=name, exact=True).check()
            root(page).nth(i).get_by_role("slider").press("ArrowRight")
            root(page).nth(i).get_by_role("slider").press("ArrowLeft")
    assert "NaN" not in page.locator("body").inner_text()
    drawn = page.locator(".ddpm-frame path").evaluate_all("p => p.map(e => e.getAttribute('d'))")
    assert not any("NaN" in (d or "") for d in drawn)
    assert "no such term" in root(page).nth(3).inner_text()


def test_what_happened_is_said_once_things_are_still(show: Any) -> None:
    w = LossWidget(losses(SHORT), SHORT, t=29, scale="x0")
    page = show(w)
    live = page.locator("[aria-live=polite]")
    page.wait_for_timeout(900)
    assert live.inner_text() == ""
    page.get_by_role("slider").press("ArrowRight")
    page.wait_for_timeout(900)
    w.t = 30
    a, b = (value or 0 for value in w.shown().values())
    assert live.inner_text() == f"t = 30, error of x0: irreducible {a:.3g}, trained {b:.3g}"


def test_it_works_as_an_anywidget(page: Page) -> None:
    w = LossWidget(losses(LONG), LONG, t=20)
    drive(page, w)
    page.evaluate("model.set('t', 250); model.set('scale', 'score'); model.set('axis', 'log SNR')")
    w.t, w.scale = 250, "score"
    assert_shown(page, w)
    page.get_by_role("slider").press("ArrowLeft")
    assert page.evaluate("saved.t") == 240


def test_two_on_a_page_are_independent_and_leave_nothing_global(show: Any, page: Page) -> None:
    show()
    names = set(page.evaluate("Object.getOwnPropertyNames(window)"))
    show(LossWidget(losses(SHORT), SHORT, t=9), LossWidget(losses(LONG), LONG, t=9))
    assert set(page.evaluate("Object.getOwnPropertyNames(window)")) == names
    assert page.locator("[id]").count() == 0
    root(page).nth(0).get_by_role("slider").press("End")
    root(page).nth(1).get_by_role("radio", name="score").check()
    assert [root(page).nth(i).get_attribute("data-t") for i in (0, 1)] == ["60", "9"]
    assert [root(page).nth(i).get_attribute("data-scale") for i in (0, 1)] == ["eps", "score"]


def test_it_works_in_a_sandboxed_frame(page: Page) -> None:
    source = html.escape(document(LossWidget(losses(SHORT), SHORT)))
    page.set_content(f'<iframe sandbox="allow-scripts" srcdoc="{source}"></iframe>')
    page.frames[1].get_by_role("slider").press("End")
    assert page.frames[1].locator(".ddpm-loss").get_attribute("data-t") == "60"


def test_without_scripts_the_picture_tells_it(browser: Browser, tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    path.write_text(document(LossWidget({"a": torch.full((61,), 0.25)}, SHORT, t=30)), encoding="utf-8")
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(path.as_uri())
    assert page.get_by_role("img", name="At t = 30: a 0.25").is_visible()
    assert page.get_by_text("With scripts on").is_visible()
    context.close()


@pytest.mark.parametrize("scale", SCALES)
def test_it_fits_a_phone(show: Any, page: Page, scale: str) -> None:
    page.set_viewport_size({"width": 390, "height": 800})
    w = LossWidget(losses(LONG, 4), LONG, scale=scale)
    w.axis = "log SNR"
    show(w)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_a_name_cannot_break_out_of_the_page(show: Any) -> None:
    hostile = "</script><script>document.title='broken'</script>\"'<!--&"
    page = show(LossWidget({hostile: torch.ones(61)}, SHORT))
    assert page.title() == "w"
    assert list(values(page)) == [hostile]


def test_every_control_has_a_name(show: Any) -> None:
    page = show(LossWidget(losses(SHORT), SHORT, scale="x0"))
    tree = page.locator("body").aria_snapshot()
    for expected in (
        'group "The loss at each t"',
        'img "the loss against time, logarithmic',
        'slider "time step t"',
        'table "the curves at this t"',
        'rowheader "trained"',
        'math "1 minus alpha bar t, over alpha bar t"',
        'radiogroup "Error of"',
        'radio "eps"',
        'radio "in the bound"',
        'radiogroup "Against"',
        'radio "log SNR"',
    ):
        assert expected in tree
