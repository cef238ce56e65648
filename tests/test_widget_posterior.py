"""The posterior explorer: the page's own arithmetic against the library's, its words, its controls."""

import html
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import traitlets
from playwright.sync_api import Browser, Locator, Page

from ddpm_lib import gaussian
from ddpm_lib.diffusion import GaussianDiffusion
from ddpm_lib.schedule import cosine_schedule, linear_schedule
from ddpm_lib.widgets import PosteriorWidget
from tests.widget_page import document

SLIDERS = {
    "t": "time t of the noisy pixel",
    "stride": "stride from t back to s",
    "x0": "clean pixel x 0",
    "xt": "noisy pixel x t",
}


def root(page: Page) -> Locator:
    return page.locator(".ddpm-posterior[role=group]")


def data(page: Page, name: str) -> float:
    return float(root(page).get_attribute(f"data-{name}") or "nan")


def slider(page: Page, name: str) -> Locator:
    return page.get_by_role("slider", name=SLIDERS[name])


# In Python


def test_mean_and_variance_are_the_librarys() -> None:
    w = PosteriorWidget(x0=0.4, xt=1.2, t=30, s=12)
    pixel = torch.tensor([[0.4], [1.2]], dtype=torch.float64)
    mean, variance = GaussianDiffusion(linear_schedule(50)).q_posterior(pixel[:1], pixel[1:], 30, 12)
    assert (w.mean, w.variance) == (float(mean), float(variance))
    w.stride = 40  # further than there is
    assert (w.s, w.mean, w.variance) == (0, 0.4, 0.0)
    assert w.pulls == (1.0, 0.0)


def test_the_posterior_is_the_product_of_its_two_curves() -> None:
    w = PosteriorWidget(t=20, s=13)
    grid = torch.linspace(-6, 6, 2001, dtype=torch.float64)
    curves = w.curves(grid)
    product = curves["prior"] * curves["likelihood"]
    product = product / torch.trapezoid(product, grid)
    assert torch.allclose(product, curves["posterior"], atol=1e-9)
    ab = linear_schedule(50).alpha_bar
    m, v = gaussian.product(
        ab[13].sqrt() * 0.8, 1 - ab[13], -0.3 / (ab[20] / ab[13]).sqrt(), ab[13] / ab[20] - 1
    )
    assert w.mean == pytest.approx(float(m), rel=1e-12)
    assert w.pulls[0] == pytest.approx(float(v / (1 - ab[13])), rel=1e-9)


def test_the_stride_is_kept_when_t_moves() -> None:
    w = PosteriorWidget(t=20, s=15)
    for t, s in ((40, 35), (3, 0), (20, 15)):
        w.t = t
        assert w.s == s
    assert repr(w) == "PosteriorWidget(x0=0.8, xt=-0.3, t=20, s=15)"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"t": 0}, "t is 0, but it runs from 1 to 50"),
        ({"t": 51}, "t is 51, but it runs from 1 to 50"),
        ({"t": 5, "s": 5}, "stride is 0, but it runs from 1 to 50"),
        ({"t": 5, "s": -60}, "stride is 65"),
        ({"x0": 1.2}, "x0"),
        ({"xt": -4.0}, "xt"),
    ],
)
def test_what_does_not_fit_is_refused_with_one_sentence(arguments: dict[str, Any], words: str) -> None:
    with pytest.raises(traitlets.TraitError, match=words) as refusal:
        PosteriorWidget(**arguments)
    assert "\n" not in str(refusal.value)


def test_the_html_is_small_and_has_no_ids() -> None:
    w = PosteriorWidget()
    assert len(w.fallback().png) < 8_000
    page = re.sub(r"base64,[^\"]*", "", w.to_html())
    assert len(page) < 30_000
    assert " id=" not in page
    assert "http" not in page.replace("http://www.w3.org/2000/svg", "")


# In a browser


@pytest.mark.parametrize("schedule", [linear_schedule(50), cosine_schedule(12)], ids=["linear", "cosine"])
def test_the_page_computes_what_the_library_computes(page: Page, schedule: Any) -> None:
    w = PosteriorWidget(schedule)
    page.set_content("<main></main>")
    page.evaluate(
        """async ([esm, state]) => {
            const module = await import(URL.createObjectURL(new Blob([esm], { type: "text/javascript" })));
            const bus = new EventTarget();
            window.model = {
                get: (k) => state[k],
                set: (k, v) => { state[k] = v; bus.dispatchEvent(new Event(`change:${k}`)); },
                on: (k, f) => bus.addEventListener(k, f),
                save_changes: () => { window.saved = { ...state }; },
            };
            module.default.render({ model: window.model, el: document.querySelector("main") });
        }""",
        [str(w._esm), w.state()],
    )
    for t in (1, 2, 7, w.T):
        for stride in (1, 3, w.T):
            for x0, xt in ((0.8, -0.3), (-1.0, 3.0), (0.0, 0.05)):
                state = {"t": t, "stride": stride, "x0": x0, "xt": xt}
                w.t, w.stride, w.x0, w.xt = t, stride, x0, xt
                page.evaluate(
                    "values => { for (const [k, v] of Object.entries(values)) model.set(k, v); }", state
                )
                assert data(page, "s") == w.s
                assert data(page, "mean") == pytest.approx(w.mean, abs=1e-12)
                assert data(page, "sd") == pytest.approx(w.variance**0.5, abs=1e-12)
                assert data(page, "pull") == pytest.approx(w.pulls[0], abs=1e-12)
                if w.s == 0:  # exactly
                    assert (data(page, "mean"), data(page, "sd")) == (x0, 0)
    slider(page, "t").press("ArrowLeft")  # and from the page to Python
    assert page.evaluate("saved.t") == w.T - 1


