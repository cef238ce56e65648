"""The generator: its states and its controls, with a fake engine in place of the network."""

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
from playwright.sync_api import Browser, Page, expect

from ddpm_lib.diffusion import GaussianDiffusion
from ddpm_lib.models import UNet, UNetConfig
from ddpm_lib.schedule import cosine_schedule
from ddpm_lib.widgets import GenerateWidget
from ddpm_lib.widgets.host.noise import noise
from tests.browser import pixels
from tests.fake_worker import FAKE_WORKER
from tests.generator_page import WEIGHTS, fake, finish, generate, levels, root, script, scrub
from tests.test_widgets import grey
from tests.widget_page import document, drive

# In Python


def test_the_state_can_be_set_and_is_checked() -> None:
    w = fake(digit=7, sampler="ddpm", eta=0.5, w=2.0, seed=9, n=4, mode="hole", start=120)
    assert (w.digit, w.T, w.shape, w.labels[7], w.start) == (7, 500, [1, 28, 28], "7", 120)
    w.digit = "each"
    w.digit = "none"
    for name, value, words in (
        ("digit", 10, 'digit is 10: pass 0 to 9, "each" or "none"'),
        ("digit", True, "digit is True"),
        ("steps", 501, "steps is 501, but the chain has T = 500: pass 1 to 500"),
        ("start", 501, "start is 501"),
        ("n", 17, "n"),
        ("eta", 1.1, "eta"),
        ("sampler", "heun", "sampler"),
    ):
        before = w.state()
        with pytest.raises(traitlets.TraitError, match=words) as refusal:
            setattr(w, name, value)
        assert "\n" not in str(refusal.value)
        assert w.state() == before
    with pytest.raises(TypeError, match="no option 'speed': choose from sampler, steps"):
        fake(speed=3)
    assert repr(w) == "GenerateWidget(digit='none', sampler='ddpm', steps=20, seed=9, n=4)"


def test_the_html_of_a_published_page_is_light_and_holds_neither_engine_nor_weights() -> None:
    w = GenerateWidget()
    page = w.to_html()
    assert len(page) < 62_000
    assert " id=" not in re.sub(r"base64,[^\"]*", "", page)
    assert (w.state()["worker"], w.state()["weights"], w.state()["url"]) == (
        "",
        "",
        "_static/generate-weights.js",
    )
    assert (
        GenerateWidget(url="mine.js").state()["worker"] == w.worker != ""
    )  # somebody else's file has no engine


