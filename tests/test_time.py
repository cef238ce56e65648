"""How a network is told the time."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F

from ddpm_lib.models import (
    MLPConfig,
    ResNetConfig,
)
from ddpm_lib.models.blocks import (
    TimeMLP,
    time_embedding,
)
from tests.configs import MODERN, SMALL, WIDE, awake, normal, times
from tests.helpers import close


@pytest.mark.equation("eq-time-embedding")
def test_time_embedding_is_cosines_and_sines_one_row_a_time_one_column_a_frequency():
    t = times(0, 1, 7, 999)
    table = time_embedding(t, 8, max_period=10_000.0)
    assert table.shape == (4, 8)
    for row, time in zip(table, t.tolist(), strict=True):
        for i in range(4):
            w = 10_000 ** (-i / 4)
            assert float(row[i]) == pytest.approx(math.cos(time * w), abs=1e-4)
            assert float(row[4 + i]) == pytest.approx(math.sin(time * w), abs=1e-4)
    close(time_embedding(times(7), 8), table[2:3], 1e-7)


def test_times_are_the_less_alike_the_further_apart_they_are():
    table = time_embedding(torch.arange(1000), 96)
    table = table / table.norm(dim=1, keepdim=True)
    similarity = table @ table[500]
    assert float(similarity[500]) == pytest.approx(1, abs=1e-5)
    for near, far in ((501, 505), (505, 530), (530, 700), (495, 470), (470, 300)):
        assert similarity[near] > similarity[far] + 0.01
    close(similarity[500 - 40 : 501].flip(0), similarity[500:541], 1e-3)  # |t - t'| alone counts


def test_the_time_mlp_is_two_linear_layers_over_the_embedding():
    torch.manual_seed(0)
    mlp, t = TimeMLP(8, 12, "silu"), times(0, 3, 999)
    first, last = mlp.mlp[0], mlp.mlp[2]
    expected = F.linear(
        F.silu(F.linear(time_embedding(t, 8), first.weight, first.bias)), last.weight, last.bias
    )
    close(mlp(t), expected, 1e-6)


@pytest.mark.parametrize("config", [SMALL, MODERN, WIDE, MLPConfig(width=16)])
def test_the_output_depends_on_the_time_of_each_image(config):
    net = awake(config)
    one = normal(1, 2) if isinstance(config, MLPConfig) else normal(1, 1, 8, 8)
    x, t = one.repeat(3, *[1] * (one.ndim - 1)), times(1, 1, 500)
    with torch.no_grad():
        out = net(x, t)
    close(out[0], out[1], 1e-6)
    assert float((out[0] - out[2]).abs().max()) > 1e-3


@pytest.mark.parametrize(("config", "expected"), [
    (ResNetConfig(width=4, blocks=3), 4 * 3 + 5), (ResNetConfig(width=4, blocks=3, dilate=True), 4 * 7 + 5),
    (ResNetConfig(blocks=4, dilate=True), 61),
])  # fmt: skip
def test_dilated_blocks_see_further(config, expected):
    x = normal(1, 1, 71, 71).requires_grad_()
    awake(config)(x, times(1))[0, 0, 35, 35].backward()
    seen = x.grad[0, 0].abs() > 0
    assert int(seen.any(0).nonzero().max() - seen.any(0).nonzero().min()) + 1 == expected


def test_the_plain_resnet_does_not_see_the_time():
    net, x = awake(ResNetConfig()), normal(1, 1, 8, 8)
    assert torch.equal(net(x, times(1)), net(x, times(900)))
