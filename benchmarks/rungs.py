"""How a network of the ladder is found and measured: loss by t, bits, named digits, a walk from noise."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch
from torch import Tensor

from ddpm_lib.assets.weights import FOLDER, PART
from ddpm_lib.bound import bits_per_dim, terms
from ddpm_lib.data import mnist
from ddpm_lib.diffusion import GaussianDiffusion
from ddpm_lib.evaluate.classifier import digit_classifier, in_batches
from ddpm_lib.evaluate.metrics import loss_by_t
from ddpm_lib.models import Network
from ddpm_lib.models.storage import CheckpointError
from ddpm_lib.models.trained import Trained, load_trained
from ddpm_lib.sampling import Noise, ddpm_step, sample
from ddpm_lib.train.presets import LADDER, PRESETS

SHARES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.4, 0.7, 1.0)  # of T: where losses are measured
MOMENTS, WALKERS = 16, 16  # pictures of a walk, digits that walk
SURE = 0.9  # probability from which on a digit counts as named


def find(name: str, folders: Sequence[Path], unfinished: bool = False) -> Trained | None:
    """The trained network of a preset, from a run's folder, `folders` of weights or the shipped ones, or None.

    Weights count by what they are: the preset's network, trained for at least the preset's steps.
    """
    preset = PRESETS[name]
    for files in _candidates(name, [*folders, FOLDER]):
        try:
            checkpoint = load_trained(*files)
        except CheckpointError:
            continue
        ours = checkpoint.model_config == preset.model and checkpoint.schedule.T == preset.T
        if ours and (unfinished or checkpoint.step >= preset.train.steps):
            return checkpoint
    return None


def _candidates(name: str, folders: Sequence[Path]) -> Iterator[list[Path]]:
    for folder in folders:
        yield from ([path] for path in (folder / name / "checkpoint.safetensors",) if path.is_file())
        groups: dict[str, list[Path]] = {}
        for path in sorted(folder.glob("*.safetensors")):
            groups.setdefault(PART.sub("", path.stem), []).append(path)
        yield from groups.values()


def found(
    folders: Sequence[Path], unfinished: bool = False, among: Sequence[str] = LADDER
) -> dict[str, Trained]:
    """Those of the rungs `among` that are trained, in order."""
    each = {name: find(name, folders, unfinished) for name in LADDER if name in among}
    return {name: checkpoint for name, checkpoint in each.items() if checkpoint is not None}


def times_of(diffusion: GaussianDiffusion) -> list[int]:
    """The times that losses are measured at."""
    return sorted({max(1, round(diffusion.T * share)) for share in SHARES})


def losses(
    network: Network, diffusion: GaussianDiffusion, n: int, device: str, train: bool
) -> dict[str, float]:
    """|eps - eps_hat|^2 a pixel by t, on n training or held-out digits; JSON's keys are strings."""
    x0 = mnist(train).x0(slice(0, n)).to(device)
    return {
        str(t): float(f"{loss:.4g}") for t, loss in loss_by_t(network, diffusion, x0, times_of(diffusion))
    }


@torch.inference_mode()
def best_loss(diffusion: GaussianDiffusion, n: int, device: str, train: bool) -> dict[str, float]:
    """The loss by t of the best answer to the training digits, E[eps | x_t] when x_0 is any of them: eq-least-loss.

    On n training digits it is the least that a network can have on average over all of them (it knows them by heart,
    so it is 0 where little noise hides which one it was). On held-out digits no network need stay above it.
    """
    every = mnist().x0().flatten(1).to(device)
    x0 = mnist(train).x0(slice(0, n)).flatten(1).to(device)
    eps = Noise(range(n), (1, 28, 28), device)().flatten(1)
    squares = every.square().sum(1)
    best = {}
    for t in times_of(diffusion):
        ab = diffusion.alpha_bar(t, every).to(torch.float32).reshape(())
        total = 0.0
        for some in torch.arange(n).split(64):
            xt = diffusion.q_sample(x0[some], t, eps[some])
            # log N(x_t; sqrt(ab) x_k, 1 - ab) up to what all digits share
            score = (ab.sqrt() * (xt @ every.T) - ab * squares / 2) / (1 - ab)
            mean = score.softmax(dim=1) @ every
            total += float((diffusion.predict_eps(xt, t, mean) - eps[some]).square().double().sum())
        best[str(t)] = float(f"{total / eps.numel():.4g}")
    return best


def bits(network: Network, diffusion: GaussianDiffusion, n: int, device: str) -> tuple[float, float]:
    """The bound in bits per dimension of n held-out digits, sigma^2 = beta, and its standard error."""
    generator, each = torch.Generator().manual_seed(0), []
    for x0 in mnist(train=False).x0(slice(0, n)).to(device).split(256):
        nats = terms(
            network,
            diffusion,
            x0,
            lambda *shape: torch.randn(shape, generator=generator),
            sigma2="beta",
        )
        each.append(bits_per_dim(nats.sum(0).double().cpu(), x0[0].numel()))
    values = torch.cat(each)
    return round(float(values.mean()), 3), round(float(values.std()) / math.sqrt(len(values)), 3)


def confident(x: Tensor) -> float:
    """The share of digits to which the classifier gives one class with more than SURE."""
    return round(
        float((in_batches(digit_classifier(), x).softmax(dim=1).amax(dim=1) > SURE).float().mean()), 4
    )


def walk(network: Network, diffusion: GaussianDiffusion, device: str) -> Tensor:
    """Digits between noise and image, by all steps of DDPM: WALKERS * MOMENTS pictures, a digit's moments in a row."""
    T = diffusion.T
    moments = {round(T * (MOMENTS - 1 - k) / (MOMENTS - 1)) for k in range(MOMENTS)}
    states = sample(network, diffusion, (1, 28, 28), seeds=range(WALKERS), step=ddpm_step, device=device)
    kept = [state.xt.cpu() for state in states if state.t in moments]
    kept += [kept[-1]] * (MOMENTS - len(kept))
    return torch.stack(kept, dim=1).flatten(0, 1)
