"""Tables, legends and the names around pictures."""

import pytest
from IPython.core.formatters import DisplayFormatter
from matplotlib.backends.backend_agg import FigureCanvasAgg

from ddpm_lib import plot
from tests.drawn import images


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
