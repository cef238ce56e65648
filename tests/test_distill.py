"""Few steps: a target is exact, and a student that learns it does in one step what its teacher does in two."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from ddpm_lib.denoiser import Labels, Predicts, Time, Times, X
from ddpm_lib.diffusion import GaussianDiffusion
from ddpm_lib.evaluate.metrics import recall, spread_within
from ddpm_lib.further.distill import distill_loss, landing, same_end, spread_kept, step_of, two_in_one
from ddpm_lib.models import GaussianMixture, MLPConfig, OracleDenoiser, build
from ddpm_lib.sampling import ddim_step, sample_from, timesteps
from ddpm_lib.schedule import cosine_schedule, linear_schedule
from ddpm_lib.train import TrainConfig
from ddpm_lib.train.distill import Lesson, distill
from tests.helpers import close, generator, normal

SCHEDULE = cosine_schedule(500)
DIFFUSION = GaussianDiffusion(SCHEDULE)
GAUSSIAN = GaussianMixture(
    torch.tensor([[0.4, -1.0]]).double(), torch.tensor([0.3]).double(), torch.ones(1).double()
)
LUMPS = GaussianMixture(
    torch.tensor([[-1.0, 0.5], [1.0, 0.0]]).double(),
    torch.tensor([0.2, 0.4]).double(),
    torch.tensor([0.3, 0.7]).double(),
)
ORACLES = [OracleDenoiser(law, SCHEDULE.alpha_bar) for law in (GAUSSIAN, LUMPS)]
LEAPS = [(499, 250, 0), (500, 375, 250), (60, 30, 10), (3, 2, 1)]


class Answers:
    """A student that has learned its lesson: it answers what it is given."""

    predicts: Predicts = "x0"

    def __init__(self, x0: Tensor) -> None:
        self.x0 = x0

    def __call__(self, xt: X, t: Times, y: Labels | None = None) -> X:
        return self.x0


@pytest.mark.equation("eq-landing")
@pytest.mark.parametrize(("t", "_", "s"), LEAPS)
def test_the_step_of_the_landing_ends_where_it_was_told(t: int, _: int, s: int) -> None:
    xt, xs = normal(5, 3), normal(5, 3, seed=1)
    x0 = landing(DIFFUSION, xt, t, s, xs)
    close(step_of(Answers(x0), DIFFUSION, xt, t, s), xs, 1e-9)
    if s == 0:
        close(x0, xs, 1e-12)


@pytest.mark.equation("eq-landing")
def test_the_landing_of_a_step_is_the_guess_that_made_it() -> None:
    xt, x0 = normal(5, 3), normal(5, 3, seed=1)
    xs = step_of(Answers(x0), DIFFUSION, xt, 400, 150)
    close(landing(DIFFUSION, xt, 400, 150, xs), x0, 1e-9)


@pytest.mark.equation("eq-two-in-one")
@pytest.mark.parametrize("oracle", ORACLES, ids=["gaussian", "lumps"])
@pytest.mark.parametrize(("t", "m", "s"), LEAPS)
def test_one_step_of_the_student_is_two_of_the_teacher(
    oracle: OracleDenoiser, t: int, m: int, s: int
) -> None:
    xt = oracle.mixture.noised(SCHEDULE.alpha_bar[t]).draw(50, generator(0))
    (*_, end) = sample_from(oracle, DIFFUSION, xt, step=ddim_step, steps=[t, m, s])
    target = two_in_one(oracle, DIFFUSION, xt, t, m, s)
    close(step_of(Answers(target), DIFFUSION, xt, t, s), end.xt, 1e-9)
    once = step_of(oracle, DIFFUSION, xt, t, s)
    assert (once - end.xt).abs().max() > 1e-6  # the teacher's own one step is another


@pytest.mark.equation("eq-two-in-one")
def test_every_image_may_have_its_own_times() -> None:
    oracle, xt = ORACLES[1], normal(3, 2)
    t, m, s = torch.tensor([500, 60, 3]), torch.tensor([375, 30, 2]), torch.tensor([250, 10, 1])
    together = two_in_one(oracle, DIFFUSION, xt, t, m, s)
    alone = [two_in_one(oracle, DIFFUSION, xt[i : i + 1], int(t[i]), int(m[i]), int(s[i])) for i in range(3)]
    close(together, torch.cat(alone), 1e-12)


@pytest.mark.equation("eq-spread-kept")
@pytest.mark.parametrize("schedule", [SCHEDULE, linear_schedule(200)], ids=["cosine", "linear"])
@pytest.mark.parametrize("steps", [1, 2, 4, 8, 40])
def test_the_spread_that_is_left_is_that_of_the_oracle_s_points(schedule: object, steps: int) -> None:
    assert schedule is SCHEDULE or isinstance(schedule, type(SCHEDULE))
    law = GaussianMixture(torch.zeros(1, 1).double(), torch.ones(1).double(), torch.ones(1).double())
    diffusion, path = GaussianDiffusion(schedule), timesteps(schedule.T, steps)
    xT = normal(4, 1)
    (*_, end) = sample_from(OracleDenoiser(law, schedule.alpha_bar), diffusion, xT, steps=path)
    close(end.xt, spread_kept(schedule, path) * xT, 1e-9)


@pytest.mark.equation("eq-spread-kept")
def test_equal_angles_keep_the_power_of_a_cosine() -> None:
    for n in (2, 4, 8):
        assert spread_kept(SCHEDULE, timesteps(500, n)) == pytest.approx(
            math.cos(math.pi / 2 / n) ** n, abs=0.02
        )


@pytest.mark.equation("eq-end-loss")
def test_the_loss_is_least_at_the_mean_of_the_targets_and_0_for_a_student_that_knows_them() -> None:
    xt, target = normal(6, 2), normal(6, 2, seed=1)
    assert distill_loss(Answers(target), DIFFUSION, xt, 300, target) == 0
    at_mean = distill_loss(Answers(target.mean(0).expand(6, 2)), DIFFUSION, xt, 300, target)
    close(at_mean, target.var(0, correction=0).mean(), 1e-12)


@pytest.mark.equation("eq-end-loss")
def test_what_the_loss_compares_is_the_image_whatever_the_student_predicts() -> None:
    xt, target = normal(6, 2), normal(6, 2, seed=1)
    answer = Answers(DIFFUSION.predict_eps(xt, 300, target))
    answer.predicts = "eps"
    assert distill_loss(answer, DIFFUSION, xt, 300, target) < 1e-20


class Ends:
    """The end of the oracle's own curve, in all steps of DDIM."""

    predicts: Predicts = "x0"

    def __init__(self, oracle: OracleDenoiser, diffusion: GaussianDiffusion) -> None:
        self.oracle, self.diffusion = oracle, diffusion

    def __call__(self, xt: X, t: Times, y: Labels | None = None) -> X:
        path = range(int(t[0]), -1, -1)
        (*_, end) = sample_from(self.oracle, self.diffusion, xt, steps=path)
        return end.xt


