"""The graders of the chapter on the loss: the right answer passes, and each mistake is named."""

import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from ddpm_lib.exercises import bound
from ddpm_lib.schedule import linear_schedule
from tests.graders import grader_tests
from tests.helpers import close

SCHEDULE = linear_schedule(50)


def kl(mean_a: Tensor, variance_a: Tensor, mean_b: Tensor, variance_b: Tensor) -> Tensor:
    a = torch.distributions.Normal(mean_a, variance_a.sqrt())
    return torch.distributions.kl_divergence(a, torch.distributions.Normal(mean_b, variance_b.sqrt()))


def noise_loss(network: Any, x0: Tensor, t: Tensor, eps: Tensor, alpha_bar: Tensor) -> Tensor:
    ab = alpha_bar[t][:, None]
    return F.mse_loss(network(ab.sqrt() * x0 + (1 - ab).sqrt() * eps, t), eps)


def log_level(x0: Tensor, mean: float, sd: float) -> Tensor:
    """By the edges between neighbors, in the order of the levels."""
    edges = torch.cat([x0.new_tensor([-math.inf]), (x0[1:] + x0[:-1]) / 2, x0.new_tensor([math.inf])])
    area = torch.special.ndtr((edges - mean) / sd).diff()
    return area.log()


RIGHT: dict[str, object] = {
    "check_prior_term": float(kl(*torch.tensor([0.2**0.5, 0.8, 0.0, 1.0], dtype=torch.float64))),
    "check_kl": kl,
    "check_x0_weight": lambda before, at: 0.5 * (before - at),
    "check_noise_loss": noise_loss,
    "check_log_level": log_level,
    "check_last_sd": 0.0121,
    "check_least_error": 2 / 3,
    "check_score_from_x0": lambda xt, x0_hat, ab: (ab**0.5 * x0_hat - xt) / (1 - ab),
}
VALUES = {"check_prior_term", "check_last_sd", "check_least_error"}

# Wrong answers written as a reader would, apart from the graders' own, and a piece of what must be said.
WRONG: list[tuple[str, object, str]] = [
    ("check_prior_term", 0.2, "off by up to"),
    ("check_prior_term", 0.161, "in bits"),
    ("check_prior_term", 0.1115717756571049 / math.log(2), "in bits"),
    ("check_kl", lambda ma, va, mb, vb: kl(mb, vb, ma, va), "KL(b || a)"),
    ("check_kl", lambda ma, va, mb, vb: kl(ma, va**3, mb, vb**3), "not in a way that is known"),
    ("check_kl", lambda ma, va, mb, vb: kl(ma, va**2, mb, vb**2), "squared the variances"),
    ("check_x0_weight", lambda before, at: 0.5 * (before / at - 1), "error of eps"),
    (
        "check_noise_loss",
        lambda network, x0, t, eps, ab: ((eps - network(x0, t)) ** 2).mean(),
        "given the clean image",
    ),
    ("check_noise_loss", lambda *p: noise_loss(*p) * 2, "Right up to the factor 2"),
    ("check_noise_loss", lambda *p: noise_loss(*p) ** 3, "not in a way that is known"),
    ("check_noise_loss", lambda network, x0, t, eps, ab: eps - network(x0, t), "has shape (6, 2)"),
    ("check_log_level", lambda x0, mean, sd: log_level(x0, mean, sd).exp(), "return its logarithm"),
    ("check_last_sd", 0.0002, "off by up to"),
    ("check_last_sd", 0.00015625, "take its root"),
    ("check_last_sd", "narrow", "made of numbers"),
    ("check_last_sd", torch.tensor([1.0, 2.0]), "has shape (2,)"),
    ("check_least_error", 1 / 3, "share of the noise"),
    # at this alpha_bar the least error of x_0 is another number, and not taken for that of eps
    ("check_least_error", 1 / 6, "least error of x_0"),
    ("check_score_from_x0", lambda xt, x0_hat, ab: (xt - ab**0.5 * x0_hat) / (1 - ab), "The sign"),
]


TestGraders = grader_tests(RIGHT, VALUES, WRONG)


def test_the_answer_by_the_edges_is_a_probability() -> None:
    close(log_level(bound.LEVELS, 0.3, 0.2).exp().sum()[None], torch.ones(1).double(), 1e-12)
