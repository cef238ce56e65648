"""The graders of the chapter on guidance: the right answer passes, and each mistake is named."""

from typing import Any

import torch
from torch import Tensor

from ddpm_lib import exercises
from ddpm_lib.guidance import Guided
from tests.graders import grader_tests


class Plain:
    """A network of the exercise as a denoiser of the library."""

    predicts = "eps"

    def __init__(self, network: object) -> None:
        self.network = network

    def __call__(self, xt: Tensor, t: Tensor, y: Tensor) -> Tensor:
        return self.network(xt, t, y)  # type: ignore[operator]


def dropped(y: Tensor, u: Tensor, share: float, null: int) -> list[int]:
    pairs = zip(y.tolist(), u.tolist(), strict=True)
    return [null if draw < share else label for label, draw in pairs]


def tilted_by_sum(v_y: float, v: float, w: float) -> float:
    """The variance of p(x | y)^(1 + w) / p(x)^w on a fine grid."""
    x = torch.linspace(-20, 20, 40_001, dtype=torch.float64)
    p = (-(1 + w) * x**2 / (2 * v_y) + w * x**2 / (2 * v)).exp()
    return float((x**2 * p).sum() / p.sum())


def thresholded(x0_hat: Tensor, share: float) -> Tensor:
    rows = []
    for picture in x0_hat:
        s = max(1.0, float(picture.abs().quantile(share)))
        rows.append(picture.clamp(-s, s) / s)
    return torch.stack(rows)


RIGHT: dict[str, object] = {
    "check_scale": 6.5,
    "check_drop_labels": lambda *case: torch.tensor(dropped(*case)),
    "check_guided": lambda network, xt, t, y, w, classes: Guided(Plain(network), w, classes)(xt, t, y),  # type: ignore[arg-type]
    "check_tilted_variance": tilted_by_sum,
    "check_dynamic_threshold": thresholded,
}
VALUES = {"check_scale"}
WRONG: list[tuple[str, object, str]] = [
    ("check_scale", 7.5, "the program's own number"),
    ("check_drop_labels", lambda y, u, share, null: y * (u > share), "Label 0 is a class"),
    ("check_drop_labels", lambda y, u, share, null: y[u >= share], "was expected"),
    (
        "check_guided",
        lambda network, xt, t, y, w, classes: (
            (1 + w) * network(xt, t, y) - w * network(xt, t, torch.zeros_like(y))
        ),
        "as it was",
    ),
    (
        "check_guided",
        lambda network, xt, t, y, w, classes: (
            (1 + w) * network(xt, t, y) - w * network(xt, t, torch.full_like(y, -1))
        ),
        "counts from the end",
    ),
    (
        "check_dynamic_threshold",
        lambda x, share: torch.cat([thresholded(channel, share) for channel in x.split(1, dim=1)], dim=1),
        "one quantile per channel",
    ),
    ("check_tilted_variance", lambda v_y, v, w: v_y ** (1 + w) / v**w, "where the walk ends"),
    ("check_dynamic_threshold", lambda x, share: x.clip(-1, 1), "fixed clipping"),
]

TestGraders = grader_tests(RIGHT, VALUES, WRONG)


def test_no_labels_at_all_mean_no_class() -> None:
    def guided(network: Any, xt: Tensor, t: Tensor, y: Tensor, w: float, classes: int) -> Tensor:
        result: Tensor = (1 + w) * network(xt, t, y) - w * network(xt, t, None)
        return result

    assert exercises.check_guided(guided)
