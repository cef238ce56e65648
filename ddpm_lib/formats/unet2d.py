"""Our U-Net as diffusers' UNet2DModel, weight by weight, where the two compute the same function.

They do for SiLU, one number of groups in every GroupNorm, one size of attention heads, whole pixels and no
classes: both follow the network of Ho et al. 2020, appendix B. `why_not` names what stands against it.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator, Mapping
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ddpm_lib.models.blocks import Attention, Downsample, ResidualBlock, Upsample
from ddpm_lib.models.unet import Stage, UNet

FIRST = "time_embedding.linear_1.weight"


def why_not(network: nn.Module) -> str | None:
    """What UNet2DModel cannot do of this network, as a clause; None where it computes the same."""
    if not isinstance(network, UNet):
        return "it is not a U-Net"
    config = network.config
    reasons = {
        f"it folds {config.fold} x {config.fold} pixels into channels": config.fold > 1,
        f"its activation is {config.activation}": config.activation != "silu",
        "it must also run without a class, and UNet2DModel insists on one": config.classes > 0,
        "its first level is wider than its time embedding": config.mults[0] != 1,
        "its norms differ in their number of groups, or it has none": len(_groups(network)) != 1,
        "its attention heads differ in size": config.heads > 1 and len(_head_sizes(network)) != 1,
    }
    return next((reason for reason, holds in reasons.items() if holds), None)


def unet2d_config(network: UNet, size: tuple[int, int]) -> dict[str, Any]:
    """The arguments of the UNet2DModel that computes the same, for images of (height, width) `size`."""
    config = network.config
    attention = [level in config.attention for level in range(len(config.mults))]
    return {
        "sample_size": size[0] if size[0] == size[1] else list(size),
        "in_channels": config.channels,
        "out_channels": config.channels,
        "time_embedding_dim": 4 * config.base,
        "block_out_channels": [config.base * m for m in config.mults],
        "layers_per_block": config.blocks,
        "down_block_types": ["AttnDownBlock2D" if a else "DownBlock2D" for a in attention],
        "up_block_types": ["AttnUpBlock2D" if a else "UpBlock2D" for a in reversed(attention)],
        "attention_head_dim": None if config.heads == 1 else min(_head_sizes(network)),  # None: a single head
        "norm_num_groups": min(_groups(network)),
        "attn_norm_num_groups": min(_groups(network)),  # in the middle, which has no norm there by default
        "resnet_time_scale_shift": "scale_shift" if config.scale_shift else "default",
        "dropout": config.dropout,
    }


def unet2d_weights(network: UNet) -> dict[str, Tensor]:
    """The weights under UNet2DModel's names. Its time is one less than ours, which the first layer makes up for."""
    weights = _renamed(network)
    return weights | {FIRST: one_later(weights[FIRST], network.config.base)}


def take_weights(network: UNet, theirs: Mapping[str, Tensor]) -> None:
    """Load the weights of a UNet2DModel: each goes where `unet2d_weights` would take it from.

    Raises KeyError or RuntimeError where they are another network's.
    """
    theirs = {**theirs, FIRST: one_earlier(theirs[FIRST], network.config.base)}
    numbered = copy.deepcopy(network).double()
    count = sum(p.numel() for p in numbered.parameters())
    nn.utils.vector_to_parameters(torch.arange(count, dtype=torch.float64), numbered.parameters())
    ours = torch.full((count,), torch.nan)
    for name, place in _renamed(numbered).items():
        ours[place.long()] = theirs[name]
    nn.utils.vector_to_parameters(ours, network.parameters())


def one_later(weight: Float[Tensor, "out dim"], dim: int) -> Float[Tensor, "out dim"]:
    """The layer W' that makes of the embedding of t - 1 what W makes of that of t (models.blocks.time_embedding).

    cos(t w) and sin(t w) are cos((t - 1) w) and sin((t - 1) w) turned by the angle w, and W' = W times that rotation.
    """
    return _turned(weight, dim, 1.0)


def one_earlier(weight: Float[Tensor, "out dim"], dim: int) -> Float[Tensor, "out dim"]:
    """The layer W that `one_later` makes W' of."""
    return _turned(weight, dim, -1.0)


