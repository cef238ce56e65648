"""The graders of the chapter on the ResNet: the right answer passes, and each mistake is named."""

import pytest
import torch

from ddpm_lib import exercises
from ddpm_lib.measured import measured
from ddpm_lib.models import ResNetConfig, build
from tests.graders import assert_each_mistake_is_told_apart


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
    rows = {(r["width"], r["dilate"], r["time"]): r["distance"] for r in measured("resnet")["rows"]}
    return rows[1, False, False] / rows[16, True, True]  # type: ignore[no-any-return]


RIGHT: dict[str, object] = {
    "check_view": view(ResNetConfig(blocks=6)),
    "check_blocks_needed": next(n for n in range(1, 40) if 1 + 4 * n >= 2 * 27 + 1),
    "check_residual": lambda x, w1, b1, w2, b2, conv, lrelu: conv(lrelu(conv(lrelu(x), w1, b1)), w2, b2) + x,
    "check_dilated_view": lambda n: view(ResNetConfig(blocks=n, dilate=True)),
    "check_add_time": lambda h, f: (h.permute(2, 3, 0, 1) + f).permute(2, 3, 0, 1),
    "check_repair_factor": factor(),
}
VALUES = {"check_view", "check_blocks_needed", "check_repair_factor"}
FUNCTIONS = sorted(set(RIGHT) - VALUES)

WRONG: list[tuple[str, object, str]] = [
    ("check_view", 13, "Each block has two"),
    ("check_view", 26, "off by up to"),
    ("check_blocks_needed", 7, "One in the corner"),
    (
        "check_residual",
        lambda x, w1, b1, w2, b2, conv, lrelu: x + conv(lrelu(conv(x, w1, b1)), w2, b2),
        "bend it first",
    ),
    ("check_dilated_view", lambda n: 4 * n + 1, "plain blocks"),
    ("check_add_time", lambda h, f: h + f[:, None, None], "along the columns"),
    ("check_repair_factor", 1 / factor(), "other way round"),
]


@pytest.mark.parametrize("name", RIGHT)
def test_the_right_answer_passes(name: str) -> None:
    verdict = getattr(exercises, name)(RIGHT[name])
    assert verdict, verdict


@pytest.mark.parametrize(("name", "answer", "words"), WRONG)
def test_a_mistake_is_named(name: str, answer: object, words: str) -> None:
    verdict = getattr(exercises, name)(answer)
    assert not verdict
    assert words in verdict.message


@pytest.mark.parametrize("name", RIGHT)
def test_every_mistake_that_a_grader_knows_gets_its_own_message(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert_each_mistake_is_told_apart(name, RIGHT[name], monkeypatch)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_an_attempt_with_dots_is_open_and_not_wrong(name: str) -> None:
    assert "no answer yet" in getattr(exercises, name)(lambda *_: ...).message


@pytest.mark.parametrize("name", sorted(VALUES))
def test_an_open_answer_is_not_marked_wrong(name: str) -> None:
    assert "no answer yet" in getattr(exercises, name)(...).message