def test_in_colab_and_for_a_network_of_ones_own_the_weights_lie_in_the_output(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    own = GenerateWidget(tiny(), GaussianDiffusion(cosine_schedule(50)), shape=(1, 8, 8))
    assert json.loads(own.state()["weights"])["config"]["base"] == 8
    assert (own.digit, own.T, own.steps, own.shape, own.url) == ("none", 50, 50, [1, 8, 8], "")
    w = GenerateWidget()
    monkeypatch.setitem(sys.modules, "google.colab", types.ModuleType("google.colab"))
    assert json.loads(w.state()["weights"])["config"]["base"] == 32
    assert w.state()["worker"]


def test_python_sends_the_weights_when_the_page_asks() -> None:
    w = fake()
    assert w.weights == ""
    w._handle_custom_msg({"type": "weights"}, [])
    assert json.loads(w.weights)["config"]["classes"] == 10


def test_a_network_that_the_pages_cannot_run_is_refused() -> None:
    with pytest.raises(ValueError, match="pass its diffusion as well"):
        GenerateWidget(tiny())
    with pytest.raises(ValueError, match="grey images"):
        GenerateWidget(tiny(channels=3), GaussianDiffusion(cosine_schedule(50)), shape=(3, 8, 8))


def tiny(channels: int = 1) -> UNet:
    torch.manual_seed(0)
    return UNet(UNetConfig(channels=channels, base=8, mults=(1, 2), groups=1)).eval()


def test_python_draws_what_it_is_set_to_from_its_seed() -> None:
    diffusion = GaussianDiffusion(cosine_schedule(50))
    w = GenerateWidget(tiny(), diffusion, shape=(1, 8, 8), seed=3, n=2, steps=5, worker="")
    assert w.python == "model, diffusion, shape=(1, 8, 8), "
    x = w.draw()
    assert x.shape == (2, 1, 8, 8)
    w.seed = 4
    assert torch.equal(w.draw()[0], x[1])  # image i of a seed is image 0 of seed + i
    w.mode = "drawing"
    with pytest.raises(ValueError, match="Python has no drawing to start from: set mode='noise'"):
        w.draw()


# From the press to the picture


def test_a_press_loads_the_weights_and_runs_to_the_end(opened: Any) -> None:
    page = opened(fake(seed=4), pace=4)
    assert root(page).get_attribute("data-state") == "idle"
    assert page.locator("script[src]").count() == 0  # nothing is loaded before the reader asks
    xT = noise(4, (28, 28))
    assert np.abs(grey(page)[..., 0] - levels(xT)).max() <= 1  # the noise that Python draws
    page.evaluate(
        """() => {
            const root = document.querySelector(".ddpm-generate");
            window.seen = [];
            new MutationObserver(() => seen.push(root.dataset.state)).observe(root, { attributes: true });
        }"""
    )
    generate(page).press("Enter")
    finish(page)
    assert list(dict.fromkeys(page.evaluate("seen"))) == ["loading", "running", "done"]
    assert (root(page).get_attribute("data-step"), root(page).get_attribute("data-t")) == ("20", "0")
    assert 80 <= int(root(page).get_attribute("data-ms") or 0) < 15_000
    assert "20 steps in" in page.locator(".ddpm-status").inner_text()
    end = torch.sin(4 + 3 + torch.arange(784).reshape(28, 28) / 30)  # seed 4, class 3
    assert np.abs(grey(page)[..., 0] - levels(end)).max() <= 1
    assert np.abs(grey(page, "the guess x 0 hat")[..., 0] - levels(end)).max() <= 1


def test_pause_one_step_and_resume(opened: Any) -> None:
    page = opened(fake(steps=100), pace=50)
    generate(page).click()
    page.wait_for_function("document.querySelector('.ddpm-generate').dataset.step >= 3")
    page.get_by_role("button", name="Pause").click()
    expect(root(page)).to_have_attribute("data-paused", "")
    page.wait_for_timeout(200)
    step = int(root(page).get_attribute("data-step") or 0)
    assert step < 100
    page.wait_for_timeout(200)
    assert root(page).get_attribute("data-step") == str(step)
    for k in (1, 2):
        page.get_by_role("button", name="One step").click()
        expect(root(page)).to_have_attribute("data-step", str(step + k))
    assert root(page).get_attribute("data-state") == "running"
    page.get_by_role("button", name="Resume").click()
    assert root(page).get_attribute("data-paused") is None
    finish(page)


def test_the_slider_goes_back_while_and_after_it_runs(opened: Any) -> None:
    page = opened(fake(steps=60), pace=8)
    generate(page).click()
    page.wait_for_function("document.querySelector('.ddpm-generate').dataset.step >= 5")
    scrub(page).press("Home")  # and the picture stays there, while the steps go on
    first = grey(page)
    assert root(page).get_attribute("data-step") == "0"
    finish(page)
    assert root(page).get_attribute("data-step") == "0"
    assert np.array_equal(first, grey(page))
    scrub(page).press("End")
    assert root(page).get_attribute("data-step") == "60"
    scrub(page).press("ArrowLeft")
    assert scrub(page).get_attribute("aria-valuetext") == "step 59 of 60, t = 8"
    assert page.get_by_role("progressbar").get_attribute("aria-valuenow") == "60"
    page.get_by_role("button", name="Play").click()
    page.wait_for_function("document.querySelector('.ddpm-generate').dataset.step > 59", timeout=8_000)


def test_cancel_keeps_what_was_computed(opened: Any) -> None:
    page = opened(fake(steps=200), pace=50)
    generate(page).click()
    page.wait_for_function("document.querySelector('.ddpm-generate').dataset.step >= 3")
    page.get_by_role("button", name="Cancel").click()
    assert root(page).get_attribute("data-state") == "idle"
    step = int(root(page).get_attribute("data-step") or 0)
    page.wait_for_timeout(200)
    assert root(page).get_attribute("data-step") == str(step) != "0"
    scrub(page).press("Home")
    assert root(page).get_attribute("data-step") == "0"


def test_restart_begins_again_with_the_same_seed(opened: Any) -> None:
    page = opened(fake(steps=100, seed=3), pace=50)
    again = page.get_by_role("button", name="Restart")
    assert again.count() == 0  # nothing has been computed
    generate(page).click()
    page.wait_for_function("document.querySelector('.ddpm-generate').dataset.step >= 5")
    page.get_by_role("button", name="Pause").click()
    again.click()
    page.wait_for_function("document.querySelector('.ddpm-generate').dataset.step < 5")
    expect(root(page)).to_have_attribute("data-state", "running")
    assert root(page).get_attribute("data-paused") is None
    expect(again).to_be_focused()
    page.get_by_role("button", name="Cancel").click()
    scrub(page).press("Home")
    assert np.abs(grey(page)[..., 0] - levels(noise(3, (28, 28)))).max() <= 1


def test_the_same_seed_gives_the_same_picture(opened: Any) -> None:
    page = opened(fake(seed=1))
    pictures = []
    for seed in (1, 2, 1):
        page.locator("summary").evaluate("s => s.parentElement.open = true")
        page.get_by_role("spinbutton", name="seed").fill(str(seed))
        page.get_by_role("spinbutton", name="seed").press("Tab")
        generate(page).click()
        finish(page)
        pictures.append(grey(page))
        page.get_by_role("button", name="Restart").click()
        finish(page)
        assert np.array_equal(grey(page), pictures[-1])
    assert np.array_equal(pictures[0], pictures[2])
    assert not np.array_equal(pictures[0], pictures[1])
    page.get_by_role("button", name="New seed").click()  # the old picture is not the new seed's
    assert root(page).get_attribute("data-state") == "idle"
    assert root(page).get_attribute("data-ms") is None


def test_what_is_chosen_is_what_the_engine_is_asked(opened: Any, page: Page) -> None:
    page.add_init_script(
        """window.asked = [];
        window.Worker = class extends Worker {
            postMessage(m) { if (m.type === "run") asked.push(m); super.postMessage(m); }
        };"""
    )
    opened(fake())
    page.locator("summary").click()
    page.get_by_role("radio", name="each in turn").check()
    page.get_by_role("radio", name="DDIM").press("ArrowRight")  # DDPM
    page.get_by_role("slider", name="number of steps").press("Home")
    page.get_by_role("slider", name="guidance w").press("ArrowRight")
    for _ in range(4):
        page.get_by_role("slider", name="number of images").press("ArrowRight")
    generate(page).click()
    finish(page)
    asked = page.evaluate("({ ...asked[0], x: asked[0].x.length })")
    assert asked == {
        "type": "run", "id": 1, "n": 5, "labels": [0, 1, 2, 3, 4], "seed": 0, "x": 5 * 784,
        "sampler": "ddpm", "eta": 0, "w": 0.6, "steps": 1,
    }  # fmt: skip
    assert re.match(r"1 step in \d\.\d\d s", page.locator(".ddpm-status").inner_text())
    assert page.get_by_role("slider", name="eta").is_disabled()
    assert grey(page).shape == (88, 88, 3)  # five in a square of three by three
    page.get_by_role("radio", name="none").check()
    generate(page).click()
    finish(page)
    assert page.evaluate("asked[1].labels") == [-1] * 5


def test_it_works_from_the_keyboard_alone(opened: Any, page: Page) -> None:
    opened(fake())
    generate(page).focus()
    page.keyboard.press("Space")
    finish(page)
    names = []
    page.get_by_role("radio", name="3").focus()
    for _ in range(7):  # everything on the first screen, in the order of reading
        names.append(page.evaluate("document.activeElement.ariaLabel ?? document.activeElement.textContent"))
        page.keyboard.press("Tab")
    computed = "step, through what was computed"
    assert names == ["3", "Generate", "New seed", "Play", "Restart", computed, "pure noise"]


def test_less_motion_is_ten_pictures(opened: Any, page: Page) -> None:
    page.emulate_media(reduced_motion="reduce")
    opened(fake(steps=50))
    page.evaluate(
        """() => {
            const root = document.querySelector(".ddpm-generate");
            window.seen = new Set();
            new MutationObserver(() => seen.add(root.dataset.step)).observe(root, { attributes: true });
        }"""
    )
    generate(page).click()
    finish(page)
    assert page.evaluate("[...seen].map(Number)") == list(range(0, 51, 5))


def test_the_end_is_said_once(opened: Any) -> None:
    page = opened(fake())
    live = page.locator("[aria-live=polite]")
    assert live.inner_text() == ""
    generate(page).click()
    finish(page)
    expect(live).to_have_text(re.compile(r"^done: 20 steps in \d\.\d seconds$"))


PYTHON = """from ddpm_lib.widgets import GenerateWidget
GenerateWidget(digit=3, sampler="ddim", steps=20, eta=0, w=0.5, seed=7, n=1).draw()"""


@pytest.mark.parametrize("clipboard", ["written", "refused", "missing"])
def test_the_python_of_the_picture_is_copied_from_the_keyboard(
    opened: Any, page: Page, clipboard: str
) -> None:
    answer = (
        "Promise.reject(Error())" if clipboard == "refused" else "((window.copied = text), Promise.resolve())"
    )
    fake_clipboard = "undefined" if clipboard == "missing" else f"{{ writeText: (text) => {answer} }}"
    page.add_init_script(f"Object.defineProperty(navigator, 'clipboard', {{ value: {fake_clipboard} }});")
    page.add_init_script("addEventListener('copy', () => (window.copied = String(getSelection())));")
    opened(fake(more=True))
    page.get_by_role("spinbutton", name="seed").fill("7")
    page.get_by_role("spinbutton", name="seed").press("Tab")
    assert page.locator(".ddpm-python code").inner_text() == PYTHON
    expect(
        page.get_by_role("button", name="Copy the Python")
    ).to_be_focused()  # the next thing after the seed
    page.keyboard.press("Enter")
    expect(page.locator(".ddpm-python button")).to_have_text("Copied")
    assert page.evaluate("copied").strip() == PYTHON
    expect(page.locator("[aria-live=polite]")).to_have_text("copied")
    page.get_by_role("radio", name="a drawing", exact=True).check()
    assert not page.locator(".ddpm-python").is_visible()  # a drawing stays in the page


# A drawing


def test_a_drawing_is_noised_to_t_and_denoised(opened: Any) -> None:
    w = fake(mode="drawing", start=200, n=2)
    page = opened(w)
    assert root(page).get_attribute("data-t") == "200"
    pad = page.get_by_role("application")
    assert pad.is_visible()
    page.get_by_role("button", name="Clear").click()
    box = pad.bounding_box()
    assert box is not None
    before = grey(page)
    page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + box["height"] * 0.2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + box["height"] * 0.8, steps=4)
    page.mouse.up()
    drawn = pad_levels(page)
    assert drawn[14, 14] == 255
    assert drawn[14, 5] == 0
    # x_t is the closed form of what is on the pad
    ab = float(cosine_schedule(500).alpha_bar[200])
    x0 = torch.from_numpy(drawn / 127.5 - 1)
    xt = [ab**0.5 * x0 + (1 - ab) ** 0.5 * noise(i, (28, 28)) for i in (0, 1)]
    shown = grey(page)[..., 0]
    assert np.abs(shown[:28, :28] - levels(xt[0])).max() <= 1.5
    assert np.abs(shown[:28, 30:58] - levels(xt[1])).max() <= 1.5
    assert not np.array_equal(before, grey(page))
    generate(page).click()
    finish(page)
    assert scrub(page).get_attribute("max") == "8"  # 20 steps are for the whole way, 200 of 500 is 8
    page.get_by_role("slider", name="time t that the drawing is noised to").press("End")
    assert (root(page).get_attribute("data-state"), root(page).get_attribute("data-t")) == ("idle", "500")


