"""Scrub t and watch x_t: the closed form of the forward process (Ho et al. 2020, eq. 4) under a slider.

The picture is x_t = sqrt(alpha_bar_t) x_0 + sqrt(1 - alpha_bar_t) eps, computed alike here and in the page.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import traitlets
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor

from ddpm_lib.schedule import NoiseSchedule, cosine_schedule, linear_schedule
from ddpm_lib.widgets.host.noise import NOISE_JS, SEEDS, noise
from ddpm_lib.widgets.host.strip import strip_png
from ddpm_lib.widgets.host.values import base64_of, images_of, pixels_of, within
from ddpm_lib.widgets.host.widget import Fallback, Widget, css, javascript

Schedules = NoiseSchedule | Sequence[NoiseSchedule] | Mapping[str, NoiseSchedule]


class ScrubWidget(Widget):
    """Move t from 0 to T and watch one of the images x0 drown in noise.

    x0: (n, c, h, w) in [-1, 1], at most 16 images of 1 or 3 channels, kept at 8 bits a pixel.
    schedules: one, several, or a dict that names them; linear and cosine with T = 500 unless told.
    labels: one name an image, such as its class.

    `t`, `seed`, `digit` (which image) and `schedule` (its name) can be read, set, observed and linked; the
    page and Python follow each other. `x0`, `eps` and `xt` are the three pictures shown, as tensors.
    Raises ValueError for images, schedules or labels that do not fit, TraitError for a value out of range.
    """

    _esm = javascript(*NOISE_JS, "host/play.js", "scrub/scrub.js")
    _css = css("host/panels.css", "scrub/scrub.css")

    t = traitlets.Int(0, help="the time step, 0 ... T").tag(sync=True)
    seed = traitlets.Int(0, min=0, max=SEEDS - 1, help="names the noise eps").tag(sync=True)
    digit = traitlets.Int(0, help="the index of the image shown").tag(sync=True)
    schedule = traitlets.Unicode(help="the name of the schedule in use").tag(sync=True)

    labels = traitlets.List(traitlets.Unicode(), read_only=True).tag(sync=True)
    shape = traitlets.List(traitlets.Int(), read_only=True).tag(sync=True)
    pixels = traitlets.Unicode(read_only=True, help="x0 as bytes, base64").tag(sync=True)
    alpha_bar = traitlets.Dict(read_only=True, help="name -> float32 table, base64").tag(sync=True)

    def __init__(
        self,
        x0: Tensor | NDArray[Any],
        schedules: Schedules | None = None,
        labels: Sequence[object] | None = None,
        *,
        t: int = 0,
        seed: int = 0,
        digit: int = 0,
        schedule: str | None = None,
    ) -> None:
        images = images_of(x0)
        names = _labels(labels, len(images))
        # The page computes with what it is sent, 8-bit pixels and float32 tables; Python does the same.
        self._pixels = pixels_of(images)
        self._tables = {name: s.alpha_bar.float() for name, s in _schedules(schedules).items()}
        with self.hold_trait_notifications():
            super().__init__()
            self.set_trait("labels", names)
            self.set_trait("shape", list(images.shape))
            self.set_trait("pixels", base64_of(self._pixels))
            self.set_trait("alpha_bar", {name: base64_of(table) for name, table in self._tables.items()})
            self.schedule = next(iter(self._tables)) if schedule is None else schedule
            self.digit, self.seed, self.t = digit, seed, t

    def __repr__(self) -> str:
        """What plain text shows: the state, with no address of an object in it."""
        return f"ScrubWidget(t={self.t}, seed={self.seed}, digit={self.digit}, schedule={self.schedule!r})"

    @property
    def T(self) -> int:
        """The last time step of the schedule in use."""
        return len(self._tables[self.schedule]) - 1

    @property
    def x0(self) -> Float[Tensor, "1 c h w"]:
        """The image shown."""
        return (self._pixels[self.digit : self.digit + 1].double() / 127.5 - 1).float()

    @property
    def eps(self) -> Float[Tensor, "1 c h w"]:
        """The noise shown: it depends on the seed alone."""
        return noise(self.seed, (1, *self.shape[1:])).float()

    @property
    def xt(self) -> Float[Tensor, "1 c h w"]:
        """x_t as shown, before it is clipped to [-1, 1] and drawn."""
        return self._xt(self.t)

    x_t = xt  # the symbol on the page

    def _xt(self, t: int) -> Float[Tensor, "1 c h w"]:
        ab = self._tables[self.schedule][t].double()
        x0 = self._pixels[self.digit : self.digit + 1].double() / 127.5 - 1
        return (ab.sqrt() * x0 + (1 - ab).sqrt() * noise(self.seed, (1, *self.shape[1:]))).float()

    def fallback(self) -> Fallback:
        """The strip of x_t at six times, for viewers that run no scripts."""
        ts = [round(self.T * share) for share in (0, 0.1, 0.2, 0.4, 0.6, 1)]
        steps = ", ".join(map(str, ts))
        return Fallback(
            png=strip_png([self._xt(t)[0] for t in ts]),
            alt=f"One image at t = {steps}: at t = 0 it is clean, and at t = {self.T} only noise is seen.",
            caption=f"x_t at t = {steps} ({self.schedule} schedule). With scripts on, it has a slider.",
            width=6 * 84,
        )

    @traitlets.validate("schedule")
    def _known_schedule(self, proposal: dict[str, Any]) -> str:
        name: str = proposal["value"]
        if name not in self._tables:
            raise traitlets.TraitError(
                f"There is no schedule {name!r} here: choose one of {list(self._tables)}."
            )
        return name

    @traitlets.validate("digit")
    def _known_digit(self, proposal: dict[str, Any]) -> int:
        return int(within(proposal, 0, len(self._pixels) - 1, "the images run"))

    @traitlets.validate("t")
    def _t_in_range(self, proposal: dict[str, Any]) -> int:
        return int(within(proposal, 0, self.T, f"the {self.schedule} schedule runs"))

    @traitlets.observe("schedule")
    def _keep_t_in_range(self, change: dict[str, Any]) -> None:
        self.t = min(self.t, len(self._tables[change["new"]]) - 1)


def _labels(labels: Sequence[object] | None, n: int) -> list[str]:
    if labels is None:
        return [f"image {i + 1}" for i in range(n)]
    if len(labels) != n:
        raise ValueError(f"There are {len(labels)} labels for {n} images: pass one label an image.")
    return [str(label.item() if isinstance(label, Tensor) else label) for label in labels]


def _schedules(schedules: Schedules | None) -> dict[str, NoiseSchedule]:
    if schedules is None:
        schedules = [linear_schedule(500), cosine_schedule(500)]
    if isinstance(schedules, NoiseSchedule):
        schedules = [schedules]
    if not isinstance(schedules, Mapping):
        names = [schedule.name for schedule in schedules]
        if len(set(names)) < len(names):
            raise ValueError(
                f"The schedules are named {names}, but names must differ: pass a dict of schedules."
            )
        schedules = dict(zip(names, schedules, strict=True))
    if not schedules:
        raise ValueError("There is no schedule to show: pass at least one NoiseSchedule.")
    return dict(schedules)
