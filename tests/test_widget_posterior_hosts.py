"""Where the widget of the posterior stands: twice on a page, in a frame, without scripts, on a phone."""

import html
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from ddpm_lib.schedule import cosine_schedule
from ddpm_lib.widgets import PosteriorWidget
from tests.posterior_parts import SLIDERS, root
from tests.widget_page import document


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
