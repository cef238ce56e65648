"""A student's training: the loop of Algorithm 1 with lessons in the place of noisy images and their noise."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ddpm_lib.denoiser import Labels, Times, X
from ddpm_lib.diffusion import GaussianDiffusion
from ddpm_lib.further.distill import distill_loss
from ddpm_lib.models import Network
from ddpm_lib.train.config import TrainConfig
from ddpm_lib.train.loop import descend
from ddpm_lib.train.machine.processes import Processes
from ddpm_lib.train.progress import Progress, Report
from ddpm_lib.train.state import TrainState, share_done, start

# x_t, t, the labels, and the image that the student is to answer
Lesson = tuple[X, Times, Labels | None, X]


def distill(
    student: Network,
    diffusion: GaussianDiffusion,
    lessons: Callable[[int], Lesson],
    config: TrainConfig,
    state: TrainState | None = None,
) -> Iterator[Progress]:
    """Teach the student what `lessons(step)` say: yield a Progress every `config.every` steps and after the last.

    Usually the student begins as a copy of its teacher. Raises TrainingError when the loss is not finite.
    """
    state = state or start(student, config)
    report = Report(state, config, Processes())
    state.model.train()
    while (share := share_done(state, config)) < 1:
        xt, t, y, target = lessons(state.step)
        value = distill_loss(state.model, diffusion, xt, t, target, y)
        state.optimizer.zero_grad()
        value.backward()
        lr = descend(state, config, share)
        if progress := report.after_step(value.detach(), lr, len(xt)):
            yield progress
            report.go_on()
