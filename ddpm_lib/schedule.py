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
        """alpha-bar_t = alpha_1 alpha_2 ... alpha_t: the share of the image's variance left at t (eq. 4)."""
        return self.alpha.cumprod(0)

    @cached_property
    def snr(self) -> Float64[Tensor, " T_plus_1"]:
        """Signal-to-noise ratio alpha_bar / (1 - alpha_bar); infinite at t = 0."""
        return self.alpha_bar / (1 - self.alpha_bar)

    @cached_property
    def log_snr(self) -> Float64[Tensor, " T_plus_1"]:
        """Natural logarithm of `snr`; infinite at t = 0."""
        return self.snr.log()


def linear_schedule(
    T: int = 1000, beta_min: float = 1e-4, beta_max: float = 0.02, rescale: bool = True
) -> NoiseSchedule:
    """beta rises linearly from beta_min to beta_max (Ho et al. 2020, section 4).

    The paper's values belong to T = 1000. With `rescale` both ends are multiplied by 1000 / T, so that
    a shorter chain still ends in noise.
    """
    scale = 1000 / _checked(T) if rescale else 1.0
    beta = torch.linspace(beta_min * scale, beta_max * scale, T, dtype=torch.float64)
    return NoiseSchedule(_with_clean_image(beta), name="linear")


def cosine_schedule(T: int = 1000, s: float = 0.008, beta_clip: float = 0.999) -> NoiseSchedule:
    """alpha_bar follows a squared cosine (Nichol and Dhariwal 2021, eq. 17).

    alpha_bar_t = f(t) / f(0) with f(t) = cos^2((t/T + s) / (1 + s) * pi/2). The offset `s` keeps the first
    steps from being too small. beta_t = 1 - alpha_bar_t / alpha_bar_{t-1} is clipped at `beta_clip`.
    """
    u = torch.arange(_checked(T) + 1, dtype=torch.float64) / T
    f = torch.cos((u + s) / (1 + s) * math.pi / 2) ** 2
    beta = (1 - f[1:] / f[:-1]).clamp(max=beta_clip)
    return NoiseSchedule(_with_clean_image(beta), name="cosine")


SCHEDULES: dict[str, Callable[[int], NoiseSchedule]] = {"linear": linear_schedule, "cosine": cosine_schedule}


def _with_clean_image(beta: Float64[Tensor, " T"]) -> Float64[Tensor, " T+1"]:
    return torch.cat([beta.new_zeros(1), beta])


def _checked(T: int) -> int:
    if T < 1:
        raise ValueError(f"T is {T}, but a chain needs at least one step: pass T >= 1.")
    return T