def pad_levels(page: Page) -> np.ndarray:
    return pixels(page.get_by_role("application"))[..., 2].astype(float)


def test_a_drawing_can_be_made_from_the_keyboard(opened: Any, page: Page) -> None:
    opened(fake(mode="drawing"))
    pad = page.get_by_role("application")
    page.get_by_role("button", name="Clear").press("Enter")
    page.keyboard.press("Tab")
    pad.focus()
    for key in ("ArrowUp", "ArrowUp", "Space", *["ArrowDown"] * 6, "Space", "ArrowRight"):
        page.keyboard.press(key)
    expect(page.locator("[aria-live=polite]")).to_have_text("pen up, column 16, row 19")
    page.get_by_role("button", name="Clear").focus()  # the pen's mark is gone
    drawn = pad_levels(page)
    assert drawn[12:18, 14].min() > 200
    assert drawn[:, 20:].max() == 0
    page.get_by_role("radio", name="eraser").check()
    pad.focus()
    for key in ("Space", *["ArrowUp"] * 12, "Space"):
        page.keyboard.press(key)
    page.get_by_role("button", name="Clear").focus()
    assert pad_levels(page)[:, 14].max() < 128
    page.get_by_role("button", name="example 7").press("Enter")
    assert pad_levels(page).mean() > 10
    assert page.get_by_role("radio", name="7", exact=True).is_checked()  # and a 7 is asked for


