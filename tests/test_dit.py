"""The diffusion transformer: its blocks, its attention, its positions."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from ddpm_lib.models import (
    DiT,
    DiTConfig,
    build,
)
from ddpm_lib.models.dit import DiTBlock, modulate, positions
from tests.awake import SMALL_DIT, awake, close, normal


@pytest.mark.equation("eq-adaln")
def test_a_block_is_its_formula_and_begins_as_the_identity():
    torch.manual_seed(0)
    block = DiTBlock(8, heads=2)
    h, c = normal(3, 5, 8), normal(3, 8, seed=1)
    close(block(h, c), h)
    awake(block)
    parts = F.linear(F.silu(c), block.modulation[1].weight, block.modulation[1].bias)[:, None].split(
        8, dim=-1
    )
    shift1, scale1, gate1, shift2, scale2, gate2 = parts
    norm = lambda x: F.layer_norm(x, (8,))  # noqa: E731
    middle = h + gate1 * block.attend((1 + scale1) * norm(h) + shift1)
    close(block(h, c), middle + gate2 * block.mlp((1 + scale2) * norm(middle) + shift2))
    close(modulate(h, shift1 * 0, scale1 * 0), h)


def test_its_attention_is_that_of_torch():
    torch.manual_seed(0)
    block, theirs = DiTBlock(8, heads=2), torch.nn.MultiheadAttention(8, 2, batch_first=True)
    theirs.load_state_dict(
        {
            "in_proj_weight": block.qkv.weight, "in_proj_bias": block.qkv.bias,
            "out_proj.weight": block.out.weight, "out_proj.bias": block.out.bias,
        }
    )  # fmt: skip
    h = normal(3, 5, 8)
    close(block.attend(h), theirs(h, h, h)[0])


def test_positions_tell_every_patch_from_every_other():
    at = positions(7, 5, 16)
    assert at.shape == (35, 16)
    assert float(torch.pdist(at).min()) > 0.1
    close(at[0:5, :8], at[0:1, :8].expand(5, 8))  # one row: only the column differs


def test_a_token_reads_only_its_patch_where_no_block_mixes_them():
    net = awake(DiT(DiTConfig(channels=1, patch=2, width=16, heads=2, classes=0, blocks=0)))
    x, t = normal(1, 1, 6, 6), torch.tensor([3])
    other = x.clone()
    other[..., 2:4, 4:6] += 1
    changed = (net(x, t) - net(other, t)).abs()[0, 0] > 1e-6
    assert changed[2:4, 4:6].all()
    assert int(changed.sum()) == 4


def test_a_dit_reads_time_and_class_and_refuses_what_does_not_fit():
    net = awake(build(SMALL_DIT))
    x, t = normal(2, 4, 7, 7), torch.tensor([1, 9])
    null = torch.tensor([3, 3])
    close(net(x, t), net(x, t, null))
    assert not torch.allclose(net(x, t), net(x, t, null - 1))
    assert not torch.allclose(net(x, t), net(x, t + 1))
    with pytest.raises(ValueError, match="reads 4 channels in patches of 1 x 1"):
        net(x[:, :1], t)
    with pytest.raises(ValueError, match="There is no class 4"):
        net(x, t, null + 1)
    with pytest.raises(ValueError, match="cannot be split into 3 heads"):
        DiT(DiTConfig(width=16, heads=3))
    with pytest.raises(ValueError, match="built without classes"):
        DiT(DiTConfig(width=16, classes=0))(x, t, null)
