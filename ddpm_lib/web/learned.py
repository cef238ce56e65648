"""Weights of a small MLP as JSON: what a page learned, in Python, and what Python learned, in a page.

web/learn/state_dict.js reads and writes the same text. Numbers are little-endian and in base64: float32 weights of the
averaged network under torch's names, and the schedule's float64 betas, so that nothing is rounded on the way.
"""

from __future__ import annotations

import base64
import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ddpm_lib.diffusion import GaussianDiffusion
from ddpm_lib.models import MLP, MLPConfig, build
from ddpm_lib.models.header import HeaderError, check_tensors, checked, number, outline, text
from ddpm_lib.models.storage import CheckpointError
from ddpm_lib.models.trained import About, Trained, check_finite
from ddpm_lib.schedule import NoiseSchedule

FORMAT = "ddpm_lib/mlp/1"
# The largest network that a page trains.
WIDEST, DEEPEST, LONGEST = 256, 8, 1000


def to_learned(network: MLP | Trained, diffusion: GaussianDiffusion | None = None) -> str:
    """The JSON of an MLP for points in the plane, with its `diffusion`, or of such a checkpoint.

    Raises CheckpointError for a network that a page cannot train.
    """
    if isinstance(network, Trained):
        config, schedule, tensors = network.model_config, network.schedule, network.part("ema.")
        step, seconds = network.step, network.seconds
    elif diffusion is None:
        raise ValueError("A network alone has no schedule: pass its diffusion as well.")
    else:
        config, schedule, tensors = network.config, diffusion.schedule, network.state_dict()
        step, seconds = 0, 0.0
    _check_size(config, schedule)
    return json.dumps(
        {
            "format": FORMAT,
            "config": asdict(config),
            "schedule": {"name": schedule.name, "beta": _packed(schedule.beta, "<f8")},
            "step": step,
            "seconds": seconds,
            "tensors": [
                {"name": name, "shape": list(t.shape), "data": _packed(t, "<f4")}
                for name, t in tensors.items()
            ],
        }
    )


def from_learned(source: str | Path) -> Trained:
    """The checkpoint in such JSON, or in a file of it: `.network()` is the MLP, `.diffusion` its diffusion.

    Raises CheckpointError, in one sentence, for anything else.
    """
    try:
        whole = json.loads(source if isinstance(source, str) else source.read_text(encoding="utf-8"))
        if whole["format"] != FORMAT:
            raise HeaderError(f"its format is {whole['format']!r}, not {FORMAT!r}")
        config = checked(MLPConfig, whole["config"])
        beta = _unpacked(whole["schedule"]["beta"], "<f8").double()
        schedule = NoiseSchedule(beta, text(whole["schedule"]["name"]))
        _check_size(config, schedule)
        tensors = {
            text(entry["name"]): _unpacked(entry["data"], "<f4").reshape(entry["shape"])
            for entry in whole["tensors"]
        }
        if len(tensors) < len(whole["tensors"]):
            raise HeaderError("a tensor is there twice")
        network = outline(build, config, len(tensors))
        if why := check_tensors(tensors, network.state_dict()):
            raise HeaderError(why)
        check_finite("The learned network", tensors)
        step, seconds = number(whole, "step", int), number(whole, "seconds", float)
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError, OSError, RuntimeError) as error:
        raise CheckpointError(
            f"This is no network that a page has learned ({error}): pass what its button \u201cSave\u201d wrote."
        ) from error
    return Trained(
        model_config=config,
        schedule=schedule,
        about=About("points in the plane", (2,)),
        tensors={f"ema.{name}": t for name, t in tensors.items()},
        step=step,
        seconds=float(seconds),
    )


def _check_size(config: object, schedule: NoiseSchedule) -> None:
    if not isinstance(config, MLPConfig) or config.dim != 2:
        raise CheckpointError("A page learns in the plane alone: pass an MLP of MLPConfig(dim=2).")
    if not (1 <= config.width <= WIDEST and 1 <= config.layers <= DEEPEST and schedule.T <= LONGEST):
        raise CheckpointError(
            f"A page learns with at most width {WIDEST}, {DEEPEST} layers and T = {LONGEST}: pass a smaller network."
        )


def _packed(values: Tensor, dtype: str) -> str:
    return base64.b64encode(values.detach().cpu().numpy().astype(dtype).tobytes()).decode("ascii")


def _unpacked(data: str, dtype: str) -> Tensor:
    return torch.from_numpy(np.frombuffer(base64.b64decode(data, validate=True), dtype).copy())
