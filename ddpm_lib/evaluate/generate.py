"""Finished images from a trained network, many at a time, and a PNG of them."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Int
from PIL import Image
from torch import Tensor

from ddpm_lib.data import to_pixels
from ddpm_lib.denoiser import Denoiser, X
from ddpm_lib.diffusion import GaussianDiffusion
from ddpm_lib.guidance import Guided
from ddpm_lib.models import Network, classes_of
from ddpm_lib.models.place import replacing
from ddpm_lib.sampling import DDIM, DDPM, State, Step, ddim_step, ddpm_step, sample
from ddpm_lib.seeds import check_labels, checked_seeds


def with_guidance(model: Network, w: float, interval: tuple[int, int] | None = None) -> Denoiser:
    """The network itself for w = 0 or without classes; else guided with weight w, everywhere or in an interval."""
    classes = classes_of(model.config)
    return Guided(model, w, classes, interval) if w and classes else model


def sampler(name: str, eta: float = 0.0) -> Step:
    """The step named "ddpm" (sigma^2 = beta-tilde), "ddpm-beta" (sigma^2 = beta) or "ddim" (with its eta)."""
    steps: dict[str, Step] = {
        "ddpm": ddpm_step,
        "ddpm-beta": DDPM("beta"),
        "ddim": DDIM(eta),
    }
    if name not in steps:
        raise ValueError(f"There is no sampler {name!r}: choose one of {', '.join(steps)}.")
    return steps[name]


def class_labels(n: int, classes: int, label: int | None = None) -> Int[Tensor, " n"] | None:
    """n labels: all `label`, or 0, 1, 2 ... in turn; None for a network without classes."""
    if label is not None and not 0 <= label < classes:
        known = f"0 to {classes - 1}" if classes else "none: this network knows no classes"
        raise ValueError(f"There is no class {label}; the classes are {known}.")
    if n < 0:
        raise ValueError(f"There are no {n} images: pass 0 or more.")
    if not classes:
        return None
    return torch.arange(n) % classes if label is None else torch.full((n,), label)


def generate(
    denoiser: Denoiser,
    diffusion: GaussianDiffusion,
    shape: Sequence[int],
    seeds: Sequence[int],
    *,
    y: Int[Tensor, " n"] | None = None,
    step: Step = ddim_step,
    steps: int | None = 50,
    batch: int = 64,
    clip: bool | None = None,
    device: torch.device | str = "cpu",
) -> Iterator[X]:
    """One finished image, or point, for each seed, on the CPU, `batch` of them at a time; `clip` as for `sample`."""
    if batch < 1:
        raise ValueError(f"A batch holds 1 image or more, and not {batch}: pass a larger batch.")
    seeds = checked_seeds(seeds) if len(seeds) else []
    check_labels(y, len(seeds))
    for i in range(0, len(seeds), batch):
        labels = None if y is None else y[i : i + batch].to(device)
        states = sample(
            denoiser,
            diffusion,
            shape,
            seeds=seeds[i : i + batch],
            y=labels,
            step=step,
            steps=steps,
            clip=clip,
            device=device,
        )
        yield last(states).xt.cpu()


def last(states: Iterable[State]) -> State:
    """The end of a trajectory, run through."""
    return deque(states, maxlen=1).pop()


def tile(x: Float[Tensor, "n c h w"], columns: int = 8, pad: int = 2) -> np.ndarray:
    """Images in rows of `columns`, `pad` white pixels between them, as (height, width, c) bytes."""
    n, c, h, w = x.shape
    if n < 1 or columns < 1 or c not in (1, 3):
        raise ValueError(
            f"A grid is of 1 image or more, of 1 or 3 channels, in 1 column or more: pass no {n} images "
            f"of {c} channels in {columns} columns."
        )
    columns = min(columns, n)
    rows = -(-n // columns)
    page = np.full((rows * (h + pad) + pad, columns * (w + pad) + pad, c), 255, np.uint8)
    for i, image in enumerate(to_pixels(x).cpu().permute(0, 2, 3, 1).numpy()):
        top, left = pad + i // columns * (h + pad), pad + i % columns * (w + pad)
        page[top : top + h, left : left + w] = image
    return page


def save_grid(path: str | Path, x: Float[Tensor, "n c h w"], columns: int = 8, zoom: int = 3) -> None:
    """Write `tile(x)` as a PNG, each pixel `zoom` pixels wide. Raises PlaceError, and an older file is as it was."""
    with replacing(path) as part:
        _page(x, columns, zoom).save(part, "PNG")


def save_image(path: str | Path, x: Float[Tensor, "c h w"]) -> None:
    """Write one image as a PNG, pixel for pixel. Raises PlaceError."""
    with replacing(path) as part:
        _picture(to_pixels(x).cpu().permute(1, 2, 0).numpy()).save(part, "PNG")


def save_film(path: str | Path, x: Float[Tensor, "n f c h w"], columns: int = 8, zoom: int = 3) -> None:
    """Write f states of n walks as a GIF or WebP that repeats and rests on the last. Raises PlaceError."""
    pages = [_page(x[:, i], columns, zoom) for i in range(x.shape[1])]
    times = [80] * (len(pages) - 1) + [2000]  # milliseconds
    kind = "WEBP" if Path(path).suffix == ".webp" else "GIF"
    with replacing(path) as part:
        pages[0].save(part, kind, save_all=True, append_images=pages[1:], duration=times, loop=0)


def _page(x: Float[Tensor, "n c h w"], columns: int, zoom: int) -> Image.Image:
    return _picture(tile(x, columns).repeat(zoom, axis=0).repeat(zoom, axis=1))


def _picture(pixels: np.ndarray) -> Image.Image:
    return Image.fromarray(pixels.squeeze(-1) if pixels.shape[-1] == 1 else pixels)
