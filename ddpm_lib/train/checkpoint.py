"""Checkpoints: one safetensors file with everything a run needs to go on, beside the trained network itself."""

from __future__ import annotations

import warnings
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import torch

from ddpm_lib.models import build
from ddpm_lib.models.header import check_tensors, checked, outline
from ddpm_lib.models.storage import CheckpointError, write
from ddpm_lib.models.trained import About, Trained, check_finite, load_trained, unreadable
from ddpm_lib.schedule import NoiseSchedule
from ddpm_lib.train.config import Machine, TrainConfig
from ddpm_lib.train.state import TrainState, start


@dataclass(frozen=True, eq=False, kw_only=True)
class Checkpoint(Trained):
    """A trained network together with the state of its run."""

    train_config: TrainConfig
    machine: Machine

    def resume(self, device: torch.device | str = "cpu", config: TrainConfig | None = None) -> TrainState:
        """The training state: pass it to `train`, and the run goes on to the bit.

        (On the CPU, for a run bounded by steps: with `seconds`, the learning rate follows the clock.)

        `config` replaces the run's own, to lengthen it for instance.
        """
        if "rng" not in self.tensors:
            raise CheckpointError(
                "These are exported weights without an optimizer, so that their run cannot go on: resume from its "
                "checkpoint, or begin a new run with them (`train --init`)."
            )
        model = build(self.model_config).to(device)
        self.fill(model, "model.")
        state = start(model, config or self.train_config)
        self.fill(state.ema.average, "ema.")
        for i, parameter in enumerate(model.parameters()):
            saved = self.part(f"optimizer.{i}.")
            fused = state.optimizer.defaults["fused"]  # else the count of steps, one number, is the host's
            state.optimizer.state[parameter] = {
                key: value.to("cpu" if value.ndim == 0 and not fused else parameter.device)
                for key, value in saved.items()
            }
        self._restore_random(state.generator)
        state.step, state.seconds = self.step, self.seconds
        return state

    def _restore_random(self, generator: torch.Generator) -> None:
        try:
            generator.set_state(self.tensors["rng"])
        except RuntimeError as error:  # each kind of device has a generator of its own kind
            if self.tensors["rng"].shape == generator.get_state().shape:
                raise CheckpointError(
                    "The state of the random numbers is damaged, so that the run cannot go on as it was: use another "
                    "checkpoint."
                ) from error
            generator.manual_seed(self.train_config.seed + self.step)
            warnings.warn(
                f"The run was saved on another kind of device than {generator.device}: it goes on with fresh random "
                "numbers, and not to the bit.",
                stacklevel=3,
            )


def save_checkpoint(
    path: str | Path,
    state: TrainState,
    schedule: NoiseSchedule,
    config: TrainConfig,
    about: About,
    machine: Machine | None = None,
    init: str = "",
) -> None:
    """Write the whole training state: network, average, optimizer, random numbers, step, configuration.

    `init` names the trained weights that the run began with, if it did.
    """
    tensors = {f"model.{name}": t for name, t in state.model.state_dict().items()}
    tensors |= {f"ema.{name}": t for name, t in state.ema.average.state_dict().items()}
    for i, parameter in enumerate(state.model.parameters()):
        tensors |= {f"optimizer.{i}.{key}": t for key, t in state.optimizer.state[parameter].items()}
    tensors |= {"rng": state.generator.get_state(), "schedule.beta": schedule.beta}
    training = asdict(config) | asdict(machine or Machine())
    trained = Trained(state.model.config, schedule, about, tensors, state.step, state.seconds, training, init)
    write(path, tensors, trained.header())


def load_checkpoint(path: str | Path) -> Checkpoint:
    """Read a run's checkpoint. Raises CheckpointError, in one sentence, for any other file."""
    trained = load_trained(path)
    own = {field.name for field in fields(Machine)}
    try:
        settings = dict(trained.training)
        machine = checked(Machine, {name: value for name, value in settings.items() if name in own})
        config = checked(TrainConfig, {name: value for name, value in settings.items() if name not in own})
    except (TypeError, ValueError) as error:
        raise unreadable(path, error) from error
    checkpoint = Checkpoint(**vars(trained), train_config=config, machine=machine)
    if "rng" in trained.tensors:
        _check_state(path, checkpoint)
    return checkpoint


def _check_state(path: str | Path, saved: Checkpoint) -> None:
    """Raise CheckpointError unless the file holds all that a run needs to go on, of the right shapes and finite."""
    network = outline(build, saved.model_config, len(saved.tensors))
    why = check_tensors(saved.part("model."), network.state_dict())
    wanted: dict[str, torch.Tensor] = {}
    for i, parameter in enumerate(network.parameters()):
        wanted |= {f"{i}.step": torch.empty(()), f"{i}.exp_avg": parameter, f"{i}.exp_avg_sq": parameter}
    why = why or check_tensors(saved.part("optimizer."), wanted if saved.step else {})
    rng = saved.tensors["rng"]
    if rng.dtype != torch.uint8 or rng.ndim != 1:
        why = why or "rng is no state of a generator"
    if saved.step and not why and int(saved.tensors["optimizer.0.step"]) != saved.step:
        why = f"the optimizer took {int(saved.tensors['optimizer.0.step'])} steps, and the run {saved.step}"
    if why:
        raise CheckpointError(
            f"{path} lacks a part of the run's state or holds another ({why}), so that the run cannot go on as it was: "
            "use another checkpoint."
        )
    check_finite(path, saved.part("model."))
    check_finite(path, saved.part("optimizer."))
