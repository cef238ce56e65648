"""A draw from any Gaussian is a standard one, scaled and shifted: the same noise under every mean and width.

The reparameterization of Kingma and Welling (2014, section 2.4), which Ho et al. (2020, section 3.2) use for x_t.
"""

from __future__ import annotations

import math
from typing import Any

import torch
import traitlets
from jaxtyping import Float64
from torch import Tensor

from ddpm_lib.plot.picture import COLORS, INK, axes
from ddpm_lib.widgets.host.noise import NOISE_JS, SEEDS, noise
from ddpm_lib.widgets.host.values import Finite, within
from ddpm_lib.widgets.host.widget import Fallback, Widget, css, javascript

DRAWS = 48
VIEW = 5.0  # numbers are shown from -VIEW to VIEW
LEAST, MOST = 0.25, 2  # of sigma


class GaussianWidget(Widget):
    """Move mu and sigma, and see each draw x = mu + sigma eps move, while its noise eps stays where it is.

    mu is in [-2, 2] and sigma, the standard deviation, in [0.25, 2]; the seed names the 48 draws of eps.

    `mu`, `sigma` and `seed` can be read, set, observed and linked; `eps` and `x` are the draws, float64.
    Raises TraitError for a value out of range.
    """

    _esm = javascript("host/dial.js", "host/chart.js", *NOISE_JS, "gaussian/gaussian.js")
    _css = css("host/dial.css", "host/chart.css", "gaussian/gaussian.css")

    mu = Finite(0.0, help="the mean").tag(sync=True)
    sigma = Finite(1.0, help="the standard deviation").tag(sync=True)
    seed = traitlets.Int(0, min=0, max=SEEDS - 1, help="names the noise eps").tag(sync=True)

    def __init__(self, mu: int | float = 0.0, sigma: int | float = 1.0, *, seed: int = 0) -> None:
        with self.hold_trait_notifications():
            super().__init__()
            self.mu, self.sigma, self.seed = mu, sigma, seed

    def __repr__(self) -> str:
        """What plain text shows: the state, with no address of an object in it."""
        return f"GaussianWidget(mu={self.mu!r}, sigma={self.sigma!r}, seed={self.seed})"

    @property
    def eps(self) -> Float64[Tensor, " n"]:
        """The noise: it depends on the seed alone."""
        return noise(self.seed, (DRAWS,))

    @property
    def x(self) -> Float64[Tensor, " n"]:
        """The draws from N(mu, sigma^2)."""
        return self.mu + self.sigma * self.eps

    def density(self, x: Float64[Tensor, " n"]) -> Float64[Tensor, " n"]:
        """N(x; mu, sigma^2)."""
        z = (x - self.mu) / self.sigma
        return (-(z**2) / 2).exp() / (self.sigma * math.sqrt(2 * math.pi))

    def fallback(self) -> Fallback:
        """The noise above, the draws below and their density, for viewers that run no scripts."""
        picture, (panel,) = axes(height=220)
        grid = torch.linspace(-VIEW, VIEW, 321, dtype=torch.float64)
        top = 1.05 / (LEAST * math.sqrt(2 * math.pi))  # above the highest density there is
        eps, x = self.eps.numpy(), self.x.numpy()
        panel.plot([eps, x], [[top] * DRAWS, [0] * DRAWS], color=INK, linewidth=0.4, alpha=0.5)
        panel.plot(eps, [top] * DRAWS, "D", color=COLORS[1], markersize=4)
        panel.plot(grid, self.density(grid), color=COLORS[0])
        panel.plot(x, [0] * DRAWS, "o", color=COLORS[0], markersize=4, clip_on=False, zorder=4)
        panel.set(xlim=(-VIEW, VIEW), ylim=(0, 1.05 * top), yticks=[], xlabel="above: noise; below: draws")
        picture.density = 1
        story = f"x = {self.mu:g} + {self.sigma:g} eps"
        return Fallback(
            png=picture.png(),
            alt=(
                f"{DRAWS} draws of noise in a row, each joined by a line with its {story} in the row below, and over "
                f"these the density of the Gaussian with mean {self.mu:g} and standard deviation {self.sigma:g}."
            ),
            caption=f"Noise, and what becomes of it: {story}. With scripts on, it has sliders.",
            width=600,
        )

    @traitlets.validate("mu")
    def _mu_in_range(self, proposal: dict[str, Any]) -> float:
        return float(within(proposal, -2, 2, of="a number"))

    @traitlets.validate("sigma")
    def _sigma_in_range(self, proposal: dict[str, Any]) -> float:
        return float(within(proposal, LEAST, MOST, of="a standard deviation"))
