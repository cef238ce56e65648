"""A denoiser that is exactly right: the data are a mixture of Gaussians, so E[eps | x_t] is known.

With it, an error of a sampler cannot be blamed on a network.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from ddpm_lib.models.denoiser import Predicts


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


class OracleDenoiser:
    """E[eps | x_t] of a Gaussian mixture under the schedule's `alpha_bar` table (T + 1 entries)."""

    def __init__(self, mixture: GaussianMixture, alpha_bar: Float[Tensor, " T_plus_1"]) -> None:
        self.mixture, self.alpha_bar = mixture, alpha_bar

    @property
    def predicts(self) -> Predicts:
        """The oracle predicts the noise."""
        return "eps"

    def __call__(
        self, xt: Float[Tensor, "b d"], t: Int[Tensor, " b"], y: Int[Tensor, " b"] | None = None
    ) -> Float[Tensor, "b d"]:
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
