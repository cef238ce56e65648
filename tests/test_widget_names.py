"""What a widget says to whoever hears it: the names of its controls, and without scripts the story of its picture."""

from typing import Any

import pytest
import torch

from ddpm_lib.widgets import (
    CloudWidget,
    GaussianWidget,
    LossWidget,
    PosteriorWidget,
    ScheduleWidget,
    ScrubWidget,
    TrajectoryWidget,
    Widget,
)
from tests.cloud_parts import CLOUDS, GOOD
from tests.generator_page import fake
from tests.loss_parts import SHORT, losses
from tests.posterior_parts import SLIDERS
from tests.recorded import RUNS
from tests.shown import X0

NAMES: dict[str, tuple[Widget, tuple[str, ...]]] = {
    "scrub": (
        ScrubWidget(X0),
        (
            'group "Scrub t and watch x t"',
            'slider "time step t"',
            'button "Play"',
            'button "New noise"',
            'radiogroup "Schedule"',
            'radio "linear"',
            'radiogroup "Image"',
            'radio "image 1"',
            'img "the clean image x 0',
            'img "the noise epsilon',
            'img "the noisy image x t',
        ),
    ),
    "schedule": (
        ScheduleWidget(X0[0], T=500),
        (
            'group "Choose a noise schedule"',
            'img "x t at t = 0"',
            'img "x t at t = 500"',
            'img "alpha bar t against t',
            'img "log SNR against t',
            'meter "weight of the image left at T"',
            'slider "number of steps T"',
            'slider "beta min"',
            'slider "beta max"',
            'radiogroup "Schedule"',
            'radio "scaled linear"',
            'checkbox "scale by 1000 / T"',
            'button "The paper\u2019s values"',
        ),
    ),
    "posterior": (
        PosteriorWidget(t=20),
        (
            'group "Prior, likelihood and posterior of a pixel"',
            'img "prior, likelihood and posterior over x s',
            *(f'slider "{name}"' for name in SLIDERS.values()),
        ),
    ),
    "gaussian": (
        GaussianWidget(0.7, 0.5),
        (
            'group "Noise, scaled and shifted"',
            'img "noise above, draws below, and their density: x = 0.70 + 0.50 epsilon',
            'slider "mean mu"',
            'slider "standard deviation sigma"',
            'button "New noise"',
        ),
    ),
    "loss": (
        LossWidget(losses(SHORT), SHORT, scale="x0"),
        (
            'group "The loss at each t"',
            'img "the loss against time, logarithmic',
            'slider "time step t"',
            'table "the curves at this t"',
            'rowheader "trained"',
            'math "1 minus alpha bar t, over alpha bar t"',
            'radiogroup "Error of"',
            'radio "eps"',
            'radio "in the bound"',
            'radiogroup "Against"',
            'radio "log SNR"',
        ),
    ),
    "cloud": (
        CloudWidget(CLOUDS, reverse=GOOD),
        (
            'group "A cloud of points, and t"',
            'img "the cloud of points',
            'slider "time step t"',
            'radiogroup "Cloud"',
            'radio "spiral"',
            'radiogroup "Direction"',
            'radio "reverse"',
            'button "New noise"',
            'button "Play"',
        ),
    ),
    "trajectory": (
        TrajectoryWidget(RUNS),
        (
            'group "Pictures coming out of noise"',
            'img "ResNet: the noisy image x t',
            'slider "time step t, backwards"',
            'radiogroup "Image"',
            'radio "image 2"',
            'button "Play"',
        ),
    ),
}
STORIES: list[tuple[Widget, str]] = [
    (ScrubWidget(X0), "at t = 0 it is clean"),
    (ScheduleWidget(X0[0], T=300), "sqrt(alpha_bar_T) = 0.219: x_T still shows the image"),
    (PosteriorWidget(t=20), "mean -0.191, standard deviation 0.387"),
    (PosteriorWidget(t=20, s=0), "mean 0.8, standard deviation 0"),
    (GaussianWidget(0.7, 0.5), "x = 0.7 + 0.5 eps in the row below"),
    (LossWidget({"a": torch.full((61,), 0.25)}, SHORT, t=30), "At t = 30: a 0.25"),
    (
        CloudWidget(CLOUDS, reverse=GOOD, direction="reverse"),
        "at t = 500, 150, 50, 0, out of noise, on the recording called recorded",
    ),
    (TrajectoryWidget(RUNS), "A picture of U-Net coming out of noise, at t = 500, 400"),
    (fake(), "Noise turning into a 3, at t = 500"),
]


@pytest.mark.parametrize("name", NAMES)
def test_every_control_has_a_name(show: Any, name: str) -> None:
    widget, names = NAMES[name]
    tree = show(widget).locator("body").aria_snapshot()
    assert [each for each in names if each not in tree] == []


@pytest.mark.parametrize(("widget", "story"), STORIES, ids=lambda value: type(value).__name__)
def test_without_scripts_the_picture_tells_it(widget: Widget, story: str) -> None:
    assert story in widget.fallback().alt
