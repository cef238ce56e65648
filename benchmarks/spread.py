"""A network that says how wide a reverse step of `cpu-hour` should be; the mean stays as that network has it.

A small U-Net sees x_t, the guess of the image and t. It answers nu for every pixel, trained by the hybrid loss, in
which the mean gets nothing from the bound anyway; and for a step that ends in the image, where beta_tilde is 0, the
logarithm of a variance, trained by the probability of the gray levels.
"""

from __future__ import annotations

import time
from pathlib import Path

import torch
from torch import Tensor

import ddpm_lib
from ddpm_lib.bound import level_log_prob
from ddpm_lib.data import Batches, mnist
from ddpm_lib.denoiser import Time
from ddpm_lib.further.variances import hybrid_loss
from ddpm_lib.models import UNet, UNetConfig
from ddpm_lib.train import TrainConfig
from ddpm_lib.train.loop import descend
from ddpm_lib.train.state import TrainState, start

BATCH = 32
SMALL = UNetConfig(
    channels=2, base=16, mults=(1, 2), groups=4, activation="silu", scale_shift=True, blocks=1, fold=2
)


def answers(head: UNet, xt: Tensor, x0_hat: Tensor, t: Time) -> tuple[Tensor, Tensor]:
    """(nu, the variance of a step from t to the image) for every pixel."""
    each = torch.as_tensor(t).expand(len(xt))
    nu, log_variance = head(torch.cat([xt, x0_hat], dim=1), each).split(1, dim=1)
    return 0.5 + nu, (log_variance - 6).exp()


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
        nu, variance = answers(state.model, xt, x0_hat, t)  # type: ignore[arg-type]
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
