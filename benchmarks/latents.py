"""The networks that benchmarks/where.py measures: an autoencoder of digits, and three denoisers of its latent.

The autoencoder learns by its own loss; the denoisers by the package's loop and the recipe of the preset `cpu-minutes`,
on the means of the latent, in units of their standard deviation. All are kept in float16; what lies in the folder
already is not trained again.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from ddpm_lib.assets.latent import FOLDER, load_autoencoder, save_autoencoder
from ddpm_lib.data import Batches, mnist
from ddpm_lib.data.phrases import PHRASES, UNSEEN
from ddpm_lib.diffusion import GaussianDiffusion
from ddpm_lib.models import (
    Autoencoder,
    AutoencoderConfig,
    DiTConfig,
    NetworkConfig,
    UNetConfig,
    WordsConfig,
    build,
)
from ddpm_lib.models.autoencoder import autoencoder_loss
from ddpm_lib.models.trained import About, Trained, export_weights, load_trained
from ddpm_lib.train import train
from ddpm_lib.train.loop import descend
from ddpm_lib.train.presets import PRESETS
from ddpm_lib.train.state import TrainState, start
from tools.checksums import write_sums

PRESET = PRESETS["cpu-minutes"]
DIFFUSION = GaussianDiffusion(PRESET.noise_schedule())
LATENT, BATCH = (4, 7, 7), 32
SHIPPED = ("autoencoder", "dit", "words")
KL_WEIGHT = 1e-3
NETWORKS: dict[str, NetworkConfig] = {
    "unet": UNetConfig(
        channels=4, base=48, mults=(1,), blocks=1, groups=1, activation="silu", scale_shift=True, classes=10,
        predicts="x0",
    ),
    "dit": DiTConfig(blocks=5),
    "words": WordsConfig(tuple(PHRASES), base=48),
}  # fmt: skip
LONG = {"unet-long": "unet"}  # the same network, trained for as much arithmetic as the one on pixels


def trained_autoencoder(path: Path, steps: int) -> Autoencoder:
    """The autoencoder that is kept at `path`; trained now if there is none."""
    if not path.is_file():
        config = replace(PRESET.train, steps=steps, seconds=None)
        torch.manual_seed(0)
        model = Autoencoder(AutoencoderConfig())
        state: TrainState = start(model, config)  # type: ignore[arg-type]
        images, rng = Batches(mnist(), BATCH, 0), torch.Generator().manual_seed(0)
        begun = time.perf_counter()
        for step in range(steps):
            x0, _ = images(step)
            noise = torch.randn((len(x0), *LATENT), generator=rng)
            error, divergence = autoencoder_loss(model, x0, noise, KL_WEIGHT)
            state.optimizer.zero_grad()
            (error + divergence).backward()
            descend(state, config, step / steps)
            if step % 100 == 0:
                print(f"  {step} of {steps}: {error.item():.4f} + {divergence.item():.4f}", flush=True)
        best = state.ema.average
        scale = float(encoded(best, mnist().x0(slice(0, 10_000))).std())  # type: ignore[arg-type]
        model = Autoencoder(replace(AutoencoderConfig(), scale=round(scale, 4)))
        model.load_state_dict(best.state_dict())
        save_autoencoder(path, model, steps, round(time.perf_counter() - begun, 1))
    return load_autoencoder(path)


@torch.inference_mode()
def encoded(model: Autoencoder, x: Tensor) -> Tensor:
    """All latents."""
    return torch.cat([model.encode(part) for part in x.split(500)])


@torch.inference_mode()
def decoded(model: Autoencoder, z: Tensor) -> Tensor:
    """All images, clipped as pixels are."""
    return torch.cat([model.decode(part) for part in z.split(500)]).clamp(-1, 1)


def config_of(name: str) -> NetworkConfig:
    """The network of an arm."""
    return NETWORKS[LONG.get(name, name)]


def by_class(z: Tensor, y: Tensor, seed: int = 0) -> Callable[[int], tuple[Tensor, Tensor]]:
    """batches(step): some latents and their classes; drawn on the CPU, so that a seed is one run on every device."""
    rng = torch.Generator().manual_seed(seed)

    def batches(step: int) -> tuple[Tensor, Tensor]:
        some = torch.randint(len(z), (BATCH,), generator=rng).to(z.device)
        return z[some], y[some]

    return batches


def by_phrase(z: Tensor, y: Tensor, seed: int = 0) -> Callable[[int], tuple[Tensor, Tensor]]:
    """batches(step): a phrase that may be seen, a digit that it fits, then an image of that digit, each at random."""
    rng, names = torch.Generator().manual_seed(seed), list(PHRASES)
    seen = torch.tensor([i for i, name in enumerate(names) if name not in UNSEEN])
    fits = torch.tensor([[float(d in PHRASES[name]) for d in range(10)] for name in names])
    y = y.cpu()
    order, count = y.argsort(stable=True), torch.bincount(y, minlength=10)
    first = count.cumsum(0) - count

    def batches(step: int) -> tuple[Tensor, Tensor]:
        phrase = seen[torch.randint(len(seen), (BATCH,), generator=rng)]
        digit = torch.multinomial(fits[phrase], 1, generator=rng)[:, 0]
        which = (torch.rand(BATCH, generator=rng) * count[digit]).long()
        return z[order[first[digit] + which].to(z.device)], phrase.to(z.device)

    return batches


def trained(
    name: str, save: Path, steps: int, autoencoder: Autoencoder, seed: int = 0, device: str = "cpu"
) -> Trained:
    """The denoiser that is kept under `name` and `seed`; trained now if there is none."""
    path = save / (f"{name}-{seed}.safetensors" if seed else f"{name}.safetensors")
    if not path.is_file():
        data = mnist()
        assert data.y is not None
        z = torch.cat(
            [encoded(autoencoder, data.x0(slice(at, at + 10_000))) for at in range(0, 60_000, 10_000)]
        ).to(device)
        torch.manual_seed(seed)
        config = replace(PRESET.train, steps=steps, seconds=None, batch=BATCH, every=100, seed=seed)
        batches = (by_phrase if name == "words" else by_class)(z, data.y.to(device), seed)
        for progress in train(build(config_of(name)).to(device), DIFFUSION, batches, config):
            print(f"  {name}, seed {seed}: {progress.step} of {steps}, {progress.loss:.4f}", flush=True)
        average = progress.state.ema.average.state_dict()
        kept = Trained(
            config_of(name),
            DIFFUSION.schedule,
            About(data="mnist", shape=LATENT, classes=tuple(PHRASES) if name == "words" else data.classes),
            {f"ema.{key}": t.cpu() for key, t in average.items()},
            steps,
            round(progress.state.seconds, 1),
            {"steps": steps, "batch": BATCH, "lr": config.lr, "draw_t": config.draw_t},
        )
        export_weights(path, kept, half=True)
    return load_trained(path)


def install(save: Path) -> None:
    """Put what the chapter loads into the package, with checksums."""
    FOLDER.mkdir(exist_ok=True)
    for name in SHIPPED:
        shutil.copyfile(save / f"{name}.safetensors", FOLDER / f"{name}.safetensors")
    write_sums(FOLDER)
