"""Named experiments: a network, a schedule and a way to train it. They are data, no code."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ddpm_lib.models import NetworkConfig, ResNetConfig, UNetConfig
from ddpm_lib.schedule import SCHEDULES, NoiseSchedule
from ddpm_lib.train.config import Machine, TrainConfig

FLOAT32, BFLOAT16 = Machine(), Machine(precision="bfloat16")


@dataclass(frozen=True)
class Preset:
    """One named experiment."""

    about: str  # one line for --help
    model: NetworkConfig
    train: TrainConfig
    schedule: str = "linear"  # or "cosine"
    T: int = 500  # noising steps
    machine: Machine = FLOAT32

    def noise_schedule(self) -> NoiseSchedule:
        """The schedule, as tables."""
        return SCHEDULES[self.schedule](self.T)


# Ten epochs of 60,000 images in batches of 64 are 9,370 steps: the experiment of chapters 5 and 6.
CLASSIC = TrainConfig(steps=9_370, batch=64, lr=5e-4, warmup=0.0, decay="none", clip=0.0, every=100)
# At 5e-4 the widest network is lost within some hundred steps (benchmarks/diverge.py): it takes the step size and the
# clipping of Ho et al. 2020.
CLASSIC_WIDE = replace(CLASSIC, lr=2e-4, clip=1.0)
MODERN = UNetConfig(
    base=48,
    mults=(1, 2, 2),
    blocks=2,
    attention=(2,),
    groups=32,
    activation="silu",
    scale_shift=True,
    dropout=0.1,
)
SMALL = UNetConfig(
    base=32,
    mults=(1, 2),
    blocks=1,
    groups=1,
    activation="silu",
    scale_shift=True,
    fold=2,
    classes=10,
    predicts="x0",
)
QUICK = TrainConfig(
    steps=3_000, seconds=180.0, batch=32, lr=2e-3, betas=(0.9, 0.99), ema=0.998, draw_t="lognormal"
)

MODERN_TRAIN = TrainConfig(steps=30_000, batch=128, lr=3e-4, ema=0.9995, every=100)
GUIDABLE = replace(MODERN, dropout=0.0, classes=10, predicts="x0")
MINUTES_GPU = replace(QUICK, steps=20_000, seconds=120.0, batch=128, lr=1e-3, ema=0.999)

# Seconds that a chapter may train, on whatever machine; two chapters run at once, each on one of two cores.
CHAPTER_SECONDS = 360.0

PRESETS: dict[str, Preset] = {
    "cpu-minutes": Preset(
        "digits by class in three minutes on a laptop (0.7 M parameters)", SMALL, QUICK, schedule="cosine"
    ),
    "cpu-hour": Preset(
        "the same network as cpu-minutes, trained for an hour",
        SMALL,
        replace(QUICK, steps=10_000, seconds=3600.0, batch=64, lr=1e-3, ema=0.9995),
        schedule="cosine",
    ),
    "gpu-minutes": Preset(
        "digits by class in two minutes on a GPU (3.9 M parameters)", GUIDABLE, MINUTES_GPU, schedule="cosine"
    ),
    "classic-unet": Preset(
        "the course's U-Net: 13.8 M parameters, no norm, ten epochs", UNetConfig(), CLASSIC_WIDE
    ),
    "classic-half": Preset(
        "the course's U-Net at half its width: 3.4 M parameters, the same ten epochs",
        UNetConfig(base=48),
        CLASSIC,
    ),
    "classic-small": Preset(
        "the course's U-Net made small for a CPU (0.7 M parameters), the same ten epochs",
        UNetConfig(base=32, mults=(1, 2), blocks=1, fold=2),
        CLASSIC,
    ),
    "classic-resnet": Preset(
        "the course's ResNet, which fails: one channel, no time", ResNetConfig(), CLASSIC
    ),
    "timed-resnet": Preset(
        "a time-conditioned ResNet with 16 channels (28 thousand parameters), the same ten epochs",
        ResNetConfig(width=16, time=True),
        CLASSIC,
    ),
    "wide-resnet": Preset(
        "a time-conditioned ResNet with 77 channels, as large as classic-small, the same ten epochs",
        ResNetConfig(width=77, time=True),
        CLASSIC,
    ),
    "modern-unet": Preset(
        "GroupNorm, SiLU, scale-shift, attention: the better U-Net, for a GPU",
        MODERN,
        MODERN_TRAIN,
        schedule="cosine",
        machine=BFLOAT16,
    ),
    "modern-unet-cond": Preset(
        "the better U-Net, class-conditional, for a GPU",
        replace(MODERN, classes=10),
        MODERN_TRAIN,
        schedule="cosine",
        machine=BFLOAT16,
    ),
}

# Networks that differ in nothing but themselves, from the smallest to the largest: one data set, schedule, loss,
# optimizer and ten epochs; the last alone takes smaller steps and clips. benchmarks/ladder.py measures them.
LADDER = ("classic-resnet", "timed-resnet", "wide-resnet", "classic-small", "classic-half", "classic-unet")
