"""The variational bound on -log p_theta(x_0), term by term, in nats summed over an image's entries.

The paper numbers its terms L_0, L_1, ..., L_T, and so do the tensors here: entry k is L_k. L_{t-1} is the cost of
the step from t to t - 1, so L_0 is that of the last step, to the image, and L_T the cost of starting from N(0, I).
"""

from __future__ import annotations

import math
from functools import partial

import torch
from jaxtyping import Float, Float64
from torch import Tensor
from torch.special import log_ndtr

from ddpm_lib import gaussian
from ddpm_lib.chain import Draw, path_log_prob
from ddpm_lib.denoiser import Denoiser, Labels, X
from ddpm_lib.diffusion import GaussianDiffusion, Sigma2
from ddpm_lib.schedule import NoiseSchedule

HALF_LEVEL = 1 / 255  # half the distance of two gray levels, of 256 between -1 and 1


def path_bound(
    denoiser: Denoiser,
    diffusion: GaussianDiffusion,
    path: Float[Tensor, "T_plus_1 b *shape"],
    *,
    sigma2: Sigma2 = "beta",
    clip: bool = False,
) -> Float[Tensor, " b"]:
    """log q(x_1:T | x_0) - log p_theta(x_0:T) of paths x_0, x_1, ..., x_T drawn from q; its mean is the bound.

    Book: eq-bound (Ho et al. 2020, eq. 3).

    The last step's density is that of a Gaussian, so `sigma2="beta"`: the other choice is 0 there.
    """
    log_p = gaussian.log_prob(path[-1], 0.0, 1.0)
    for t in range(diffusion.T, 0, -1):
        mean, variance = diffusion.p_mean_variance(
            denoiser, path[t], t, t - 1, clip=clip, sigma2=sigma2 if t > 1 else "beta"
        )
        log_p = log_p + gaussian.log_prob(path[t - 1], mean, variance)
    return _total(path_log_prob(diffusion.schedule, path) - log_p)


def prior_term(diffusion: GaussianDiffusion, x0: X) -> Float[Tensor, " b"]:
    """L_T = KL(q(x_T | x_0) || N(0, I)), in nats per image; nothing in it is learned.

    Book: eq-prior-term (Ho et al. 2020, eq. 5).
    """
    mean, variance = diffusion.q_mean_variance(x0, diffusion.T)
    return _total(gaussian.kl(mean, variance, torch.zeros_like(x0), torch.ones_like(variance)))


def step_term(
    denoiser: Denoiser,
    diffusion: GaussianDiffusion,
    x0: X,
    t: int,
    eps: X,
    *,
    y: Labels | None = None,
    sigma2: Sigma2 = "beta_tilde",
    clip: bool | None = None,
    levels: bool = True,
) -> Float[Tensor, " b"]:
    """L_{t-1}, in nats per image, at the x_t made from `eps`; its mean over `eps` is the term.

    Book: eq-bound-split (Ho et al. 2020, eq. 5).

    For t >= 2 it is KL(q(x_{t-1} | x_t, x_0) || p_theta(x_{t-1} | x_t)). For t = 1 it is -log p_theta(x_0 | x_1),
    the probability of an 8-bit image, or with `levels=False` a Gaussian density; its variance is beta_1 for
    either `sigma2`, because the posterior's is 0 there.
    """
    xt = diffusion.q_sample(x0, t, eps)
    mean, variance = diffusion.p_mean_variance(
        denoiser, xt, t, t - 1, y=y, clip=clip, sigma2=sigma2 if t > 1 else "beta"
    )
    if t > 1:
        true_mean, true_variance = diffusion.q_posterior(x0, xt, t, t - 1)
        return _total(gaussian.kl(true_mean, true_variance, mean, variance))
    score = level_log_prob if levels else gaussian.log_prob
    return -_total(score(x0, mean, variance))


def terms(
    denoiser: Denoiser,
    diffusion: GaussianDiffusion,
    x0: X,
    draw: Draw,
    *,
    y: Labels | None = None,
    sigma2: Sigma2 = "beta_tilde",
    clip: bool | None = None,
    levels: bool = True,
) -> Float[Tensor, "T_plus_1 b"]:
    """All of L_0, ..., L_T of the images x0, each with fresh noise from `draw(*shape)`; the sum is the bound.

    x0 holds 8-bit pixels in [-1, 1], unless `levels` is False.
    """
    term = partial(step_term, denoiser, diffusion, x0, y=y, sigma2=sigma2, clip=clip, levels=levels)
    with torch.inference_mode():
        steps = [term(t, draw(*x0.shape).to(x0)) for t in range(1, diffusion.T + 1)]
        return torch.stack([*steps, prior_term(diffusion, x0)])


def level_log_prob(
    x0: Float[Tensor, "*shape"], mean: Float[Tensor, "*shape"], variance: float | Float[Tensor, "..."]
) -> Float[Tensor, "*shape"]:
    """log of the probability that N(mean, variance) gives the gray level x0, one of 256 in [-1, 1], per entry.

    Book: eq-level (Ho et al. 2020, eq. 13).

    A level is the interval within 1 / 255 of it; black and white include the tails, so the probabilities add to 1.
    """
    sd = torch.as_tensor(variance, dtype=x0.dtype, device=x0.device).sqrt()
    upper = torch.where(x0 > 1 - HALF_LEVEL, math.inf, (x0 + HALF_LEVEL - mean) / sd)
    lower = torch.where(x0 < HALF_LEVEL - 1, -math.inf, (x0 - HALF_LEVEL - mean) / sd)
    # log of a difference of two areas; by symmetry taken in the left tail, where both are accurate
    mirrored = lower > 0
    upper, lower = torch.where(mirrored, -lower, upper), torch.where(mirrored, -upper, lower)
    log_upper: Tensor = log_ndtr(upper)
    return log_upper + torch.log1p(-(log_ndtr(lower) - log_upper).exp())


def error_weight(schedule: NoiseSchedule, sigma2: Sigma2 = "beta_tilde") -> Float64[Tensor, " T_plus_1"]:
    """The factor of |eps - eps_theta|^2 in L_{t-1}, in nats: beta_t^2 / (2 sigma_t^2 alpha_t (1 - alpha_bar_t)).

    Book: eq-weight (Ho et al. 2020, eq. 12).

    NaN at t = 0, and at t = 1 with "beta_tilde", where sigma_t is 0 and L_0 is no such square.
    """
    beta, alpha, ab = schedule.beta, schedule.alpha, schedule.alpha_bar
    match sigma2:
        case "beta_tilde":  # sigma_t^2 inserted; beta_t and 1 - alpha_bar_t cancel
            weight, first = beta / (2 * alpha), 2
            weight[1:] /= 1 - ab[:-1]
        case "beta":
            weight, first = beta / (2 * alpha * (1 - ab)), 1
        case _:
            raise ValueError(f"sigma2 is 'beta_tilde' or 'beta', not {sigma2!r}.")
    weight[:first] = math.nan
    return weight


def bits_per_dim(nats: Float[Tensor, "*shape"], dimensions: int) -> Float[Tensor, "*shape"]:
    """Nats per image as bits per entry: divided by log 2 and by the number of entries.

    Book: eq-bits (Ho et al. 2020, table 1).
    """
    return nats / (dimensions * math.log(2))


def _total(x: X) -> Float[Tensor, " b"]:
    return x.flatten(1).sum(1)
