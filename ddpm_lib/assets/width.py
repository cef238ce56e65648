"""The network of the chapter "The variance of a step": it says how wide a reverse step of `cpu-hour` should be."""

from __future__ import annotations

from ddpm_lib.data import ASSETS, verified
from ddpm_lib.models import Network
from ddpm_lib.models.trained import load_trained

FOLDER = ASSETS / "variance"


def load_variance() -> Network:
    """The network that answers nu for every pixel, checksum verified; read it by further.variances.learned_variance."""
    path = FOLDER / "learned.safetensors"
    verified(path)
    return load_trained(path).network()
