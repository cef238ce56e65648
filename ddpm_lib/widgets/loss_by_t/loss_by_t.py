"""The loss-against-t explorer: one measured error of eps, seen on every scale that a paper may use.

With x_t fixed, an error d in eps is an error -sqrt((1 - alpha_bar) / alpha_bar) d in x0, d / sqrt(alpha_bar) in v
and -d / sqrt(1 - alpha_bar) in the score: the scales differ by a factor that depends on t alone.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch
import traitlets
from jaxtyping import Float, Float64
from numpy.typing import NDArray
from torch import Tensor

from ddpm_lib.bound import error_weight
from ddpm_lib.plot.picture import COLORS, INK, LINES, axes, legend
from ddpm_lib.schedule import NoiseSchedule
from ddpm_lib.widgets.host.values import base64_of, within
from ddpm_lib.widgets.host.widget import Fallback, Widget, css, javascript

SCALES = ("eps", "x0", "v", "score", "bound")
AXES = ("t", "log SNR")
MOST_CURVES = 4
MOST_POINTS = 150
DENSE = 50  # all times up to this one are kept, for there the curves are steep


class LossWidget(Widget):
    """Move t over curves of the loss, in the error of eps, of x0, of v, of the score, or as terms of the bound.

    losses: name -> (T + 1,) mean squared error of eps per dimension at each t; at most four. Entry 0 is ignored,
    NaN means not measured. Where the first curve is the irreducible loss, what the others have more is shown.
    schedule: the schedule that they were measured with.

    `t`, `scale` and `axis` ("t" or "log SNR") can be read, set, observed and linked. At most 150 times are kept
    (`ts`), and `t` moves to the nearest. `factor` is what the loss in eps is multiplied by, `shown()` the values.
    Raises ValueError for losses that do not fit, TraitError for a value out of range.
    """

    _esm = javascript("host/chart.js", "loss_by_t/loss_by_t.js")
    _css = css("host/chart.css", "loss_by_t/loss_by_t.css")

    t = traitlets.Int(1, help="the time step, 1 ... T").tag(sync=True)
    scale = traitlets.Enum(SCALES, "eps", help="whose error is shown").tag(sync=True)
    axis = traitlets.Enum(AXES, "t", help="what runs from left to right").tag(sync=True)

    T = traitlets.Int(read_only=True, help="the last time step").tag(sync=True)
    names = traitlets.List(traitlets.Unicode(), read_only=True).tag(sync=True)
    times = traitlets.Unicode(read_only=True, help="ts as uint16, base64").tag(sync=True)
    curves = traitlets.List(traitlets.Unicode(), read_only=True, help="float32, base64").tag(sync=True)
    log_snr = traitlets.Unicode(read_only=True, help="at ts, float32, base64").tag(sync=True)
    bound = traitlets.Unicode(read_only=True, help="the bound's factor at ts, float32, base64").tag(sync=True)

    def __init__(
        self,
        losses: Mapping[str, Tensor | NDArray[Any]],
        schedule: NoiseSchedule,
        *,
        t: int | None = None,
        scale: str = "eps",
    ) -> None:
        table = _table(losses, schedule.T)
        self._ts = _kept(table)
        # The page computes with what it is sent, float32 tables; Python does the same.
        self._losses = table[:, self._ts].float()
        self._log_snr = schedule.log_snr[self._ts].float()
        self._bound = error_weight(schedule)[self._ts].float()
        with self.hold_trait_notifications():
            super().__init__()
            self.set_trait("T", schedule.T)
            self.set_trait("names", [str(name) for name in losses])
            self.set_trait("times", base64_of(self._ts.to(torch.int16)))
            self.set_trait("curves", [base64_of(row) for row in self._losses])
            self.set_trait("log_snr", base64_of(self._log_snr))
            self.set_trait("bound", base64_of(self._bound))
            self.scale = scale
            self.t = max(1, schedule.T // 4) if t is None else t

    def __repr__(self) -> str:
        """What plain text shows: the state, with no address of an object in it."""
        return f"LossWidget({self.names}, t={self.t}, scale={self.scale!r}, axis={self.axis!r})"

    @property
    def ts(self) -> list[int]:
        """The times that are kept."""
        return [int(t) for t in self._ts]

    @property
    def factor(self) -> float | None:
        """What the mean squared error of eps is multiplied by at this t; None where there is no such term."""
        factor = float(self._factors()[self.ts.index(self.t)])
        return None if math.isnan(factor) else factor

    def shown(self) -> dict[str, float | None]:
        """Each curve's value at this t on this scale; None where there is none."""
        i = self.ts.index(self.t)
        values = (self._losses[:, i].double() * self._factors()[i]).tolist()
        return {
            name: None if math.isnan(value) else value for name, value in zip(self.names, values, strict=True)
        }

    def _factors(self) -> Float64[Tensor, " n"]:
        match self.scale:
            case "x0":
                return (-self._log_snr.double()).exp()
            case "v":
                return 1 + (-self._log_snr.double()).exp()
            case "score":
                return 1 + self._log_snr.double().exp()
            case "bound":
                return self._bound.double()
        return torch.ones(len(self._ts), dtype=torch.float64)

    def fallback(self) -> Fallback:
        """The curves on this scale, and their values at t, for viewers that run no scripts."""
        what = "term of the bound" if self.scale == "bound" else f"squared error of {self.scale}"
        picture, (panel,) = axes(height=230)
        for i, name in enumerate(self.names):
            values = (self._losses[i].double() * self._factors()).numpy()
            panel.plot(self.ts, values, label=name, color=COLORS[i], linestyle=LINES[i])
        panel.axvline(self.t, color=INK, linewidth=0.8)
        panel.set(xlabel="$t$", ylabel=what)
        if bool((self._losses.double() * self._factors() > 0).any()):
            panel.set(yscale="log")
        legend(picture)
        picture.density = 1
        read = ", ".join(f"{name} {value:.3g}" for name, value in self.shown().items() if value is not None)
        return Fallback(
            png=picture.png(),
            alt=f"The {what} against t = 1 to {self.T}, on a logarithmic scale. At t = {self.t}: {read}.",
            caption=f"The {what} at each t. At t = {self.t}: {read}. With scripts on, it has a slider.",
            width=600,
        )

    @traitlets.validate("t")
    def _t_in_range(self, proposal: dict[str, Any]) -> int:
        t = int(within(proposal, 1, self.T, "the losses run"))
        return min(self.ts, key=lambda kept: abs(kept - t))


