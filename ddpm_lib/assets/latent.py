"""The networks of the chapter "Where it goes": an autoencoder of digits, and two denoisers of its latent."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import torch

from ddpm_lib.data import ASSETS, verified
from ddpm_lib.models import Autoencoder, AutoencoderConfig
from ddpm_lib.models.header import checked
from ddpm_lib.models.storage import CheckpointError, read, write
from ddpm_lib.models.trained import Trained, check_finite, load_trained

FOLDER = ASSETS / "latent"


def load_latent(name: str) -> Trained:
    """A denoiser of the latent, "dit" or "words", checksum verified."""
    path = FOLDER / f"{name}.safetensors"
    known = sorted(file.stem for file in FOLDER.glob("*.safetensors") if file.stem != "autoencoder")
    if name not in known:
        raise CheckpointError(f"There is no denoiser of the latent {name!r}: pass one of {', '.join(known)}.")
    verified(path)
    return load_trained(path)


def load_autoencoder(path: Path | None = None) -> Autoencoder:
    """The autoencoder of the package, checksum verified, or one that `save_autoencoder` wrote; frozen."""
    if path is None:
        path = FOLDER / "autoencoder.safetensors"
        verified(path)
    metadata, tensors = read(path)
    try:
        config = checked(AutoencoderConfig, json.loads(metadata["config"])["autoencoder"])
        model = Autoencoder(config)
        model.load_state_dict({name: t.float() for name, t in tensors.items()})
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise CheckpointError(
            f"{path} holds no autoencoder: pass a file that save_autoencoder wrote."
        ) from error
    check_finite(path, tensors)
    return model.eval().requires_grad_(False)


def save_autoencoder(path: Path, model: Autoencoder, steps: int, seconds: float) -> None:
    """Write the autoencoder in float16, and how long it was trained."""
    tensors = {name: t.to(torch.float16) for name, t in model.state_dict().items()}
    write(path, tensors, {"autoencoder": asdict(model.config), "steps": steps, "seconds": seconds})
