"""Checkpoints: one safetensors file with everything a run needs to go on, and no pickle anywhere.

The header carries the configuration as JSON. A file is written beside its place and moved there whole, so
an interrupted write leaves the old checkpoint.
"""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from ddpm_lib.diffusion import GaussianDiffusion
from ddpm_lib.models import MLPConfig, Network, NetworkConfig, ResNetConfig, UNetConfig, build
from ddpm_lib.schedule import NoiseSchedule
from ddpm_lib.train import TrainConfig, TrainState, start

FORMAT = "ddpm_lib/1"
CONFIGS: dict[str, type[NetworkConfig]] = {"unet": UNetConfig, "resnet": ResNetConfig, "mlp": MLPConfig}


def kind_of(config: NetworkConfig) -> str:
    """The name of a configuration's network: "unet", "resnet" or "mlp"."""
    return next(name for name, cls in CONFIGS.items() if isinstance(config, cls))


class CheckpointError(Exception):
    """A file that is not a checkpoint, or not a whole one, or lacks what was asked of it."""


@dataclass(frozen=True)
class About:
    """What the data were, so that samples have the right shape and names."""

    data: str = ""  # name of the data set
    shape: tuple[int, ...] = (1, 28, 28)  # (c, h, w) of one image
    classes: tuple[str, ...] = ()  # names of the classes


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """A file that was read: configuration, and tensors by name."""

    model_config: NetworkConfig
    schedule: NoiseSchedule
    train_config: TrainConfig
    about: About
    step: int
    seconds: float
    tensors: Mapping[str, Tensor] = field(repr=False)

    @property
    def diffusion(self) -> GaussianDiffusion:
        """The diffusion of the schedule that the network was trained with."""
        return GaussianDiffusion(self.schedule)

    def network(self) -> Network:
        """The averaged (EMA) network, ready to sample from."""
        model = build(self.model_config)
        self._fill(model, "ema.")
        return model.eval().requires_grad_(False)

    def resume(self, device: torch.device | str = "cpu", config: TrainConfig | None = None) -> TrainState:
        """The training state: pass it to `train`, and the run goes on to the bit.

        (On the CPU, for a run bounded by steps: with `seconds`, the learning rate follows the clock.)

        `config` replaces the run's own, to lengthen it for instance.
        """
        if "rng" not in self.tensors:
            raise CheckpointError(
                "These are exported weights without an optimizer, which cannot be trained on: "
                "resume from the run's checkpoint."
            )
        model = build(self.model_config).to(device)
        self._fill(model, "model.")
        state = start(model, config or self.train_config)
        self._fill(state.ema.average, "ema.")
        for i, parameter in enumerate(model.parameters()):
            saved = self._part(f"optimizer.{i}.")
            # The moments take the weights' memory layout; the step count is a single number.
            state.optimizer.state[parameter] = {
                key: value.to(parameter.device if state.optimizer.defaults["fused"] else "cpu")
                if value.ndim == 0
                else torch.empty_like(parameter).copy_(value)
                for key, value in saved.items()
            }
        self._restore_random(state.generator)
        state.step, state.seconds = self.step, self.seconds
        return state

    def _restore_random(self, generator: torch.Generator) -> None:
        try:
            generator.set_state(self.tensors["rng"])
        except RuntimeError:  # each kind of device has a generator of its own kind
            generator.manual_seed(self.train_config.seed + self.step)
            warnings.warn(
                f"The run was saved on another kind of device than {generator.device}: it goes on with fresh random "
                "numbers, and not to the bit.",
                stacklevel=3,
            )

    def _fill(self, model: nn.Module, prefix: str) -> None:
        try:
            model.load_state_dict(self._part(prefix))
        except RuntimeError as error:
            raise CheckpointError(
                "The weights do not fit the network of the file's own configuration: use another checkpoint."
            ) from error

    def _part(self, prefix: str) -> dict[str, Tensor]:
        return {name[len(prefix) :]: t for name, t in self.tensors.items() if name.startswith(prefix)}


def save_checkpoint(
    path: str | Path, state: TrainState, schedule: NoiseSchedule, config: TrainConfig, about: About
) -> None:
    """Write the whole training state: network, average, optimizer, random numbers, step, configuration."""
    tensors = {f"model.{name}": t for name, t in state.model.state_dict().items()}
    tensors |= {f"ema.{name}": t for name, t in state.ema.average.state_dict().items()}
    for i, parameter in enumerate(state.model.parameters()):
        tensors |= {f"optimizer.{i}.{key}": t for key, t in state.optimizer.state[parameter].items()}
    tensors |= {"rng": state.generator.get_state(), "schedule.beta": schedule.beta}
    header = _header(state.model.config, schedule, config, about, state.step, state.seconds)
    _write(path, tensors, header)


