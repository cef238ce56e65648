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
from ddpm_lib.diffusion import GaussianDiffusion
from ddpm_lib.plot.picture import WIDTH, Picture
from ddpm_lib.sampling import State
from ddpm_lib.schedule import cosine_schedule, linear_schedule

DIFFUSION = GaussianDiffusion(linear_schedule(500))
LEVEL = 255 / 31  # a step of grey


def images(n: int, c: int = 1, size: int = 8, seed: int = 0) -> torch.Tensor:
    return 2 * torch.rand(n, c, size, size, generator=torch.Generator().manual_seed(seed)) - 1


def states() -> list[State]:
    x = images(3)
    return [State(t, x * (1 - t / 100), None if t == 100 else x) for t in range(100, -1, -10)]


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


def canvas(picture: Picture) -> np.ndarray:
    """The image that a picture of tiles shows: (height, width, RGBA)."""
    return np.asarray(picture.axes[0].images[0].get_array())


def grey(x: torch.Tensor) -> np.ndarray:
    return ((x.clamp(-1, 1) + 1) * 127.5).numpy()


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


def test_the_forward_strip_is_the_closed_form_with_one_noise_a_row() -> None:
    x0, ts = images(2), (0, 100, 500)
    shown = canvas(plot.forward_strip(DIFFUSION, x0, ts, seed=3))
    eps = torch.randn(x0.shape, generator=torch.Generator().manual_seed(3))
    for column, t in enumerate(ts):
        xt = DIFFUSION.q_sample(x0, t, eps)
        for row in range(2):
            tile = shown[9 * row : 9 * row + 8, 9 * column : 9 * column + 8, 0]
            assert np.abs(tile - grey(xt[row, 0])).max() <= LEVEL / 2 + 0.6


def test_the_denoising_strip_runs_from_the_first_state_to_the_last() -> None:
    all_states = states()
    picture = plot.denoising_strip(all_states, count=2, columns=4)
    shown = canvas(picture)
    assert shown.shape[:2] == (17, 35)
    assert np.abs(shown[:8, :8, 0] - grey(all_states[0].xt[0, 0])).max() <= LEVEL / 2 + 0.6
    assert np.abs(shown[9:, 27:, 0] - grey(all_states[-1].xt[1, 0])).max() <= LEVEL / 2 + 0.6
    names = [text.get_text() for text in picture.axes[0].texts]
    assert (names[0], names[3]) == ("$t = 100$", "$t = 0$")


def test_a_prediction_stands_beneath_its_state_and_none_at_T() -> None:
    shown = canvas(plot.denoising_strip(states(), count=1, columns=3, x0_hat=True))
    assert (shown[9:, :8, 3] == 0).all()
    assert np.abs(shown[9:, 9:17, 0] - grey(images(3)[0, 0])).max() <= LEVEL / 2 + 0.6


def test_the_curves_are_the_tables() -> None:
    schedule = cosine_schedule(50)
    panels = plot.schedule_curves(schedule).axes
    table = schedule.alpha_bar.numpy()
    assert np.array_equal(panels[0].lines[0].get_ydata(), table)
    assert np.allclose(panels[1].lines[0].get_ydata(), table[1:] / (1 - table[1:]))
    assert np.array_equal(panels[2].lines[0].get_ydata(), schedule.log_snr.numpy()[1:])
    assert panels[0].lines[0].get_xdata()[-1] == 50


def test_schedules_of_different_length_share_an_axis() -> None:
    first, second = plot.schedule_curves(linear_schedule(100), linear_schedule(1000)).axes[0].lines
    assert first.get_xdata()[-1] == second.get_xdata()[-1] == 1


def test_the_loss_curve_averages_the_steps_so_far() -> None:
    _, mean = plot.loss_curve([1, 2, 3, 4], [4.0, 2.0, 6.0, 8.0], window=2).axes[0].lines
    assert mean.get_ydata().tolist() == [4.0, 3.0, 4.0, 7.0]


def test_the_weight_of_a_strip_of_noise() -> None:
    x0 = images(8, size=28)
    assert len(plot.forward_strip(DIFFUSION, x0).png()) < 60_000


def test_photographs_keep_their_colors() -> None:
    image = Image.open(io.BytesIO(plot.image_grid(images(2, c=3)).png()))
    assert image.mode == "RGBA"


def test_a_table_is_a_real_one_with_its_numbers_to_the_right() -> None:
    shown = plot.table(("name", "$t$", "loss"), [("oracle", 1, "0.25"), ("a network", 100, "1.5 %")])
    text = repr(shown)
    data, _ = DisplayFormatter().format(shown)
    assert data["text/plain"] == text
    assert data["text/markdown"].splitlines() == [
        "| name | $t$ | loss |",
        "| :--- | ---: | ---: |",
        "| oracle | 1 | 0.25 |",
        "| a network | 100 | 1.5 % |",
    ]
    assert text.splitlines() == [
        "name       $t$   loss",
        "oracle       1   0.25",
        "a network  100  1.5 %",
    ]


def test_a_range_stands_to_the_right_as_numbers_do() -> None:
    shown = plot.table(
        ("days", "loss", "bits"), [("7 to 13", "1.5 +- 0.2", "9"), ("0.3 to 0.7", "-", "1 or 2")]
    )
    assert shown.numbers() == [True, True, False]
    assert shown._repr_markdown_().splitlines()[2] == "| 7 to 13 | 1.5 ± 0.2 | 9 |"


def test_a_table_refuses_a_row_of_another_length() -> None:
    with pytest.raises(ValueError, match="A column has no name"):
        plot.table(("", "distance"), [("real digits", "3")])
    with pytest.raises(ValueError, match="2 cells stands under a header of 3"):
        plot.table(("a", "b", "c"), [(1, 2)])


@pytest.mark.parametrize(
    "name", ["a", "classic-resnet", "the answer of one who knows all the digits by heart"]
)
def test_a_legend_stays_inside_its_picture(name: str) -> None:
    picture, (panel,) = plot.axes()
    for i in range(8):
        panel.plot([0, 1], [i, i], label=f"{name} {i}")
    plot.legend(picture)
    picture.draw_without_rendering()
    assert picture.legends[0].get_window_extent().x1 <= picture.bbox.x1


@pytest.mark.parametrize("scale", [1, 1.2, 1.25, 1.5, 3])
def test_all_pixels_of_an_image_are_equally_large_at_any_scale(scale: float) -> None:
    picture = plot.image_grid(images(2, size=28), scale=scale)
    pixel = picture.density * scale
    assert pixel == pytest.approx(round(pixel))
    assert 1 <= picture.density <= 2


def test_names_over_groups_of_columns_and_beside_rows_are_in_the_picture() -> None:
    groups, beside = [("first three", 3), ("last two", 2)], ["this", "sound"]
    picture = plot.image_grid(images(10, size=28), columns=5, labels="abcde", groups=groups, beside=beside)
    renderer = FigureCanvasAgg(picture).get_renderer()
    box = picture.bbox
    placed = {text.get_text(): text.get_window_extent(renderer) for text in picture.axes[0].texts}
    assert {"first three", "last two", "this", "sound"} <= set(placed)
    for name, extent in placed.items():
        assert box.x0 <= extent.x0 < extent.x1 <= box.x1, name
        assert box.y0 <= extent.y0 < extent.y1 <= box.y1, name
    assert placed["last two"].x0 > placed["first three"].x1
    assert placed["last two"].y0 > placed["e"].y1
