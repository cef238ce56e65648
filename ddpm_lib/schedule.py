"""Noise schedules: how much noise each step of the forward chain adds.

Time runs t = 0 ... T. Index 0 is the clean image (beta_0 = 0, alpha_bar_0 = 1), so a table has T + 1
entries and `alpha_bar[t]` is the paper's alpha-bar_t with no offset.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import torch
from jaxtyping import Float64
from torch import Tensor


@dataclass(frozen=True, eq=False)
class NoiseSchedule:
    """The variances beta_0 = 0, beta_1 ... beta_T of Ho et al. 2020, eq. 2, as float64 on the CPU.

    Raises ValueError when `beta` is not a schedule.
    """

    beta: Float64[Tensor, " T_plus_1"]
    name: str = "custom"

    def __post_init__(self) -> None:
        beta = self.beta
        if beta.ndim != 1 or len(beta) < 2:
            raise ValueError(
                f"A schedule needs T + 1 entries with T >= 1, but beta has shape {tuple(beta.shape)}: "
                "pass a 1-D tensor that starts with beta[0] = 0."
            )
        if not bool(torch.isfinite(beta).all()):
            raise ValueError("A schedule's beta must be finite: replace the NaN or infinite entries.")
        if beta[0] != 0:
            raise ValueError(
                f"beta[0] is {float(beta[0]):g}, but index 0 is the clean image: put a 0 in front of beta_1."
            )
        wrong = ~((beta[1:] > 0) & (beta[1:] < 1))
        if bool(wrong.any()):
            t = int(wrong.nonzero()[0, 0]) + 1
            raise ValueError(
                f"beta[{t}] = {float(beta[t]):g} is not between 0 and 1 (both excluded), "
                "as the variance of a step must be: lower beta_max or raise T."
            )
        object.__setattr__(self, "beta", beta.to(device="cpu", dtype=torch.float64))

    @property
    def T(self) -> int:
        """The number of noising steps."""
        return len(self.beta) - 1

    @cached_property
    def alpha(self) -> Float64[Tensor, " T_plus_1"]:
        """alpha_t = 1 - beta_t."""
        return 1 - self.beta

    @cached_property
    def alpha_bar(self) -> Float64[Tensor, " T_plus_1"]:
        """alpha-bar_t = alpha_1 alpha_2 ... alpha_t: the share of the image's variance left at t.

        Book: eq-alpha-bar (Ho et al. 2020, section 2).
        """
        return self.alpha.cumprod(0)

    @cached_property
    def snr(self) -> Float64[Tensor, " T_plus_1"]:
        """Signal-to-noise ratio alpha_bar / (1 - alpha_bar); infinite at t = 0.

        Book: eq-snr (Kingma et al. 2021, section 3.1).
        """
        return self.alpha_bar / (1 - self.alpha_bar)

    @cached_property
    def log_snr(self) -> Float64[Tensor, " T_plus_1"]:
        """Natural logarithm of `snr`, infinite at t = 0. alpha_bar is its sigmoid.

        Book: eq-log-snr.
        """
        return self.snr.log()

    @property
    def terminal_weight(self) -> float:
        """sqrt(alpha_bar_T): the weight with which x_T still holds the image; 0 would be pure noise.

        Book: eq-terminal (Lin et al. 2024, section 3.1).
        """
        return math.sqrt(self.alpha_bar[-1])

    def variance(self, start: int | float) -> Float64[Tensor, " T_plus_1"]:
        """Var[x_t] at every t when the data have variance `start`: its distance from 1 shrinks by alpha_bar_t.

        Book: eq-variance; eq-variance-gap.
        """
        return 1 + self.alpha_bar * (start - 1)

    def shifted(self, d: int | float) -> NoiseSchedule:
        """The schedule for images d times as wide and high: log SNR lower by 2 log d at every t.

        Book: eq-shift (Hoogeboom et al. 2023, section on noise schedules).

        Averaged over d x d pixels, x_t on this chain is as noisy as a small image is on the old one.
        """
        if d <= 0:
            raise ValueError(f"d = {d}, but an image is a positive number of times as wide: pass d > 0.")
        ab = self.alpha_bar
        shifted = ab / (ab + d**2 * (1 - ab))
        return NoiseSchedule(
            _with_clean_image(1 - shifted[1:] / shifted[:-1]), f"{self.name}, shifted by {d:g}"
        )


def linear_schedule(
    T: int = 1000, beta_min: float = 1e-4, beta_max: float = 0.02, rescale: bool = True
) -> NoiseSchedule:
    """beta rises linearly from beta_min to beta_max.

    Book: eq-linear (Ho et al. 2020, section 4).

    The paper's values belong to T = 1000. With `rescale` both ends are multiplied by 1000 / T, so that
    a shorter chain still ends in noise.
    """
    scale = 1000 / _checked(T) if rescale else 1.0
    beta = torch.linspace(beta_min * scale, beta_max * scale, T, dtype=torch.float64)
    return NoiseSchedule(_with_clean_image(beta), name="linear")


def scaled_linear_schedule(
    T: int = 1000, beta_min: float = 0.00085, beta_max: float = 0.012, rescale: bool = True
) -> NoiseSchedule:
    """sqrt(beta) rises linearly: the schedule of latent diffusion, with the ends of Stable Diffusion.

    Book: eq-scaled-linear (Lin et al. 2024, table 1).

    With `rescale` both ends are multiplied by 1000 / T, as in `linear_schedule`. It does not end in noise: at any
    long T about 0.07 of the image is left (`terminal_weight`).
    """
    scale = 1000 / _checked(T) if rescale else 1.0
    root = torch.linspace(math.sqrt(beta_min * scale), math.sqrt(beta_max * scale), T, dtype=torch.float64)
    return NoiseSchedule(_with_clean_image(root**2), name="scaled linear")


def cosine_schedule(T: int = 1000, s: float = 0.008, beta_clip: float = 0.999) -> NoiseSchedule:
    """alpha_bar follows a squared cosine.

    Book: eq-cosine (Nichol and Dhariwal 2021, eq. 17).

    alpha_bar_t = f(t) / f(0) with f(t) = cos^2((t/T + s) / (1 + s) * pi/2). The offset `s` keeps the first
    steps from being too small. beta_t = 1 - alpha_bar_t / alpha_bar_{t-1} is clipped at `beta_clip`.
    """
    u = torch.arange(_checked(T) + 1, dtype=torch.float64) / T
    f = torch.cos((u + s) / (1 + s) * math.pi / 2) ** 2
    beta = (1 - f[1:] / f[:-1]).clamp(max=beta_clip)
    return NoiseSchedule(_with_clean_image(beta), name="cosine")


SCHEDULES: dict[str, Callable[[int], NoiseSchedule]] = {
    "linear": linear_schedule,
    "scaled linear": scaled_linear_schedule,
    "cosine": cosine_schedule,
}


def _with_clean_image(beta: Float64[Tensor, " T"]) -> Float64[Tensor, " T+1"]:
    return torch.cat([beta.new_zeros(1), beta])


def _checked(T: int) -> int:
    if not hasattr(T, "__index__"):
        raise ValueError(f"T is {T}, but a chain has a whole number of steps: pass an int.")
    if T < 1:
        raise ValueError(f"T is {T}, but a chain needs at least one step: pass T >= 1.")
    return T