def test_a_hole_is_filled_and_the_rest_is_kept(opened: Any) -> None:
    page = opened(fake())
    page.get_by_role("radio", name="a drawing with a hole").check()
    assert page.get_by_role("slider", name="time t that the drawing").count() == 0  # it starts from T
    known = pad_levels(page)[:14]
    generate(page).click()
    finish(page)
    end = grey(page)[..., 0]
    assert np.abs(end[:14] - known).max() <= 1  # the upper half is the drawing's
    assert np.abs(end[14:] - levels(torch.sin(3 + torch.arange(392, 784).reshape(14, 28) / 30))).max() <= 1
    clear = page.get_by_role("button", name="Clear")
    clear.click()
    assert root(page).get_attribute("data-state") == "idle"
    assert (pad_levels(page) == 0).all()
    assert "There is no hole to fill" in page.locator(".ddpm-status").inner_text()
    # Leave, and clear the drawing only: the next hole is the lower half again.
    page.get_by_role("radio", name="a drawing", exact=True).check()
    page.get_by_role("button", name="example 3").click()
    clear.click()
    assert (pad_levels(page) == 0).all()
    page.get_by_role("radio", name="a drawing with a hole").check()
    assert (pad_levels(page)[14:] > 0).all()
    assert "no hole" not in page.locator(".ddpm-status").inner_text()
    expect(page.locator("[aria-live=polite]")).to_have_text("cleared")


