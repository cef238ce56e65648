"""The networks: shapes, counts, and that each part does what its name says."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from torch.utils.flop_counter import FlopCounterMode

from ddpm_lib.denoiser import Denoiser
from ddpm_lib.models import (
    MLP,
    MLPConfig,
    ResNet,
    ResNetConfig,
    UNet,
    UNetConfig,
    build,
    classes_of,
)
from ddpm_lib.models.blocks import (
    Attention,
    Downsample,
    ResidualBlock,
    TimeMLP,
    Upsample,
    group_norm,
    time_embedding,
)
from tests.helpers import close, generator

CLASSIC = UNetConfig()
SMALL = UNetConfig(base=8, mults=(1, 2), blocks=1, heads=2)
MODERN = replace(
    SMALL, groups=4, activation="silu", scale_shift=True, attention=(1,), fold=2, classes=3, predicts="v"
)
WIDE = ResNetConfig(width=8, blocks=2, time=True)
NETWORKS = [SMALL, MODERN, replace(SMALL, blocks=2, mults=(1, 2, 3)), ResNetConfig(), WIDE]


def normal(*shape, seed=0):
    return torch.randn(shape, generator=generator(seed))


def awake(config):
    """A network whose zero-initialised layers have been filled, as after some training."""
    torch.manual_seed(0)
    net = build(config).eval()
    for parameter in net.parameters():
        if not parameter.any():
            torch.nn.init.normal_(parameter, std=0.1)
    return net


def times(*t):
    return torch.tensor(t)


# -- the course's two networks -------------------------------------------------------------------------------


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


# -- time ----------------------------------------------------------------------------------------------------


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


# -- blocks --------------------------------------------------------------------------------------------------


@pytest.mark.equation("eq-unet-block")
@pytest.mark.parametrize("scale_shift", [False, True])
@pytest.mark.parametrize(("c_in", "c_out"), [(6, 6), (6, 4)])
def test_the_residual_block_is_its_formula(scale_shift, c_in, c_out):
    torch.manual_seed(0)
    block = ResidualBlock(c_in, c_out, 5, activation="silu", groups=2, scale_shift=scale_shift, dropout=0.0)
    for layer in (block.conv2, block.norm1, block.norm2):
        torch.nn.init.normal_(layer.weight)
        torch.nn.init.normal_(layer.bias)
    x, emb = normal(3, c_in, 4, 6), normal(3, 5, seed=1)
    h = F.conv2d(F.silu(F.group_norm(x, 2, block.norm1.weight, block.norm1.bias)), block.conv1.weight,
                 block.conv1.bias, padding=1)  # fmt: skip
    time = F.linear(F.silu(emb), block.time.weight, block.time.bias)[:, :, None, None]
    if scale_shift:
        h = F.group_norm(h, 2, block.norm2.weight, block.norm2.bias)
        h = h * (1 + time[:, :c_out]) + time[:, c_out:]
    else:
        h = F.group_norm(h + time, 2, block.norm2.weight, block.norm2.bias)
    h = F.conv2d(F.silu(h), block.conv2.weight, block.conv2.bias, padding=1)
    skip = x if c_in == c_out else F.conv2d(x, block.skip.weight, block.skip.bias)
    close(block(x, emb), skip + h, 1e-5)


def test_a_fresh_residual_block_and_a_fresh_attention_are_the_identity():
    block = ResidualBlock(6, 6, 5, activation="silu", groups=2, scale_shift=True, dropout=0.5)
    x = normal(3, 6, 4, 6)
    assert torch.equal(block(x, normal(3, 5)), x)
    assert torch.equal(Attention(6, 2, 3)(x), x)


def test_dropout_acts_in_training_alone():
    torch.manual_seed(0)
    block = ResidualBlock(6, 6, 5, activation="silu", groups=0, scale_shift=False, dropout=0.5)
    torch.nn.init.normal_(block.conv2.weight)
    x, emb = normal(3, 6, 4, 6), normal(3, 5)
    assert not torch.equal(block(x, emb), block(x, emb))
    block.eval()
    assert torch.equal(block(x, emb), block(x, emb))


def attention_with_open_output(channels, heads, groups=0):
    """An attention whose output projection passes the heads' result through."""
    torch.manual_seed(0)
    attention = Attention(channels, heads, groups)
    with torch.no_grad():
        attention.out.weight.copy_(torch.eye(channels)[:, :, None, None])
    return attention


