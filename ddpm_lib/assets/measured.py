"""What the scripts in benchmarks/ measured, as the chapters read it: figures and samples that take long to make."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from PIL import Image
from torch import Tensor

from ddpm_lib.data import ASSETS, to_x0

FOLDER = ASSETS / "measured"


def measured(name: str) -> dict[str, Any]:
    """The result called `name`, such as "steps": a dict as benchmarks/<name>.py wrote it."""
    path = FOLDER / f"{name}.json"
    if not path.is_file():
        known = ", ".join(sorted(file.stem for file in FOLDER.glob("*.json")))
        raise FileNotFoundError(f"Nothing was measured under the name {name!r}: choose one of {known}.")
    result: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return result


def samples(name: str, side: int = 28) -> Float[Tensor, "n 1 h w"]:
    """The grey images in FOLDER/<name>.png, squares of `side` pixels in rows without gaps, in [-1, 1]."""
    page = torch.from_numpy(np.array(Image.open(FOLDER / f"{name}.png").convert("L")))
    if page.shape[0] % side or page.shape[1] % side:
        raise ValueError(
            f"{name}.png has {page.shape[1]} x {page.shape[0]} pixels, no multiple of {side}: name another side."
        )
    rows, columns = page.shape[0] // side, page.shape[1] // side
    images = page.reshape(rows, side, columns, side).transpose(1, 2).reshape(-1, 1, side, side)
    return to_x0(images)