def test_the_curves_are_the_three_gaussians(show: Any) -> None:
    w = PosteriorWidget(t=20, s=10)
    page = show(w)
    densities = {}
    for name in ("prior", "likelihood", "posterior"):
        d = page.locator(f"path.ddpm-{name}").nth(1).get_attribute("d")  # the first is its key
        drawn = np.array(re.findall(r"-?[\d.]+", d or ""), float).reshape(-1, 2)
        x = torch.from_numpy(drawn[:, 0] * 6.4 - 3.2)
        height = torch.from_numpy(1 - drawn[:, 1])
        density = w.curves(x)[name]
        densities[name] = float(height.max() / density.max())  # one scale for all, as areas are 1
        assert torch.allclose(height, density * densities[name], atol=4e-3)
    assert max(densities.values()) == pytest.approx(min(densities.values()), rel=1e-3)


def test_the_keyboard_moves_every_slider(show: Any) -> None:
    page = show(PosteriorWidget(t=20))
    before = data(page, "mean")
    for name, keys in {
        "t": {"ArrowRight": 21, "Home": 1, "End": 50},
        "x0": {"ArrowLeft": 0.75, "Home": -1, "ArrowRight": -0.95},
        "xt": {"ArrowRight": -0.25, "End": 3, "Home": -3},
    }.items():
        for key, value in keys.items():
            slider(page, name).press(key)
            assert data(page, name) == value, (name, key)
        assert data(page, "mean") != before
        before = data(page, "mean")
    slider(page, "stride").press("End")
    assert (data(page, "s"), data(page, "mean"), data(page, "sd")) == (0, -0.95, 0)
    assert slider(page, "stride").get_attribute("aria-valuetext") == "50 steps, to s = 0"
    assert root(page).get_by_role("img", name="the prior pulls with 100 %").count() == 1


def test_the_numbers_are_read_out(show: Any) -> None:
    w = PosteriorWidget(t=20)
    text = root(show(w)).inner_text().replace("\n", " ")
    assert "standard deviation 0.387" in re.sub(r"\s+", " ", text)
    assert f"{w.mean:.3f}".replace("-", "\u2212") in text
    assert f"the prior pulls with {100 * w.pulls[0]:.0f} %" in text
    assert f"the likelihood with {100 * w.pulls[1]:.0f} %" in text


def test_what_happened_is_said_once_things_are_still(show: Any) -> None:
    page = show(PosteriorWidget(t=20))
    live = page.locator("[aria-live=polite]")
    page.wait_for_timeout(900)
    assert live.inner_text() == ""
    slider(page, "t").press("ArrowRight")
    page.wait_for_timeout(900)
    assert live.inner_text().startswith("x 20 given x 0 = 0.80 and x 21 = \u22120.30: mean ")


def test_two_on_a_page_are_independent_and_leave_nothing_global(show: Any, page: Page) -> None:
    show()
    names = set(page.evaluate("Object.getOwnPropertyNames(window)"))
    show(PosteriorWidget(t=20), PosteriorWidget(cosine_schedule(10), t=4))
    assert set(page.evaluate("Object.getOwnPropertyNames(window)")) == names
    assert page.locator("[id]").count() == 0
    first, second = root(page).nth(0), root(page).nth(1)
    first.get_by_role("slider", name=SLIDERS["t"]).press("Home")
    assert [each.get_attribute("data-t") for each in (first, second)] == ["1", "4"]


def test_it_works_in_a_sandboxed_frame(page: Page) -> None:
    source = html.escape(document(PosteriorWidget(t=20)))
    page.set_content(f'<iframe sandbox="allow-scripts" srcdoc="{source}"></iframe>')
    frame = page.frames[1]
    frame.get_by_role("slider", name=SLIDERS["t"]).press("Home")
    assert frame.locator(".ddpm-posterior[role=group]").get_attribute("data-t") == "1"


@pytest.mark.parametrize(
    ("s", "story"), [(None, "mean -0.191, standard deviation 0.387"), (0, "for certain")]
)
def test_without_scripts_the_picture_tells_it(
    browser: Browser, tmp_path: Path, s: int | None, story: str
) -> None:
    path = tmp_path / "page.html"
    path.write_text(document(PosteriorWidget(t=20, s=s)), encoding="utf-8")
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(path.as_uri())
    assert page.get_by_role("img", name=story).is_visible()
    assert page.get_by_text("With scripts on, it has sliders").is_visible()
    context.close()


@pytest.mark.parametrize("arguments", [{"t": 20}, {"t": 50, "s": 0, "xt": -2.95}])
def test_it_fits_a_phone(show: Any, page: Page, arguments: dict[str, Any]) -> None:
    page.set_viewport_size({"width": 390, "height": 800})
    show(PosteriorWidget(**arguments))
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_every_control_has_a_name(show: Any) -> None:
    tree = show(PosteriorWidget(t=20)).locator("body").aria_snapshot()
    for expected in (
        'group "Prior, likelihood and posterior of a pixel"',
        'img "prior, likelihood and posterior over x s"',
        *(f'slider "{name}"' for name in SLIDERS.values()),
    ):
        assert expected in tree
