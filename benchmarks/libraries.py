"""Each library's own way of doing the same work, as its documentation shows it: a training step, a sampling step.

A training step of all three: fetch 64 images, draw t and the noise, forward, mean squared error, backward, clip the
gradient at 1, AdamW or Adam, the average of the weights. Nothing is left out of one that another does, except that
denoising-diffusion-pytorch averages only every tenth step, as it comes. (accelerate keeps one precision for the whole
process, so bfloat16 is entered here, with the same autocast that it would enter.)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from benchmarks.networks import BUILD, SHAPE, Size, denoising_diffusion_pytorch
from ddpm_lib.data import Batches, ImageData
from ddpm_lib.diffusion import GaussianDiffusion
from ddpm_lib.sampling import ddim_step, ddpm_step, sample
from ddpm_lib.schedule import linear_schedule
from ddpm_lib.train import Machine, TrainConfig, train
from ddpm_lib.train.config import Precision
from ddpm_lib.train.machine.backward import autocast

T = 500
LR = 2e-4
PAPER = {
    "objective": "pred_noise",
    "beta_schedule": "linear",
}  # denoising-diffusion-pytorch's, as in Ho et al. 2020
Arm = Callable[[], object]


def training(
    library: str,
    size: Size,
    data: ImageData,
    batch: int,
    precision: Precision,
    channels_last: bool = False,
    winograd: int = 0,
    steps: int = 1,
) -> Arm:
    """A function that does the library's next `steps` training steps each time it is called; `winograd` is ours."""
    torch.manual_seed(0)
    device = data.pixels.device
    network = BUILD[library](size).to(device)
    if channels_last:
        network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    if library == "ours":
        config = TrainConfig(steps=10**9, batch=batch, lr=LR, every=steps)
        machine = Machine(
            precision=precision, channels_last=channels_last, winograd=winograd, compile=device.type == "cuda"
        )
        diffusion, batches = GaussianDiffusion(linear_schedule(T)), Batches(data, batch)
        return partial(next, train(network, diffusion, batches, config, machine=machine))  # type: ignore[arg-type]
    loops: dict[str, Callable[..., Iterator[Any]]] = {
        "diffusers": train_diffusers,
        "lucidrains": train_lucidrains,
    }
    each = loops[library](network, data, batch, precision, channels_last, LR, T)
    return lambda: list(islice(each, steps))


def train_diffusers(
    network: nn.Module,
    data: ImageData,
    batch: int,
    precision: Precision,
    channels_last: bool,
    lr: float,
    T: int,
    warmup: int = 500,
) -> Iterator[Any]:
    """The loop of diffusers' tutorial and of its example for unconditional images; yields its running average."""
    from accelerate import Accelerator
    from diffusers import DDPMScheduler
    from diffusers.optimization import get_cosine_schedule_with_warmup
    from diffusers.training_utils import EMAModel

    accelerator = Accelerator(cpu=data.pixels.device.type == "cpu")
    schedule = DDPMScheduler(num_train_timesteps=T)
    optimizer: Any = torch.optim.AdamW(network.parameters(), lr=lr)
    rate: Any = get_cosine_schedule_with_warmup(optimizer, warmup, 10**6)
    ema = EMAModel(network.parameters(), decay=0.999)
    model, optimizer, loader, rate = accelerator.prepare(network, optimizer, _loader(data, batch), rate)
    while True:
        for (x0,) in loader:
            if channels_last:
                x0 = x0.contiguous(memory_format=torch.channels_last)
            noise = torch.randn_like(x0)
            t = torch.randint(0, T, (len(x0),), device=x0.device, dtype=torch.int64)
            noisy = schedule.add_noise(x0, noise, t)
            with accelerator.accumulate(model):
                with autocast(x0.device, precision):
                    output = model(noisy, t, return_dict=False)[0]
                loss = F.mse_loss(output.float(), noise)
                accelerator.backward(loss)
                accelerator.clip_grad_norm_(model.parameters(), 1.0)
                optimizer.step()
                rate.step()
                optimizer.zero_grad()
            ema.step(network.parameters())
            yield ema


