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
from tests.widget_page import document, drive

SLIDERS = {
    "t": "time t of the noisy pixel",
    "stride": "stride from t back to s",
    "x0": "clean pixel x 0",
    "xt": "noisy pixel x t",
}


def root(page: Page) -> Locator:
    return page.locator(".ddpm-posterior")


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


# In a browser


@pytest.mark.parametrize("schedule", [linear_schedule(50), cosine_schedule(12)], ids=["linear", "cosine"])
def test_the_page_computes_what_the_library_computes(page: Page, schedule: Any) -> None:
    w = PosteriorWidget(schedule, t=5)
    drive(page, w)
    cases = [
        (t, s, x0, xt)
        for t in (1, 2, 7, w.T - 1, w.T)
        for s in sorted({0, 1, t // 2, t - 1} & set(range(t)))
        for x0, xt in ((0.8, -0.3), (-1.0, 3.0), (0.0, 0.05), (0.35, -3.0))
    ]
    for t, s, x0, xt in cases:
        w.t, w.x0, w.xt = t, x0, xt
        w.s = s  # last, for it follows t
        page.evaluate(
            "values => { for (const [k, v] of Object.entries(values)) model.set(k, v); }",
            {"t": t, "s": s, "x0": x0, "xt": xt},
        )
        assert [data(page, name) for name in ("t", "s", "x0", "xt")] == [t, s, x0, xt]
        assert data(page, "mean") == pytest.approx(w.mean, abs=1e-12)
        assert data(page, "sd") == pytest.approx(w.variance**0.5, abs=1e-12)
        assert data(page, "pull") == pytest.approx(w.pulls[0], abs=1e-12)
        if s == 0:  # exactly
            assert (data(page, "mean"), data(page, "sd"), data(page, "pull")) == (x0, 0, 1)
    slider(page, "t").press("ArrowLeft")  # and from the page to Python
    assert page.evaluate("[saved.t, saved.s]") == [w.T - 1, w.T - 2]
    page.evaluate("model.set('t', 3)")  # Python's t, whose s is still on its way
    assert (data(page, "t"), data(page, "s")) == (3, 2)


def drawn(page: Page, name: str) -> np.ndarray:
    """The points of a curve, as x_s and height."""
    d = page.locator(f".ddpm-frame path.ddpm-the-{name}").get_attribute("d") or ""
    points = np.array(re.findall(r"(-?[\d.]+) (-?[\d.]+)", d), float)
    return np.stack([points[:, 0] * 6.4 - 3.2, (1 - points[:, 1]) / 0.94], 1)


def test_the_curves_are_the_three_gaussians_and_their_product(show: Any) -> None:
    w = PosteriorWidget(t=20, s=10, xt=0.9)
    page = show(w)
    for name in ("prior", "likelihood", "posterior"):
        points = torch.from_numpy(drawn(page, name))
        assert torch.allclose(points[:, 1], w.curves(points[:, 0])[name], atol=2e-3)
        assert points[:, 1].max() == pytest.approx(1, abs=1e-3)
    points = torch.from_numpy(drawn(page, "product"))
    curves = w.curves(points[:, 0])
    assert torch.allclose(points[:, 1], curves["prior"] * curves["likelihood"], atol=2e-3)
    assert drawn(page, "center") == pytest.approx(np.array([[w.mean, 1]]), abs=1e-3)


def test_at_the_clean_image_prior_and_posterior_are_one_upright_line(show: Any) -> None:
    page = show(PosteriorWidget(t=20, s=0))
    for name in ("prior", "posterior"):
        assert drawn(page, name) == pytest.approx(np.array([[0.8, 0], [0.8, 1]]), abs=1e-3)
    assert drawn(page, "likelihood")[:, 1].max() == pytest.approx(1, abs=1e-3)
    assert page.locator(".ddpm-frame path.ddpm-the-product").get_attribute("d") == ""


def test_curves_differ_by_dash_as_well_as_by_color(show: Any) -> None:
    page = show(PosteriorWidget())
    looks = [
        page.locator(f".ddpm-frame path.ddpm-the-{name}").evaluate(
            "e => [getComputedStyle(e).stroke, getComputedStyle(e).strokeDasharray]"
        )
        for name in ("prior", "likelihood", "posterior")
    ]
    assert len({stroke for stroke, _ in looks}) == len({dash for _, dash in looks}) == 3


@pytest.mark.parametrize(("x0", "xt"), [(0.8, -0.3), (0.2, 0.25), (0.25, 0.2), (0.5, 0.5)])
def test_the_known_points_stand_on_the_axis_and_their_names_never_meet(
    show: Any, page: Page, x0: float, xt: float
) -> None:
    page.set_viewport_size({"width": 390, "height": 800})
    show(PosteriorWidget(x0=x0, xt=xt))
    pins = page.locator(".ddpm-pin")
    places = pins.evaluate_all("nodes => nodes.map(e => parseFloat(e.style.left))")
    assert places == pytest.approx([(x + 3.2) / 6.4 * 100 for x in (x0, xt)])
    names = page.locator(".ddpm-pin > span").evaluate_all(
        "nodes => nodes.map(e => e.getBoundingClientRect()).map(box => [box.left, box.right])"
    )
    (_, end), (begin, _) = sorted(names)
    assert end <= begin


def test_the_bar_is_shared_as_the_pulls_are(show: Any) -> None:
    w = PosteriorWidget(t=20, s=12)
    page = show(w)
    widths = page.locator(".ddpm-bar").evaluate(
        "e => [e.firstChild.getBoundingClientRect().width, e.getBoundingClientRect().width]"
    )
    assert widths[0] / widths[1] == pytest.approx(w.pulls[0], abs=1e-3)
    name = f"the prior pulls with {w.pulls[0]:.2f}, the likelihood with {w.pulls[1]:.2f}"
    assert page.get_by_role("img", name=name).count() == 1


def test_the_keyboard_moves_every_slider(show: Any) -> None:
    page = show(PosteriorWidget(t=20))
    before = data(page, "mean")
    presses: dict[str, dict[str, float]] = {
        "t": {"ArrowRight": 21, "Home": 1, "End": 50},
        "x0": {"ArrowLeft": 0.75, "Home": -1, "ArrowRight": -0.95},
        "xt": {"ArrowRight": -0.25, "End": 3, "Home": -3},
    }
    for name, keys in presses.items():
        for key, value in keys.items():
            slider(page, name).press(key)
            assert data(page, name) == value, (name, key)
        assert data(page, "mean") != before
        before = data(page, "mean")
    slider(page, "stride").press("End")
    assert (data(page, "s"), data(page, "mean"), data(page, "sd")) == (0, -0.95, 0)
    assert slider(page, "stride").get_attribute("aria-valuetext") == "50 steps, to s = 0"
    assert root(page).get_by_role("img", name="the prior pulls with 1.00").count() == 1
    slider(page, "stride").press("Home")
    assert data(page, "s") == 49
    assert slider(page, "stride").get_attribute("aria-valuetext") == "1 step, to s = 49"


def test_the_page_keeps_the_stride_when_t_moves(show: Any) -> None:
    page = show(PosteriorWidget(t=20, s=15))
    for key, t, s in (("ArrowRight", 21, 16), ("Home", 1, 0), ("ArrowRight", 2, 0), ("End", 50, 45)):
        slider(page, "t").press(key)
        assert (data(page, "t"), data(page, "s")) == (t, s)
    slider(page, "stride").press("ArrowRight")
    slider(page, "t").press("ArrowLeft")
    assert (data(page, "t"), data(page, "s")) == (49, 43)


@pytest.mark.parametrize(
    ("s", "words"),
    [
        (None, ["mean = 0.091 x0 + 0.879 xt = \u22120.191", "standard deviation 0.387"]),
        (0, ["mean = 1.000 x0 + 0 xt = 0.800", "standard deviation 0 ", "prior pulls with 1.00"]),
    ],
)
def test_the_numbers_are_read_out(show: Any, s: int | None, words: list[str]) -> None:
    w = PosteriorWidget(t=20, s=s)
    text = re.sub(r"\s+", " ", root(show(w)).inner_text())
    for each in (*words, f"likelihood with {w.pulls[1]:.2f}", "each scaled to height 1"):
        assert each in text


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
    assert frame.locator(".ddpm-posterior").get_attribute("data-t") == "1"


@pytest.mark.parametrize(
    ("s", "story"), [(None, "mean -0.191, standard deviation 0.387"), (0, "mean 0.8, standard deviation 0")]
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


@pytest.mark.parametrize(
    "arguments", [{"t": 20}, {"t": 50, "s": 0, "xt": -3.0}, {"t": 50, "s": 1, "x0": -1.0, "xt": 3.0}]
)
def test_it_fits_a_phone(show: Any, page: Page, arguments: dict[str, Any]) -> None:
    page.set_viewport_size({"width": 390, "height": 800})
    show(PosteriorWidget(**arguments))
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


@pytest.mark.parametrize(("ink", "paper"), [((34, 40, 50), (255, 255, 255)), ((206, 214, 221), (20, 24, 30))])
def test_words_and_curves_stand_out_on_light_and_dark(
    show: Any, page: Page, ink: tuple[int, ...], paper: tuple[int, ...]
) -> None:
    """WCAG's contrast: 4.5 for words, 3 for what is drawn."""
    show(PosteriorWidget())
    page.evaluate("ink => { document.body.style.color = `rgb(${ink})`; }", list(ink))

    def contrast(selector: str, of: str) -> float:
        color = page.locator(selector).first.evaluate(
            """(e, of) => {
                const context = document.createElement("canvas").getContext("2d");
                context.fillStyle = getComputedStyle(e)[of];
                context.fillRect(0, 0, 1, 1);
                return [...context.getImageData(0, 0, 1, 1).data];
            }""",
            of,
        )
        share = color[3] / 255
        seen = [share * c + (1 - share) * p for c, p in zip(color, paper, strict=False)]
        light = [
            sum(w * (c / 255) ** 2.2 for w, c in zip((0.2126, 0.7152, 0.0722), rgb, strict=True))
            for rgb in (seen, paper)
        ]
        return float((max(light) + 0.05) / (min(light) + 0.05))

    for name in ("prior", "likelihood", "posterior", "center"):
        assert contrast(f".ddpm-frame path.ddpm-the-{name}", "stroke") > 3, name
    for selector in (".ddpm-mean", ".ddpm-title", ".ddpm-pulls .ddpm-signal", ".ddpm-pulls .ddpm-noise"):
        assert contrast(selector, "color") > 4.5, selector


def test_every_control_has_a_name(show: Any) -> None:
    tree = show(PosteriorWidget(t=20)).locator("body").aria_snapshot()
    for expected in (
        'group "Prior, likelihood and posterior of a pixel"',
        'img "prior, likelihood and posterior over x s',
        *(f'slider "{name}"' for name in SLIDERS.values()),
    ):
        assert expected in tree
