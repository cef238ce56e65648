"""A folder of diffusers, such as its training script writes, as a network of ours.

Its U-Net must be one that ours can be: then the weights are the same numbers under other names, which is checked by
comparing what both compute. What stands against it is said, setting by setting.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from torch import nn

from ddpm_lib.formats import FormatError, need
from ddpm_lib.formats.agreement import difference, quiet
from ddpm_lib.formats.unet2d import take_weights, unet2d_config, why_not
from ddpm_lib.models import UNet, UNetConfig
from ddpm_lib.models.header import HeaderError, checked, outline
from ddpm_lib.models.trained import About, Trained
from ddpm_lib.schedule import NoiseSchedule

PREDICTS = {"epsilon": "eps", "sample": "x0", "v_prediction": "v"}
# Settings that are no part of the function, or that have a line of their own below.
ASIDE = {"num_train_timesteps", "dropout", "attn_norm_num_groups", "attention_head_dim", "time_embedding_dim"}

MOST_LAYERS = 10_000


def read_pipeline(folder: Path) -> tuple[Trained, float]:
    """The network and schedule of a folder that `DDPMPipeline.save_pretrained` wrote, and how far both are apart.

    Raises FormatError, in one sentence, where the folder holds anything else.
    """
    diffusers = need("diffusers", "Reading a folder of diffusers")
    parts = _json(folder / "model_index.json")
    if [parts.get("unet"), type(parts.get("scheduler"))] != [["diffusers", "UNet2DModel"], list]:
        raise FormatError(
            f"{folder} holds no UNet2DModel of diffusers: pass what a DDPMPipeline or DDIMPipeline saved."
        )
    settings, chain = (
        _json(folder / part) for part in ("unet/config.json", "scheduler/scheduler_config.json")
    )
    with quiet(diffusers):
        try:
            config, size = _config(settings, chain)
            _check_size(folder / "unet", outline(UNet, config, MOST_LAYERS))
            network = UNet(config)
            _compare(settings, network, diffusers.UNet2DModel(**unet2d_config(network, size)).config)
            theirs = diffusers.UNet2DModel.from_pretrained(
                folder / "unet", local_files_only=True, use_safetensors=True, low_cpu_mem_usage=False
            ).eval()
            take_weights(network, theirs.state_dict())
            betas = diffusers.DDPMScheduler.from_pretrained(folder / "scheduler", local_files_only=True).betas
            beta = torch.cat([torch.zeros(1), betas]).double()
            schedule = NoiseSchedule(beta, str(chain.get("beta_schedule", "custom"))[:40])
        except (OSError, ValueError, TypeError, LookupError, ArithmeticError, RuntimeError) as error:
            raise FormatError(
                f"{folder} holds a network that ddpm_lib's cannot be ({' '.join(str(error).split())[:200]}): "
                "go on with it in diffusers."
            ) from error
    tensors = {f"ema.{name}": tensor for name, tensor in network.state_dict().items()}
    about = About(folder.resolve().name, (config.channels, *size))
    trained = Trained(config, schedule, about, tensors | {"schedule.beta": schedule.beta})
    return trained, difference(theirs, trained.network(), trained)


def _json(path: Path) -> dict[str, Any]:
    try:
        read = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(read, dict):
            return read
    except (OSError, ValueError, RecursionError):
        pass
    raise FormatError(f"{path} is no table in JSON: pass a folder that diffusers' save_pretrained wrote.")


def _config(settings: dict[str, Any], chain: dict[str, Any]) -> tuple[UNetConfig, tuple[int, int]]:
    """Our configuration for a UNet2DModel's, and the (height, width) of its images. Raises HeaderError."""
    widths, size = settings["block_out_channels"], settings["sample_size"]
    kinds, per_head = settings["down_block_types"], settings.get("attention_head_dim", 8)
    attention = [level for level, kind in enumerate(kinds) if kind == "AttnDownBlock2D"]
    if settings.get("act_fn", "silu") != "silu":
        raise HeaderError(f"its act_fn is {settings['act_fn']!r:.40}, ours 'silu'")
    if per_head and len({widths[level] for level in attention} | {widths[-1]}) > 1:
        raise HeaderError("its attention has heads of one size at levels of different width")
    fields = {
        "channels": settings["in_channels"],
        "base": widths[0],
        "mults": [width // widths[0] for width in widths],
        "blocks": settings["layers_per_block"],
        "attention": attention,
        "heads": widths[-1] // per_head if per_head else 1,
        "groups": settings.get("norm_num_groups", 32),
        "activation": "silu",
        "scale_shift": settings.get("resnet_time_scale_shift") == "scale_shift",
        "predicts": PREDICTS.get(chain.get("prediction_type", "epsilon"), "what the network answers"),
    }
    height, width = size if isinstance(size, list) else (size, size)
    return checked(UNetConfig, fields), checked(About, {"shape": [1, height, width]}).shape[1:]  # type: ignore[return-value]


def _check_size(folder: Path, network: nn.Module) -> None:
    """Raise HeaderError where a network, built without memory, is larger than the files with its weights."""
    stored = sum(path.stat().st_size for path in folder.glob("*.safetensors"))
    if 2 * sum(p.numel() for p in network.parameters()) > stored:
        raise HeaderError("its safetensors files are missing or too small for its configuration")


def _compare(settings: dict[str, Any], network: UNet, wanted: Any) -> None:
    """Raise HeaderError for the first setting that would have to be another one for our U-Net to be the same."""
    if reason := why_not(network):
        raise HeaderError(reason)
    for name in sorted(key for key in wanted if not key.startswith("_")):
        has, needs = (
            [*v] if isinstance(v, tuple) else v for v in (settings.get(name, wanted[name]), wanted[name])
        )
        if name not in ASIDE and has != needs:
            raise HeaderError(f"its {name} is {has!r:.60}, ours {needs!r:.60}")
    config, middle = network.config, settings.get("attn_norm_num_groups")
    if middle != config.groups and (middle is not None or config.scale_shift):
        raise HeaderError("the attention in its middle has no norm, or another one")
    if settings.get("time_embedding_dim") not in (None, 4 * config.base):
        raise HeaderError(
            f"its time_embedding_dim is {settings['time_embedding_dim']!r:.40}, ours {4 * config.base}"
        )