def train_lucidrains(
    network: nn.Module,
    data: ImageData,
    batch: int,
    precision: Precision,
    channels_last: bool,
    lr: float,
    T: int,
    **options: Any,
) -> Iterator[Any]:
    """The loop of denoising-diffusion-pytorch's Trainer, on images in memory; yields its running average."""
    from accelerate import Accelerator

    package = denoising_diffusion_pytorch()
    accelerator = Accelerator(cpu=data.pixels.device.type == "cpu")
    diffusion = package.GaussianDiffusion(
        network, image_size=SHAPE[-1], timesteps=T, **(options or PAPER)
    ).to(data.pixels.device)
    optimizer: Any = torch.optim.Adam(diffusion.parameters(), lr=lr, betas=(0.9, 0.99))
    ema = package.EMA(diffusion, beta=0.995, update_every=10)
    model, optimizer, loader = accelerator.prepare(diffusion, optimizer, _loader(data, batch))
    while True:
        for (x0,) in loader:
            if channels_last:
                x0 = x0.contiguous(memory_format=torch.channels_last)
            with autocast(x0.device, precision):
                loss = model((x0 + 1) / 2)  # it wants [0, 1], and makes [-1, 1] of it
            accelerator.backward(loss)
            accelerator.clip_grad_norm_(diffusion.parameters(), 1.0)
            optimizer.step()
            optimizer.zero_grad()
            ema.update()
            yield ema


def _loader(data: ImageData, batch: int) -> DataLoader[tuple[Tensor, ...]]:
    return DataLoader(TensorDataset(data.x0().cpu()), batch_size=batch, shuffle=True, drop_last=True)


def sampling(
    library: str, network: nn.Module, sampler: str, images: int, steps: int, device: str = "cpu"
) -> Arm:
    """A function that takes `steps` steps of the sampler: "ddpm" through all T times, or "ddim" in 50 strides."""
    walk = {"ours": _sample_ours, "diffusers": _sample_diffusers, "lucidrains": _sample_lucidrains}[library]
    return partial(walk, network, sampler, images, steps, device)


def _sample_ours(network: Any, sampler: str, images: int, steps: int, device: str) -> None:
    step, of = (ddpm_step, None) if sampler == "ddpm" else (ddim_step, 50)
    diffusion = GaussianDiffusion(linear_schedule(T))
    states = sample(network, diffusion, SHAPE, seeds=range(images), step=step, steps=of, device=device)
    for _ in range(steps + 1):  # the first state is the noise
        next(states)


@torch.no_grad()
def _sample_diffusers(network: Any, sampler: str, images: int, steps: int, device: str) -> None:
    """The loop of DDPMPipeline and DDIMPipeline, without their progress bar."""
    from diffusers import DDIMScheduler, DDPMScheduler

    schedule = (DDPMScheduler if sampler == "ddpm" else DDIMScheduler)(num_train_timesteps=T)
    schedule.set_timesteps(T if sampler == "ddpm" else 50)
    x = torch.randn(images, *SHAPE, device=device)
    for t in schedule.timesteps[:steps]:
        x = schedule.step(network(x, t).sample, t, x).prev_sample


@torch.no_grad()
def _sample_lucidrains(network: Any, sampler: str, images: int, steps: int, device: str) -> None:
    package = denoising_diffusion_pytorch()
    package.tqdm = lambda steps, **_: steps  # its progress bar
    options: dict[str, Any] = {"image_size": SHAPE[-1], "timesteps": T, **PAPER}
    if sampler == "ddpm":
        diffusion = package.GaussianDiffusion(network, **options).to(device)
        x = torch.randn(images, *SHAPE, device=device)
        for t in reversed(range(T - steps, T)):
            x, _ = diffusion.p_sample(x, t)
    else:  # its DDIM is one loop: as many strides as were asked for
        diffusion = package.GaussianDiffusion(network, sampling_timesteps=steps, **options).to(device)
        diffusion.ddim_sample((images, *SHAPE))
