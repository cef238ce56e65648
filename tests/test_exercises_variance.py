"""The graders of the chapter on the variance of a step: the right answer passes, and each mistake is named."""

import torch
from torch import Tensor

from ddpm_lib import gaussian
from ddpm_lib.diffusion import GaussianDiffusion
from ddpm_lib.further.variances import between_variances
from ddpm_lib.schedule import cosine_schedule
from tests.graders import grader_tests


def step_cost(r: float, k: float) -> float:
    off, width = (torch.tensor(x, dtype=torch.float64) for x in (r, k))
    return float(gaussian.kl(off.sqrt(), torch.ones_like(width), torch.zeros_like(off), width))


def nu_of(variance: Tensor, small: Tensor, large: Tensor) -> Tensor:
    return (variance / small).log2() / (large / small).log2()


RIGHT: dict[str, object] = {"check_step_cost": step_cost, "check_nu": nu_of}
WRONG: list[tuple[str, object, str]] = [
    ("check_step_cost", lambda r, k: 2 * step_cost(r, k), "begins with a half"),
    ("check_nu", lambda x, a, b: 1 - nu_of(x, a, b), "1 - nu"),
]

TestGraders = grader_tests(RIGHT, set(), WRONG)


def test_the_best_width_costs_half_a_logarithm() -> None:
    tried = {k: step_cost(9.5, k) for k in (5.0, 10.4, 10.5, 10.6, 20.0)}
    assert min(tried, key=tried.__getitem__) == 10.5
    assert all(step_cost(9.5, 10.5 / f) > step_cost(9.5, 10.5 * f) for f in (1.1, 2.0, 5.0))
    assert abs(tried[10.5] - 0.5 * float(torch.tensor(10.5).log())) < 1e-6


def test_nu_of_a_variance_leads_back_to_it() -> None:
    diffusion, one = GaussianDiffusion(cosine_schedule(500)), torch.ones(1, 1, dtype=torch.float64)
    small = diffusion.reverse_variance(one, 60, 20, "beta_tilde")
    large = diffusion.reverse_variance(one, 60, 20, "beta")
    v = nu_of(1.7 * small, small, large)
    assert torch.allclose(between_variances(diffusion, one, 60, 20, v), 1.7 * small)
