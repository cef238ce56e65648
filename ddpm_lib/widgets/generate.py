"""Press Generate and watch noise turn into pictures, computed in the reader's own browser by a trained network.

In the published book the weights are a file beside the pages, loaded when the reader presses; in a live notebook
Python sends them then; in Colab, and for a network of the reader's own, they lie in the output (from which the build of
the book moves them into a file, tools/page_networks.py).
"""

from __future__ import annotations

import json
import sys
from functools import cache, lru_cache
from typing import Any

import traitlets

from ddpm_lib.assets.weights import load_weights
from ddpm_lib.diffusion import GaussianDiffusion
from ddpm_lib.models import UNet, UNetConfig, classes_of
from ddpm_lib.models.trained import About, Trained
from ddpm_lib.web.engine import engine_source
from ddpm_lib.web.export import detail
from ddpm_lib.widgets.generate_record import Recording, record
from ddpm_lib.widgets.host import Fallback, Widget, _lean, read
from ddpm_lib.widgets.noise import SEEDS
from ddpm_lib.widgets.scrub import _base64
from ddpm_lib.widgets.strip import strip_png

SHIPPED = "cpu-minutes"  # the network of the published pages
URL = (
    "_static/generate-weights.js"  # its file, counted from the book's root; tools/sphinx_course.py writes it
)
MOST_IMAGES = 16
SHOWN_FIRST = (3, 0, 7, 5)  # the classes that the recording draws
PARTS = (
    "common",
    "controls",
    "generate_engine",
    "generate_draw",
    "generate_parts",
    "generate_settings",
    "generate",
)


