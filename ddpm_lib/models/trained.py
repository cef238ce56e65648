"""A trained network: its configuration, its schedule, its averaged weights, and what it was trained on.

This is all that sampling, a widget or an export needs. What a run needs to go on is in train/checkpoint.py.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ddpm_lib import class_names
from ddpm_lib.diffusion import GaussianDiffusion
from ddpm_lib.models import (
    DiTConfig,
    MLPConfig,
    Network,
    NetworkConfig,
    ResNetConfig,
    UNetConfig,
    WordsConfig,
    build,
    classes_of,
)
from ddpm_lib.models.header import HeaderError, check_image, check_tensors, checked, number, outline, text
from ddpm_lib.models.storage import CheckpointError, read, tuples, write
from ddpm_lib.schedule import NoiseSchedule

CONFIGS: dict[str, type[NetworkConfig]] = {
    "unet": UNetConfig,
    "resnet": ResNetConfig,
    "mlp": MLPConfig,
    "dit": DiTConfig,
    "words": WordsConfig,
}


def kind_of(config: NetworkConfig) -> str:
    """The name of a configuration's network: a key of CONFIGS."""
    return next(name for name, cls in CONFIGS.items() if isinstance(config, cls))


@dataclass(frozen=True)
class About:
    """What the data were, so that samples have the right shape and names."""

    data: str = ""  # name of the data set
    shape: tuple[int, ...] = (1, 28, 28)  # (c, h, w) of one image
    classes: tuple[str, ...] = ()  # names of the classes, in the order of their numbers

    def __post_init__(self) -> None:
        object.__setattr__(self, "classes", class_names(self.classes))


@dataclass(frozen=True, eq=False)
class Trained:
    """A trained network, as read from a file or made from a model."""

    model_config: NetworkConfig
    schedule: NoiseSchedule
    about: About
    tensors: Mapping[str, Tensor] = field(
        repr=False
    )  # by name; those of the averaged network begin with "ema."
    step: int = 0  # optimizer steps taken
    seconds: float = 0.0  # time spent in training
    training: Mapping[str, Any] = field(default_factory=dict)  # how it was trained, setting by setting
    init: str = ""  # the trained weights that its run began with, by name; none is a fresh network

    @property
    def diffusion(self) -> GaussianDiffusion:
        """The diffusion of the schedule that the network was trained with."""
        return GaussianDiffusion(self.schedule)

    @property
    def history(self) -> str:
        """How it was trained, in a few words: "3,000 steps on mnist"."""
        data, init = self.about.data, self.init
        if not self.step and not self.training:
            return f"trained elsewhere, as {data}" if data else "trained elsewhere"
        return f"{self.step:,} steps on {data or 'images'}{f', from the weights of {init}' if init else ''}"

    def network(self) -> Network:
        """The averaged (EMA) network, ready to sample from."""
        model = build(self.model_config)
        self.fill(model, "ema.")
        return model.eval().requires_grad_(False)

    def fill(self, model: nn.Module, prefix: str) -> None:
        """Load the tensors whose names begin with `prefix` into the model. Raises CheckpointError for NaN, too."""
        weights = self.part(prefix)
        check_finite("the network", weights)
        try:
            model.load_state_dict(weights)
        except RuntimeError as error:
            raise CheckpointError(
                "The weights do not fit the network of the file's own configuration: use another checkpoint."
            ) from error

    def part(self, prefix: str) -> dict[str, Tensor]:
        """The tensors whose names begin with `prefix`, by the rest of their names."""
        return {name[len(prefix) :]: t for name, t in self.tensors.items() if name.startswith(prefix)}

    def header(self) -> dict[str, Any]:
        """What a file says of its tensors, in JSON."""
        return {
            "model": (kind_of(self.model_config), asdict(self.model_config)),
            "schedule": self.schedule.name,
            "train": dict(self.training),
            "about": asdict(self.about),
            "step": self.step,
            "seconds": self.seconds,
            **({"init": self.init} if self.init else {}),
        }


def load_trained(path: str | Path, *more: Path) -> Trained:
    """Read a checkpoint or exported weights; `more` are the other files of one that was split.

    Raises CheckpointError, in one sentence, for any other file.
    """
    metadata, tensors = read(path)
    for part in more:
        tensors |= read(part)[1]
    try:
        header = json.loads(metadata["config"])
        kind, model = header["model"]
        beta = tensors["schedule.beta"]
        if not beta.is_floating_point():
            raise HeaderError(f"schedule.beta holds {beta.dtype}")
        trained = Trained(
            model_config=checked(CONFIGS[kind], model),
            schedule=NoiseSchedule(beta, text(header["schedule"])),
            about=checked(About, header["about"]),
            tensors=tensors,
            step=number(header, "step", int),
            seconds=number(header, "seconds", float),
            training=tuples(header["train"]),
            init=text(header.get("init", "")),
        )
        number({"winograd": 0, **trained.training}, "winograd", int)  # the one setting that sampling reads
        _check(path, trained)
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise unreadable(path, error) from error
    return trained


def _check(path: str | Path, trained: Trained) -> None:
    """Raise HeaderError or CheckpointError unless the averaged network is what the header says, and finite."""
    config, about = trained.model_config, trained.about
    network = outline(build, config, len(trained.tensors))
    if why := check_tensors(trained.part("ema."), network.state_dict()):
        raise CheckpointError(
            f"{path} holds weights that do not fit the network of its configuration ({why}): use another checkpoint."
        )
    check_finite(path, trained.part("ema."))
    check_image(network, about.shape)
    if len(set(about.classes)) < len(about.classes):
        raise HeaderError("two of its classes have one name")
    if about.classes and classes_of(config) not in (0, len(about.classes)):
        raise HeaderError(
            f"its network knows {classes_of(config)} classes, and {len(about.classes)} are named"
        )


def check_finite(path: str | Path, tensors: Mapping[str, Tensor]) -> None:
    """Raise CheckpointError where one of the tensors holds NaN or infinity."""
    for name, tensor in tensors.items():
        if tensor.is_floating_point() and not bool(tensor.isfinite().all()):
            raise CheckpointError(
                f"The weights are not finite ({name} of {path} holds NaN or infinity): use an earlier checkpoint, or "
                "train again with a lower learning rate."
            )


def unreadable(path: str | Path, error: Exception) -> CheckpointError:
    """The error for a header that makes no sense."""
    reason = "it is nested too deep" if isinstance(error, RecursionError) else " ".join(str(error).split())
    return CheckpointError(
        f"{path} has a header that this version of ddpm_lib cannot read ({reason[:300]}): "
        "use the version that wrote it, or another checkpoint."
    )


def export_weights(path: str | Path, trained: Trained, half: bool = False) -> None:
    """Write only what sampling needs: the averaged network (float16 if `half`) and the schedule."""
    dtype = torch.float16 if half else torch.float32
    tensors = {f"ema.{name}": t.to(dtype) for name, t in trained.part("ema.").items()}
    write(path, tensors | {"schedule.beta": trained.schedule.beta}, trained.header())
