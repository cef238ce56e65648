"""The reverse process, image by image: x_t and the picture that the network takes it for, side by side.

Recorded states are kept with 16 grey levels, which is enough for noise and for digits; 4 bits a pixel keep pages light.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import torch
import traitlets
from jaxtyping import Float
from torch import Tensor

from ddpm_lib.sampling import State
from ddpm_lib.widgets.host.strip import strip_png
from ddpm_lib.widgets.host.values import base64_of, within
from ddpm_lib.widgets.host.widget import Fallback, Widget, css, javascript

MOST_RUNS, MOST_IMAGES, MOST_FRAMES = 3, 4, 17
Run = Sequence[State]


class TrajectoryWidget(Widget):
    """Move t from T to 0 and watch pictures come out of noise, a row for each network.

    runs: name -> `list(sample(...))`, at most 3, of grey images of one size; the first 4 images and 17 of the times
    are kept, with both ends. All begin at the same T and end at 0.

    `t` (the row shows its nearest recorded time) and `image` can be read, set, observed and linked. Raises ValueError
    for runs that do not fit, TraitError for a value out of range.
    """

    _esm = javascript("host/play.js", "trajectory/trajectory.js")
    _css = css("trajectory/trajectory.css")

    t = traitlets.Int(0, help="the time step, T ... 0").tag(sync=True)
    image = traitlets.Int(0, help="the index of the image shown").tag(sync=True)

    shape = traitlets.List(traitlets.Int(), read_only=True, help="images, height, width").tag(sync=True)
    runs = traitlets.Dict(read_only=True, help="name -> times, x_t and x0_hat in 4 bits, base64").tag(
        sync=True
    )

    def __init__(self, runs: Mapping[str, Run], *, t: int | None = None, image: int = 0) -> None:
        if not 1 <= len(runs) <= MOST_RUNS:
            raise ValueError(f"There are {len(runs)} runs, but 1 to {MOST_RUNS} can be shown: choose these.")
        self._frames = {str(name): _frames(str(name), list(states)) for name, states in runs.items()}
        shapes = {next(iter(frames.values())).shape for frames in self._frames.values()}
        starts = {max(frames) for frames in self._frames.values()}
        if len(shapes) > 1 or len(starts) > 1:
            raise ValueError("The runs differ in their images' number or size, or in T: record them alike.")
        self.T = starts.pop()
        with self.hold_trait_notifications():
            super().__init__()
            n, _, height, width = shapes.pop()
            self.set_trait("shape", [n, height, width])
            self.set_trait("runs", {name: [list(f), _packed(f)] for name, f in self._frames.items()})
            self.image, self.t = image, self.T if t is None else t

    def __repr__(self) -> str:
        """What plain text shows: the state, with no address of an object in it."""
        return f"TrajectoryWidget({list(self._frames)}, t={self.t}, image={self.image})"

    def shown(self, t: int | None = None) -> dict[str, Float[Tensor, "2 h w"]]:
        """Each run's x_t and x0_hat at its time nearest to t, in [-1, 1]; x0_hat is grey before the first guess."""
        t = self.t if t is None else t
        found = {}
        for name, frames in self._frames.items():
            nearest = min(frames, key=lambda recorded: abs(recorded - t))
            found[name] = frames[nearest][self.image].float() / 7.5 - 1
        return found

    def fallback(self) -> Fallback:
        """x_t of the last run at six times, or as many as were recorded, for viewers that run no scripts."""
        name, frames = list(self._frames.items())[-1]
        wanted = [self.T * share for share in (1, 0.8, 0.6, 0.4, 0.2, 0)]
        ts = sorted({min(frames, key=lambda t: abs(t - want)) for want in wanted}, reverse=True)
        pictures = [self.shown(t)[name][:1] for t in ts]
        steps = ", ".join(map(str, ts))
        return Fallback(
            png=strip_png(pictures),
            alt=f"A picture of {name} coming out of noise, at t = {steps}.",
            caption=f"{name} at t = {steps}. With scripts on, it has a slider.",
            width=84 * len(ts),
        )

    @traitlets.validate("t")
    def _t_in_range(self, proposal: dict[str, Any]) -> int:
        return int(within(proposal, self.T, 0))

    @traitlets.validate("image")
    def _known_image(self, proposal: dict[str, Any]) -> int:
        return int(within(proposal, 0, self.shape[0] - 1, "the images run", of="one"))


def _frames(name: str, states: list[State]) -> dict[int, Tensor]:
    """t -> levels 0 ... 15 of x_t and x0_hat, (n, 2, h, w), from T down to 0."""
    if len(states) < 2 or states[-1].t != 0 or any(a.t <= b.t for a, b in pairwise(states)):
        raise ValueError(f"The run {name!r} must fall from T to 0: pass all the states of `sample`.")
    if states[0].xt.ndim != 4 or states[0].xt.shape[1] != 1:
        raise ValueError(
            f"The run {name!r} has states of shape {tuple(states[0].xt.shape)}, but grey images are (n, 1, h, w)."
        )
    count = min(len(states), MOST_FRAMES)
    frames = {}
    for i in torch.linspace(0, len(states) - 1, count, dtype=torch.float64).round().long().tolist():
        xt = states[i].xt[:MOST_IMAGES].detach().float().cpu()
        guess = states[i].x0_hat
        x0_hat = torch.zeros_like(xt) if guess is None else guess[:MOST_IMAGES].detach().float().cpu()
        both = torch.cat([xt, x0_hat], dim=1).clamp(-1, 1)
        frames[states[i].t] = ((both + 1) * 7.5).round().to(torch.uint8)
    return frames


def _packed(frames: dict[int, Tensor]) -> str:
    """Two pixels a byte, the first in the high half."""
    levels = torch.stack(list(frames.values())).flatten()
    levels = torch.cat([levels, levels.new_zeros(len(levels) % 2)]).reshape(-1, 2)
    return base64_of(levels[:, 0] * 16 + levels[:, 1])