# Hosts


def test_two_on_a_page_share_the_weights_and_nothing_else(opened: Any, page: Page) -> None:
    opened()
    names = set(page.evaluate("Object.getOwnPropertyNames(window)"))
    opened(fake(), fake(seed=5, digit=1))
    page.get_by_role("button", name="Generate").nth(0).click()
    expect(root(page).nth(0)).to_have_attribute("data-state", "done")
    assert root(page).nth(1).get_attribute("data-state") == "idle"
    page.get_by_role("button", name="Generate").nth(1).click()
    expect(root(page).nth(1)).to_have_attribute("data-state", "done")
    assert page.locator("script[src]").count() == 1
    assert set(page.evaluate("Object.getOwnPropertyNames(window)")) == names
    assert page.locator("[id]").count() == 0


def test_the_address_counts_from_the_books_root(page: Page, tmp_path: Path) -> None:
    (tmp_path / "book").mkdir()
    (tmp_path / "_static").mkdir()
    (tmp_path / "_static" / WEIGHTS).write_text(script(), encoding="utf-8")
    text = document(fake(url=f"_static/{WEIGHTS}"))
    for path, content_root in (("book/page.html", "../"), ("page.html", "./")):
        (tmp_path / path).write_text(text.replace("<html ", f'<html data-content_root="{content_root}" '))
        page.goto((tmp_path / path).as_uri())
        generate(page).click()
        finish(page)


