"""Press Train: a network learns to draw digits in the reader's own browser, and then draws what is asked of it.

Everything runs in the page, in a worker (web/learn/images). In the published book the digits are a file beside the
pages, loaded at the press; in a live notebook Python sends them then; in Colab they lie in the output. What was learned
comes to Python whenever the training pauses, where there is one.
"""

from __future__ import annotations

import base64
import binascii
import sys
import tempfile
from pathlib import Path
from typing import Any

import torch
import traitlets
from jaxtyping import Float
from torch import Tensor

from ddpm_lib.evaluate.generate import generate, with_guidance
from ddpm_lib.models.storage import CheckpointError
from ddpm_lib.models.trained import Trained, export_weights, load_trained
from ddpm_lib.web.worker_source import images_source
from ddpm_lib.widgets.digits.images import digits_json, examples, packed_pairs
from ddpm_lib.widgets.digits.recipe import ABOUT, DRAWING, NETWORK, TRAINING, recipe
from ddpm_lib.widgets.host.noise import NOISE_JS, SEEDS
from ddpm_lib.widgets.host.strip import strip_png
from ddpm_lib.widgets.host.values import within
from ddpm_lib.widgets.host.widget import Fallback, Widget, css, javascript

# The file of the digits, counted from the book's root; tools/sphinx_course.py writes it.
URL = "_static/train-digits.js"
BYTES = 1_300_000  # of that file
COUNT = 10  # digits drawn at once
SHARED = (*NOISE_JS, "host/dial.js", "host/chart.js", "host/beside.js", "host/seed.js", "host/python.js")
PARTS = ("generator/gallery", "play/trainer", "play/curve", "digits/session", "digits/digits")
CHOSEN = ("digit", "seed", "steps", "training_seed", "url")


