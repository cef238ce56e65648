"""Prior times likelihood is the posterior: one pixel, its past and its present, and where it was in between.

The page works out the three Gaussians by itself, in float64, as `ddpm_lib.diffusion` does (Ho et al. 2020, eq. 7).
"""

from __future__ import annotations

from typing import Any

import torch
import traitlets
from jaxtyping import Float64
from torch import Tensor

from ddpm_lib.diffusion import GaussianDiffusion
from ddpm_lib.plot.picture import COLORS, INK, LINES, axes, legend
from ddpm_lib.schedule import NoiseSchedule, linear_schedule
from ddpm_lib.widgets.host.values import Finite, base64_of, within
from ddpm_lib.widgets.host.widget import Fallback, Widget, css, javascript

VIEW = 3.2  # the curves are drawn from -VIEW to VIEW


class PosteriorWidget(Widget):
    """Move x_0, x_t, t and s, and see q(x_s | x_t, x_0) between what either of them says alone.

    schedule: linear with T = 50 unless told. x0 is in [-1, 1], xt in [-3, 3], and 0 <= s < t <= T; s is t - 1
    unless told.

    `t`, `s`, `x0` and `xt` can be read, set, observed and linked. Where t alone moves, s follows at the same
    stride, as far as 0. `mean` and `variance` are the posterior's, `pulls` the shares of prior and likelihood.
    Raises TraitError for a value out of range.
    """

    _esm = javascript("host/dial.js", "host/chart.js", "posterior/posterior.js")
    _css = css("host/dial.css", "host/chart.css", "posterior/posterior.css")

    t = traitlets.Int(1, help="the time of the noisy pixel, 1 ... T").tag(sync=True)
    s = traitlets.Int(0, help="the time that is asked about, 0 ... t - 1").tag(sync=True)
    x0 = Finite(0.8, help="the clean pixel").tag(sync=True)
    xt = Finite(-0.3, help="the noisy pixel at time t").tag(sync=True)

    alpha_bar = traitlets.Unicode(read_only=True, help="the table, float64, base64").tag(sync=True)

    def __init__(
        self,
        schedule: NoiseSchedule | None = None,
        *,
        x0: int | float = 0.8,
        xt: int | float = -0.3,
        t: int = 20,
        s: int | None = None,
    ) -> None:
        self._diffusion = GaussianDiffusion(linear_schedule(50) if schedule is None else schedule)
        self._stride, self._s = 1, -1  # the stride that was asked for, and the s that was last seen
        with self.hold_trait_notifications():
            super().__init__()
            self.set_trait("alpha_bar", base64_of(self._diffusion.schedule.alpha_bar))
            self.x0, self.xt, self.t = x0, xt, t
            self.s = t - 1 if s is None else s

    def __repr__(self) -> str:
        """What plain text shows: the state, with no address of an object in it."""
        return f"PosteriorWidget(x0={self.x0!r}, xt={self.xt!r}, t={self.t}, s={self.s})"

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
        """Prior, likelihood and posterior on `grid`, each scaled to height 1 as on the page.

        At s = 0 prior and posterior are points, and so 0 wherever the grid does not hold x0 itself.
        """
        ab = self._diffusion.schedule.alpha_bar
        a = ab[self.t] / ab[self.s]
        return {
            "prior": _bell(grid, ab[self.s].sqrt() * self.x0, 1 - ab[self.s]),
            "likelihood": _bell(grid, self.xt / a.sqrt(), (1 - a) / a),
            "posterior": _bell(grid, *self._posterior()),
        }

    def _posterior(self) -> tuple[Tensor, Tensor]:
        x0, xt = (torch.tensor([[value]], dtype=torch.float64) for value in (self.x0, self.xt))
        mean, variance = self._diffusion.q_posterior(x0, xt, self.t, self.s)
        return mean.squeeze(), variance.squeeze()

    def fallback(self) -> Fallback:
        """The three curves, and the posterior in words, for viewers that run no scripts."""
        picture, (panel,) = axes(height=220)
        grid = torch.linspace(-VIEW, VIEW, 321, dtype=torch.float64)
        for i, (name, p) in enumerate(self.curves(grid).items()):
            look = {
                "label": name,
                "color": COLORS[i],
                "linestyle": LINES[(1, 3, 0)[i]],
                "zorder": (3, 1, 2)[i],
            }
            if self.s == 0 and name != "likelihood":
                panel.plot([self.x0, self.x0], [0, 1], **look)
            else:
                panel.plot(grid, p, **look)
        legend(picture)
        for value, shape in ((self.x0, "o"), (self.xt, "D")):
            panel.plot([value], [0], shape, color=INK, clip_on=False, zorder=4)
        panel.set(xlabel=f"$x_{{{self.s}}}$", xlim=(-VIEW, VIEW), ylim=(0, 1.05), yticks=[])
        picture.density = 1
        given = f"x_0 = {self.x0:g} and x_{self.t} = {self.xt:g}"
        if self.s:
            whole = f"Prior, likelihood and, narrower than both, the posterior of x_{self.s} given {given}"
            story = f"mean {self.mean:.3f}, standard deviation {self.variance**0.5:.3f}"
        else:
            whole = f"The likelihood, and prior and posterior of x_0 given {given} as one upright line"
            story = f"mean {self.mean:g}, standard deviation 0"
        return Fallback(
            png=picture.png(),
            alt=f"{whole}: {story}. All are scaled to one height.",
            caption=f"x_{self.s} given {given} (circle and diamond): {story}. With scripts on, it has sliders.",
            width=600,
        )

    @traitlets.validate("t")
    def _t_in_range(self, proposal: dict[str, Any]) -> int:
        return int(within(proposal, 1, self.T))

    @traitlets.validate("s")
    def _s_in_range(self, proposal: dict[str, Any]) -> int:
        s: int = proposal["value"]
        if not 0 <= s < self.t:
            raise traitlets.TraitError(
                f"s is {s}, but x_s lies before t = {self.t}: pass an s from 0 to {self.t - 1}."
            )
        return s

    @traitlets.validate("x0", "xt")
    def _pixel_in_range(self, proposal: dict[str, Any]) -> float:
        most = {"x0": 1, "xt": 3}[proposal["trait"].name]
        return float(within(proposal, -most, most, of="a number"))

    @traitlets.observe("t", "s")
    def _keep_the_stride(self, change: dict[str, Any]) -> None:
        follows = max(0, self.t - self._stride)
        if change["name"] == "t" and self.s == self._s:  # t moved alone
            self.s = follows
        elif self.s != follows:
            self._stride = self.t - self.s
        self._s = self.s


def _bell(grid: Float64[Tensor, " n"], mean: Tensor, variance: Tensor) -> Float64[Tensor, " n"]:
    """A Gaussian of height 1; of variance 0, a point."""
    if variance == 0:
        return (grid == mean).double()
    return (-((grid - mean) ** 2) / (2 * variance)).exp()
