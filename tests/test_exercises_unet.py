"""The graders of the chapter on the U-Net: the right answer passes, and each mistake is named."""

import math
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ddpm_lib import exercises
from ddpm_lib.assets.measured import measured
from ddpm_lib.models import UNet, UNetConfig
from ddpm_lib.models.blocks import Attention, time_embedding
from tests.graders import grader_tests


def middle() -> tuple[int, ...]:
    """The shape in the middle, by a hook; a quarter of the channels will do."""
    net, shapes = UNet(UNetConfig(base=16, mults=(1, 2, 3, 4))), []
    net.middle[0].register_forward_hook(lambda module, args, out: shapes.append(tuple(out.shape[1:])))
    with torch.no_grad():
        net(torch.zeros(1, 1, 32, 32), torch.tensor([1]))
    channels, height, width = shapes[0]
    return 4 * channels, height, width


def time_factor() -> float:
    rows = measured("ablate-eps")["rows"]
    told, not_told = (sum(r["distance"] for r in rows if r["arm"] == arm) for arm in ("the whole", "no time"))
    return not_told / told  # type: ignore[no-any-return]


def cost(c: int, s: int, level: int) -> int:
    """Each output number reads c 2^level channels at 9 places."""
    channels, side = c * 2**level, s // 2**level
    return side * side * channels * 9 * channels


def embedding(t: Tensor, dim: int) -> Tensor:
    rows = []
    for time in t.tolist():
        w = [10_000 ** (-i / (dim // 2)) for i in range(dim // 2)]
        rows.append([math.cos(time * x) for x in w] + [math.sin(time * x) for x in w])
    return torch.tensor(rows)


def similarity(d: int, w: Tensor) -> Tensor:
    dim = 2 * len(w)
    a, b = time_embedding(torch.tensor([17, 17 + d]), dim).double()
    return a @ b


class Bend(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        h = self.conv1(F.leaky_relu(x, 0.2))
        out: Tensor = x + self.conv2(F.leaky_relu(h, 0.2))
        return out


class Grow(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.conv(x.repeat_interleave(2, 2).repeat_interleave(2, 3))
        return out


class Look(nn.Module):
    """The library's attention, its last layer the identity."""

    def __init__(self, channels: int, heads: int) -> None:
        super().__init__()
        self.theirs = [Attention(channels, heads, 0).double()]
        nn.init.eye_(self.theirs[0].out.weight.data[:, :, 0, 0])
        self.qkv = self.theirs[0].qkv

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.theirs[0](x)
        return out


RIGHT: dict[str, Any] = {
    "check_middle": middle(),
    "check_conv_cost": cost,
    "check_time_embedding": embedding,
    "check_similarity": similarity,
    "check_attention": lambda q, k, v: F.scaled_dot_product_attention(q, k, v),
    "check_bend": Bend,
    "check_grow": Grow,
    "check_look": Look,
    "check_time_factor": time_factor(),
}
VALUES = {"check_middle", "check_time_factor"}


class BendSlip(Bend):
    def forward(self, x: Tensor) -> Tensor:
        h = F.leaky_relu(x, 0.2)
        h = self.conv1(x)
        out: Tensor = x + self.conv2(F.leaky_relu(h, 0.2))
        return out


class GrowSlip(Grow):
    def forward(self, x: Tensor) -> Tensor:
        return F.interpolate(x, scale_factor=2.0)


class LookSlip(Look):
    def __init__(self, channels: int, heads: int) -> None:
        super().__init__(channels, heads=1)


def with_mask_on_rows(t: Tensor, dim: int) -> Tensor:
    angle = t[:, None] * 10_000 ** (-torch.arange(dim) / dim)[None]
    out = torch.empty(len(t), dim)
    out[t % 2 == 0] = angle[t % 2 == 0].sin()
    out[t % 2 == 1] = angle[t % 2 == 1].cos()
    return out


WRONG: list[tuple[str, object, str]] = [
    ("check_middle", (1536, 4, 4), "count from the base"),
    ("check_middle", 192, "3 numbers in a tuple"),
    ("check_conv_cost", lambda c, s, level: 9 * c * s**2 // 2**level, "*every* channel"),
    ("check_time_embedding", with_mask_on_rows, "the rows were masked"),
    ("check_similarity", lambda d, w: (d * w).cos().mean(), "a sum"),
    ("check_attention", lambda q, k, v: (q @ k.T).softmax(-1) @ v, "not divided"),
    ("check_bend", BendSlip, "no other line uses"),
    ("check_grow", GrowSlip, "no gradient"),
    ("check_look", LookSlip, "Where is `self.heads`"),
    ("check_time_factor", 1 / time_factor(), "other way round"),
]


TestGraders = grader_tests(RIGHT, VALUES, WRONG)


def test_a_layer_that_lost_its_weights_is_told_so() -> None:
    class Empty(nn.Module):
        def __init__(self, channels: int) -> None:
            super().__init__()

    assert "conv.weight" in exercises.check_grow(Empty).message


@pytest.mark.parametrize("heads_first", [True, False])
def test_which_channels_a_head_gets_is_a_convention(heads_first: bool) -> None:
    class Look(nn.Module):
        def __init__(self, channels: int, heads: int) -> None:
            super().__init__()
            self.heads, self.qkv = heads, nn.Conv2d(channels, 3 * channels, 1)

        def forward(self, x: Tensor) -> Tensor:
            b, _, h, w = x.shape
            shape = (b, self.heads, 3, -1, h * w) if heads_first else (b, 3, -1, self.heads, h * w)
            parts = self.qkv(x).reshape(shape)
            q, k, v = (parts if heads_first else parts.transpose(2, 3)).unbind(2 if heads_first else 1)
            found = F.scaled_dot_product_attention(*(part.transpose(2, 3) for part in (q, k, v)))
            found = found.transpose(2, 3) if heads_first else found.permute(0, 3, 1, 2)
            return x + found.reshape(x.shape)

    assert exercises.check_look(Look)
