"""Press Generate and watch noise turn into pictures, computed in the reader's own browser by a trained network.

In the published book the weights are a file beside the pages, loaded when the reader presses; in a live notebook
Python sends them then; in Colab, and for a network of the reader's own, they lie in the output (from which the build of
the book moves them into a file, tools/page_networks.py).
"""

from __future__ import annotations

from typing import Any

import torch
import traitlets
from jaxtyping import Float
from torch import Tensor

from ddpm_lib.diffusion import GaussianDiffusion
from ddpm_lib.evaluate.generate import sampler
from ddpm_lib.models import UNet, classes_of
from ddpm_lib.models.trained import Trained
from ddpm_lib.widgets.generator.network import drawn, named, recording_of
from ddpm_lib.widgets.generator.networked import Networked
from ddpm_lib.widgets.generator.offered import NETWORKS
from ddpm_lib.widgets.host.noise import NOISE_JS, SEEDS
from ddpm_lib.widgets.host.strip import strip_png
from ddpm_lib.widgets.host.values import Finite
from ddpm_lib.widgets.host.widget import Fallback, css, javascript

MOST_IMAGES = 16
SHARED = (*NOISE_JS, "host/dial.js", "host/play.js", "host/beside.js", "host/seed.js", "host/python.js")
PARTS = ("network", "recording", "gallery", "pad", "python", "settings", "run", "generator")
CHOSEN = ("sampler", "steps", "eta", "w", "seed", "n", "mode", "start", "more", "url")


