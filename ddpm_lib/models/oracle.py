"""An exact denoiser: the data are a mixture of Gaussians, so E[eps | x_t] is known.

With it, every error is the sampler's.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from ddpm_lib.denoiser import Labels, Predicts, Times

Points = Float[Tensor, "b d"]


@dataclass(frozen=True, eq=False)
class GaussianMixture:
    """sum_k weight_k N(mean_k, std_k^2 I) in d dimensions."""

    means: Float[Tensor, "k d"]
    std: Float[Tensor, " k"]
    weights: Float[Tensor, " k"]

    def __post_init__(self) -> None:
        if abs(float(self.weights.sum()) - 1) > 1e-6 or bool((self.weights < 0).any()):
            raise ValueError(
                f"A mixture's weights are probabilities that add to 1, not {self.weights.tolist()}."
            )

    def draw(self, n: int, generator: torch.Generator | None = None) -> Float[Tensor, "n d"]:
        """n independent points."""
        k = torch.multinomial(self.weights, n, replacement=True, generator=generator)
        z = torch.randn(n, self.means.shape[1], generator=generator, dtype=self.means.dtype)
        return self.means[k] + self.std[k, None] * z

    def log_prob(self, x: Float[Tensor, "n d"]) -> Float[Tensor, " n"]:
        """The log density at each of n points."""
        d, square = x.shape[1], (x[:, None] - self.means).square().sum(-1)
        each = self.weights.log() - square / (2 * self.std**2) - d / 2 * (2 * math.pi * self.std**2).log()
        return each.logsumexp(dim=1)

    def noised(self, alpha_bar_t: float | Tensor) -> GaussianMixture:
        """The distribution of x_t: every component shrunk, and wider by the noise."""
        ab = torch.as_tensor(alpha_bar_t, dtype=self.means.dtype, device=self.means.device)
        return GaussianMixture(ab.sqrt() * self.means, (ab * self.std**2 + 1 - ab).sqrt(), self.weights)


class OracleDenoiser:
    """E[eps | x_t] of a Gaussian mixture under the schedule's `alpha_bar` table (T + 1 entries)."""

    def __init__(self, mixture: GaussianMixture, alpha_bar: Float[Tensor, " T_plus_1"]) -> None:
        self.mixture, self.alpha_bar = mixture, alpha_bar

    @property
    def predicts(self) -> Predicts:
        """The oracle predicts the noise."""
        return "eps"

    def __call__(self, xt: Points, t: Times, y: Labels | None = None) -> Points:
        """sqrt(1 - alpha_bar) sum_k r_k (x_t - sqrt(alpha_bar) mean_k) / var_k: minus the scaled score.

        var_k = alpha_bar std_k^2 + 1 - alpha_bar, and r_k is the probability of component k given x_t.
        """
        mixture, d = self.mixture, xt.shape[1]
        ab = self.alpha_bar.to(xt.device)[t].to(xt.dtype)[:, None]
        var = ab * mixture.std**2 + 1 - ab
        offset = xt[:, None, :] - ab.sqrt()[:, :, None] * mixture.means
        log_r = mixture.weights.log() - offset.square().sum(-1) / (2 * var) - d / 2 * var.log()
        r = log_r.softmax(dim=1)
        return (1 - ab).sqrt() * ((r / var)[:, :, None] * offset).sum(1)


class ClassOracle:
    """E[eps | x_t, y], where each class is a mixture of its own; the label after the last, or no y, is "no class"."""

    def __init__(
        self,
        classes: Sequence[GaussianMixture],
        shares: Float[Tensor, " k"],
        alpha_bar: Float[Tensor, " T_plus_1"],
    ) -> None:
        self.classes, self.shares, self.alpha_bar, self.null = list(classes), shares, alpha_bar, len(classes)
        weights = [share * mixture.weights for share, mixture in zip(shares, classes, strict=True)]
        self.whole = GaussianMixture(
            torch.cat([mixture.means for mixture in classes]),
            torch.cat([mixture.std for mixture in classes]),
            torch.cat(weights),
        )

    @property
    def predicts(self) -> Predicts:
        """The oracle predicts the noise."""
        return "eps"

    def __call__(self, xt: Points, t: Times, y: Labels | None = None) -> Points:
        """E[eps | x_t] of each point for the mixture of its class, or for all of them together."""
        y = torch.full_like(t, self.null) if y is None else y
        eps = torch.empty_like(xt)
        for k, mixture in enumerate([*self.classes, self.whole]):
            mine = y == k
            eps[mine] = OracleDenoiser(mixture, self.alpha_bar)(xt[mine], t[mine]).to(xt.dtype)
        return eps

    def log_prob(self, xt: Points, t: Times, y: Labels) -> Float[Tensor, " b"]:
        """log p(y | x_t) by Bayes' rule: a perfect classifier of noisy points."""
        answer = xt.new_empty(len(xt))
        for at in t.unique().tolist():
            now = t == at
            laws = [mixture.noised(self.alpha_bar[at]) for mixture in self.classes]
            joint = torch.stack([law.log_prob(xt[now]) for law in laws], dim=1) + self.shares.log()
            answer[now] = joint.log_softmax(dim=1).gather(1, y[now, None]).squeeze(1).to(xt.dtype)
        return answer


def least_loss(oracle: OracleDenoiser, ts: Sequence[int]) -> Float[Tensor, " n"]:
    """The mean squared error of eps, per dimension, that no denoiser can go below, at each of `ts` >= 1.

    Book: eq-least-loss.

    1 - E|E[eps | x_t]|^2 / d, an integral over x_t by a grid of a third of the narrowest component's width: exact
    to ten digits or so. For points on a line or in the plane (d = 1, 2); raises ValueError for more.
    """
    d = oracle.mixture.means.shape[1]
    if d > 2:
        raise ValueError(
            f"The integral runs over a line or a plane, but the points have {d} dimensions: pass 1 or 2."
        )
    losses = []
    for t in ts:
        law = oracle.mixture.noised(oracle.alpha_bar[t])
        far = float(law.means.abs().max() + 9 * law.std.max())
        step = float(law.std.min()) / 3
        line = torch.arange(-far, far + step, step, dtype=law.means.dtype)
        points = torch.cartesian_prod(*[line] * d).reshape(-1, d)
        square = oracle(points, torch.full((len(points),), t)).square().sum(1)
        losses.append(1 - (law.log_prob(points).exp() * square).sum() * step**d / d)
    return torch.stack(losses)


def tilted_log_prob(
    of_class: GaussianMixture, whole: GaussianMixture, x: Float[Tensor, "n d"], w: float
) -> Float[Tensor, " n"]:
    """log of p(x | y) p(y | x)^w, up to a constant: (1 + w) log p(x | y) - w log p(x).

    Book: eq-tilted (Ho and Salimans 2022, section 3.1).
    """
    return (1 + w) * of_class.log_prob(x) - w * whole.log_prob(x)
