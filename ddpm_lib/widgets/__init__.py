"""Widgets that run in a notebook, in Colab and in the published book: one .py (state) and one .js each."""

from ddpm_lib.widgets.cloud import CloudWidget
from ddpm_lib.widgets.generate import GenerateWidget
from ddpm_lib.widgets.host import Fallback, Widget
from ddpm_lib.widgets.loss import LossWidget
from ddpm_lib.widgets.posterior import PosteriorWidget
from ddpm_lib.widgets.schedule import ScheduleWidget
from ddpm_lib.widgets.scrub import ScrubWidget
from ddpm_lib.widgets.trajectory import TrajectoryWidget

__all__ = [
    "CloudWidget",
    "Fallback",
    "GenerateWidget",
    "LossWidget",
    "PosteriorWidget",
    "ScheduleWidget",
    "ScrubWidget",
    "TrajectoryWidget",
    "Widget",
]