class GenerateWidget(Networked):
    """Noise that turns into pictures at the press of a button, or a drawing of the reader's own that is denoised.

    model: what `ddpm_lib.load` gives, or a trained UNet with its `diffusion` and the `shape` (c, h, w) of a grey image;
    the network of the published pages unless told.
    worker: the source of the worker that runs the network; the course's own unless told.

    `digit` (a class's number or name, "each" in turn, or "none"), `sampler` ("ddim" or "ddpm"), `steps`, `eta`, `w`,
    `seed` (of the first image; the next one has the next), `n` images, `mode` ("noise", "drawing", or "hole", which
    fills a part of a drawing), `start` (the t that a drawing is noised to), `more` (the settings are unfolded) and
    `url` can be read, set, observed and linked.
    Raises ValueError for a network that does not fit, TraitError for a value out of range.
    """

    _esm = javascript(*SHARED, *(f"generator/{part}.js" for part in PARTS))
    _css = css("host/dial.css", "host/panels.css", "host/seed.css", "generator/generator.css")

    digit = traitlets.Any(help='a class, "each" or "none"').tag(sync=True)
    sampler = traitlets.Enum(["ddim", "ddpm"], "ddim").tag(sync=True)
    steps = traitlets.Int(50, min=1).tag(sync=True)
    eta = Finite(0.0, min=0.0, max=1.0, help="DDIM's share of fresh noise").tag(sync=True)
    w = Finite(0.5, min=0.0, help="the weight of guidance").tag(sync=True)
    seed = traitlets.Int(0, min=0, max=SEEDS - 1, help="names the picture").tag(sync=True)
    n = traitlets.Int(1, min=1, max=MOST_IMAGES, help="the number of images").tag(sync=True)
    mode = traitlets.Enum(["noise", "drawing", "hole"], "noise", help="what a run starts from").tag(sync=True)
    start = traitlets.Int(1, min=1, help="the time that a drawing is noised to").tag(sync=True)
    more = traitlets.Bool(False, help="whether the settings are unfolded").tag(sync=True)

    recorded = traitlets.Dict(read_only=True, help="what is shown where nothing runs").tag(sync=True)
    networks: Any = traitlets.List(read_only=True, help="what a published page offers").tag(sync=True)
    python = traitlets.Unicode(read_only=True, help="what names the network in Python").tag(sync=True)

    def __init__(
        self,
        model: Trained | UNet | None = None,
        diffusion: GaussianDiffusion | None = None,
        *,
        shape: tuple[int, int, int] = (1, 28, 28),
        digit: int | str | None = None,
        worker: str | None = None,
        **chosen: Any,
    ) -> None:
        self._runs(model, diffusion, shape, worker)
        self._recording = recording_of(self._checkpoint)
        classes = classes_of(self._checkpoint.model_config)
        if digit is None:
            digit = min(3, classes - 1) if classes else "none"
        with self.hold_trait_notifications():
            super().__init__()
            self._tell()
            self.set_trait("recorded", self._recorded())
            self.set_trait("python", named(model, shape))
            self.digit, self.start, self.steps = digit, max(1, self.T * 3 // 5), min(50, self.T)
            self._chosen(chosen, CHOSEN)

    def __repr__(self) -> str:
        """What plain text shows: the state, with no address of an object in it."""
        what = f"digit={self.digit!r}, sampler={self.sampler!r}, steps={self.steps}"
        return f"GenerateWidget({what}, seed={self.seed}, n={self.n})"

    def state(self) -> dict[str, Any]:
        """What the page needs, with the networks that a published page offers."""
        state = super().state()
        return state | {"networks": NETWORKS} if self._beside else state

    def draw(self, device: str = "cpu") -> Float[Tensor, "n c h w"]:
        """The pictures that the page draws from these settings, to 1e-3: the same seeds, the same network.

        Raises ValueError in the other modes: a drawing stays in the page.
        """
        if self.mode != "noise":
            raise ValueError(f"Python has no drawing to start from: set mode='noise', not {self.mode!r}.")
        seeds = range(self.seed, self.seed + self.n)
        labels = [seed % len(self.labels) if self.digit == "each" else self.digit for seed in seeds]
        y = None if self.digit == "none" else torch.tensor(labels)
        step = sampler(self.sampler, self.eta)
        return drawn(self._checkpoint, seeds, y, step, steps=self.steps, w=self.w, device=device)

    def fallback(self) -> Fallback:
        """One picture coming out of noise, for viewers that run no scripts."""
        r = self._recording
        moments = [round(i * (len(r.ts) - 1) / 5) for i in range(6)]
        steps = ", ".join(str(r.ts[i]) for i in moments)
        name = f"a {self.labels[r.labels[0]]}" if r.labels else "a picture"
        return Fallback(
            png=strip_png([r.xt[i][0] for i in moments], scale=1),
            alt=f"Noise turning into {name}, at t = {steps}.",
            caption=f"x_t at t = {steps}. With scripts on, a press of a button draws a new one here.",
            width=6 * 84,
        )

    def _recorded(self) -> dict[str, Any]:
        r = self._recording
        names = [self.labels[label] for label in r.labels]
        return {"ts": r.ts, "n": len(r.xt[0]), "seed": r.seed, "labels": names, "guesses": r.packed()}

    @traitlets.validate("digit")
    def _known_digit(self, proposal: dict[str, Any]) -> int | str:
        digit: int | str = proposal["value"]
        classes = len(self.labels)
        if digit == "none" or (digit == "each" and classes):
            return digit
        if isinstance(digit, int) and not isinstance(digit, bool) and 0 <= digit < classes:
            return digit
        if isinstance(digit, str) and digit in self.labels:
            return self.labels.index(digit)
        known = (
            f'0 to {classes - 1}, "each" or "none", or the name of a class'
            if classes
            else '"none", for this network knows no classes'
        )
        raise traitlets.TraitError(f"digit is {digit!r}: pass {known}.")

    @traitlets.validate("steps", "start")
    def _within_the_chain(self, proposal: dict[str, Any]) -> int:
        if proposal["value"] > self.T:
            name, value = proposal["trait"].name, proposal["value"]
            raise traitlets.TraitError(
                f"{name} is {value}, but the chain has T = {self.T}: pass 1 to {self.T}."
            )
        return int(proposal["value"])
