"""The graders of the chapter on editing: the right answer passes, and each mistake is named."""

import math

import torch
from torch import Tensor

from ddpm_lib.evaluate.steering import ink_error
from ddpm_lib.models import GaussianMixture
from tests.graders import grader_tests


def replace(guessed: Tensor, x0: Tensor, known: Tensor, alpha_bar_s: float, z: Tensor) -> Tensor:
    noisy = math.sqrt(alpha_bar_s) * x0 + math.sqrt(1 - alpha_bar_s) * z
    return known * noisy + ~known * guessed


def share(c: float, means: Tensor, std: float) -> Tensor:
    here = torch.tensor([[c]], dtype=means.dtype)
    each = [
        GaussianMixture(m[None, :1], torch.tensor([std]).to(m), torch.ones(1).to(m)).log_prob(here)
        for m in means
    ]
    return 1 / (1 + (each[1] - each[0]).exp())


def arc(a: Tensor, b: Tensor, share: float) -> Tensor:
    """By turning a towards b in their plane; the length goes from one to the other as sin does."""
    angle = math.acos(float(a @ b) / float(a.norm() * b.norm()))
    return a * math.sin(angle - share * angle) / math.sin(angle) + b * math.sin(share * angle) / math.sin(
        angle
    )


def invert(xs: Tensor, sigma_s: float, sigma_t: float, root_s: float, root_t: float, eps: Tensor) -> Tensor:
    return root_t / root_s * xs + root_t * (sigma_t - sigma_s) * eps


RIGHT: dict[str, object] = {
    "check_edit_calls": (len(range(300, 0, -10)), 50 * 5),
    "check_replace": replace,
    "check_share_above": share,
    "check_slerp": arc,
    "check_invert_step": invert,
    "check_missing_ink": lambda x, mask: ink_error(x, torch.ones(()), mask),
    "check_forgets": 400,
}
VALUES = {"check_edit_calls", "check_forgets"}
WRONG: list[tuple[str, object, str]] = [
    ("check_edit_calls", (50, 250), "begins at t = 300"),
    ("check_edit_calls", (30, 50), "five times"),
    ("check_replace", lambda g, x0, k, ab, z: torch.where(k, x0, g), "are clean"),
    ("check_replace", lambda g, x0, k, ab, z: torch.where(k, ab * x0 + (1 - ab) * z, g), "take their roots"),
    ("check_share_above", lambda c, m, std: 1 - share(c, m, std), "second component"),
    ("check_share_above", lambda c, m, std: torch.tensor(0.5).double(), "before x_1 was known"),
    ("check_slerp", lambda a, b, share: torch.lerp(a, b, share), "straight line"),
    ("check_slerp", lambda a, b, share: arc(b, a, share), "share = 0 should give a"),
    ("check_invert_step", lambda xs, ss, st, rs, rt, e: rt * (xs / rs + (ss - st) * e), "noise grows"),
    ("check_invert_step", lambda xs, ss, st, rs, rt, e: xs / rs + (st - ss) * e, "That is u_t"),
    (
        "check_missing_ink",
        lambda x, m: ink_error(x, torch.ones(()), m) * m.sum() / 30,
        "divided by all pixels",
    ),
    ("check_missing_ink", lambda x, m: ink_error(x, -torch.ones(()), m), "target is 1, not -1"),
    ("check_forgets", 350, "only a third are called 8"),
]

TestGraders = grader_tests(RIGHT, VALUES, WRONG)
