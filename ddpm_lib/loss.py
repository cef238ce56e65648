"""The training loss of Algorithm 1, and how its times are drawn."""

from __future__ import annotations

from typing import Literal

import torch
import torch.nn.functional as F
from jaxtyping import Float, Float64, Int
from torch import Tensor

from ddpm_lib.denoiser import Denoiser, Labels, Times, X
from ddpm_lib.diffusion import GaussianDiffusion
from ddpm_lib.schedule import NoiseSchedule

DrawT = Literal["uniform", "lognormal", "logistic"]


def simple_loss(
    denoiser: Denoiser, diffusion: GaussianDiffusion, x0: X, t: Times, eps: X, y: Labels | None = None
) -> Float[Tensor, ""]:
    """L_simple: the mean squared error of the network's output at x_t.

    Book: eq-l-simple (Ho et al. 2020, eq. 14).

    For a network that predicts eps this is the paper's loss, |eps - eps_theta(x_t, t)|^2 per pixel; for one
    that predicts x0 or v the target changes with it.
    """
    xt = diffusion.q_sample(x0, t, eps)
    target = diffusion.target(x0, t, eps, denoiser.predicts)
    return F.mse_loss(denoiser(xt, t, y).to(target.dtype), target)


def weighted_loss(
    denoiser: Denoiser,
    diffusion: GaussianDiffusion,
    x0: X,
    t: Times,
    eps: X,
    weight: Float[Tensor, " T_plus_1"],
    y: Labels | None = None,
) -> Float[Tensor, ""]:
    """The mean of weight[t] (output - target)^2: `simple_loss` where every weight is 1.

    Book: eq-weighted-loss.
    """
    xt = diffusion.q_sample(x0, t, eps)
    target = diffusion.target(x0, t, eps, denoiser.predicts)
    error = (denoiser(xt, t, y).to(target.dtype) - target).square().flatten(1).mean(1)
    return (weight.to(error)[t] * error).mean()


def min_snr(schedule: NoiseSchedule, gamma: float = 5.0) -> Float64[Tensor, " T_plus_1"]:
    """min(SNR, gamma), the weight of the squared error of x0_hat.

    Book: eq-min-snr (Hang et al. 2023, section 3.4).

    For the error of eps divide by the SNR, for that of v by SNR + 1.
    """
    return schedule.snr.clamp(max=gamma)


def t_weights(
    schedule: NoiseSchedule, how: DrawT = "uniform", mean: float = 0.0, std: float = 1.0
) -> Float64[Tensor, " T_plus_1"]:
    """Probability of each t = 0 ... T in training; t = 0 is never drawn.

    Book: eq-logistic (Esser et al. 2024, section 3.1), with how="logistic".

    "uniform" is Algorithm 1. "lognormal" draws log sigma_t ~ N(mean, std^2), where sigma_t^2 = 1 / SNR: with 0 and 1
    most of the training is where image and noise are about equally large (Karras et al. 2022, section 5, have -1.2 and
    1.2; on digits and in a short run 0 and 1 give far better images). "logistic" makes
    tau = sigma_t / (1 + sigma_t) uniform in 0 ... 1, as flow matching draws it: log sigma_t is then logistic.
    """
    if how == "uniform":
        weights = torch.ones(schedule.T, dtype=torch.float64)
    elif how in ("lognormal", "logistic"):
        log_sigma = -schedule.log_snr[1:] / 2
        edges = (log_sigma[1:] + log_sigma[:-1]) / 2
        below = edges.sigmoid() if how == "logistic" else torch.special.ndtr((edges - mean) / std)
        weights = below.diff(prepend=below.new_zeros(1), append=below.new_ones(1))
    else:
        raise ValueError(f"Times are drawn 'logistic', 'uniform' or 'lognormal', not {how!r}.")
    return torch.cat([weights.new_zeros(1), weights / weights.sum()])


def draw_t(
    n: int, weights: Float[Tensor, " T_plus_1"], generator: torch.Generator | None = None
) -> Int[Tensor, " n"]:
    """n independent times from `t_weights`, on the weights' device."""
    return torch.multinomial(weights, n, replacement=True, generator=generator)
