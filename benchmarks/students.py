"""The three ways to teach a student that benchmarks/distill.py compares, each with a budget in passes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor

from ddpm_lib import load
from ddpm_lib.data import Batches, mnist
from ddpm_lib.denoiser import Denoiser
from ddpm_lib.flow import DPMSolver2M
from ddpm_lib.further.distill import same_end, two_in_one
from ddpm_lib.guidance import Guided
from ddpm_lib.models import Network
from ddpm_lib.sampling import sample_from, timesteps
from ddpm_lib.train.config import TrainConfig
from ddpm_lib.train.distill import Lesson, distill
from ddpm_lib.train.state import TrainState, start

TRAINED = load("cpu-hour")
DIFFUSION, T, SHAPE, NULL, W, BATCH = TRAINED.diffusion, TRAINED.schedule.T, (1, 28, 28), 10, 0.5, 64
CALLS = (1, 2, 4)
CURVE = 8  # steps of DPM-Solver++(2M) on a curve: its times hold those of 1, 2 and 4 calls
CONFIG = TrainConfig(batch=BATCH, lr=1e-3, betas=(0.9, 0.99), ema=0.99, every=50)
Taught = tuple[dict[int, Network], int]  # the student for each number of calls, and the steps of training
CALL, GUIDED, STEP = 1, 2, 3  # passes of 64 images


def copy_of_teacher() -> Network:
    """The teacher's network, to be trained."""
    return TRAINED.network().requires_grad_(True).to(memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]


def teacher() -> Denoiser:
    """The teacher: guided towards the class."""
    return Guided(TRAINED.network().to(memory_format=torch.channels_last), W, NULL)  # type: ignore[call-overload]


def taught(
    lessons: Callable[[int], Lesson],
    steps: int,
    seed: int,
    student: Network | None = None,
    state: TrainState | None = None,
) -> Network:
    """The averaged student after so many steps."""
    config = replace(CONFIG, steps=steps, seed=seed)
    begun = state.model if state else student or copy_of_teacher()
    for progress in distill(begun, DIFFUSION, lessons, config, state):
        print(f"  step {progress.step} of {steps}, loss {progress.loss:.4f}", flush=True)
    return progress.state.ema.average  # type: ignore[return-value]


def some_labels(n: int, rng: torch.Generator) -> Tensor:
    """Labels, a tenth of them "no class"."""
    y = torch.randint(NULL, (n,), generator=rng)
    return torch.where(torch.rand(n, generator=rng) < CONFIG.label_drop, NULL, y)


def images(seed: int) -> Callable[[int], tuple[Tensor, Tensor]]:
    """batches(step): digits, and their labels or none."""
    batches, rng = Batches(mnist(), BATCH, seed), torch.Generator().manual_seed(seed)

    def some(step: int) -> tuple[Tensor, Tensor]:
        x0, y = batches(step)
        assert y is not None
        return x0, torch.where(torch.rand(len(x0), generator=rng) < CONFIG.label_drop, NULL, y)

    return some


def curves(n: int, seed: int) -> tuple[Tensor, Tensor, Tensor]:
    """The points of n of the teacher's curves at the times of 4 calls, and their ends; their labels; the times."""
    rng, path, kept = torch.Generator().manual_seed(seed), timesteps(T, CURVE), timesteps(T, max(CALLS))
    assert set(kept) <= set(path)
    y, guided, points = some_labels(n, rng), teacher(), []
    for at in range(0, n, BATCH):
        xT = torch.randn((len(y[at : at + BATCH]), *SHAPE), generator=rng)
        states = sample_from(guided, DIFFUSION, xT, y=y[at : at + BATCH], step=DPMSolver2M(), steps=path)
        points.append(torch.stack([state.xt for state in states if state.t in kept]))
    return torch.cat(points, dim=1), y, torch.tensor(kept)


def ends(passes: int, seed: int) -> Taught:
    """One student, taught the ends of the teacher's curves from points on them; the curves take half of the budget."""
    points, y, kept = curves(BATCH * (passes // 2 // (GUIDED * CURVE)), seed)
    rng = torch.Generator().manual_seed(1000 + seed)

    def lessons(step: int) -> Lesson:
        which = torch.randint(len(y), (BATCH,), generator=rng)
        # the first call decides most: every other lesson is about it
        at = torch.multinomial(torch.tensor([3.0, 1.0, 1.0, 1.0]), BATCH, replacement=True, generator=rng)
        return points[at, which], kept[at], y[which], points[-1, which]

    steps = passes // 2 // STEP
    return dict.fromkeys(CALLS, taught(lessons, steps, seed)), steps


def halving(passes: int, seed: int) -> Taught:
    """Progressive distillation: from 16 steps to 8, 4, 2 and 1, a student of a student each time."""
    before, students, calls, total = teacher(), {}, 2 * GUIDED, 0
    student = copy_of_teacher()
    for n in (8, 4, 2, 1):
        path = torch.tensor(timesteps(T, 2 * n))
        rng, batches = torch.Generator().manual_seed(1000 * n + seed), images(10 * seed + n)

        def lessons(step: int) -> Lesson:
            x0, y = batches(step)  # noqa: B023 (used up within the turn)
            at = 2 * torch.randint(n, (BATCH,), generator=rng)  # noqa: B023
            t, m, s = (path[at + i] for i in range(3))  # noqa: B023
            xt = DIFFUSION.q_sample(x0, t, torch.randn(x0.shape, generator=rng))  # noqa: B023
            with torch.inference_mode():
                target = two_in_one(before, DIFFUSION, xt, t, m, s, y)  # noqa: B023
            return xt, t, y, target.clone()

        steps = passes // 4 // (calls + STEP)
        total += steps
        average = taught(lessons, steps, seed, student)
        before = students[n] = average
        student, calls = copy_of_teacher(), 2 * CALL
        student.load_state_dict(average.state_dict())
    return {n: students[n] for n in CALLS}, total


def consistency(passes: int, seed: int) -> Taught:
    """One student, taught at 16 times what its own average answers one step of the teacher's further on."""
    guided, path = teacher(), torch.tensor(timesteps(T, 16))
    steps = passes // (GUIDED + CALL + STEP)
    state = start(copy_of_teacher(), replace(CONFIG, steps=steps, seed=seed))
    rng, batches = torch.Generator().manual_seed(1000 + seed), images(seed)

    def lessons(step: int) -> Lesson:
        x0, y = batches(step)
        at = torch.randint(16, (BATCH,), generator=rng)
        t, s = path[at], path[at + 1]
        xt = DIFFUSION.q_sample(x0, t, torch.randn(x0.shape, generator=rng))
        with torch.inference_mode():
            target = same_end(state.ema.average, guided, DIFFUSION, xt, t, s, y)  # type: ignore[arg-type]
        return xt, t, y, target.clone()

    return dict.fromkeys(CALLS, taught(lessons, steps, seed, state=state)), steps


ARMS = {"ends": ends, "halving": halving, "consistency": consistency}
