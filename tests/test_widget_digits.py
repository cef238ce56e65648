"""The widget that trains on digits, driven in headless Chromium as a reader drives it: from the disk, by keys."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path
from typing import Any

import pytest
import torch
import traitlets
from playwright.sync_api import Browser, Locator, Page, expect

from ddpm_lib import load
from ddpm_lib.data import mnist
from ddpm_lib.models import build
from ddpm_lib.models.storage import CheckpointError
from ddpm_lib.models.trained import About, Trained
from ddpm_lib.schedule import cosine_schedule
from ddpm_lib.widgets import DigitsWidget
from ddpm_lib.widgets.digits.digits import BYTES
from ddpm_lib.widgets.digits.images import digits_json, digits_script, packed, page_digits
from ddpm_lib.widgets.digits.recipe import NETWORK, TRAINING, T
from tests.axe import accessible_at_every_width
from tests.browser import pixels
from tests.helpers import close
from tests.widget_page import document, drive

FILE = "digits.js"
FEW = json.dumps(packed(mnist(train=False).head(300)))


@pytest.fixture
def opened(page: Page, tmp_path: Path) -> Any:
    """Opens a widget from the disk, with a file of some digits beside it."""

    def opened(widget: DigitsWidget, digits: str | None = None) -> Page:
        widget.url = FILE
        (tmp_path / FILE).write_text(digits_script(FEW) if digits is None else digits, encoding="utf-8")
        (tmp_path / "page.html").write_text(document(widget), encoding="utf-8")
        page.goto((tmp_path / "page.html").as_uri())
        return page

    return opened


def root(page: Page) -> Locator:
    return page.locator(".ddpm-digits")


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).press("Enter")


def be(page: Page, state: str) -> None:
    expect(root(page)).to_have_attribute("data-state", state, timeout=90_000)


def number(page: Page, name: str) -> float:
    return float(root(page).get_attribute(f"data-{name}") or "nan")


def trained_for(page: Page, least: int) -> None:
    """Until so many steps are taken."""
    page.wait_for_function(
        "n => Number(document.querySelector('.ddpm-digits').dataset.steps) >= n", arg=least, timeout=120_000
    )


def paused(page: Page) -> None:
    """Pause, and wait for the last drawing and the file."""
    press(page, "Pause")
    be(page, "paused")
    expect(root(page)).to_have_attribute("data-saved", "true", timeout=60_000)
    page.wait_for_function(
        "() => { const d = document.querySelector('.ddpm-digits').dataset; return d.drawn === d.steps; }",
        timeout=60_000,
    )


def status(page: Page) -> Locator:
    return page.locator(".ddpm-status")


def untrained() -> Trained:
    """The network of the page with random weights, so that it draws something."""
    torch.manual_seed(0)
    net = build(NETWORK)
    for parameter in net.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    tensors = {f"ema.{name}": tensor for name, tensor in net.state_dict().items()}
    return Trained(NETWORK, cosine_schedule(T), About("mnist", (1, 28, 28), tuple("0123456789")), tensors, 7)


def test_it_trains_from_the_disk_pauses_goes_on_and_python_draws_what_it_saved(
    opened: Any, tmp_path: Path
) -> None:
    page: Page = opened(DigitsWidget(steps=30, training_seed=1))
    expect(status(page)).to_contain_text("Train loads 1.3 MB of digits and takes 30 steps, about")
    assert page.locator("script[src]").count() == 0  # nothing is loaded before the press
    before = pixels(page.locator(".ddpm-gallery").nth(0))
    press(page, "Train")
    trained_for(page, 3)
    paused(page)
    assert re.match(r"Paused after \d+ steps, about \d+ s from the end", status(page).inner_text())
    steps = number(page, "steps")
    press(page, "Go on")
    be(page, "done")
    assert number(page, "steps") == 30 > steps
    expect(root(page)).to_have_attribute("data-drawn", "30", timeout=60_000)
    assert number(page, "loss") < 0.8
    made = page.locator(".ddpm-gallery").nth(0)
    assert (pixels(made) != before).any()
    page.get_by_role("radio", name="7", exact=True).check(force=True)
    expect(made).to_have_attribute("aria-label", re.compile("ten times 7, drawn after 30 steps"))
    with page.expect_download() as download:
        press(page, "Save the network")
    path = tmp_path / "digits.safetensors"
    download.value.save_as(path)
    trained = load(path)
    assert (trained.step, trained.model_config) == (30, NETWORK)
    assert trained.training["lr"] == TRAINING["lr"]
    assert page.locator(".ddpm-python code").inner_text().endswith("digit=7, seed=0).draw()")
    x = DigitsWidget(path, digit=7).draw()
    assert x.std() > 0.05
    shown = torch.from_numpy(pixels(made)[..., 0].astype("float32"))
    tiles = [shown[30 * (i // 5) :, 30 * (i % 5) :][:28, :28] for i in range(10)]
    close(torch.stack(tiles), ((x[:, 0] + 1) * 127.5).clamp(0, 255), 1.0)


def test_a_saved_network_is_opened_again_and_trained_further(opened: Any, tmp_path: Path) -> None:
    path = tmp_path / "own.safetensors"
    path.write_bytes(base64.b64decode(DigitsWidget(untrained()).learned))
    page: Page = opened(DigitsWidget(steps=2))
    page.locator("input[type=file]").set_input_files(path)
    expect(root(page)).to_have_attribute("data-drawn", "7", timeout=60_000)
    expect(status(page)).to_have_text("A network that was trained for 7 steps.")
    press(page, "Train on")
    be(page, "done")
    assert number(page, "steps") == 9
    path.write_bytes(b"no such file")
    page.locator("input[type=file]").set_input_files(path)
    be(page, "error")
    expect(status(page)).to_contain_text("choose a file that this page saved")
    press(page, "Reset")
    be(page, "idle")
    assert number(page, "steps") == 0
    press(page, "Train")
    be(page, "done")
    assert number(page, "steps") == 2


def test_the_drawings_of_the_training_can_be_gone_through(opened: Any) -> None:
    page: Page = opened(DigitsWidget(steps=8))
    film = page.get_by_role("slider", name="through what was drawn during the training")
    expect(film).to_be_disabled()
    press(page, "Train")
    be(page, "done")
    expect(root(page)).to_have_attribute("data-drawn", "8", timeout=60_000)
    film.press("Home")
    expect(root(page)).to_have_attribute("data-drawn", "1")
    expect(film).to_have_attribute("aria-valuetext", "after 1 step")
    press(page, "New seed")
    expect(root(page)).to_have_attribute("data-film", "1", timeout=60_000)
    expect(root(page)).to_have_attribute("data-drawn", "8")


def test_a_page_out_of_sight_rests_and_goes_on_when_it_is_seen_again(opened: Any) -> None:
    page: Page = opened(DigitsWidget())

    def hide(hidden: bool) -> None:
        page.evaluate(
            "hidden => (Object.defineProperty(document, 'hidden', { value: hidden, configurable: true }),"
            " document.dispatchEvent(new Event('visibilitychange')))",
            hidden,
        )

    hide(True)
    hide(False)
    be(page, "idle")  # who was not training does not begin
    press(page, "Train")
    trained_for(page, 2)
    hide(True)
    be(page, "paused")
    expect(status(page)).to_contain_text("out of sight")
    expect(root(page)).to_have_attribute("data-saved", "true", timeout=60_000)
    rested = number(page, "steps")
    hide(False)
    be(page, "training")
    trained_for(page, int(rested) + 1)
    paused(page)
    hide(True)
    hide(False)
    be(page, "paused")  # who paused it is not overruled


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
    expect(root(page)).to_have_attribute("data-saved", "true", timeout=60_000)
    expect(root(page)).to_have_attribute("data-drawn", "12", timeout=60_000)
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


# -- in Python -----------------------------------------------------------------------------------------------------


def test_the_file_of_digits_is_as_large_as_is_said_and_holds_all_of_them() -> None:
    script, digits = digits_script(), page_digits()
    assert abs(len(script) - BYTES) < 50_000
    found = json.loads(digits_json())
    assert len(base64.b64decode(found["y"])) == len(digits) == 10_000
    assert digits.y is not None
    assert digits.y.bincount().min() > 800
    assert (digits.pixels - mnist().head(10_000).pixels.int()).abs().max() <= 8


def test_a_network_comes_back_as_it_was() -> None:
    trained = untrained()
    again = DigitsWidget(trained).trained
    for ours, theirs in zip(again.network().parameters(), trained.network().parameters(), strict=True):
        assert torch.equal(ours, theirs)
    assert again.step == 7


def test_what_does_not_fit_is_refused_in_a_sentence() -> None:
    widget = DigitsWidget()
    with pytest.raises(CheckpointError, match="press Train"):
        _ = widget.trained
    with pytest.raises(CheckpointError, match="base64"):
        widget.learned = "%"
    with pytest.raises(CheckpointError):
        widget.learned = "aaaa"
    with pytest.raises(CheckpointError, match="one network alone"):
        DigitsWidget(load("cpu-minutes"))
    with pytest.raises(traitlets.TraitError, match="pass 0 to 9"):
        widget.digit = 10
    with pytest.raises(traitlets.TraitError, match="pass a steps in that range"):
        widget.steps = 0
    with pytest.raises(TypeError, match="no option"):
        DigitsWidget(rate=1)
