"""The sick runs of the chapter *The clinic*: what is wrong with each, as a change of a run that is otherwise healthy.

A fault of the training changes what `train` is given; a fault of the sampling changes what the sampler is given. Each
is written the way it happens: the chapter says where it was reported.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from ddpm_lib.data import Batches, ImageData
from ddpm_lib.denoiser import Labels, Predicts, Time, Times, X
from ddpm_lib.diffusion import GaussianDiffusion, times
from ddpm_lib.models import Network, UNet, UNetConfig
from ddpm_lib.models.blocks import TimeMLP
from ddpm_lib.sampling import DDPM, Step, ddpm_step
from ddpm_lib.schedule import NoiseSchedule, cosine_schedule, linear_schedule
from ddpm_lib.train import TrainConfig
from ddpm_lib.train.ema import EMA
from ddpm_lib.train.state import TrainState

T, STEPS = 100, 20  # noising steps; steps of the sampler
COSINE = cosine_schedule(T)
NETWORK = UNetConfig(
    base=12, mults=(1, 2), blocks=1, groups=1, activation="silu", scale_shift=True, fold=2, predicts="x0"
)
TRAIN = TrainConfig(steps=600, batch=32, lr=3e-3, betas=(0.9, 0.99), ema=0.99, draw_t="lognormal", every=1)


class NoRoots(GaussianDiffusion):
    """x_t = alpha_bar x_0 + (1 - alpha_bar) eps: the roots are missing."""

    def q_sample(self, x0: X, t: Time, eps: X) -> X:
        """x_t with less noise, and less of the image, than the sampler will meet."""
        ab = self.alpha_bar(t, x0)
        return times(ab, x0) + times(1 - ab, eps)


class Rows(TimeMLP):
    """Sines for the even rows of the batch, cosines for the odd ones: `[::2]` where `[:, ::2]` was meant."""

    def forward(self, t: Tensor) -> Tensor:
        """(b,) times to (b, out) features that depend on the place in the batch."""
        angle = t[:, None] * torch.exp(-math.log(10_000) * torch.arange(self.dim) / self.dim)
        angle[::2], angle[1::2] = angle[::2].sin(), angle[1::2].cos()
        features: Tensor = self.mlp(angle)
        return features


def rows(net: UNet) -> None:
    """Embed the time row by row."""
    net.time.__class__ = Rows


def no_time(net: UNet) -> None:
    """The time's features are zero, whatever the time."""
    net.time.register_forward_hook(lambda module, args, out: torch.zeros_like(out))


def batch_norm(net: nn.Module) -> None:
    """BatchNorm where GroupNorm was."""
    for name, child in net.named_children():
        if isinstance(child, nn.GroupNorm):
            setattr(net, name, nn.BatchNorm2d(child.num_channels))
        else:
            batch_norm(child)


class SlowEMA(EMA):
    """A decay for long runs, from the first step on: after 600 steps most of the average is the random start."""

    @torch.no_grad()
    def update(self, model: nn.Module, step: int) -> None:
        """average += 0.0001 (model - average)."""
        torch._foreach_lerp_(list(self.average.parameters()), list(model.parameters()), 1e-4)


class ParametersOnly(EMA):
    """The parameters are averaged, and the buffers, BatchNorm's mean and variance, stay as they were at the start."""

    @torch.no_grad()
    def update(self, model: nn.Module, step: int) -> None:
        """As EMA does, less its last lines."""
        decay = min(self.decay, (1 + step) / (10 + step))
        torch._foreach_lerp_(list(self.average.parameters()), list(model.parameters()), 1 - decay)


def keep_bfloat16(state: TrainState) -> None:
    """Weights and average are kept in bfloat16, eight bits of mantissa, from step to step."""
    for net in (state.model, state.ema.average):
        for p in net.parameters():
            p.data = p.data.bfloat16().float()


@dataclass(frozen=True)
class Variance(DDPM):
    """sigma^2 z where sigma z was meant."""

    def __call__(
        self, diffusion: GaussianDiffusion, xt: X, t: Time, s: Time, x0_hat: X, eps_hat: X, z: X, *_: object
    ) -> X:
        """One step with too little noise."""
        mean = diffusion.q_posterior(x0_hat, xt, t, s)[0]
        return mean + diffusion.reverse_variance(xt, t, s, self.sigma2) * (s > 0) * z


