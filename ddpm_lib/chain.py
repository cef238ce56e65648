"""The forward chain step by step: one step, a whole path, its density, its covariance, its marginals.

Training does not need it: `GaussianDiffusion.q_sample` draws x_t from x_0 directly. What is here is slower and closer
to the definition, so `q_sample` is checked against it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from jaxtyping import Float, Float64
from torch import Tensor

from ddpm_lib import gaussian
from ddpm_lib.schedule import NoiseSchedule

X = Float[Tensor, "*shape"]  # of any shape
Draw = Callable[..., Float[Tensor, "..."]]  # draw(*shape): fresh standard normal noise


def q_step(x: X, beta_t: float | Float64[Tensor, ""], eps: X) -> X:
    """One step of the chain, x_t ~ q(x_t | x_{t-1}), made from x = x_{t-1} and eps ~ N(0, I).

    Book: eq-one-step (Ho et al. 2020, eq. 2); eq-one-step-sample.
    """
    beta_t = torch.as_tensor(beta_t, dtype=torch.float64)  # a scalar: the images keep their dtype
    return (1 - beta_t).sqrt() * x + beta_t.sqrt() * eps


def walk(schedule: NoiseSchedule, x0: X, draw: Draw) -> Iterator[X]:
    """Yield x_0, x_1, ..., x_T, each made from the one before and fresh noise, `draw(*x0.shape)`."""
    x = x0
    yield x
    for beta_t in schedule.beta[1:]:
        x = q_step(x, beta_t, draw(*x.shape).to(x))
        yield x


def q_between(schedule: NoiseSchedule, xs: X, s: int, t: int, eps: X) -> X:
    """x_t from x_s for s <= t: a step with 1 - beta = alpha_bar_t / alpha_bar_s.

    Book: eq-between.
    """
    if not 0 <= s <= t <= schedule.T:
        raise ValueError(f"s = {s} and t = {t}, but the chain runs forward, 0 <= s <= t <= {schedule.T}.")
    return q_step(xs, 1 - schedule.alpha_bar[t] / schedule.alpha_bar[s], eps)


def path_log_prob(schedule: NoiseSchedule, path: Float[Tensor, "T_plus_1 *shape"]) -> X:
    """log q(x_1, ..., x_T | x_0) of a path x_0, x_1, ..., x_T, per entry: the sum over its steps.

    Book: eq-joint (Ho et al. 2020, eq. 2). Sum over an image's entries for the density of a path of images.
    """
    if len(path) != schedule.T + 1:
        raise ValueError(
            f"The path has {len(path)} points, but x_0 ... x_T are {schedule.T + 1}: pass all of them."
        )
    beta = schedule.beta[1:].to(path).reshape(-1, *[1] * (path.ndim - 1))
    return gaussian.log_prob(path[1:], (1 - beta).sqrt() * path[:-1], beta).sum(0)


def path_covariance(schedule: NoiseSchedule) -> Float64[Tensor, "T_plus_1 T_plus_1"]:
    """Cov[x_s, x_t | x_0] of one entry, for all s and t = 0 ... T; x_0 is given, so row and column 0 are 0.

    Book: eq-covariance.
    """
    ab = schedule.alpha_bar
    earlier, later = torch.maximum(ab[:, None], ab), torch.minimum(ab[:, None], ab)  # alpha_bar falls
    return (later / earlier).sqrt() * (1 - earlier)


def q_marginal(
    x: Float64[Tensor, " n"], density: Float64[Tensor, " n"], kept: float | Float64[Tensor, ""]
) -> Float64[Tensor, " n"]:
    """The density of x_t on an even grid `x`, from the density of x_s on the same grid (1-D data).

    Book: eq-marginal; eq-stationary.

    `kept` is the signal kept, alpha_bar_t / alpha_bar_s: alpha_bar_t from the data, alpha_t for one step. The
    integral over x_s is a sum over the grid, so its spacing must be small compared with sqrt(1 - kept).
    """
    kept = torch.as_tensor(kept, dtype=x.dtype)
    kernel = gaussian.log_prob(x[:, None], kept.sqrt() * x, 1 - kept).exp()  # q(x_t | x_s), one row per x_t
    return torch.trapezoid(kernel * density, x, dim=1)
