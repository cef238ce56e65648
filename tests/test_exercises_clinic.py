"""The graders of the clinic: the right answer passes, and each mistake is named."""

import math

import torch
from torch import nn

from ddpm_lib.data import mnist
from ddpm_lib.train.ema import EMA
from tests.graders import grader_tests

digits = mnist().pixels.double() / 127.5 - 1


def embedding(angle: torch.Tensor) -> torch.Tensor:
    even = torch.arange(angle.shape[1]) % 2 == 0
    return torch.where(even, angle.sin(), angle.cos())


def average(old: torch.Tensor, new: torch.Tensor, step: int) -> torch.Tensor:
    """By the library's EMA."""
    module = nn.ParameterList([nn.Parameter(old)])
    ema = EMA(module, 0.9999)
    ema.update(nn.ParameterList([nn.Parameter(new)]), step)
    return next(iter(ema.average.parameters()))


def company(network, xt, t):
    alone = torch.stack([network(x[None], each[None])[0] for x, each in zip(xt, t, strict=True)])
    return (alone - network(xt, t)).abs().amax()


RIGHT: dict[str, object] = {
    "check_mend_pixels": lambda image: (image - 127.5) / 127.5,
    "check_mend_noising": lambda x0, eps, ab: ab**0.5 * x0 + (1 - ab) ** 0.5 * eps,
    "check_mend_embedding": embedding,
    "check_mend_average": average,
    "check_mend_times": lambda T, steps: [T - i * T // steps for i in range(steps)],
    "check_mend_step": lambda mean, variance, z, s: mean + variance**0.5 * z * (s > 0),
    "check_first_loss": (float(digits.square().mean()), 1.0),
    "check_company": company,
}
VALUES = {"check_first_loss"}

WRONG: list[tuple[str, object, str]] = [
    ("check_mend_pixels", lambda image: image / 255 / 255 * 2 - 1, "Divided twice"),
    ("check_mend_pixels", lambda image: image / 255, "That is [0, 1]"),
    ("check_mend_noising", lambda x0, eps, ab: ab * x0 + (1 - ab) * eps, "both weights"),
    (
        "check_mend_embedding",
        lambda a: torch.where(torch.tensor([[True], [False], [True]]), a.sin(), a.cos()),
        "by rows",
    ),
    ("check_mend_embedding", lambda a: a + 1, "off by up to"),
    ("check_mend_average", lambda a, w, s: a + 1e-4 * (w - a), "from the first step on"),
    ("check_mend_times", lambda T, steps: list(range(steps, 0, -1)), "number of the step"),
    ("check_mend_step", lambda mean, variance, z, s: mean + variance * z, "Two faults"),
    ("check_first_loss", (math.sqrt(float(digits.square().mean())), 1.0), "a root too many"),
    ("check_first_loss", (0.5, 1.0), "Right: the second."),
    ("check_company", lambda n, x, t: (n(x, t)[:1] - n(x[:1], t[:1])).abs().max(), "first image alone"),
]


TestGraders = grader_tests(RIGHT, VALUES, WRONG)
