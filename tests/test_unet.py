"""The U-Net: shapes, sizes, skips, folding, labels."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F

from ddpm_lib.denoiser import Denoiser
from ddpm_lib.models import (
    MLPConfig,
    ResNetConfig,
    UNet,
    build,
    classes_of,
)
from tests.configs import CLASSIC, MODERN, SMALL, WIDE, awake, normal, times
from tests.helpers import close

NETWORKS = [SMALL, MODERN, replace(SMALL, blocks=2, mults=(1, 2, 3)), ResNetConfig(), WIDE]


@pytest.mark.parametrize("config", NETWORKS)
def test_networks_are_denoisers_that_keep_the_shape(config):
    net = build(config)
    assert isinstance(net, Denoiser)
    assert net.config == config
    assert net.predicts == config.predicts
    with torch.no_grad():
        assert net(torch.zeros(3, 1, 16, 24), times(1, 2, 3)).shape == (3, 1, 16, 24)


@pytest.mark.parametrize(
    ("config", "height", "width"),
    [
        (SMALL, 2, 2),
        (SMALL, 10, 6),
        (replace(SMALL, channels=3), 32, 48),
        (replace(SMALL, mults=(1,)), 7, 5),
        (replace(SMALL, mults=(1, 1, 2)), 28, 28),
        (replace(MODERN, channels=3), 32, 48),
        (replace(SMALL, attention=(0, 1), blocks=3), 4, 8),
    ],
)
def test_any_size_that_the_levels_allow_works(config, height, width):
    with torch.no_grad():
        x = torch.zeros(2, config.channels, height, width)
        assert awake(config)(x, times(1, 2)).shape == x.shape


@pytest.mark.parametrize(
    ("config", "height", "width", "multiple"),
    [(SMALL, 28, 27, 2), (CLASSIC, 30, 28, 4), (MODERN, 28, 30, 4), (replace(SMALL, fold=2), 30, 28, 4)],
)
def test_a_size_that_the_levels_do_not_allow_is_refused(config, height, width, multiple):
    sentence = f"divisible by {multiple}, but the images are {height} x {width}: pad or resize them"
    with pytest.raises(ValueError, match=sentence):
        build(config)(torch.zeros(1, 1, height, width), times(1))


def test_images_of_other_channels_are_refused():
    with pytest.raises(ValueError, match="reads 1 channels, but the images have 3"):
        UNet(SMALL)(torch.zeros(1, 3, 8, 8), times(1))


@pytest.mark.parametrize("config", [CLASSIC, SMALL, MODERN, WIDE])
def test_a_fresh_network_says_exactly_0(config):
    with torch.no_grad():
        assert torch.equal(build(config)(normal(2, 1, 8, 8), times(1, 900)), torch.zeros(2, 1, 8, 8))


@pytest.mark.parametrize("config", [*NETWORKS, replace(MODERN, attention=(0, 1)), MLPConfig(width=16)])
def test_every_parameter_is_used(config):
    net = awake(config)
    x = normal(3, 2) if isinstance(config, MLPConfig) else normal(3, 1, 8, 8)
    y = times(0, 1, 3) if classes_of(config) else None
    net(x, times(1, 30, 900), y).square().sum().backward()
    unused = [name for name, p in net.named_parameters() if p.grad is None or not bool(p.grad.any())]
    assert not unused


def test_the_unet_is_down_middle_up_with_every_skip_handed_across_last_in_first_out():
    net, x = awake(replace(SMALL, attention=(1,), mults=(1, 2), groups=2)), normal(2, 1, 8, 8)
    emb = net.time(times(5, 50))
    # Written out for two levels of one block; `parts` are those of each stage.
    (d0,), (d1,), (d2, d2_attention) = (stage.parts for stage in net.down)
    (m0, m0_attention), (m1,) = (stage.parts for stage in net.middle)
    (u0, u0_attention), (u1, u1_attention, up), (u2,), (u3,) = (stage.parts for stage in net.up)
    a = net.first(x)
    b = d0(a, emb)
    c = d1(b)
    d = d2_attention(d2(c, emb))
    h = m1(m0_attention(m0(d, emb)), emb)
    h = u0_attention(u0(torch.cat([h, d], 1), emb))
    h = up(u1_attention(u1(torch.cat([h, c], 1), emb)))
    h = u3(torch.cat([u2(torch.cat([h, b], 1), emb), a], 1), emb)
    norm, _, conv = net.last
    h = F.leaky_relu(F.group_norm(h, 2, norm.weight, norm.bias), 0.2)
    close(net(x, times(5, 50)), F.conv2d(h, conv.weight, conv.bias, padding=1), 1e-5)


def test_folding_is_a_unet_on_four_times_the_channels():
    folded, x = awake(replace(SMALL, fold=2)), normal(2, 1, 8, 12)
    plain = UNet(replace(SMALL, channels=4)).eval()
    plain.load_state_dict(folded.state_dict())
    blocks = x.reshape(2, 4, 2, 6, 2).permute(0, 2, 4, 1, 3).reshape(2, 4, 4, 6)  # 2 x 2 pixels to channels
    out = plain(blocks, times(1, 2)).reshape(2, 2, 2, 4, 6).permute(0, 3, 1, 4, 2).reshape(2, 1, 8, 12)
    close(folded(x, times(1, 2)), out, 1e-6)


def test_the_label_matters_and_no_label_is_the_last_one():
    net, x, t = awake(MODERN), normal(1, 1, 8, 8).repeat(4, 1, 1, 1), times(9, 9, 9, 9)
    with torch.no_grad():
        out = net(x, t, times(0, 1, 2, 3))
        close(net(x[:1], t[:1]), out[3:], 1e-5)
    for i in range(4):
        for j in range(i):
            assert float((out[i] - out[j]).abs().max()) > 1e-3
    assert classes_of(MODERN) == 3
    assert classes_of(SMALL) == classes_of(WIDE) == classes_of(MLPConfig()) == 0


@pytest.mark.parametrize(
    ("config", "sentence"),
    [
        (SMALL, "built without classes: leave y out"),
        (WIDE, "knows no classes"),
        (MLPConfig(), "knows no classes"),
    ],
)
def test_labels_for_a_network_without_classes_are_refused(config, sentence):
    x = normal(2, 2) if isinstance(config, MLPConfig) else normal(2, 1, 8, 8)
    with pytest.raises(ValueError, match=sentence):
        build(config)(x, times(1, 2), times(0, 1))
