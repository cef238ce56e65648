"""What a run is to be: a preset, or a checkpoint to go on from, and what the command line says instead."""

from __future__ import annotations

import argparse
from dataclasses import dataclass, replace
from typing import TypeVar

from ddpm_lib.cli.common import UsageError, at_the_door
from ddpm_lib.data.stream import Images
from ddpm_lib.models import MLPConfig, NetworkConfig, ResNetConfig, UNetConfig
from ddpm_lib.models.trained import Trained, kind_of
from ddpm_lib.schedule import NoiseSchedule
from ddpm_lib.train import Machine
from ddpm_lib.train.checkpoint import Checkpoint
from ddpm_lib.train.config import TrainConfig
from ddpm_lib.train.presets import PRESETS, Preset

C = TypeVar("C", Preset, TrainConfig, Machine, UNetConfig, ResNetConfig)

DEFAULT_PRESET = {"unet": "cpu-minutes", "resnet": "classic-resnet"}
ALGORITHM = ("steps", "seconds", "batch", "lr", "ema", "flip", "seed")
MACHINE = ("accumulate", "precision", "compile")
# Adam's step for trained weights, unless --lr says otherwise: that of Ho et al. (appendix B).
GENTLE = 2e-4


@dataclass(frozen=True)
class Plan:
    """A network and its noise, which a run keeps to its end, and how it is trained, which may change at a resume."""

    model: NetworkConfig
    schedule: NoiseSchedule
    train: TrainConfig
    machine: Machine


def plan(
    args: argparse.Namespace, data: Images, checkpoint: Checkpoint | None, init: Trained | None = None
) -> Plan:
    """What `args` asks for; `init` are the weights that a new run begins with. Raises UsageError for what cannot be."""
    if checkpoint:
        made = Plan(checkpoint.model_config, checkpoint.schedule, checkpoint.train_config, checkpoint.machine)
    elif init:
        preset = PRESETS[preset_of(args, init)]
        gentle = replace(preset.train, lr=min(preset.train.lr, GENTLE))
        made = Plan(init.model_config, init.schedule, gentle, preset.machine)
    else:
        made = _from_preset(args, data)
    config, machine = _given(made.train, args, ALGORITHM), _given(made.machine, args, MACHINE)
    if args.steps is not None and args.seconds is None:
        config = replace(config, seconds=None)  # so many steps, however long they take
    config = replace(config, every=min(config.every, 10))  # so that Ctrl-C is answered soon
    return replace(made, train=config, machine=machine)


def preset_of(args: argparse.Namespace, init: Trained | None = None) -> str:
    """The name of the preset: the default one of the network's kind, or a U-Net's where that has none."""
    kind = kind_of(init.model_config) if init else args.model or "unet"
    return str(args.preset or DEFAULT_PRESET.get(kind, DEFAULT_PRESET["unet"]))


def _from_preset(args: argparse.Namespace, data: Images) -> Plan:
    name = preset_of(args)
    preset = _given(PRESETS[name], args, ("schedule", "T"))
    if (kind := kind_of(preset.model)) != (args.model or "unet"):
        raise UsageError(f"The preset {name} is a {kind}: run `train {kind} --preset {name}`.")
    with at_the_door():
        schedule = preset.noise_schedule()
    return Plan(_shaped(fit_to_data(preset.model, data), args), schedule, preset.train, preset.machine)


def _shaped(config: NetworkConfig, args: argparse.Namespace) -> NetworkConfig:
    """The network with --width, --levels and --predicts."""
    if isinstance(config, ResNetConfig):
        if args.levels is not None:
            raise UsageError("A ResNet has one level: leave out --levels, or train a unet.")
        return _given(config, args, ("width", "predicts"))
    if not isinstance(config, UNetConfig):
        return config
    config = _given(config, args, ("predicts",))
    if args.width is not None:
        config = replace(config, base=args.width)
    if args.levels is not None:
        if args.levels > LEVELS:
            raise UsageError(
                f"{args.levels} levels halve an image {args.levels - 1} times: take up to {LEVELS}."
            )
        mults = (*config.mults, *[config.mults[-1]] * args.levels)[: args.levels]
        # What had attention at its last level has it at the new last one.
        levels = [args.levels - 1 if level == len(config.mults) - 1 else level for level in config.attention]
        config = replace(config, mults=mults, attention=tuple(sorted({n for n in levels if n < args.levels})))
    return config


LEVELS = 10  # of a U-Net: an image of 512 pixels is one pixel there


def fit_to_data(config: NetworkConfig, data: Images) -> NetworkConfig:
    """The preset's network with the channels of these images and, where it has classes, theirs."""
    if isinstance(config, MLPConfig):
        raise UsageError("An MLP reads points, not images: choose unet or resnet.")
    config = replace(config, channels=data.shape[0])
    if isinstance(config, UNetConfig) and config.classes:
        config = replace(config, classes=len(data.classes))
    return config


def _given(config: C, args: argparse.Namespace, names: tuple[str, ...]) -> C:
    """The configuration with those of its fields that the command line names."""
    return replace(config, **{name: getattr(args, name) for name in names if getattr(args, name) is not None})
