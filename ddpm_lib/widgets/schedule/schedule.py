"""The schedule explorer: choose T and the betas and see what is left of the image at the end of the chain.

The page works out beta and alpha_bar by itself, in float64, as `ddpm_lib.schedule` does.
"""

from __future__ import annotations

import math
from typing import Any

import torch
import traitlets
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor

from ddpm_lib import schedule as schedules
from ddpm_lib.plot.picture import COLORS, INK, LINES, axes
from ddpm_lib.schedule import NoiseSchedule
from ddpm_lib.widgets.host.noise import NOISE_JS, noise
from ddpm_lib.widgets.host.values import Finite, base64_of, images_of, pixels_of
from ddpm_lib.widgets.host.widget import Fallback, Widget, css, javascript

KINDS = ("linear", "scaled linear", "cosine")
NOISE, TRACE = 0.01, 0.1  # below the first weight x_T is noise; from the second on it still shows the image
VERDICTS = {
    "noise": "x_T is noise",
    "trace": "a trace of the image is left",
    "image": "x_T still shows the image",
}


class ScheduleWidget(Widget):
    """Choose a noise schedule; see alpha_bar, the SNR, and the weight of the image that is left at t = T.

    x0: one image (c, h, w) in [-1, 1] with c = 1 or 3, shown at five times; without one there are no pictures.
    kind: "linear" (Ho et al. 2020, section 4), "scaled linear" (latent diffusion's: the square root of beta is
    linear) or "cosine" (Nichol and Dhariwal 2021), which needs no beta_min, beta_max or rescale.

    `T`, `kind`, `beta_min`, `beta_max` and `rescale` (both ends times 1000 / T) can be read, set, observed and
    linked. `schedule` is the NoiseSchedule shown, `left` its sqrt(alpha_bar_T), `verdict` what that means.
    Raises ValueError for an image that does not fit, TraitError for a value out of range.
    """

    _esm = javascript(*NOISE_JS, "host/dial.js", "host/chart.js", "schedule/schedule.js")
    _css = css("host/dial.css", "host/chart.css", "schedule/schedule.css")

    T = traitlets.Int(1000, min=2, max=1000, help="the number of noising steps").tag(sync=True)
    kind = traitlets.Enum(KINDS, "linear", help="the law that beta follows").tag(sync=True)
    beta_min = Finite(1e-4, min=1e-6, max=0.999, help="beta_1, before scaling").tag(sync=True)
    beta_max = Finite(0.02, min=1e-6, max=0.999, help="beta_T, before scaling").tag(sync=True)
    rescale = traitlets.Bool(False, help="multiply both ends by 1000 / T").tag(sync=True)

    shape = traitlets.List(traitlets.Int(), read_only=True).tag(sync=True)
    pixels = traitlets.Unicode(read_only=True, help="x0 as bytes, base64").tag(sync=True)

    def __init__(
        self,
        x0: Tensor | NDArray[Any] | None = None,
        *,
        T: int = 1000,
        kind: str = "linear",
        beta_min: int | float = 1e-4,
        beta_max: int | float = 0.02,
        rescale: bool = False,
    ) -> None:
        self._pixels = None if x0 is None else _image(x0)
        with self.hold_trait_notifications():
            super().__init__()
            if self._pixels is not None:
                self.set_trait("shape", list(self._pixels.shape))
                self.set_trait("pixels", base64_of(self._pixels))
            self.T, self.kind, self.rescale = T, kind, rescale
            self.beta_min, self.beta_max = beta_min, beta_max

    def __repr__(self) -> str:
        """What plain text shows: the state, with no address of an object in it."""
        names = ("T", "kind", "beta_min", "beta_max", "rescale")
        return f"ScheduleWidget({', '.join(f'{name}={getattr(self, name)!r}' for name in names)})"

    @property
    def schedule(self) -> NoiseSchedule:
        """The schedule shown. Raises ValueError when the betas leave (0, 1), as the page says too."""
        match self.kind:
            case "linear":
                return schedules.linear_schedule(self.T, self.beta_min, self.beta_max, self.rescale)
            case "scaled linear":
                return schedules.scaled_linear_schedule(self.T, self.beta_min, self.beta_max, self.rescale)
        return schedules.cosine_schedule(self.T)

    @property
    def valid(self) -> bool:
        """Whether the betas are all between 0 and 1."""
        try:
            return self.schedule is not None
        except ValueError:
            return False

    @property
    def left(self) -> float:
        """sqrt(alpha_bar_T), the weight of the image in x_T."""
        return math.sqrt(self.schedule.alpha_bar[-1])

    @property
    def verdict(self) -> str:
        """What the reader is told about x_T."""
        return VERDICTS["noise" if self.left < NOISE else "trace" if self.left < TRACE else "image"]

    @property
    def ts(self) -> list[int]:
        """The times of the pictures."""
        return [math.ceil(self.T * k / 4) for k in range(5)]

    @property
    def xt(self) -> Float[Tensor, "n c h w"]:
        """x_t at `ts` as shown, before it is clipped to [-1, 1] and drawn: one noise for all."""
        if self._pixels is None:
            raise ValueError("There is no image to show: pass x0.")
        ab = self.schedule.alpha_bar[self.ts].reshape(-1, 1, 1, 1)
        x0 = self._pixels.double() / 127.5 - 1
        return (ab.sqrt() * x0 + (1 - ab).sqrt() * noise(0, tuple(x0.shape))).float()

    def fallback(self) -> Fallback:
        """Both curves, and the verdict in words, for viewers that run no scripts."""
        paper = schedules.linear_schedule(1000)
        shown = self.schedule if self.valid else paper
        picture, panels = axes(1, 2, height=190, share=False)
        for s, look in ((paper, {"color": INK, "linestyle": LINES[1]}), (shown, {"color": COLORS[0]})):
            t = torch.arange(s.T + 1) / s.T
            panels[0].plot(t, s.alpha_bar, **look)
            panels[1].plot(t[1:], s.log_snr[1:].clamp(-15, 10), **look)
        for panel, title in zip(panels, (r"$\bar\alpha_t$", "log SNR"), strict=True):
            panel.set_title(title)
            panel.set_xlabel("$t / T$")
        picture.density = 1
        name = f"the {self.kind} schedule with T = {self.T}"
        if self.valid:
            story = f"sqrt(alpha_bar_T) = {self.left:.3g}: {self.verdict}"
        else:
            story = "a beta is not below 1, so this is no schedule"
        return Fallback(
            png=picture.png(),
            alt=f"alpha_bar and log SNR against t / T for {name}, and dashed for the paper's. {story}.",
            caption=f"{name[0].upper()}{name[1:]}: {story}. With scripts on, it has sliders.",
            width=600,
        )


def _image(x0: Tensor | NDArray[Any]) -> Tensor:
    image = torch.as_tensor(x0)
    if image.ndim != 3:
        raise ValueError(f"x0 has shape {tuple(image.shape)}, but one image is (c, h, w): pass x0[0].")
    return pixels_of(images_of(image[None]))[0]
