"""The graders of the chapter on the ResNet: the right answer passes, and each mistake is named."""

import math

import torch

from ddpm_lib.assets.measured import measured
from ddpm_lib.models import ResNetConfig, build
from tests.graders import grader_tests


def view(config: ResNetConfig) -> int:
    """Pixels across that the middle one depends on, by its gradient."""
    torch.manual_seed(0)
    net = build(config)
    for p in net.parameters():
        torch.nn.init.normal_(p, std=0.3)
    x = torch.randn(1, 1, 131, 131, requires_grad=True)
    net(x, torch.tensor([5]))[0, 0, 65, 65].backward()
    assert x.grad is not None
    return int((x.grad[0, 0].abs() > 0).any(0).sum())


def factor() -> float:
    def total(width: int, repaired: bool) -> float:
        key = (width, repaired, repaired)
        rows = measured("resnet")["rows"]
        return math.fsum(r["loss"] for r in rows if (r["width"], r["dilate"], r["time"]) == key)

    return total(1, False) / total(16, True)


RIGHT: dict[str, object] = {
    "check_view": view(ResNetConfig(blocks=6)),
    "check_blocks_needed": next(n for n in range(1, 40) if 1 + 4 * n >= 2 * 27 + 1),
    "check_residual": lambda x, w1, b1, w2, b2, conv, lrelu: conv(lrelu(conv(lrelu(x), w1, b1)), w2, b2) + x,
    "check_dilated_view": lambda n: view(ResNetConfig(blocks=n, dilate=True)),
    "check_add_time": lambda h, f: (h.permute(2, 3, 0, 1) + f).permute(2, 3, 0, 1),
    "check_repair_factor": factor(),
}
VALUES = {"check_view", "check_blocks_needed", "check_repair_factor"}

WRONG: list[tuple[str, object, str]] = [
    ("check_view", 13, "Each block has two"),
    ("check_view", 26, "off by up to"),
    ("check_blocks_needed", 7, "One in the corner"),
    (
        "check_residual",
        lambda x, w1, b1, w2, b2, conv, lrelu: x + conv(lrelu(conv(x, w1, b1)), w2, b2),
        "activation of the input",
    ),
    ("check_dilated_view", lambda n: 4 * n + 1, "plain blocks"),
    ("check_add_time", lambda h, f: h + f[:, None, None], "along the columns"),
    ("check_repair_factor", 1 / factor(), "other way round"),
]


TestGraders = grader_tests(RIGHT, VALUES, WRONG)
