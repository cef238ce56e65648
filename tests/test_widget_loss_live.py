"""The widget of the loss as an anywidget, and the names of its curves."""

from typing import Any

import torch
from playwright.sync_api import Page

from ddpm_lib.widgets import LossWidget
from tests.loss_parts import LONG, SHORT, assert_shown, losses, values
from tests.widget_page import drive


def test_it_works_as_an_anywidget(page: Page) -> None:
    w = LossWidget(losses(LONG), LONG, t=20)
    drive(page, w)
    page.evaluate("model.set('t', 250); model.set('scale', 'score'); model.set('axis', 'log SNR')")
    w.t, w.scale = 250, "score"
    assert_shown(page, w)
    page.get_by_role("slider").press("ArrowLeft")
    assert page.evaluate("saved.t") == 240


def test_a_name_cannot_break_out_of_the_page(show: Any) -> None:
    hostile = "</script><script>document.title='broken'</script>\"'<!--&"
    page = show(LossWidget({hostile: torch.ones(61)}, SHORT))
    assert page.title() == "w"
    assert list(values(page)) == [hostile]