def export_weights(path: str | Path, checkpoint: Checkpoint, half: bool = False) -> None:
    """Write only what sampling needs: the averaged network (float16 if `half`) and the schedule."""
    dtype = torch.float16 if half else torch.float32
    tensors = {f"ema.{name}": t.to(dtype) for name, t in checkpoint._part("ema.").items()}
    tensors["schedule.beta"] = checkpoint.schedule.beta
    c = checkpoint
    _write(path, tensors, _header(c.model_config, c.schedule, c.train_config, c.about, c.step, c.seconds))


def split_checkpoint(source: Path, targets: Sequence[Path]) -> list[Path]:
    """Spread the tensors of one file over several of about one size, each with the same header."""
    with safe_open(source, framework="pt") as file:
        metadata = file.metadata()
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a dict)
    parts: list[dict[str, Tensor]] = [{} for _ in targets]
    sizes = [0] * len(targets)
    for name, tensor in sorted(tensors.items(), key=lambda item: -item[1].nbytes):  # the largest first
        smallest = sizes.index(min(sizes))
        parts[smallest][name] = tensor
        sizes[smallest] += tensor.nbytes
    for target, part in zip(targets, parts, strict=True):
        _save(target, part, metadata)
    return list(targets)


def load_checkpoint(path: str | Path, *more: Path) -> Checkpoint:
    """Read a checkpoint or exported weights; `more` are the other files of one that was split.

    Raises CheckpointError, in one sentence, for any other file.
    """
    first = _read(path)
    for part in more:
        first[1].update(_read(part)[1])
    return _checkpoint(Path(path), *first)


def _read(path: str | Path) -> tuple[dict[str, str], dict[str, Tensor]]:
    path = Path(path)
    if path.is_dir():
        path /= "checkpoint.safetensors"
    if not path.is_file():
        raise CheckpointError(f"{path} does not exist: pass the checkpoint.safetensors of a run.")
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a dict)
    except SafetensorError as error:
        raise CheckpointError(
            f"{path} is not a whole safetensors file ({error}): it was cut short or is something else; "
            "use another checkpoint."
        ) from error
    if metadata.get("format") != FORMAT:
        raise CheckpointError(
            f"{path} is a safetensors file, but not one of {FORMAT}: pass a file written by `python -m ddpm_lib train`."
        )
    return metadata, tensors


def _checkpoint(path: Path, metadata: dict[str, str], tensors: dict[str, Tensor]) -> Checkpoint:
    try:
        header = json.loads(metadata["config"])
        kind, model = header["model"]
        return Checkpoint(
            model_config=CONFIGS[kind](**_tuples(model)),
            schedule=NoiseSchedule(tensors["schedule.beta"], header["schedule"]),
            train_config=TrainConfig(**_tuples(header["train"])),
            about=About(**_tuples(header["about"])),
            step=header["step"],
            seconds=header["seconds"],
            tensors=tensors,
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise CheckpointError(
            f"{path} has a header that this version of ddpm_lib cannot read ({error}): "
            "use the version that wrote it, or another checkpoint."
        ) from error


def _header(
    model: NetworkConfig, schedule: NoiseSchedule, train: TrainConfig, about: About, step: int, seconds: float
) -> dict[str, Any]:
    return {
        "model": (kind_of(model), asdict(model)),
        "schedule": schedule.name,
        "train": asdict(train),
        "about": asdict(about),
        "step": step,
        "seconds": seconds,
    }


def _write(path: str | Path, tensors: dict[str, Tensor], header: dict[str, Any]) -> None:
    plain = {name: t.detach().cpu().contiguous() for name, t in tensors.items()}
    _save(Path(path), plain, {"format": FORMAT, "config": json.dumps(header)})


def _save(path: Path, tensors: dict[str, Tensor], metadata: dict[str, str]) -> None:
    """Written beside its place and moved there whole, so that no half file is ever found."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    save_file(tensors, part, metadata)
    with part.open("rb+") as file:
        os.fsync(file.fileno())
    os.replace(part, path)


def _tuples(config: dict[str, Any]) -> dict[str, Any]:
    # JSON knows lists only; the frozen configurations hold tuples.
    return {key: tuple(value) if isinstance(value, list) else value for key, value in config.items()}
