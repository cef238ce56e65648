"""Parts of the trajectory, for its tests."""

import torch

from ddpm_lib.sampling import State


def recorded(ts: list[int], n: int = 3, side: int = 8, seed: int = 0) -> list[State]:
    generator = torch.Generator().manual_seed(seed)
    states = []
    for i, t in enumerate(ts):
        xt, guess = (torch.rand(n, 1, side, side, generator=generator) * 2.4 - 1.2 for _ in range(2))
        states.append(State(t, xt, guess if i else None))
    return states


RUNS = {"ResNet": recorded([500, 300, 100, 0]), "U-Net": recorded([500, 400, 300, 200, 100, 0], seed=1)}
GOOD = RUNS["ResNet"]