@pytest.mark.equation("eq-attention")
@pytest.mark.parametrize("heads", [1, 2, 4])
def test_attention_is_torchs_own_with_real_heads(heads):
    attention, x = attention_with_open_output(8, heads, groups=2), normal(2, 8, 3, 5)
    with torch.no_grad():
        torch.nn.init.normal_(attention.norm.weight)
        qkv = F.conv2d(F.group_norm(x, 2, attention.norm.weight), attention.qkv.weight, attention.qkv.bias)
        q, k, v = (
            part.flatten(2).unflatten(1, (heads, 8 // heads)).transpose(2, 3) for part in qkv.chunk(3, 1)
        )
        expected = F.scaled_dot_product_attention(q, k, v).transpose(2, 3).reshape(2, 8, 3, 5)
        close(attention(x) - x, expected, 1e-5)


def test_a_heads_weights_move_that_heads_features_alone():
    attention, x = attention_with_open_output(8, 4), normal(2, 8, 3, 5)
    with torch.no_grad():
        before = attention(x)
        for part in range(3):  # q, k and v of head 2, which owns features 4 and 5
            attention.qkv.weight[8 * part + 4 : 8 * part + 6] += 0.5
        moved = (attention(x) - before).abs().amax((0, 2, 3)) > 1e-6
    assert moved.tolist() == [False] * 4 + [True] * 2 + [False] * 2


def test_heads_must_divide_the_channels():
    with pytest.raises(ValueError, match="10 channels cannot be split into 4 heads"):
        Attention(10, 4, 0)
    with pytest.raises(ValueError, match="cannot be split into 3 heads"):
        UNet(replace(SMALL, heads=3))


def test_downsampling_halves_and_upsampling_repeats_pixels_before_its_convolution():
    torch.manual_seed(0)
    down, up, x = Downsample(3, 5), Upsample(3, 5), normal(2, 3, 6, 4)
    close(down(x), F.conv2d(x, down.conv.weight, down.conv.bias, stride=2, padding=1), 1e-6)
    assert down(x).shape == (2, 5, 3, 2)
    twice = x.repeat_interleave(2, 2).repeat_interleave(2, 3)
    close(up(x), F.conv2d(twice, up.conv.weight, up.conv.bias, padding=1), 1e-6)


@pytest.mark.parametrize(("channels", "asked", "groups"), [(96, 32, 32), (48, 32, 16), (8, 1, 1), (6, 4, 2)])
def test_group_norm_takes_groups_that_divide_the_channels(channels, asked, groups):
    assert group_norm(channels, asked).num_groups == groups


def test_no_groups_is_no_norm():
    assert isinstance(group_norm(8, 0), torch.nn.Identity)


# -- the U-Net -----------------------------------------------------------------------------------------------


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


# -- classes -------------------------------------------------------------------------------------------------


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


# -- points --------------------------------------------------------------------------------------------------


def test_the_mlp_is_its_layers_over_the_point_and_the_time():
    net, x, t = awake(MLPConfig(dim=3, width=16, layers=2)), normal(4, 3), times(1, 5, 50, 900)
    h = torch.cat([x, net.time(t)], 1)
    for layer in (net.net[0][0], net.net[1][0]):
        h = F.silu(F.linear(h, layer.weight, layer.bias))
    close(net(x, t), F.linear(h, net.net[2].weight, net.net[2].bias), 1e-6)
    assert torch.equal(MLP(MLPConfig())(normal(4, 2), t), torch.zeros(4, 2))
