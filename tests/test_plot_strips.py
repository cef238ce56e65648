"""Strips of a chain, and curves: forward, denoising, predictions, schedules and losses."""

import io

import numpy as np
import pytest
import torch
from PIL import Image

from ddpm_lib import plot
from ddpm_lib.schedule import cosine_schedule, linear_schedule
from tests.drawn import DIFFUSION, LEVEL, canvas, grey, images, states


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


@pytest.mark.parametrize("gap", [0, 6])
def test_stacked_pictures_stand_beneath_one_another_pixel_by_pixel(gap: int) -> None:
    above, below = (plot.image_grid(images(n), columns=n, labels=range(n), scale=2) for n in (3, 2))
    whole, first, second = (
        np.asarray(Image.open(io.BytesIO(picture.png())).convert("RGBA"))
        for picture in (plot.stacked(above, below, gap=gap), above, below)
    )
    top = len(first) + round(gap * above.density)
    assert whole.shape == (top + len(second), first.shape[1], 4)
    assert np.abs(whole[: len(first)].astype(int) - first).max() <= 8  # 64 colors are chosen anew
    assert np.abs(whole[top:, : second.shape[1]].astype(int) - second).max() <= 8
    assert (whole[top:, second.shape[1] :, 3] == 0).all()
    assert (whole[len(first) : top, :, 3] == 0).all()


def test_pictures_of_two_densities_are_not_stacked() -> None:
    sharp, coarse = (plot.image_grid(images(1), scale=scale) for scale in (1.2, 2))
    with pytest.raises(ValueError, match="the same scale"):
        plot.stacked(sharp, coarse)
    with pytest.raises(ValueError, match="at least one picture"):
        plot.stacked()


def test_photographs_keep_their_colors() -> None:
    image = Image.open(io.BytesIO(plot.image_grid(images(2, c=3)).png()))
    assert image.mode == "RGBA"


def test_the_loss_axis_is_written_in_decimals() -> None:
    panel = plot.loss_curve(range(1, 100), [0.05 + 0.8 / step for step in range(1, 100)]).axes[0]
    panel.figure.draw_without_rendering()
    labels = {label.get_text() for label in panel.yaxis.get_ticklabels(which="both")} - {""}
    assert {"0.1", "0.2", "0.6"} <= labels
    assert not any("10^" in label or "e" in label for label in labels)
