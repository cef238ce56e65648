"""The variance of a reverse step: what is the best one, how a network can learn it, and what it costs to miss it."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from ddpm_lib import gaussian
from ddpm_lib.denoiser import Factor, Time, Times, X
from ddpm_lib.diffusion import GaussianDiffusion


def between_variances(diffusion: GaussianDiffusion, xt: X, t: Time, s: Time, nu: Factor) -> Factor:
    """exp(nu log beta + (1 - nu) log beta_tilde): from the smaller variance at nu = 0 to the larger at 1.

    Book: eq-between-variances (Nichol and Dhariwal 2021, eq. 15).

    nu broadcasts against xt. Needs s >= 1: at s = 0 beta_tilde is 0.
    """
    small = diffusion.reverse_variance(xt, t, s, "beta_tilde")
    large = diffusion.reverse_variance(xt, t, s, "beta")
    return torch.exp(nu * large.log() + (1 - nu) * small.log())


def learned_variance(head: nn.Module, xt: X, x0_hat: X, t: Time) -> tuple[X, X]:
    """(nu, the variance of a step from t to the image) for every pixel, as a network says it.

    `head` sees x_t, the guess and t, and answers two channels for one. At s = 0 beta_tilde is 0 and nu says nothing, so
    the second channel is the logarithm of a variance. Book: the chapter on the variance of a step.
    """
    each = torch.as_tensor(t).expand(len(xt))
    nu, log_variance = head(torch.cat([xt, x0_hat], dim=1), each).split(1, dim=1)
    return 0.5 + nu, (log_variance - 6).exp()


def best_variance(
    diffusion: GaussianDiffusion, xt: X, t: Time, s: Time, error: float | Float[Tensor, "..."]
) -> Factor:
    """beta_tilde + c^2 error, where c is the weight of x_0 in the posterior's mean: the least bits of a step.

    Book: eq-best-variance (Bao et al. 2022, theorem 1).

    `error` is the mean square of x_0 - x0_hat per entry, and may differ from entry to entry.
    """
    ab_t, ab_s = diffusion.alpha_bar(t, xt), diffusion.alpha_bar(s, xt)
    weight = ab_s.sqrt() * (1 - ab_t / ab_s) / (1 - ab_t)
    small: Tensor = diffusion.reverse_variance(xt, t, s, "beta_tilde") + weight**2 * error
    return small


def step_kl(diffusion: GaussianDiffusion, x0: X, xt: X, t: Time, s: Time, x0_hat: X, variance: Factor) -> X:
    """KL(q(x_s | x_t, x_0) || N(mean at x0_hat, variance)) in nats per entry, for any variance. Needs s >= 1."""
    true_mean, true_variance = diffusion.q_posterior(x0, xt, t, s)
    mean, _ = diffusion.q_posterior(x0_hat, xt, t, s)
    return gaussian.kl(true_mean, true_variance, mean, variance)


def hybrid_loss(
    diffusion: GaussianDiffusion, x0: X, t: Times, eps: X, eps_hat: X, nu: Factor, weight: float = 1e-3
) -> Float[Tensor, ""]:
    """L_simple for the noise, and `weight` times the bound for the variance alone.

    Book: eq-hybrid (Nichol and Dhariwal 2021, eq. 16).

    In nats per entry; T times the mean of the terms estimates their sum. Needs t >= 2.
    """
    xt = diffusion.q_sample(x0, t, eps)
    x0_hat = diffusion.predict_x0(xt, t, eps_hat.detach())
    variance = between_variances(diffusion, xt, t, t - 1, nu)
    bound = diffusion.T * step_kl(diffusion, x0, xt, t, t - 1, x0_hat, variance).mean()
    return F.mse_loss(eps_hat, eps) + weight * bound
