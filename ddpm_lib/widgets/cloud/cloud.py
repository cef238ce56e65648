"""A cloud of points flows into N(0, I) and, where a sampler was recorded, back again.

Forward, x_t = sqrt(alpha_bar_t) x_0 + sqrt(1 - alpha_bar_t) eps is worked out alike here and in the page, with one
noise for all t, so that every point has a path. Backward, the page shows the states that a sampler went through.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch
import traitlets
from jaxtyping import Float, Float64
from torch import Tensor

from ddpm_lib.plot.picture import COLORS, INK, axes
from ddpm_lib.schedule import NoiseSchedule, linear_schedule
from ddpm_lib.widgets.cloud.points import FINE, LIMIT, Recording, clean, frames_of, recordings
from ddpm_lib.widgets.host.noise import NOISE_JS, SEEDS, noise
from ddpm_lib.widgets.host.values import base64_of, within
from ddpm_lib.widgets.host.widget import Fallback, Widget, css, javascript

DIRECTIONS = ("forward", "reverse")


class CloudWidget(Widget):
    """Move t and watch points in the plane drown in noise, or come out of it.

    clouds: name -> (n, 2) clean points x_0, at most 500. schedule: linear with T = 500 unless told.
    reverse: the states of a sampler, `list(sample(...))` for points, or name -> states; at most 60 frames of each are
    kept. Where the names are those of the clouds, each cloud has its own recording.
    t: where it begins; the start of the direction (0, or T for "reverse") unless told.

    `t`, `seed` (of the noise), `cloud`, `direction` ("forward" or "reverse") and `run` (the recording) can be read,
    set, observed and linked. `x` is what is shown, as a tensor: in reverse, the frame whose time is nearest to t.
    Raises ValueError for clouds or states that do not fit, TraitError for a value out of range.
    """

    _esm = javascript(*NOISE_JS, "host/play.js", "cloud/cloud.js")
    _css = css("cloud/cloud.css")

    t = traitlets.Int(0, help="the time step, 0 ... T").tag(sync=True)
    seed = traitlets.Int(0, min=0, max=SEEDS - 1, help="names the noise eps").tag(sync=True)
    cloud = traitlets.Unicode(help="the name of the cloud shown").tag(sync=True)
    direction = traitlets.Enum(DIRECTIONS, "forward", help="into the noise, or out of it").tag(sync=True)
    run = traitlets.Unicode(help="the name of the recording shown").tag(sync=True)

    alpha_bar = traitlets.Unicode(read_only=True, help="float32 table, base64").tag(sync=True)
    points = traitlets.Dict(read_only=True, help="name -> x0 as int16, base64").tag(sync=True)
    runs = traitlets.Dict(read_only=True, help="name -> times, frames as bytes, base64").tag(sync=True)

    def __init__(
        self,
        clouds: Mapping[str, Tensor],
        schedule: NoiseSchedule | None = None,
        reverse: Recording | Mapping[str, Recording] | None = None,
        *,
        t: int | None = None,
        seed: int = 0,
        cloud: str | None = None,
        direction: str = "forward",
        run: str | None = None,
    ) -> None:
        # The page computes with what it is sent, whole numbers and a float32 table; Python does the same.
        self._x0 = {str(name): clean(name, x) for name, x in clouds.items()}
        if not self._x0:
            raise ValueError("There is no cloud to show: pass at least one, as {name: (n, 2) points}.")
        self._table = (linear_schedule(500) if schedule is None else schedule).alpha_bar.float()
        self._runs = {name: frames_of(name, states, self.T) for name, states in recordings(reverse).items()}
        if self._runs.keys() & self._x0.keys() and self._runs.keys() != self._x0.keys():
            raise ValueError(
                f"The clouds are {list(self._x0)}, but the recordings {list(self._runs)}: pass one for each cloud, or "
                "give recordings other names."
            )
        with self.hold_trait_notifications():
            super().__init__()
            self.set_trait("alpha_bar", base64_of(self._table))
            self.set_trait("points", {name: base64_of(x.to(torch.int16)) for name, x in self._x0.items()})
            sent = {
                name: [list(f), base64_of(torch.stack(list(f.values())))] for name, f in self._runs.items()
            }
            self.set_trait("runs", sent)
            self.cloud = next(iter(self._x0)) if cloud is None else cloud
            self.run = next(iter(self._runs), "") if run is None else run
            self.seed, self.direction = seed, direction
            self.t = (self.T if direction == "reverse" else 0) if t is None else t

    def __repr__(self) -> str:
        """What plain text shows: the state, with no address of an object in it."""
        names = ("cloud", "direction", "t", "seed")
        return f"CloudWidget({', '.join(f'{name}={getattr(self, name)!r}' for name in names)})"

    @property
    def T(self) -> int:
        """The last time step."""
        return len(self._table) - 1

    @property
    def recording(self) -> str:
        """The name of the recording that backward shows: the cloud's own where it has one, else `run`."""
        return self.cloud if self.cloud in self._runs else self.run

    @property
    def x(self) -> Float[Tensor, "n 2"]:
        """The points shown."""
        return self._shown(self.t).float()

    def _nearest(self, t: int) -> int:
        """The recorded time nearest to t, of two the later; going forward, t itself."""
        if self.direction == "forward":
            return t
        return min(self._runs[self.recording], key=lambda recorded: abs(recorded - t))

    def _shown(self, t: int) -> Float64[Tensor, "n 2"]:
        if self.direction == "reverse":
            return self._runs[self.recording][self._nearest(t)].double() / 255 * 2 * LIMIT - LIMIT
        x0, ab = self._x0[self.cloud].double() / FINE, self._table[t].double()
        return ab.sqrt() * x0 + (1 - ab).sqrt() * noise(self.seed, tuple(x0.shape))

    def fallback(self) -> Fallback:
        """The cloud at four times, for viewers that run no scripts."""
        ts = sorted({self._nearest(round(self.T * share)) for share in (0, 0.1, 0.3, 1)})
        story = f"into noise, from the shape called {self.cloud}"
        if self.direction == "reverse":
            ts, story = ts[::-1], f"out of noise, on the recording called {self.recording}"
        picture, panels = axes(1, len(ts), height=165, square=True)
        angle = torch.linspace(0, 2 * math.pi, 60)
        circle = torch.stack([angle.cos(), angle.sin()]).numpy()
        for panel, t in zip(panels, ts, strict=True):
            panel.scatter(*self._shown(t)[:100].T.numpy(), s=2, linewidths=0, color=COLORS[0])
            for radius in (1, 2):
                panel.plot(*(radius * circle), color=INK, linewidth=0.6, linestyle=":")
            panel.set(xlim=(-3, 3), ylim=(-3, 3), xticks=[], yticks=[], title=f"$t = {t}$")
            panel.spines[:].set_visible(False)
        picture.density = 1
        steps = ", ".join(map(str, ts))
        return Fallback(
            png=picture.png(),
            alt=f"Points in the plane at t = {steps}, {story}.",
            caption=f"At t = {steps}, with one and two standard deviations of N(0, I). With scripts on, it has a "
            "slider.",
            width=600,
        )

    @traitlets.validate("cloud", "run")
    def _known_name(self, proposal: dict[str, Any]) -> str:
        trait, name = proposal["trait"].name, str(proposal["value"])
        known = list(self._x0 if trait == "cloud" else self._runs)
        if name not in known and (known or name):
            raise traitlets.TraitError(f"There is no {trait} {name!r} here: choose one of {known}.")
        return name

    @traitlets.validate("direction")
    def _recorded(self, proposal: dict[str, Any]) -> str:
        if proposal["value"] == "reverse" and not self._runs:
            raise traitlets.TraitError(
                "Nothing was recorded to show backward: pass reverse=list(sample(...))."
            )
        direction: str = proposal["value"]
        return direction

    @traitlets.validate("t")
    def _t_in_range(self, proposal: dict[str, Any]) -> int:
        return int(within(proposal, 0, self.T))