def _table(losses: Mapping[str, Any], T: int) -> Float64[Tensor, "n T_plus_1"]:
    if not 1 <= len(losses) <= MOST_CURVES:
        raise ValueError(
            f"There are {len(losses)} curves, but 1 to {MOST_CURVES} can be shown: choose these."
        )
    rows = []
    for name, values in losses.items():
        row = torch.as_tensor(values).detach().cpu().double()
        if row.shape != (T + 1,):
            raise ValueError(
                f"{name!r} has shape {tuple(row.shape)}, but the schedule has T = {T}: "
                f"pass {T + 1} values, one for each t = 0 ... T."
            )
        if bool((row[1:] < 0).any()) or bool(row[1:].isinf().any()):
            raise ValueError(f"{name!r} has a negative or infinite loss: pass mean squared errors.")
        rows.append(row)
    return torch.stack(rows)


def _kept(table: Float[Tensor, "n T_plus_1"]) -> Tensor:
    """The times to keep, at most 150: all of the first 50, then every second, fifth, tenth ... one to the last."""
    measured = torch.isfinite(table).any(0)
    measured[0] = False
    ts = measured.nonzero()[:, 0]
    if len(ts) == 0:
        raise ValueError("No loss was measured at any t >= 1: pass at least one value that is not NaN.")
    rest = len(ts) - DENSE
    if rest <= 0:
        return ts
    step = next(
        step * 10**n for n in range(9) for step in (1, 2, 5) if rest <= step * 10**n * (MOST_POINTS - DENSE)
    )
    later = torch.arange(len(ts) - 1, DENSE - 1, -step).flip(0)
    return ts[torch.cat([torch.arange(DENSE), later])]
