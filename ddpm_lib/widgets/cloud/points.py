"""Points as the page is sent them: clean ones in 16 bits, recorded ones in 8, each set checked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import pairwise

import torch
from jaxtyping import Float64
from torch import Tensor

from ddpm_lib.sampling import State

MOST_POINTS, MOST_FRAMES = 500, 60
# Recorded coordinates are kept in 8 bits from -LIMIT to LIMIT, and what lies beyond at the edge.
LIMIT = 4.0
# Clean ones in units of 1 / FINE, 16 bits.
FINE, WIDEST = 4096, 7.9
Recording = Iterable[State]


def clean(name: object, x: Tensor) -> Tensor:
    """The points in units of 1 / FINE."""
    points = points_of(f"The cloud {name!r}", x)
    if not bool((points.abs() < WIDEST).all()):
        widest = points.abs().max().item()
        raise ValueError(
            f"The cloud {name!r} reaches {widest:.4g}, but must stay within {WIDEST}: scale it to variance 1."
        )
    return (points * FINE).round()


def points_of(what: str, x: Tensor) -> Float64[Tensor, "n 2"]:
    points = torch.as_tensor(x).detach().cpu().double()
    if points.ndim != 2 or points.shape[1] != 2 or len(points) == 0:
        raise ValueError(f"{what} has shape {tuple(points.shape)}, but points are (n, 2): reshape it.")
    if len(points) > MOST_POINTS:
        raise ValueError(
            f"{what} has {len(points)} points, but at most {MOST_POINTS} are shown: pass the first {MOST_POINTS}."
        )
    if not bool(points.isfinite().all()):
        raise ValueError(f"{what} holds NaN or infinity, but points are finite: leave those out.")
    return points


def recordings(reverse: Recording | Mapping[str, Recording] | None) -> dict[str, Recording]:
    if reverse is None:
        return {}
    if isinstance(reverse, Mapping):
        return {str(name): states for name, states in reverse.items()}
    return {"recorded": reverse}


def frames_of(name: str, recording: Recording, T: int) -> dict[int, Tensor]:
    """t -> bytes (n, 2), from T down to 0, at most 60 of them."""
    states = list(recording)
    ts = [state.t for state in states]
    if ts[:1] != [T] or ts[-1] != 0 or any(s >= t for t, s in pairwise(ts)):
        seen = f"runs from {ts[0]} to {ts[-1]} in {len(ts)} states" if ts else "has no states"
        raise ValueError(
            f"The recording {name!r} {seen}, but its times must fall from T = {T} to 0: pass list(sample(...))."
        )
    xs = [points_of(f"The recording {name!r} at t = {state.t}", state.xt) for state in states]
    if len({len(x) for x in xs}) > 1:
        counts = sorted({len(x) for x in xs})
        raise ValueError(
            f"The recording {name!r} has states of {counts} points, but they are the same points: pass one walk."
        )
    index = torch.linspace(0, len(xs) - 1, min(len(xs), MOST_FRAMES), dtype=torch.float64).round().long()
    level = 255 / (2 * LIMIT)
    return {ts[i]: ((xs[i].clamp(-LIMIT, LIMIT) + LIMIT) * level).round().to(torch.uint8) for i in index}