def test_it_works_in_a_sandboxed_frame_with_weights_of_its_own(page: Page) -> None:
    w = GenerateWidget(
        tiny(), GaussianDiffusion(cosine_schedule(50)), shape=(1, 8, 8), worker=FAKE_WORKER, steps=10
    )
    page.set_content(f'<iframe sandbox="allow-scripts" srcdoc="{html.escape(document(w))}"></iframe>')
    frame = page.frames[1]
    frame.get_by_role("button", name="Generate").click()
    expect(frame.locator(".ddpm-generate")).to_have_attribute("data-state", "done")
    assert frame.get_by_role("radiogroup", name="Digit").count() == 0  # it knows no classes


def test_a_live_widget_asks_python_for_the_weights(page: Page) -> None:
    drive(page, fake())
    page.evaluate("""() => (model.send = ({ type }) => setTimeout(() => model.set(type, '{"pace": 1}')))""")
    generate(page).click()
    finish(page)
    page.evaluate("model.set('digit', 8)")
    assert page.get_by_role("radio", name="8").is_checked()
    page.evaluate("model.set('n', 4)")
    assert root(page).get_attribute("data-state") == "idle"
    page.get_by_role("radio", name="a drawing", exact=True).check()
    assert page.evaluate("saved.mode") == "drawing"


def test_without_scripts_the_picture_tells_it(browser: Browser, tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    path.write_text(document(fake()), encoding="utf-8")
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(path.as_uri())
    assert page.get_by_role("img", name="Noise turning into a 3, at t = 500").is_visible()
    context.close()


@pytest.mark.parametrize("mode", ["noise", "drawing", "hole"])
def test_it_fits_a_phone(opened: Any, page: Page, mode: str) -> None:
    page.set_viewport_size({"width": 390, "height": 800})
    opened(fake(mode=mode, n=16))
    page.locator("summary").click()
    generate(page).click()
    finish(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_every_control_has_a_name(opened: Any) -> None:
    page = opened(fake(mode="hole"))
    page.locator("summary").click()
    tree = page.locator("body").aria_snapshot()
    for expected in (
        'group "Generate images here"',
        'application "drawing pad, 28 by 28: arrow keys move the pen',
        'img "the noisy image x t',
        'img "the guess x 0 hat',
        'slider "step, through what was computed"',
        'progressbar "steps computed"',
        'radiogroup "Digit"',
        'radiogroup "Sampler"',
        'radiogroup "Start from"',
        'radiogroup "Tool"',
        'button "example 9"',
        'slider "number of steps"',
        'slider "eta, the share of fresh noise"',
        'slider "guidance w"',
        'slider "number of images"',
        'spinbutton "seed"',
        'button "New seed"',
        'button "Generate"',
    ):
        assert expected in tree
