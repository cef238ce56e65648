"""Digits where something fails or is unusual: workers, files, several cores."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from ddpm_lib.models import build
from ddpm_lib.widgets import DigitsWidget
from ddpm_lib.widgets.digits.images import digits_script
from ddpm_lib.widgets.digits.recipe import NETWORK
from tests.axe import accessible_at_every_width
from tests.digits_page import FEW, FILE, be, paused, press, root, status, trained_for, untrained
from tests.digits_page import opened as opened
from tests.helpers import close
from tests.widget_page import document, drive

BROKEN = {
    "a worker that throws": "throw Error('no such thing')",
    "no workers": "delete window.Worker",
    "an empty file": "void 0",
    "damaged digits": FEW.replace('"pixels": "', '"pixels": "AAAA'),
    "too few pixels": json.dumps({**json.loads(FEW), "side": 4}),
}


@pytest.mark.parametrize("how", BROKEN)
def test_what_fails_is_one_sentence(opened: Any, page: Page, how: str) -> None:
    widget, digits = DigitsWidget(), None
    if how == "a worker that throws":
        widget.set_trait("worker", BROKEN[how])
    elif how == "no workers":
        page.add_init_script(BROKEN[how])
    else:
        digits = digits_script(BROKEN[how]) if BROKEN[how].startswith("{") else BROKEN[how]
    opened(widget, digits)
    press(page, "Train")
    be(page, "error")
    said = status(page).inner_text()
    assert re.search(r"([Pp]ress Reset to begin anew|try another one|load the page again)\.$", said), said


def test_a_missing_file_is_one_sentence_and_can_be_tried_again(browser: Browser, tmp_path: Path) -> None:
    page = browser.new_page()  # its console will say that the file is missing
    (tmp_path / "page.html").write_text(document(DigitsWidget(url=FILE)), encoding="utf-8")
    page.goto((tmp_path / "page.html").as_uri())
    press(page, "Train")
    be(page, "error")
    expect(status(page)).to_contain_text("The digits do not lie beside this page")
    (tmp_path / FILE).write_text(digits_script(FEW), encoding="utf-8")
    press(page, "Train")
    trained_for(page, 1)
    page.close()


COUNT = """for (const name of ["putImageData", "createImageData"]) {
  const plain = CanvasRenderingContext2D.prototype[name];
  CanvasRenderingContext2D.prototype[name] = function (...rest) {
    counts[name] += 1;
    return plain.apply(this, rest);
  };
}
window.counts = { putImageData: 0, createImageData: 0, btoa: 0, state: 0, drawn: 0, real: 0 };
const [Plain, encode] = [Worker, btoa];
window.btoa = (text) => (counts.btoa++, encode(text));
window.Worker = class extends Plain {
  constructor(url) {
    super(url);
    this.addEventListener("message", ({ data }) => data.type in counts && counts[data.type]++);
  }
};"""


def test_the_page_paints_what_is_new_and_leaves_the_file_to_the_worker(opened: Any, page: Page) -> None:
    """What keeps it from hearing its reader: painting again what is there, and encoding what was learned."""
    page.add_init_script(COUNT)
    opened(DigitsWidget(steps=12))
    press(page, "Train")
    be(page, "done")
    expect(root(page)).to_have_attribute("data-saved", "true")
    expect(root(page)).to_have_attribute("data-drawn", "12")
    counts = page.evaluate("counts")
    assert counts["state"] >= 2
    assert counts["drawn"] >= 2
    # At first there are noise and examples.
    assert 3 < counts["putImageData"] <= 2 + counts["drawn"] + counts["real"]
    assert (counts["createImageData"], counts["btoa"]) == (2, 0)


def test_several_cores_share_the_steps_and_learn_the_same(opened: Any, page: Page) -> None:
    page.add_init_script("""window.made = 0;
    Object.defineProperty(navigator, "hardwareConcurrency", { get: () => Number(location.hash.slice(1)) });
    const Plain = Worker;
    window.Worker = class extends Plain {
      constructor(url) {
        super(url);
        made += 1;
        this.addEventListener("message", ({ data }) => data.type === "saved" && (window.saved = data.text));
      }
    };""")
    found = []
    for cores, workers in ((2, 1), (8, 2)):
        opened(DigitsWidget(steps=6, training_seed=1))
        page.goto(f"{page.url}#{cores}")
        page.reload()
        words = "One core of the processor is" if workers == 1 else "Two cores of the processor are"
        expect(status(page)).to_contain_text(words)
        press(page, "Train")
        be(page, "done")
        page.wait_for_function("window.saved")
        assert page.evaluate("made") == workers
        widget = DigitsWidget()
        widget.learned = page.evaluate("saved")
        found.append(widget.trained)
        assert found[-1].step == 6
    for one, two in zip(*(trained.network().parameters() for trained in found), strict=True):
        close(two, one, 1e-4)
    fresh = build(NETWORK)
    assert (
        max(
            float((a - b).detach().abs().max())
            for a, b in zip(found[0].network().parameters(), fresh.parameters(), strict=True)
        )
        > 1e-2
    )


def test_python_sends_the_digits_and_hears_what_was_learned(page: Page) -> None:
    widget = DigitsWidget(steps=2)
    drive(page, widget)
    page.evaluate("json => { model.send = ({ type }) => model.set(type, json); }", FEW)
    press(page, "Train")
    be(page, "done")
    page.wait_for_function("() => model.get('learned')")
    widget.learned = page.evaluate("model.get('learned')")
    assert widget.trained.step == 2
    page.evaluate("text => model.set('learned', text)", DigitsWidget(untrained()).learned)
    expect(status(page)).to_have_text("A network that was trained for 7 steps.")


@pytest.mark.parametrize("state", ["the start", "paused", "an error"])
def test_every_state_is_accessible(opened: Any, page: Page, state: str) -> None:
    page.emulate_media(reduced_motion="reduce")
    opened(DigitsWidget(), "" if state == "an error" else None)
    if state != "the start":
        press(page, "Train")
    if state == "paused":
        trained_for(page, 1)
        paused(page)
    if state == "an error":
        be(page, "error")
    bar = page.get_by_role("progressbar", name="steps of training")
    assert bar.get_attribute("aria-valuemax") == "1200"
    accessible_at_every_width(page)
