"""A network that says how wide a reverse step of `cpu-hour` should be; the mean stays as that network has it.

A small U-Net sees x_t, the guess of the image and t. It answers nu for every pixel, trained by the hybrid loss, in
which the mean gets nothing from the bound anyway; and for a step that ends in the image, where beta_tilde is 0, the
logarithm of a variance, trained by the probability of the gray levels.
"""

from __future__ import annotations

import time
from pathlib import Path

import torch

import ddpm_lib
from ddpm_lib.assets.width import FOLDER
from ddpm_lib.bound import level_log_prob
from ddpm_lib.data import Batches, mnist
from ddpm_lib.further.variances import hybrid_loss, learned_variance
from ddpm_lib.models import UNet, UNetConfig
from ddpm_lib.models.trained import About, Trained, export_weights
from ddpm_lib.train import TrainConfig
from ddpm_lib.train.loop import descend
from ddpm_lib.train.state import TrainState, start
from tools.checksums import write_sums

BATCH = 32
SMALL = UNetConfig(
    channels=2, base=16, mults=(1, 2), groups=4, activation="silu", scale_shift=True, blocks=1, fold=2
)


def learned(seed: int, steps: int) -> UNet:
    """A network that answers variances, with averaged weights; the mean is that of `cpu-hour` and stays as it is."""
    checkpoint, images = ddpm_lib.load("cpu-hour"), Batches(mnist(), BATCH, seed)
    net, diffusion = checkpoint.network(), checkpoint.diffusion
    torch.manual_seed(seed)
    config = TrainConfig(steps=steps, batch=BATCH, lr=2e-3, seed=seed)
    state: TrainState = start(UNet(SMALL).train(), config)
    rng, begun = torch.Generator().manual_seed(seed), time.perf_counter()
    for step in range(steps):
        x0, y = images(step)
        t = 1 + (diffusion.T * torch.rand(BATCH, generator=rng).square()).long()  # often near the image
        eps = torch.randn(x0.shape, generator=rng)
        xt = diffusion.q_sample(x0, t, eps)
        with torch.no_grad():
            x0_hat, eps_hat = diffusion.denoise(net, xt, t, y=y)
        nu, variance = learned_variance(state.model, xt, x0_hat, t)
        some = t > 1  # a step that does not end in the image; T of them are the bound
        hybrid = hybrid_loss(diffusion, x0[some], t[some], eps[some], eps_hat[some], nu[some], weight=1.0)
        last = -level_log_prob(x0, x0_hat, variance).mean()
        state.optimizer.zero_grad()
        (hybrid + last).backward()
        descend(state, config, step / steps)
        if step % 100 == 0:
            seconds = time.perf_counter() - begun
            print(f"  seed {seed}: {step} of {steps}, {hybrid:.3f} + {last:.3f}, {seconds:.0f} s", flush=True)
    average = state.ema.average
    assert isinstance(average, UNet)
    return average.eval()


def kept(folder: Path, seed: int, steps: int) -> UNet:
    """The network of that seed that lies in the folder, trained now if there is none."""
    path, head = folder / f"{seed}.pt", UNet(SMALL)
    if not path.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        torch.save(learned(seed, steps).state_dict(), path)
    head.load_state_dict(torch.load(path, weights_only=True))
    return head.eval()


def install(folder: Path, steps: int) -> None:
    """Put the network of seed 0 into the package, in float16, with its checksum."""
    tensors = {f"ema.{name}": t for name, t in kept(folder, 0, steps).state_dict().items()}
    schedule = ddpm_lib.load("cpu-hour").diffusion.schedule
    about = About(data="mnist", shape=(2, 28, 28))  # x_t and the guess
    export_weights(FOLDER / "learned.safetensors", Trained(SMALL, schedule, about, tensors, steps), half=True)
    write_sums(FOLDER)