@dataclass(frozen=True)
class LastNoise(DDPM):
    """Noise is added in the last step as well."""

    def __call__(
        self, diffusion: GaussianDiffusion, xt: X, t: Time, s: Time, x0_hat: X, eps_hat: X, z: X, *_: object
    ) -> X:
        """One step."""
        mean = diffusion.q_posterior(x0_hat, xt, t, s)[0]
        return mean + diffusion.reverse_variance(xt, t, s, self.sigma2).sqrt() * z


@dataclass(frozen=True)
class Patient:
    """One run, healthy but for the fields that are given."""

    fault: str
    # what the training is given
    schedule: NoiseSchedule = COSINE
    forward: type[GaussianDiffusion] = GaussianDiffusion
    network: Callable[[UNet], object] | None = None
    ema: type[EMA] = EMA
    images: int = 60_000
    pixels: Callable[[X], X] = lambda x0: x0
    labels: Callable[[Labels], Labels] | None = None  # None: a network without classes
    label_drop: float = 0.1
    after: Callable[[TrainState], None] = lambda state: None
    # what the sampler is given
    weights: str = ""  # those of another run
    sampled: NoiseSchedule | None = None  # another schedule
    told: Callable[[Times], Times] = lambda t: t
    reads: Predicts = "x0"
    step: Step = ddpm_step

    @property
    def diffusion(self) -> GaussianDiffusion:
        """What the sampler calculates with."""
        return GaussianDiffusion(self.sampled or self.schedule)

    def build(self, seed: int = 0) -> UNet:
        """The network before the first step."""
        torch.manual_seed(seed)
        net = UNet(replace(NETWORK, classes=10 if self.labels else 0))
        if self.network is not None:
            self.network(net)
        return net

    def batches(self, data: ImageData) -> Callable[[int], tuple[X, Labels | None]]:
        """The batches as the training gets them."""
        plain = Batches(data.head(self.images), min(TRAIN.batch, self.images))

        def batch(step: int) -> tuple[X, Labels | None]:
            x0, y = plain(step)
            return self.pixels(x0), None if self.labels is None or y is None else self.labels(y)

        return batch


class Called:
    """A network as a patient's sampler calls it: told its times, and read as what it is taken for."""

    def __init__(self, network: Network, patient: Patient) -> None:
        self.network, self.patient, self.predicts = network, patient, patient.reads

    def __call__(self, xt: X, t: Times, y: Labels | None = None) -> X:
        out: Tensor = self.network(xt, self.patient.told(t), y)
        return out


PATIENTS: dict[str, Patient] = {
    "healthy": Patient("nothing"),
    "roots": Patient("alpha_bar where its root belongs", forward=NoRoots),
    "unit": Patient("images in [0, 1]", pixels=lambda x0: (x0 + 1) / 2),
    "twice": Patient("divided by 255 twice", pixels=lambda x0: (x0 + 1) / 255 - 1),
    "short": Patient("T too small for the schedule", schedule=linear_schedule(T, rescale=False)),
    "rows": Patient("time masked by rows", network=rows),
    "blind": Patient("time never passed", network=no_time),
    "slow": Patient("an average that is too slow", ema=SlowEMA),
    "buffers": Patient("buffers left out of the average", network=batch_norm, ema=ParametersOnly),
    "bfloat16": Patient("weights kept in bfloat16", after=keep_bfloat16),
    "few": Patient("too few images", images=16),
    "labels": Patient("labels shuffled", labels=lambda y: y[torch.randperm(len(y))]),
    "schedule": Patient("another schedule in sampling", weights="healthy", sampled=linear_schedule(T)),
    "index": Patient("told the loop's index, not its time", weights="healthy", told=lambda t: t * STEPS // T),
    "read": Patient("x0 read as eps", weights="healthy", reads="eps"),
    "variance": Patient("variance where its root belongs", weights="healthy", step=Variance()),
    "last": Patient("noise in the last step", weights="healthy", step=LastNoise("beta")),
}
