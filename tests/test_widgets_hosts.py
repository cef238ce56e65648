"""Where the scrub widget stands: in Lab, in an anywidget, where scripts lose their place, on light and dark."""

import json
from typing import Any

import pytest
from playwright.sync_api import Page

from ddpm_lib.schedule import cosine_schedule
from ddpm_lib.widgets import ScrubWidget
from tests.contrast import contrast
from tests.shown import X0, assert_drawn, grey
from tests.widget_page import drive


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


def test_a_label_cannot_break_out_of_the_page(show: Any) -> None:
    hostile = "</script><script>document.title='broken'</script>\"'<!--&"
    page = show(ScrubWidget(X0, labels=[hostile, "b", "c"]))
    assert page.title() == "w"
    assert page.get_by_role("radio", name=hostile).count() == 1
    state = page.locator(".ddpm-host").get_attribute("data-ddpm-state") or ""
    assert json.loads(state)["labels"][0] == hostile


@pytest.mark.parametrize(("ground", "ink"), [("#ffffff", "#222832"), ("#14181e", "#ced6dd")])
def test_the_colors_can_be_read_on_light_and_on_dark(show: Any, ground: str, ink: str) -> None:
    """Contrast of at least 4.5 to 1, as WCAG 2 asks of text."""
    page = show(ScrubWidget(X0, t=100))
    page.locator("body").evaluate(
        "(e, [g, i]) => { e.style.background = g; e.style.color = i; }", [ground, ink]
    )

    for kind in ("signal", "noise"):
        # color(srgb r g b)
        text = page.locator(f"b.ddpm-{kind}").evaluate("e => getComputedStyle(e).color")
        assert contrast(text, ground) >= 4.5, (kind, text)
