"""What a loop over `train` sees, and the checks that come before it: a loss or weights that are not finite."""

from __future__ import annotations

import time
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from ddpm_lib import CourseError
from ddpm_lib.train.config import TrainConfig
from ddpm_lib.train.machine.processes import Processes
from ddpm_lib.train.state import TrainState, share_done


class TrainingError(CourseError):
    """A run that cannot go on; the message says where and what to try, and `step` where it was lost, if it was."""

    def __init__(self, message: str, step: int | None = None) -> None:
        super().__init__(message)
        self.step = step


@dataclass(frozen=True)
class Progress:
    """Where a run is, how it goes, and its state."""

    step: int  # optimizer steps taken
    share: float  # of the run that is done, 0 ... 1
    loss: float  # mean of the steps since the last Progress
    lr: float
    images_per_second: float
    seconds: float  # since the start, counting what came before a resume
    seconds_left: float
    state: TrainState


class Report:
    """Keeps the time of a run and the losses since the last Progress."""

    def __init__(self, state: TrainState, config: TrainConfig, processes: Processes) -> None:
        self.state, self.config, self.processes = state, config, processes
        self.losses: list[Tensor] = []
        self.go_on()

    def go_on(self) -> None:
        """Start the clock: what the reader's loop took (sampling, saving) does not count as training."""
        self.before, self.begun = self.state.seconds, time.perf_counter()

    def after_step(self, loss: Float[Tensor, ""], lr: float, images: int) -> Progress | None:
        """Note a step of so many images; its Progress, where one is due. Raises TrainingError for NaN and infinity."""
        state, config = self.state, self.config
        self.losses.append(loss)
        state.seconds = self._seconds()
        if config.seconds is not None:  # all processes must end at one step
            state.seconds = self.processes.first(state.seconds)
        done = share_done(state, config)
        if state.step % config.every and done < 1:
            return None
        mean = _mean_of_finite(self.processes.mean(torch.stack(self.losses)).cpu(), state.step)
        _check_weights(state)
        state.seconds = self.processes.first(self._seconds())
        speed = len(self.losses) * images / max(state.seconds - self.before, 1e-9)
        self.losses.clear()
        left = max(state.seconds * (1 - done) / done, 0.0)
        return Progress(state.step, done, mean, lr, speed, state.seconds, left, state)

    def _seconds(self) -> float:
        return self.before + time.perf_counter() - self.begun


def _check_weights(state: TrainState) -> None:
    # A finite loss can have a gradient that is not; what follows a Progress may save the weights.
    norms = torch.stack(torch._foreach_norm([p.detach() for p in state.model.parameters()]))
    if not bool(norms.isfinite().all()):
        raise TrainingError(
            f"The weights are not finite after step {state.step}: lower the learning rate, or clip the gradient "
            "(clip=1.0).",
            state.step,
        )


def _mean_of_finite(values: Float[Tensor, " steps"], step: int) -> float:
    bad = ~values.isfinite()
    if bool(bad.any()):
        first = step - len(values) + 1 + int(bad.nonzero()[0, 0])
        raise TrainingError(
            f"The loss of step {first} is {float(values[bad][0])}: lower the learning rate, clip the "
            "gradient (clip=1.0), or look for NaN in the data.",
            first,
        )
    return float(values.mean())