@pytest.mark.equation("eq-same-end")
def test_the_ends_of_the_curves_agree_with_themselves() -> None:
    short = cosine_schedule(30)
    diffusion, oracle = GaussianDiffusion(short), OracleDenoiser(LUMPS, short.alpha_bar)
    ends, xt, t = Ends(oracle, diffusion), normal(2, 2), torch.full((2,), 20)
    close(same_end(ends, oracle, diffusion, xt, t, t - 1), ends(xt, t), 1e-9)


@pytest.mark.equation("eq-same-end")
@pytest.mark.parametrize("s", [30, torch.tensor([200, 0]), torch.tensor([0, 0])])
def test_the_student_s_own_answer_is_taught_and_at_0_the_teacher_s_end(s: Time) -> None:
    xt, answer, t = normal(2, 2), normal(2, 2, seed=5), torch.tensor([300, 40])
    taught = same_end(Answers(answer), ORACLES[1], DIFFUSION, xt, t, s)
    xs = step_of(ORACLES[1], DIFFUSION, xt, t, s)
    close(taught, torch.where(torch.as_tensor(s).expand(2)[:, None] == 0, xs, answer), 1e-12)


def test_a_student_learns_the_ends_of_its_teacher_s_curves() -> None:
    teacher, rng = ORACLES[1], generator(3)
    xT = torch.randn(256, 2, generator=rng)
    (*_, end) = sample_from(teacher, DIFFUSION, xT, steps=timesteps(500, 20))
    torch.manual_seed(0)
    student = build(MLPConfig(predicts="x0"))

    def lessons(step: int) -> Lesson:
        which = torch.randint(256, (64,), generator=rng)
        return xT[which], torch.full((64,), 500), None, end.xt[which]

    def off(net: object) -> float:
        with torch.inference_mode():
            return float((step_of(net, DIFFUSION, xT, 500, 0, clip=False) - end.xt).square().mean())  # type: ignore[arg-type]

    config = TrainConfig(steps=90, lr=4e-3, ema=0.9, every=30)
    seen = [(p.step, p.loss) for p in distill(student, DIFFUSION, lessons, config)]
    assert [step for step, _ in seen] == [30, 60, 90]
    assert seen[-1][1] < 0.5 * seen[0][1]
    assert off(student.eval()) < 0.2 * float(end.xt.var(0).mean())


def test_spread_is_the_mean_distance_within_a_class() -> None:
    x = torch.tensor([[0.0, 0.0], [3.0, 4.0], [0.0, 0.0], [100.0, 0.0], [100.0, 1.0]])
    assert spread_within(x, torch.tensor([0, 0, 0, 1, 1])) == pytest.approx((5 + 5 + 0 + 1) / 4)


@pytest.mark.equation("eq-recall")
def test_recall_falls_with_what_is_not_drawn() -> None:
    real = normal(400, 2)
    assert recall(real, normal(400, 2, seed=1)) > 0.9
    half = normal(800, 2, seed=1)
    assert recall(real, half[half[:, 0] > 0]) == pytest.approx(0.5, abs=0.12)
    assert recall(real, normal(400, 2, seed=1) + 50) == 0
    # a cloud of one point has no width: only that point is among it
    assert recall(real, real[:1].expand(5, 2)) == pytest.approx(1 / 400)
