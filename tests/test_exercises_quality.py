"""The graders of the chapter on quality: the right answer passes, and each mistake is named."""

import math

import torch
from scipy import stats

from ddpm_lib.evaluate.metrics import frechet_distance
from tests.graders import grader_tests


def by_samples(mean_a: float, variance_a: float, mean_b: float, variance_b: float) -> float:
    """The library's distance of two sets with exactly these moments."""
    z = torch.linspace(-1, 1, 101, dtype=torch.float64)[:, None]
    z = (z - z.mean()) / z.std()
    return frechet_distance(mean_a + variance_a**0.5 * z, mean_b + variance_b**0.5 * z)


RIGHT: dict[str, object] = {
    "check_frechet": by_samples,
    "check_entropy": lambda counts: stats.entropy(counts.numpy(), base=2),
    "check_limit": lambda n1, d1, n2, d2: d2 - (d1 - d2) * n1 / (n2 - n1),
    "check_bits": 2500 * math.log2(math.e) / 784,
    "check_share_of_copies": lambda x, memory, closest: (
        (torch.cdist(x, memory).amin(1) < closest).double().mean()
    ),
}
VALUES = {"check_bits"}

WRONG: list[tuple[str, object, str]] = [
    ("check_frechet", lambda ma, va, mb, vb: (ma - mb) ** 2 + (va - vb) ** 2, "take the roots first"),
    ("check_entropy", lambda c: stats.entropy(c.numpy()), "in nats"),
    ("check_entropy", lambda c: c, "has shape (4,)"),
    ("check_limit", lambda n1, d1, n2, d2: d2, "not there"),
    ("check_bits", 4.5, "off by up to"),
    ("check_bits", 2500 / 784, "nats per pixel"),
    ("check_share_of_copies", lambda x, m, c: (torch.cdist(x, m) < c).double().mean(), "share of pairs"),
]


TestGraders = grader_tests(RIGHT, VALUES, WRONG)
