"""Prior times likelihood is the posterior: one pixel, its past and its present, and where it was in between.

The page works out the three Gaussians by itself, in float64, as `ddpm_lib.diffusion` does (Ho et al. 2020, eq. 7).
"""

from __future__ import annotations

from typing import Any

import torch
import traitlets
from jaxtyping import Float64
from torch import Tensor

from ddpm_lib import gaussian
from ddpm_lib.diffusion import GaussianDiffusion
from ddpm_lib.picture import COLOURS, INK, LINES, axes, legend
from ddpm_lib.schedule import NoiseSchedule, linear_schedule
from ddpm_lib.widgets.host import Fallback, Widget, read
from ddpm_lib.widgets.scrub import _base64


class PosteriorWidget(Widget):
    """Move x_0, x_t, t and s, and see q(x_s | x_t, x_0) between what either of them says alone.

    schedule: linear with T = 50 unless told. x0 is in [-1, 1], xt in [-3, 3], and 0 <= s < t <= T; s is t - 1 unless
    told.

    `t`, `stride` (t - s, kept when t moves), `x0` and `xt` can be read, set, observed and linked. `mean` and
    `variance` are the posterior's, `pulls` the shares of prior and likelihood in the mean. Raises TraitError for a
    value out of range.
    """

    _esm = read("common.js", "controls.js", "chart.js", "posterior.js")
    _css = read("look.css", "controls.css", "chart.css", "posterior.css")

    t = traitlets.Int(1, help="the time of the noisy pixel, 1 ... T").tag(sync=True)
    stride = traitlets.Int(1, help="t - s, how far back x_s is asked for; s stops at 0").tag(sync=True)
    x0 = traitlets.Float(0.8, min=-1.0, max=1.0, help="the clean pixel").tag(sync=True)
    xt = traitlets.Float(-0.3, min=-3.0, max=3.0, help="the noisy pixel at time t").tag(sync=True)

    alpha_bar = traitlets.Unicode(read_only=True, help="the table, float64, base64").tag(sync=True)

    def __init__(
        self,
        schedule: NoiseSchedule | None = None,
        *,
        x0: int | float = 0.8,
        xt: int | float = -0.3,
        t: int | None = None,
        s: int | None = None,
    ) -> None:
        self._diffusion = GaussianDiffusion(linear_schedule(50) if schedule is None else schedule)
        t = max(1, 2 * self.T // 5) if t is None else t
        with self.hold_trait_notifications():
            super().__init__()
            self.set_trait("alpha_bar", _base64(self._diffusion.schedule.alpha_bar))
            self.x0, self.xt, self.t = x0, xt, t
            self.stride = 1 if s is None else t - s

    def __repr__(self) -> str:
        """What plain text shows: the state, with no address of an object in it."""
        return f"PosteriorWidget(x0={self.x0!r}, xt={self.xt!r}, t={self.t}, s={self.s})"

    @property
    def s(self) -> int:
        """The time that is asked about: t - stride, and at least 0."""
        return max(0, self.t - self.stride)

    @property
    def T(self) -> int:
        """The last time step of the schedule."""
        return self._diffusion.T

    @property
    def mean(self) -> float:
        """Of q(x_s | x_t, x_0)."""
        return float(self._posterior()[0])

    @property
    def variance(self) -> float:
        """Of q(x_s | x_t, x_0); 0 at s = 0."""
        return float(self._posterior()[1])

    @property
    def pulls(self) -> tuple[float, float]:
        """The shares of prior and likelihood in the mean; they add to 1."""
        ab = self._diffusion.schedule.alpha_bar
        prior = float((1 - ab[self.t] / ab[self.s]) / (1 - ab[self.t]))
        return prior, 1 - prior

    def curves(self, grid: Float64[Tensor, " n"]) -> dict[str, Float64[Tensor, " n"]]:
        """The densities of prior, likelihood (as a density of x_s) and posterior on `grid`; needs s >= 1."""
        ab = self._diffusion.schedule.alpha_bar
        a = ab[self.t] / ab[self.s]
        return {
            "prior": gaussian.log_prob(grid, ab[self.s].sqrt() * self.x0, 1 - ab[self.s]).exp(),
            "likelihood": gaussian.log_prob(grid, self.xt / a.sqrt(), (1 - a) / a).exp(),
            "posterior": gaussian.log_prob(grid, *self._posterior()).exp(),
        }

    def _posterior(self) -> tuple[Tensor, Tensor]:
        x0, xt = (torch.tensor([[value]], dtype=torch.float64) for value in (self.x0, self.xt))
        mean, variance = self._diffusion.q_posterior(x0, xt, self.t, self.s)
        return mean.squeeze(), variance.squeeze()

    def fallback(self) -> Fallback:
        """The three curves, and the posterior in words, for viewers that run no scripts."""
        picture, (panel,) = axes(height=220)
        story = f"mean {self.mean:.3f}, standard deviation {self.variance**0.5:.3f}"
        if self.s:
            grid = torch.linspace(-3.2, 3.2, 321, dtype=torch.float64)
            for i, (name, p) in enumerate(self.curves(grid).items()):
                panel.plot(grid, p, label=name, color=COLOURS[(0, 1, 2)[i]], linestyle=LINES[(1, 3, 0)[i]])
            legend(picture)
        else:
            panel.axvline(self.x0, color=COLOURS[2])
            story = f"{self.x0:.3f} for certain, the clean pixel itself"
        for value in (self.x0, self.xt):
            panel.plot([value], [0], "o", color=INK, clip_on=False)
        panel.set(xlabel=f"$x_{{{self.s}}}$", xlim=(-3.2, 3.2), ylim=(0, None), yticks=[])
        picture.density = 1
        given = f"x_0 = {self.x0:g} and x_{self.t} = {self.xt:g}"
        return Fallback(
            png=picture.png(),
            alt=f"Prior, likelihood and, narrower than both, the posterior of x_{self.s} given {given}: {story}.",
            caption=f"x_{self.s} given {given}: {story}. With scripts on, it has sliders.",
            width=600,
        )

    @traitlets.validate("t")
    def _t_in_range(self, proposal: dict[str, Any]) -> int:
        t: int = proposal["value"]
        if not 1 <= t <= self.T:
            raise traitlets.TraitError(f"t is {t}, but it runs from 1 to {self.T}: pass a t in that range.")
        return t

    @traitlets.validate("stride")
    def _stride_in_range(self, proposal: dict[str, Any]) -> int:
        stride: int = proposal["value"]
        if not 1 <= stride <= self.T:
            raise traitlets.TraitError(
                f"The stride is {stride}, but it runs from 1 to {self.T}: pass one in that range."
            )
        return stride
