"""The cloud: the page's points against Python's and a sampler's own states, its controls, its words."""

import base64
import html
import io
import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import traitlets
from PIL import Image
from playwright.sync_api import Browser, Locator, Page

from ddpm_lib.data.toys import spiral, two_moons
from ddpm_lib.diffusion import GaussianDiffusion
from ddpm_lib.sampling import State, timesteps
from ddpm_lib.schedule import cosine_schedule, linear_schedule
from ddpm_lib.widgets import CloudWidget
from ddpm_lib.widgets.host.noise import noise
from tests.browser import pixels
from tests.widget_page import document

CLOUDS = {"two moons": two_moons(200, 0), "spiral": spiral(150, 0)}
DIFFUSION = GaussianDiffusion(linear_schedule(500))


def walk(ts: list[int], n: int = 120, seed: int = 0) -> list[State]:
    """States as a sampler yields them; the forward process backwards is as good as any."""
    x0, eps = two_moons(n, seed), noise(seed, (n, 2)).float()
    return [State(t, DIFFUSION.q_sample(x0, t, eps), None) for t in ts]


def recording(steps: int = 100, n: int = 120, seed: int = 0) -> list[State]:
    return walk(timesteps(500, steps), n, seed)


def root(page: Page) -> Locator:
    return page.locator(".ddpm-cloud")


def data(page: Page, name: str) -> str:
    return root(page).get_attribute(f"data-{name}") or ""


def numbers(page: Page, name: str) -> list[float]:
    return [float(value) for value in data(page, name).split()]


def alpha(page: Page) -> np.ndarray:
    """How much of every pixel of the canvas is covered, 0 ... 255."""
    return pixels(page.locator("canvas"))[..., 3]


def at(x: float, y: float) -> tuple[int, int]:
    """The row and column of the canvas where the point (x, y) of the plane is drawn."""
    return round(560 * (0.5 - y / 6.6)), round(560 * (0.5 + x / 6.6))


def slider(page: Page) -> Locator:
    return page.get_by_role("slider", name="time step t")


def same(page: Page, w: CloudWidget) -> None:
    """Mean and variance of the page's points are those of Python's."""
    x = w.x.double()
    assert numbers(page, "mean") == pytest.approx(x.mean(0).tolist(), abs=1e-5)
    assert numbers(page, "variance") == pytest.approx(x.var(0, unbiased=False).tolist(), abs=1e-5)


# In Python


def test_the_points_are_the_closed_form() -> None:
    w = CloudWidget(CLOUDS, t=120, seed=3)
    expected = DIFFUSION.q_sample(CLOUDS["two moons"], 120, noise(3, (200, 2)).float())
    assert (w.x - expected).abs().max() < 1e-3  # x0 is kept to 1 / 8,192
    w.t = 0
    assert (w.x - CLOUDS["two moons"]).abs().max() <= 1 / 8192
    w.cloud, w.t = "spiral", 500
    assert w.x.shape == (150, 2)


def test_backward_shows_the_recorded_states() -> None:
    states = recording(50)
    w = CloudWidget(CLOUDS, reverse=states, direction="reverse")
    assert w.t == 500
    for state in states:
        w.t = state.t
        assert (w.x - state.xt.clamp(-4, 4)).abs().max() <= 4 / 255 + 1e-6
    w.t = 12  # between two: the nearest, 10
    assert (w.x - states[-2].xt).abs().max() <= 4 / 255 + 1e-6
    far = [State(500, torch.tensor([[9.0, 1.0]]), None), State(0, torch.zeros(1, 2), None)]
    assert CloudWidget(CLOUDS, reverse=far, direction="reverse").x[0, 0] == 4  # the edge of what is kept


def test_a_recording_may_come_straight_from_the_sampler() -> None:
    w = CloudWidget(CLOUDS, reverse=iter(recording(10)), direction="reverse", t=0)
    assert (w.x - two_moons(120)).abs().max() <= 4 / 255 + 1e-6


def test_long_recordings_are_thinned_and_keep_both_ends() -> None:
    w = CloudWidget(CLOUDS, reverse=recording(500))
    ts = w.runs["recorded"][0]
    assert (len(ts), ts[0], ts[-1]) == (60, 500, 0)
    assert {t - s for t, s in pairwise(ts)} == {8, 9}
    assert len(CloudWidget(CLOUDS, reverse=recording(20)).runs["recorded"][0]) == 21


def test_a_cloud_may_have_its_own_recording_or_share_several() -> None:
    own = CloudWidget(CLOUDS, reverse={"spiral": recording(9), "two moons": recording(10)})
    assert own.recording == "two moons"
    own.cloud = "spiral"
    assert own.recording == "spiral"
    several = CloudWidget(CLOUDS, reverse={"DDPM": recording(9), "DDIM": recording(10)}, run="DDIM")
    assert several.recording == "DDIM"


