"""The cloud: the page's points against Python's and a sampler's own states, its controls, its words."""

from typing import Any

import numpy as np
import torch
from playwright.sync_api import Page

from ddpm_lib.data.toys import two_moons
from ddpm_lib.sampling import State
from ddpm_lib.widgets import CloudWidget
from tests.browser import pixels
from tests.cloud_parts import CLOUDS, data, recording, same, slider, walk


def alpha(page: Page) -> np.ndarray:
    """How much of every pixel of the canvas is covered, 0 ... 255."""
    return pixels(page.locator("canvas"))[..., 3]


def at(x: float, y: float) -> tuple[int, int]:
    """The row and column of the canvas where the point (x, y) of the plane is drawn."""
    return round(560 * (0.5 - y / 6.6)), round(560 * (0.5 + x / 6.6))


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
