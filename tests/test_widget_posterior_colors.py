"""The posterior's words and curves on light and on dark."""

from typing import Any

import pytest
from playwright.sync_api import Page

from ddpm_lib.widgets import PosteriorWidget


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