class GenerateWidget(Widget):
    """Noise that turns into pictures at the press of a button, or a drawing of the reader's own that is denoised.

    model: what `ddpm_lib.load` gives, or a trained UNet with its `diffusion` and the `shape` (c, h, w) of a grey image;
    the network of the published pages unless told.
    engine: the source of the worker that runs the network; the course's own unless told.

    `digit` (a class, "each" in turn, or "none"), `sampler` ("ddim" or "ddpm"), `steps`, `eta`, `w`, `seed` (of the
    first image; the next one has the next), `n` images, `mode` ("noise", "drawing", or "hole", which fills a part of a
    drawing), `start` (the t that a drawing is noised to), `more` (the settings are
    unfolded) and `url` can be read, set, observed and linked.
    Raises ValueError for a network that does not fit, TraitError for a value out of range.
    """

    _esm = read(*(f"{part}.js" for part in PARTS))
    _css = read("look.css", "controls.css", "scrub.css", "generate.css")

    digit = traitlets.Any(help='a class, "each" or "none"').tag(sync=True)
    sampler = traitlets.Enum(["ddim", "ddpm"], "ddim").tag(sync=True)
    steps = traitlets.Int(50, min=1).tag(sync=True)
    eta = traitlets.Float(0.0, min=0.0, max=1.0, help="DDIM's share of fresh noise").tag(sync=True)
    w = traitlets.Float(0.5, min=0.0, help="the weight of guidance").tag(sync=True)
    seed = traitlets.Int(0, min=0, max=SEEDS - 1, help="names the picture").tag(sync=True)
    n = traitlets.Int(1, min=1, max=MOST_IMAGES, help="the number of images").tag(sync=True)
    mode = traitlets.Enum(["noise", "drawing", "hole"], "noise", help="what a run starts from").tag(sync=True)
    start = traitlets.Int(1, min=1, help="the time that a drawing is noised to").tag(sync=True)
    more = traitlets.Bool(False, help="whether the settings are unfolded").tag(sync=True)
    url = traitlets.Unicode(help="the file of weights, counted from the book's root").tag(sync=True)

    labels = traitlets.List(traitlets.Unicode(), read_only=True, help="the classes").tag(sync=True)
    shape = traitlets.List(traitlets.Int(), read_only=True, help="channels, height, width").tag(sync=True)
    alpha_bar = traitlets.Unicode(read_only=True, help="float32 table, base64").tag(sync=True)
    recorded = traitlets.Dict(read_only=True, help="what is shown where nothing runs").tag(sync=True)
    engine = traitlets.Unicode(read_only=True, help="the worker's source").tag(sync=True)
    weights = traitlets.Unicode(read_only=True, help="the network as JSON, once asked for").tag(sync=True)

    def __init__(
        self,
        model: Trained | UNet | None = None,
        diffusion: GaussianDiffusion | None = None,
        *,
        shape: tuple[int, int, int] = (1, 28, 28),
        digit: int | str | None = None,
        engine: str | None = None,
        **chosen: Any,
    ) -> None:
        self._published, self._engine_is_ours = model is None, engine is None
        checkpoint = self._checkpoint = _shipped() if model is None else _checkpoint(model, diffusion, shape)
        classes = classes_of(checkpoint.model_config)
        names = checkpoint.about.classes or tuple(map(str, range(classes)))
        self.T = checkpoint.schedule.T
        self._recording = _recording(checkpoint)
        source = engine_source() if engine is None else engine
        if digit is None:
            digit = min(3, classes - 1) if classes else "none"
        with self.hold_trait_notifications():
            super().__init__()
            self.set_trait("labels", [str(name) for name in names[:classes]])
            self.set_trait("shape", list(checkpoint.about.shape))
            self.set_trait("alpha_bar", _base64(checkpoint.schedule.alpha_bar.float()))
            self.set_trait("engine", _lean(source))
            self.set_trait("recorded", self._recorded())
            self.url = URL if self._published else ""
            self.digit, self.start, self.steps = digit, max(1, self.T * 3 // 5), min(50, self.T)
            for name, value in chosen.items():
                if name not in CHOSEN:
                    raise TypeError(
                        f"GenerateWidget has no option {name!r}: choose from {', '.join(CHOSEN)}."
                    )
                setattr(self, name, value)
        self.on_msg(self._answer)

    def __repr__(self) -> str:
        """What plain text shows: the state, with no address of an object in it."""
        what = f"digit={self.digit!r}, sampler={self.sampler!r}, steps={self.steps}"
        return f"GenerateWidget({what}, seed={self.seed}, n={self.n})"

    def state(self) -> dict[str, Any]:
        """What the page needs; what the book's own file will hold, the engine and the weights, is left out."""
        state = super().state()
        if not self._published or "google.colab" in sys.modules:
            return {**state, "weights": self._json()}
        beside = self._engine_is_ours and self.url == URL
        return {**state, "weights": "", "engine": "" if beside else self.engine}

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

    def _json(self) -> str:
        return json.dumps(detail(self._checkpoint), separators=(",", ":"))

    def _answer(self, widget: object, content: object, buffers: object) -> None:
        """The page asks for the weights, {"type": "weights"}: set the trait that it then hears of."""
        if isinstance(content, dict) and content.get("type") == "weights":
            self.set_trait("weights", self._json())

    @traitlets.validate("digit")
    def _known_digit(self, proposal: dict[str, Any]) -> int | str:
        digit: int | str = proposal["value"]
        classes = len(self.labels)
        if digit == "none" or (digit == "each" and classes):
            return digit
        if isinstance(digit, int) and not isinstance(digit, bool) and 0 <= digit < classes:
            return digit
        known = (
            f'0 to {classes - 1}, "each" or "none"'
            if classes
            else '"none", for this network knows no classes'
        )
        raise traitlets.TraitError(f"digit is {digit!r}: pass {known}.")

    @traitlets.validate("steps", "start")
    def _within_the_chain(self, proposal: dict[str, Any]) -> int:
        value: int = proposal["value"]
        if value > self.T:
            name = proposal["trait"].name
            raise traitlets.TraitError(
                f"{name} is {value}, but the chain has T = {self.T}: pass 1 to {self.T}."
            )
        return value


CHOSEN = ("sampler", "steps", "eta", "w", "seed", "n", "mode", "start", "more", "url")


@cache
def _shipped() -> Trained:
    return load_weights(SHIPPED)


@lru_cache(
    maxsize=2
)  # by the checkpoint's identity: the shipped one runs once, and a network of one's own is let go
def _recording(checkpoint: Trained) -> Recording:
    network, classes = checkpoint.network(), classes_of(checkpoint.model_config)
    assert isinstance(network, UNet)
    labels = [label % classes for label in SHOWN_FIRST] if classes else []
    return record(network, checkpoint.diffusion, checkpoint.about.shape, labels, n=len(SHOWN_FIRST))


def _checkpoint(
    model: Trained | UNet, diffusion: GaussianDiffusion | None, shape: tuple[int, int, int]
) -> Trained:
    """Whatever was passed as a checkpoint of a U-Net for grey images."""
    if isinstance(model, UNet):
        if diffusion is None:
            raise ValueError("A network alone has no schedule: pass its diffusion as well.")
        tensors = {f"ema.{name}": t.detach().cpu().clone() for name, t in model.state_dict().items()}
        schedule, config = diffusion.schedule, model.config
        model = Trained(config, schedule, About(shape=shape), tensors)
    if not isinstance(model.model_config, UNetConfig) or model.about.shape[0] != 1:
        raise ValueError("The pages run U-Nets for grey images: pass the checkpoint of such a network.")
    return model