def test_the_state_can_be_observed_and_linked() -> None:
    a, b = CloudWidget(CLOUDS), CloudWidget(CLOUDS, cosine_schedule(500))
    link = traitlets.link((a, "t"), (b, "t"))
    b.t = 90
    assert a.t == 90
    link.unlink()
    assert repr(a) == "CloudWidget(cloud='two moons', direction='forward', t=90, seed=0)"


GOOD = recording(10)


def replaced(states: list[State], xt: torch.Tensor) -> list[State]:
    """The same walk with another second state."""
    return [states[0], State(states[1].t, xt, None), *states[2:]]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"clouds": {}}, "no cloud to show"),
        ({"clouds": {"a": torch.zeros(3)}}, r"'a' has shape \(3,\).*\(n, 2\)"),
        ({"clouds": {"a": torch.zeros(0, 2)}}, r"shape \(0, 2\)"),
        ({"clouds": {"a": torch.zeros(501, 2)}}, r"'a' has 501 points, but at most 500"),
        ({"clouds": {"a": torch.full((3, 2), float("nan"))}}, "'a' holds NaN or infinity"),
        ({"clouds": {"a": torch.full((3, 2), 9.0)}}, "'a' reaches 9, but must stay within 7.9"),
        ({"reverse": []}, "has no states"),
        ({"reverse": GOOD[1:]}, "from 450 to 0 .*must fall from T = 500 to 0"),
        ({"reverse": GOOD[:-1]}, "from 500 to 50"),
        ({"reverse": [GOOD[0], GOOD[2], GOOD[1], GOOD[-1]]}, "times must fall"),
        ({"reverse": GOOD, "schedule": linear_schedule(1000)}, "must fall from T = 1000"),
        ({"reverse": replaced(GOOD, torch.zeros(120, 3))}, r"at t = 450 has shape \(120, 3\)"),
        ({"reverse": replaced(GOOD, torch.zeros(501, 2))}, "at t = 450 has 501 points"),
        ({"reverse": replaced(GOOD, torch.zeros(7, 2))}, r"states of \[7, 120\] points"),
        ({"reverse": replaced(GOOD, torch.full((120, 2), float("inf")))}, "at t = 450 holds NaN or inf"),
        ({"reverse": {"spiral": GOOD}}, r"recordings \['spiral'\]: pass one for each cloud"),
        ({"reverse": {"spiral": GOOD, "two moons": GOOD, "DDIM": GOOD}}, "pass one for each cloud"),
        ({"direction": "reverse"}, "Nothing was recorded"),
        ({"direction": "sideways"}, "direction"),
        ({"cloud": "moon"}, "no cloud 'moon' here: choose one of .*two moons"),
        ({"reverse": GOOD, "run": "DDIM"}, "no run 'DDIM' here: choose one of .*recorded"),
        ({"t": 501}, "t is 501, but it runs from 0 to 500"),
        ({"seed": -1}, "seed"),
    ],
)
def test_what_does_not_fit_is_refused_with_one_sentence(arguments: dict[str, Any], words: str) -> None:
    with pytest.raises((ValueError, traitlets.TraitError), match=words) as refusal:
        CloudWidget(**{"clouds": CLOUDS, **arguments})
    assert "\n" not in str(refusal.value)


def test_the_html_is_small_and_has_no_ids() -> None:
    three = {name: two_moons(400, i) for i, name in enumerate("abc")}
    forward = CloudWidget(three)
    assert len(forward.fallback().png) < 8_000
    assert len(forward.to_html()) < 45_000
    backward = CloudWidget(three, reverse=recording(39, n=300), direction="reverse")
    assert len(backward.fallback().png) < 8_000
    assert len(backward.to_html()) < 80_000
    assert " id=" not in re.sub(r"base64,[^\"]*", "", forward.to_html())


# In a browser


def test_the_page_computes_what_python_computes(show: Any) -> None:
    w = CloudWidget(CLOUDS, t=120)
    page = show(w)
    same(page, w)
    for key in ("ArrowRight", "End", "Home", "PageUp"):
        slider(page).press(key)
        w.t = int(data(page, "t"))
        same(page, w)
    page.get_by_role("button", name="New noise").press("Enter")
    w.seed = 1
    same(page, w)
    page.get_by_role("radio", name="spiral").check()
    w.cloud = "spiral"
    same(page, w)


