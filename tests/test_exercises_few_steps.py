"""The graders of the chapter on few steps: the right answer passes, and each mistake is named."""

import math

import torch
from torch import Tensor

from ddpm_lib.diffusion import GaussianDiffusion
from ddpm_lib.further.distill import landing, spread_kept
from ddpm_lib.sampling import timesteps
from ddpm_lib.schedule import NoiseSchedule, cosine_schedule
from tests.graders import grader_tests


def of_the_library(xt: Tensor, xs: Tensor, ab_t: float, ab_s: float) -> Tensor:
    table = torch.tensor([1.0, ab_s, ab_t]).double()
    if ab_s == 1:
        return landing(GaussianDiffusion(NoiseSchedule(1 - table[[0, 2]] / 1, "two")), xt, 1, 0, xs)
    beta = torch.stack([table[0] * 0, 1 - table[1], 1 - table[2] / table[1]])
    return landing(GaussianDiffusion(NoiseSchedule(beta, "three")), xt, 2, 1, xs)


RIGHT: dict[str, object] = {
    "check_spread_kept": tuple(
        round(spread_kept(cosine_schedule(3000, s=0.0), timesteps(3000, n)), 3) for n in (1, 3)
    ),
    "check_landing": of_the_library,
    "check_two_in_one": lambda step, land, x, t, m, s: land(x, t, s, step(step(x, t, m), m, s)),
    "check_halvings": (int(math.log2(64)), 2),
    "check_pays_off": -(-6000 * 64 // 99),
    "check_mean_of_ends": lambda ends, weights: (weights / weights.sum()) @ ends,
}
VALUES = {"check_spread_kept", "check_halvings", "check_pays_off"}
WRONG: list[tuple[str, object, str]] = [
    ("check_spread_kept", (0.0, 0.866), "all three multiply"),
    ("check_landing", lambda x, xs, t, s: xs, "only at s = 0"),
    ("check_two_in_one", lambda f, g, x, t, m, s: g(x, t, s, f(x, t, s)), "one long step"),
    ("check_halvings", (63, 2), "halves what is left"),
    ("check_pays_off", 6000, "That is the budget"),
    ("check_mean_of_ends", lambda ends, weights: ends.mean(0), "how often"),
]

TestGraders = grader_tests(RIGHT, VALUES, WRONG)
