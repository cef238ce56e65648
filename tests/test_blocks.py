"""The blocks of the networks: residual, attention, sampling, norms."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F

from ddpm_lib.models import (
    UNet,
)
from ddpm_lib.models.blocks import (
    Attention,
    Downsample,
    ResidualBlock,
    Upsample,
    group_norm,
)
from tests.configs import SMALL, normal
from tests.helpers import close


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