class DigitsWidget(Widget):
    """Train a small U-Net on 10,000 digits, here in the page, and draw with it.

    model: a network to begin with, the file that the page saved or what `ddpm_lib.load` makes of it; a fresh one unless
    told.

    `digit` (0 to 9, or "each" in turn), `seed` (of the first of ten digits; the next one has the next), `steps` of the
    training, `training_seed` (of weights and batches; -1 is another one each time) and `url` can be read, set, observed
    and linked. `learned` is the file of what was learned, in base64, once the training has paused; `trained` is the
    same to use. Raises CheckpointError for another network, TraitError for a value out of range.
    """

    _esm = javascript(*SHARED, *(f"{part}.js" for part in PARTS))
    _css = css("host/chart.css", "host/dial.css", "host/seed.css", "digits/digits.css")

    digit = traitlets.Any("each", help='a class, or "each"').tag(sync=True)
    seed = traitlets.Int(0, min=0, max=SEEDS - 1, help="of the first digit that is drawn").tag(sync=True)
    steps = traitlets.Int(TRAINING["steps"], help="of the training").tag(sync=True)
    training_seed = traitlets.Int(-1, min=-1, max=SEEDS - 1, help="of weights and batches").tag(sync=True)
    learned = traitlets.Unicode(help="the file of the averaged network, base64").tag(sync=True)
    url = traitlets.Unicode(URL, help="the file of the digits, counted from the book's root").tag(sync=True)

    about = traitlets.Dict(read_only=True, help="what the images are").tag(sync=True)
    recipe = traitlets.Dict(read_only=True, help="the network, and how it is trained").tag(sync=True)
    drawing = traitlets.Dict(read_only=True, help="DDIM's steps, the weight of guidance").tag(sync=True)
    examples = traitlets.Unicode(read_only=True, help="ten digits, two pixels a byte, base64").tag(sync=True)
    size = traitlets.Int(BYTES, read_only=True, help="bytes of the file of the digits").tag(sync=True)
    worker = traitlets.Unicode(read_only=True, help="the worker's source").tag(sync=True)
    images = traitlets.Unicode(read_only=True, help="the digits as JSON, once asked for").tag(sync=True)

    def __init__(self, model: Trained | str | Path | None = None, **chosen: Any) -> None:
        learned = "" if model is None else _file_of(model)
        with self.hold_trait_notifications():
            super().__init__()
            self.set_trait("about", ABOUT)
            self.set_trait("recipe", recipe())
            self.set_trait("drawing", DRAWING)
            self.set_trait("examples", base64.b64encode(packed_pairs(examples().pixels)).decode("ascii"))
            self.set_trait("worker", images_source())
            self.learned = learned
            for name, value in chosen.items():
                if name not in CHOSEN:
                    raise TypeError(f"DigitsWidget has no option {name!r}: choose from {', '.join(CHOSEN)}.")
                setattr(self, name, value)
        self.on_msg(self._answer)

    def __repr__(self) -> str:
        """What plain text shows: the state, with no address of an object in it."""
        return f"DigitsWidget(digit={self.digit!r}, seed={self.seed}, steps={self.steps})"

    def state(self) -> dict[str, Any]:
        """What the page needs; the digits only where nobody can send them later."""
        return {**super().state(), "images": digits_json() if "google.colab" in sys.modules else ""}

    @property
    def trained(self) -> Trained:
        """What the page has learned: `.network()` is the U-Net, `.diffusion` its diffusion.

        Raises CheckpointError where nothing was learned yet, or nothing came to Python.
        """
        return _trained_of(self.learned)

    def draw(self) -> Float[Tensor, "n 1 h w"]:
        """The ten digits that the page draws from these settings with this network, to 1e-3."""
        trained = self.trained
        labels = torch.arange(COUNT) if self.digit == "each" else torch.full((COUNT,), self.digit)
        network = with_guidance(trained.network(), DRAWING["w"])
        seeds, steps = range(self.seed, self.seed + COUNT), DRAWING["steps"]
        (x,) = generate(network, trained.diffusion, trained.about.shape, seeds, y=labels, steps=steps)
        return x

    def fallback(self) -> Fallback:
        """Ten of the digits, for viewers that run no scripts."""
        return Fallback(
            png=strip_png(list(examples().x0()), scale=1),
            alt="The digits 0 to 9, written by people.",
            caption="What is learned: handwritten digits. With scripts on, a network learns to draw them in the page.",
            width=600,
        )

    def _answer(self, widget: object, content: object, buffers: object) -> None:
        """The page asks for the digits, {"type": "images"}: set the trait that it then hears of."""
        if isinstance(content, dict) and content.get("type") == "images":
            self.set_trait("images", digits_json())

    @traitlets.validate("digit")
    def _known_digit(self, proposal: dict[str, Any]) -> int | str:
        digit: int | str = proposal["value"]
        if digit == "each" or (isinstance(digit, int) and not isinstance(digit, bool) and 0 <= digit < 10):
            return digit
        raise traitlets.TraitError(f'digit is {digit!r}: pass 0 to 9, or "each".')

    @traitlets.validate("steps")
    def _in_range(self, proposal: dict[str, Any]) -> int:
        value: int = within(proposal, 1, 100_000)
        return value

    @traitlets.validate("learned")
    def _readable(self, proposal: dict[str, Any]) -> str:
        text: str = proposal["value"]
        if text:
            _trained_of(text)
        return text


def _file_of(model: Trained | str | Path) -> str:
    """The file of a network of this kind, in base64."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "digits.safetensors"
        export_weights(path, model if isinstance(model, Trained) else load_trained(model))
        return base64.b64encode(path.read_bytes()).decode("ascii")


def _trained_of(learned: str) -> Trained:
    """The network in such a file. Raises CheckpointError for any other."""
    if not learned:
        raise CheckpointError("Nothing was learned yet: press Train in the page, then Pause, and look again.")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "digits.safetensors"
        try:
            path.write_bytes(base64.b64decode(learned, validate=True))
        except binascii.Error as error:
            raise CheckpointError("This is no file in base64: pass what `learned` held.") from error
        trained = load_trained(path)
    if trained.model_config != NETWORK:
        raise CheckpointError(
            f"The page trains one network alone, {NETWORK}: pass a network that it has saved."
        )
    return trained
