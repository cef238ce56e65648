"""Figures show the numbers that they were given, in few bytes, and leave nothing behind."""

import gc
import io
import weakref
from collections.abc import Callable

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from IPython.core.formatters import DisplayFormatter
from matplotlib.backends.backend_agg import FigureCanvasAgg
from PIL import Image

from ddpm_lib import plot
from ddpm_lib.data.toys import two_moons
from ddpm_lib.plot.picture import WIDTH, Picture
from ddpm_lib.schedule import cosine_schedule, linear_schedule
from tests.drawn import DIFFUSION, LEVEL, canvas, grey, images, states

MAKERS: dict[str, Callable[[], Picture]] = {
    "image_grid": lambda: plot.image_grid(images(10), columns=4, title="ten", labels="abcd"),
    "forward_strip": lambda: plot.forward_strip(DIFFUSION, images(2)),
    "denoising_strip": lambda: plot.denoising_strip(states(), x0_hat=True),
    "schedule_curves": lambda: plot.schedule_curves(linear_schedule(500), cosine_schedule(500)),
    "loss_curve": lambda: plot.loss_curve(range(100), [1 / (i + 1) for i in range(100)]),
    "clouds": lambda: plot.clouds([two_moons(100, 0)] * 2, ["a", "b"]),
    "axes": lambda: plot.axes(1, 2)[0],
}
every_figure = pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)


@every_figure
def test_a_notebook_shows_it_once_as_a_small_transparent_png(make: Callable[[], Picture]) -> None:
    picture = make()
    data, metadata = DisplayFormatter().format(picture)
    assert set(data) == {"image/png", "text/plain"}
    image = Image.open(io.BytesIO(picture.png()))
    assert image.mode == "P"
    width = round(96 * picture.get_size_inches()[0])
    assert metadata["image/png"] == {"width": width}
    assert abs(image.width - picture.density * width) <= 2
    assert width <= WIDTH
    alpha = np.asarray(image.convert("RGBA"))[..., 3]
    assert alpha.min() == 0  # the page is seen
    assert alpha.max() > 200  # and so is the figure


@every_figure
def test_it_belongs_to_no_window_and_is_freed(make: Callable[[], Picture]) -> None:
    picture = make()
    picture.png()
    assert plt.get_fignums() == []
    gone = weakref.ref(picture)
    del picture
    gc.collect()
    assert gone() is None


@every_figure
def test_the_same_figure_is_the_same_file(make: Callable[[], Picture]) -> None:
    assert make().png() == make().png()


def test_the_style_stays_inside() -> None:
    before = dict(plt.rcParams)
    for make in MAKERS.values():
        make().png()
    assert dict(plt.rcParams) == before


@pytest.mark.parametrize("channels", [1, 3])
def test_a_grid_holds_each_image_in_its_place(channels: int) -> None:
    x = images(5, channels)
    shown = canvas(plot.image_grid(x, columns=3))
    assert shown.shape == (17, 26, 4)
    for i in range(5):
        top, left = 9 * (i // 3), 9 * (i % 3)
        tile = shown[top : top + 8, left : left + 8]
        assert np.abs(tile[..., :3] - grey(x[i]).transpose(1, 2, 0)).max() <= LEVEL / 2 + 0.6
        assert (tile[..., 3] == 255).all()
    assert (shown[8, :, 3] == 0).all()  # the gap
    assert (shown[9:, 18:, 3] == 0).all()  # the place of a sixth image


def test_what_lies_outside_the_range_is_clipped() -> None:
    shown = canvas(plot.image_grid(torch.tensor([-3.0, 3.0]).reshape(2, 1, 1, 1).expand(2, 1, 8, 8)))
    assert shown[0, 0, 0] == 0
    assert shown[0, 9, 0] == 255


@pytest.mark.parametrize("labels", [None, "abcd"])
def test_the_names_of_groups_lie_inside_the_picture(labels: str | None) -> None:
    """They stand above the labels, and above the images where there are no labels."""
    picture = plot.image_grid(images(4), columns=4, labels=labels, groups=[("left", 2), ("right", 2)])
    renderer = FigureCanvasAgg(picture).get_renderer()
    for name in picture.axes[0].texts:
        box = name.get_window_extent(renderer)
        assert 0 <= box.y0 < box.y1 <= picture.bbox.y1, name.get_text()


def test_pixels_are_squares_as_large_as_the_column_allows() -> None:
    assert plot.image_grid(images(2, size=28)).get_size_inches()[0] * 96 == pytest.approx(3 * 57)
    assert plot.image_grid(images(10, size=28), columns=10).get_size_inches()[0] * 96 == pytest.approx(
        2 * 289
    )
    assert plot.image_grid(images(2, size=28), scale=1).get_size_inches()[0] * 96 == pytest.approx(57)
