"""The likelihood by the probability-flow ODE: what the flow does to a density, added up along one curve.

On DDPM's own path the clock of the curve is the angle phi with cos^2 phi = alpha_bar, and the slope is v:
dx / dphi = v. Where the field v spreads points, its divergence is positive and the density falls.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor

from ddpm_lib import gaussian
from ddpm_lib.bound import step_term
from ddpm_lib.denoiser import Denoiser, Labels, X
from ddpm_lib.diffusion import GaussianDiffusion

# (v at x, x) -> the divergence of v in x, one number per image; v has the graph that leads to x
Divergence = Callable[[X, X], Float[Tensor, " b"]]


def exact_divergence(v: X, x: X) -> Float[Tensor, " b"]:
    """sum_i dv_i / dx_i by one backward pass for each dimension: for points, not for pictures."""
    each = v.flatten(1).sum(0)
    slopes = [
        torch.autograd.grad(one, x, retain_graph=True)[0].flatten(1)[:, i] for i, one in enumerate(each)
    ]
    return torch.stack(slopes).sum(0)


def hutchinson(probe: X) -> Divergence:
    """probe . (dv / dx) probe: one backward pass, right on average over probes of unit covariance.

    Book: eq-hutchinson (Hutchinson 1990; Grathwohl et al. 2019, section 3.1).

    The probe stays the same along the curve.
    """

    def estimate(v: X, x: X) -> Float[Tensor, " b"]:
        (pulled,) = torch.autograd.grad((v * probe).sum(), x)
        return (pulled * probe).flatten(1).sum(1)

    return estimate


def angle(diffusion: GaussianDiffusion, t: int) -> float:
    """phi_t = arctan sigma_t in 0 ... pi / 2: x_t = cos phi x_0 + sin phi eps."""
    return math.acos(math.sqrt(float(diffusion.schedule.alpha_bar[t])))


def log_likelihood(
    denoiser: Denoiser,
    diffusion: GaussianDiffusion,
    x: X,
    path: Sequence[int],
    divergence: Divergence = exact_divergence,
    y: Labels | None = None,
) -> Float[Tensor, " b"]:
    """log p of x at time path[0] >= 1, in nats: log N(x_T; 0, I) + the integral of the divergence of v up to T.

    Book: eq-ode-likelihood (Song et al. 2021, eq. 39).

    By Heun's method along `path`, times that rise to T: two calls and their backward
    passes a step. Whatever the denoiser, p is a density; its draws are those of the ODE's solver in short steps.
    """
    if path[0] < 1 or path[-1] != diffusion.T:
        raise ValueError(
            f"The curve runs from t >= 1, where there is noise to guess, to T = {diffusion.T}, but the times run from "
            f"{path[0]} to {path[-1]}: change these."
        )
    total = torch.zeros(len(x), dtype=x.dtype, device=x.device)

    def slope(at: X, t: int) -> tuple[X, Tensor]:
        with torch.inference_mode(False), torch.enable_grad():
            at = at.detach().clone().requires_grad_()
            x0_hat, eps_hat = diffusion.denoise(denoiser, at, t, y=y, clip=False)
            v = diffusion.predict_v(x0_hat, t, eps_hat)
            return v.detach(), divergence(v, at).detach()

    for s, t in pairwise(path):
        step = angle(diffusion, t) - angle(diffusion, s)
        v_s, spread_s = slope(x, s)
        v_t, spread_t = slope(x + step * v_s, t)
        x, total = x + step / 2 * (v_s + v_t), total + step / 2 * (spread_s + spread_t)
    return gaussian.log_prob(x.detach(), 0.0, 1.0).flatten(1).sum(1) + total


def ode_bound(
    denoiser: Denoiser,
    diffusion: GaussianDiffusion,
    x0: X,
    eps: X,
    path: Sequence[int],
    divergence: Divergence,
    y: Labels | None = None,
    clip: bool = False,
) -> Float[Tensor, " b"]:
    """The bound on -log p(x_0) with the ODE's density of x_1 in the place of the chain's, in nats per image.

    L_0 + log q(x_1 | x_0) - log p(x_1), at the x_1 made from `eps`; its mean over `eps` is the bound. x0 holds 8-bit
    pixels; `path` runs from 1 to T.
    """
    x1 = diffusion.q_sample(x0, 1, eps)
    mean, variance = diffusion.q_mean_variance(x0, 1)
    log_q = gaussian.log_prob(x1, mean, variance).flatten(1).sum(1)
    with torch.no_grad():
        last = step_term(denoiser, diffusion, x0, 1, eps, y=y, clip=clip)
    return last + log_q - log_likelihood(denoiser, diffusion, x1, path, divergence, y)
