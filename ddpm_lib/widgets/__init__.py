"""Widgets that run in a notebook, in Colab and in the published book: a folder each, and host/ for what they share."""

from ddpm_lib.widgets.cloud.cloud import CloudWidget
from ddpm_lib.widgets.digits.digits import DigitsWidget
from ddpm_lib.widgets.edit.edit import EditWidget
from ddpm_lib.widgets.gaussian.gaussian import GaussianWidget
from ddpm_lib.widgets.generator.generator import GenerateWidget
from ddpm_lib.widgets.host.widget import Fallback, Widget
from ddpm_lib.widgets.loss_by_t.loss_by_t import LossWidget
from ddpm_lib.widgets.play.play import PlayWidget
from ddpm_lib.widgets.posterior.posterior import PosteriorWidget
from ddpm_lib.widgets.schedule.schedule import ScheduleWidget
from ddpm_lib.widgets.scrub.scrub import ScrubWidget
from ddpm_lib.widgets.steer.steer import SteerWidget
from ddpm_lib.widgets.trajectory.trajectory import TrajectoryWidget

__all__ = [
    "CloudWidget",
    "DigitsWidget",
    "EditWidget",
    "Fallback",
    "GaussianWidget",
    "GenerateWidget",
    "LossWidget",
    "PlayWidget",
    "PosteriorWidget",
    "ScheduleWidget",
    "ScrubWidget",
    "SteerWidget",
    "TrajectoryWidget",
    "Widget",
]