def test_backward_the_slider_goes_through_the_recorded_times(show: Any) -> None:
    states = recording(20)
    w = CloudWidget(CLOUDS, reverse=states, direction="reverse", t=250)
    page = show(w)
    same(page, w)
    assert not page.get_by_role("button", name="New noise").is_visible()
    assert not page.get_by_role("radio", name="spiral").is_visible()
    for key, t in {"ArrowRight": 275, "ArrowLeft": 250, "Home": 0, "End": 500}.items():
        slider(page).press(key)
        assert data(page, "t") == str(t)
        w.t = t
        same(page, w)
    page.get_by_role("radio", name="forward").check()
    assert (data(page, "direction"), data(page, "t")) == ("forward", "0")
    w.direction, w.t = "forward", 0
    same(page, w)
    page.get_by_role("radio", name="reverse").check()
    assert data(page, "t") == "500"


def test_backward_the_slider_is_t_and_stops_at_recorded_times_alone(show: Any) -> None:
    ts = [500, 300, 100, 20, 0]
    w = CloudWidget(CLOUDS, reverse=walk(ts), direction="reverse")
    page = show(w)
    for t in ts[1:]:  # a key goes to the next of them, however far
        slider(page).press("ArrowLeft")
        assert (data(page, "t"), slider(page).input_value()) == (str(t), str(t))
        assert slider(page).get_attribute("aria-valuetext") == f"t = {t} of 500"
    slider(page).press("ArrowLeft")
    assert data(page, "t") == "0"
    for t in ts[-2::-1]:
        slider(page).press("ArrowRight")
        assert data(page, "t") == str(t)
    box = slider(page).bounding_box() or {}
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] - 9, middle)
    page.mouse.down()
    for value, t in {490: 500, 390: 300, 210: 300, 190: 100, 5: 0}.items():  # a hand: to the nearest
        page.mouse.move(box["x"] + 9 + (box["width"] - 18) * value / 500, middle)
        assert (data(page, "t"), slider(page).input_value()) == (str(t), str(t))
        w.t = t
        same(page, w)
    page.mouse.up()


def test_choosing_a_cloud_chooses_its_recording(show: Any) -> None:
    w = CloudWidget(
        CLOUDS,
        reverse={"spiral": recording(9, seed=1), "two moons": recording(10)},
        direction="reverse",
        t=100,
    )
    page = show(w)
    same(page, w)
    assert not page.get_by_role("radiogroup", name="Run").is_visible()
    page.get_by_role("radio", name="spiral").check()
    w.cloud = "spiral"
    assert data(page, "t") == "111"
    same(page, w)


def test_without_a_recording_there_is_no_direction_to_choose(show: Any) -> None:
    page = show(CloudWidget({"one": two_moons(9)}))
    assert page.get_by_role("radio").count() == 0  # hidden, and so is the choice of the only cloud
    assert page.get_by_role("button", name="New noise").is_visible()


def test_recordings_are_chosen_by_name(show: Any) -> None:
    runs = {"one": recording(10, seed=1), "two": recording(20, seed=2)}
    w = CloudWidget(CLOUDS, reverse=runs, direction="reverse", t=100)
    page = show(w)
    same(page, w)
    page.get_by_role("radio", name="two", exact=True).check()
    w.run = "two"
    same(page, w)
    page.get_by_role("radio", name="forward").check()
    assert not page.get_by_role("radiogroup", name="Run").is_visible()
    assert page.get_by_role("radiogroup", name="Cloud").is_visible()


def test_the_points_are_drawn_where_they_are(show: Any) -> None:
    x0 = [[1.0, 1.0], [-2.0, 0.0], [0.0, -1.5]]
    w = CloudWidget({"four": torch.tensor([*x0, [6.0, 2.0]])})
    page = show(w)
    covered = alpha(page)
    assert all(covered[at(x, y)] > 150 for x, y in x0)
    assert covered[at(2.0, 0.0)] > 0 or covered[at(2.0, 0.02)] > 0  # a dash of the circle at two
    assert covered[at(-1.7, -1.7)] == 0
    assert covered[at(3.25, 2.0)] > 150  # beyond the frame: at its edge
    slider(page).press("End")
    w.t = 500
    covered = alpha(page)
    assert all(covered[at(x, y)] > 150 for x, y in w.x.tolist())
    assert covered[at(-2.0, 0.3)] == 0


def test_backward_a_few_points_have_tails(show: Any) -> None:
    xs = torch.tensor([[[-2.5, 1.0]], [[2.5, 1.0]], [[2.5, -2.5]]])
    page = show(
        CloudWidget(
            CLOUDS,
            reverse=[State(t, x, None) for t, x in zip((500, 250, 0), xs, strict=True)],
            direction="reverse",
        )
    )
    row, column = at(0.5, 1.0)
    assert alpha(page)[row - 3 : row + 4, column].max() == 0
    slider(page).press("ArrowLeft")
    assert alpha(page)[row - 3 : row + 4, column].max() > 40  # the way it came
    assert alpha(page)[at(2.5, 1.0)] > 150