def _turned(weight: Float[Tensor, "out dim"], dim: int, by: float) -> Float[Tensor, "out dim"]:
    w = by * torch.exp(-math.log(10_000.0) * torch.arange(dim // 2, dtype=torch.float64) / (dim // 2))
    cos, sin = weight.double().chunk(2, dim=1)
    turned = torch.cat([cos * w.cos() + sin * w.sin(), sin * w.cos() - cos * w.sin()], dim=1)
    return turned.to(weight.dtype)


def _renamed(network: UNet) -> dict[str, Tensor]:
    """Our weights under their names."""
    return {
        f"{name}.{key}": tensor
        for name, layer in _layers(network)
        for key, tensor in layer.state_dict().items()
    }


def _layers(network: UNet) -> Iterator[tuple[str, nn.Module]]:
    """Every layer with weights, under the name that UNet2DModel gives it."""
    yield "time_embedding.linear_1", network.time.mlp[0]
    yield "time_embedding.linear_2", network.time.mlp[2]
    yield "conv_in", network.first
    down, up = _stages(network.down), _stages(network.up)
    levels, blocks = len(network.config.mults), network.config.blocks
    for level in range(levels):
        if level:  # theirs ends a level with the halving, ours begins the next with it
            yield from _stage(f"down_blocks.{level - 1}", 0, next(down))
        for i in range(blocks):
            yield from _stage(f"down_blocks.{level}", i, next(down))
    for i, stage in enumerate(_stages(network.middle)):
        yield from _stage("mid_block", i, stage)
    for level in range(levels):
        for i in range(blocks + 1):
            yield from _stage(f"up_blocks.{level}", i, next(up))
    yield "conv_norm_out", network.last[0]
    yield "conv_out", network.last[2]


def _stages(modules: nn.ModuleList) -> Iterator[Stage]:
    return (module for module in modules if isinstance(module, Stage))


def _stage(where: str, i: int, stage: Stage) -> Iterator[tuple[str, nn.Module]]:
    for part in stage.parts:
        if isinstance(part, ResidualBlock):
            names = {"norm1": part.norm1, "conv1": part.conv1, "time_emb_proj": part.time}
            names |= {"norm2": part.norm2, "conv2": part.conv2, "conv_shortcut": part.skip}
            yield from ((f"{where}.resnets.{i}.{name}", layer) for name, layer in names.items())
        elif isinstance(part, Attention):
            yield from _attention(f"{where}.attentions.{i}", part)
        elif isinstance(part, Downsample):
            yield f"{where}.downsamplers.0.conv", part.conv
        elif isinstance(part, Upsample):
            yield f"{where}.upsamplers.0.conv", part.conv


def _attention(where: str, part: Attention) -> Iterator[tuple[str, nn.Module]]:
    """Their queries, keys and values are three linear layers, ours one 1x1 convolution; heads lie alike in both."""
    yield f"{where}.group_norm", part.norm
    weights, biases = part.qkv.weight.chunk(3), _bias(part.qkv).chunk(3)
    for name, weight, bias in zip(("to_q", "to_k", "to_v"), weights, biases, strict=True):
        yield f"{where}.{name}", _linear(weight, bias)
    yield f"{where}.to_out.0", _linear(part.out.weight, _bias(part.out))


def _linear(weight: Float[Tensor, "out c 1 1"], bias: Float[Tensor, " out"]) -> nn.Linear:
    layer = nn.Linear(weight.shape[1], weight.shape[0], dtype=weight.dtype)
    layer.load_state_dict({"weight": weight[:, :, 0, 0], "bias": bias})
    return layer


def _bias(layer: nn.Conv2d) -> Tensor:
    assert layer.bias is not None
    return layer.bias


def _groups(network: UNet) -> set[int]:
    return {module.num_groups for module in network.modules() if isinstance(module, nn.GroupNorm)}


def _head_sizes(network: UNet) -> set[int]:
    modules = [module for module in network.modules() if isinstance(module, Attention)]
    return {module.out.in_channels // module.heads for module in modules}
