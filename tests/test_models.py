"""The networks: shapes, counts, and that each part does what its name says."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch.utils.flop_counter import FlopCounterMode

from ddpm_lib.models import (
    MLP,
    MLPConfig,
    ResNet,
    ResNetConfig,
    UNet,
)
from ddpm_lib.models.blocks import (
    Attention,
    ResidualBlock,
    time_embedding,
)
from tests.configs import CLASSIC, WIDE, awake, normal, times
from tests.helpers import close


def test_the_classic_unet_has_13_782_721_parameters_and_takes_4_88_GFLOP_an_image():
    net = UNet(CLASSIC)
    assert sum(p.numel() for p in net.parameters()) == 13_782_721
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        net(torch.zeros(1, 1, 28, 28), times(1))
    assert counter.get_total_flops() == pytest.approx(4.88e9, rel=1e-3)
    kinds = [type(module) for module in net.modules()]
    assert kinds.count(Attention) == 1  # in the middle only
    assert kinds.count(ResidualBlock) == 6 + 2 + 9
    assert torch.nn.GroupNorm not in kinds


@pytest.mark.equation("eq-resnet-block")
def test_the_classic_resnet_is_its_formula():
    # x + conv3x3(lrelu(conv3x3(lrelu(x)))), four times, C = 1 channel in and out, slope 0.2.
    torch.manual_seed(0)
    net, x = ResNet(ResNetConfig()), normal(2, 1, 9, 7)
    assert sum(p.numel() for p in net.parameters()) == 4 * 2 * (9 + 1)
    h = x
    for block in net.blocks:
        inner = F.conv2d(F.leaky_relu(h, 0.2), block.conv1.weight, block.conv1.bias, padding=1)
        h = h + F.conv2d(F.leaky_relu(inner, 0.2), block.conv2.weight, block.conv2.bias, padding=1)
    close(net(x, times(1, 2)), h, 1e-6)


def test_the_wide_timed_resnet_is_its_formula():
    net, x, t = awake(WIDE), normal(2, 1, 9, 7), times(3, 700)
    emb = net.time.mlp(time_embedding(t, net.time.dim))
    h = F.conv2d(x, net.widen.weight, net.widen.bias, padding=1)
    for block in net.blocks:
        inner = F.conv2d(F.leaky_relu(h, 0.2), block.conv1.weight, block.conv1.bias, padding=1)
        inner = inner + F.linear(emb, block.time.weight, block.time.bias)[:, :, None, None]
        h = h + F.conv2d(F.leaky_relu(inner, 0.2), block.conv2.weight, block.conv2.bias, padding=1)
    close(net(x, t), F.conv2d(h, net.narrow.weight, net.narrow.bias, padding=1), 1e-5)


@pytest.mark.parametrize("blocks", [1, 4])
def test_the_resnets_receptive_field_is_4_blocks_plus_1_pixels(blocks):
    torch.manual_seed(0)
    x = normal(1, 1, 31, 31).requires_grad_()
    ResNet(ResNetConfig(blocks=blocks))(x, times(1))[0, 0, 15, 15].backward()
    seen = x.grad[0, 0].abs() > 0
    for touched in (seen.any(0), seen.any(1)):
        assert int(touched.nonzero()[-1] - touched.nonzero()[0]) + 1 == 4 * blocks + 1


def test_the_mlp_is_its_layers_over_the_point_and_the_time():
    net, x, t = awake(MLPConfig(dim=3, width=16, layers=2)), normal(4, 3), times(1, 5, 50, 900)
    h = torch.cat([x, net.time(t)], 1)
    for layer in (net.net[0][0], net.net[1][0]):
        h = F.silu(F.linear(h, layer.weight, layer.bias))
    close(net(x, t), F.linear(h, net.net[2].weight, net.net[2].bias), 1e-6)
    assert torch.equal(MLP(MLPConfig())(normal(4, 2), t), torch.zeros(4, 2))