@pytest.mark.parametrize(("direction", "end"), [("forward", "500"), ("reverse", "0")])
def test_play_runs_to_the_end(show: Any, page: Page, direction: str, end: str) -> None:
    page.emulate_media(reduced_motion="reduce")  # ten steps instead of hundreds
    w = CloudWidget(CLOUDS, reverse=recording(20), direction=direction)
    show(w)
    assert data(page, "t") == str(w.t)
    page.get_by_role("button", name="Play").press("Enter")
    assert page.get_by_role("button", name="Pause").is_visible()
    page.wait_for_function(f"document.querySelector('.ddpm-cloud').dataset.t === '{end}'", timeout=15_000)
    assert page.get_by_role("button", name="Play").is_visible()
    w.t = int(end)
    same(page, w)


def test_with_motion_play_passes_through_every_frame(show: Any) -> None:
    ts = [500, 300, 100, 20, 0]
    page = show(CloudWidget(CLOUDS, reverse=walk(ts), direction="reverse"))
    page.evaluate(
        """() => {
            const node = document.querySelector(".ddpm-cloud");
            window.seen = [];
            new MutationObserver(() => window.seen.push(Number(node.dataset.t)))
                .observe(node, { attributeFilter: ["data-t"] });
        }"""
    )
    page.get_by_role("button", name="Play").press("Enter")
    page.wait_for_function("document.querySelector('.ddpm-cloud').dataset.t === '0'", timeout=20_000)
    assert list(dict.fromkeys(page.evaluate("seen"))) == ts[1:]


def test_light_and_dark_are_drawn_in_their_own_colors(show: Any, page: Page) -> None:
    show(CloudWidget(CLOUDS))
    brightness = []
    for color in ("#111", "#eee"):
        page.evaluate(
            "c => { document.body.style.color = c; document.documentElement.dataset.theme = c; }", color
        )
        page.wait_for_timeout(100)
        url = page.locator("canvas").evaluate("c => c.toDataURL()")
        picture = Image.open(io.BytesIO(base64.b64decode(url.split(",")[1])))
        pixels = np.asarray(picture.convert("RGBA"), float).reshape(-1, 4)
        brightness.append(pixels[pixels[:, 3] > 150, :3].mean())
    assert brightness[1] > brightness[0] + 20


def test_what_happened_is_said_once_things_are_still(show: Any) -> None:
    page = show(CloudWidget(CLOUDS, t=10))
    page.wait_for_timeout(900)
    assert page.locator("[aria-live=polite]").inner_text() == ""
    slider(page).press("ArrowRight")
    page.wait_for_timeout(900)
    assert page.locator("[aria-live=polite]").inner_text().startswith("t = 11: mean ")


def test_two_on_a_page_are_independent_and_leave_nothing_global(show: Any, page: Page) -> None:
    show()
    names = set(page.evaluate("Object.getOwnPropertyNames(window)"))
    show(CloudWidget(CLOUDS), CloudWidget(CLOUDS, t=77))
    assert set(page.evaluate("Object.getOwnPropertyNames(window)")) == names
    assert page.locator("[id]").count() == 0
    root(page).nth(0).get_by_role("slider").press("ArrowRight")
    assert [root(page).nth(i).get_attribute("data-t") for i in (0, 1)] == ["1", "77"]


def test_it_works_in_a_sandboxed_frame(page: Page) -> None:
    source = html.escape(document(CloudWidget(CLOUDS)))
    page.set_content(f'<iframe sandbox="allow-scripts" srcdoc="{source}"></iframe>')
    frame = page.frames[1]
    frame.get_by_role("slider").press("End")
    assert frame.locator(".ddpm-cloud").get_attribute("data-t") == "500"


def test_without_scripts_the_picture_tells_it(browser: Browser, tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    path.write_text(document(CloudWidget(CLOUDS, reverse=GOOD, direction="reverse")), encoding="utf-8")
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(path.as_uri())
    assert page.get_by_role(
        "img", name="at t = 500, 150, 50, 0, out of noise, on the recording called recorded"
    ).is_visible()
    context.close()


def test_it_fits_a_phone(show: Any, page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 800})
    show(
        CloudWidget(
            CLOUDS, reverse={"with noise": GOOD, "means only": GOOD, "DDIM": GOOD}, direction="reverse"
        )
    )
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_every_control_has_a_name(show: Any) -> None:
    tree = show(CloudWidget(CLOUDS, reverse=GOOD)).locator("body").aria_snapshot()
    for expected in (
        'group "A cloud of points, and t"',
        'img "the cloud of points',
        'slider "time step t"',
        'radiogroup "Cloud"',
        'radio "spiral"',
        'radiogroup "Direction"',
        'radio "reverse"',
        'button "New noise"',
        'button "Play"',
    ):
        assert expected in tree
