"""Digits that follow a wish which no label expresses: a slant, or ink where the reader draws.

The page computes both rows with the generator's network: guidance by a loss, with one more forward pass in the place of
a backward one (`SteeredForward`, ddpm_lib/evaluate/steering.py).
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import torch
import traitlets
from jaxtyping import Float
from torch import Tensor

from ddpm_lib.diffusion import GaussianDiffusion
from ddpm_lib.evaluate.generate import last
from ddpm_lib.evaluate.steering import SteeredForward, ink_error
from ddpm_lib.models import UNet, classes_of
from ddpm_lib.models.trained import Trained
from ddpm_lib.sampling import ddim_step, sample
from ddpm_lib.widgets.generator.networked import Networked
from ddpm_lib.widgets.host.noise import NOISE_JS, SEEDS
from ddpm_lib.widgets.host.strip import strip_png
from ddpm_lib.widgets.host.values import Finite
from ddpm_lib.widgets.host.widget import Fallback, css, javascript

SHARED = (*NOISE_JS, "../web/wish.js", "host/dial.js", "host/beside.js", "host/seed.js")
PARTS = ("generator/network", "generator/gallery", "generator/pad", "edit/session", "steer/steer")
CHOSEN = ("wish", "slant", "scale", "steps", "seed", "digit", "url")


class SteerWidget(Networked):
    """Ten digits without a wish, and from the same noise ten that follow it.

    model: what `ddpm_lib.load` gives, or a trained UNet with its `diffusion` and the `shape` (c, h, w) of a grey image;
    the network of the published pages unless told. worker: the source of what runs it, as that of `GenerateWidget`.

    `wish` ("slant" or "ink", where the reader draws), `slant` (column over row: below 0 leans to the right), `scale`
    (how strongly the wish is followed), `steps`, `seed` (of the first digit), `digit` (a class, or "each" in turn) and
    `url` can be read, set, observed and linked.
    Raises ValueError for a network that does not fit, TraitError for a value out of range.
    """

    _esm = javascript(*SHARED, *(f"{part}.js" for part in PARTS))
    _css = css(
        "host/dial.css", "host/panels.css", "host/seed.css", "generator/generator.css", "steer/steer.css"
    )

    wish = traitlets.Enum(["slant", "ink"], "slant", help="what is wished for").tag(sync=True)
    slant = Finite(-0.6, min=-1.0, max=1.0, help="the wished slant").tag(sync=True)
    scale = Finite(20.0, min=0.0, help="how strongly the wish is followed").tag(sync=True)
    steps = traitlets.Int(50, min=1).tag(sync=True)
    seed = traitlets.Int(0, min=0, max=SEEDS - 1, help="of the first digit").tag(sync=True)
    digit = traitlets.Any("each", help='a class, or "each" in turn').tag(sync=True)

    def __init__(
        self,
        model: Trained | UNet | None = None,
        diffusion: GaussianDiffusion | None = None,
        *,
        shape: tuple[int, int, int] = (1, 28, 28),
        worker: str | None = None,
        **chosen: Any,
    ) -> None:
        self._runs(model, diffusion, shape, worker)
        with self.hold_trait_notifications():
            super().__init__()
            self._tell()
            self.steps = min(50, self.T)
            self._chosen(chosen, CHOSEN)

    def __repr__(self) -> str:
        """What plain text shows: the state, with no address of an object in it."""
        return f"SteerWidget(wish={self.wish!r}, slant={self.slant}, scale={self.scale}, seed={self.seed})"

    def fallback(self) -> Fallback:
        """Three pictures without a wish and three with it, for viewers that run no scripts."""
        return Fallback(
            png=strip_png(list(wished(self._checkpoint)), scale=1),
            alt="Three pictures, and the same three drawn with the wish for ink at their foot.",
            caption="Without a wish, and with the wish for ink at the foot. With scripts on, you choose the wish here.",
            width=6 * 84,
        )

    @traitlets.validate("steps")
    def _within_the_chain(self, proposal: dict[str, Any]) -> int:
        if proposal["value"] > self.T:
            raise traitlets.TraitError(
                f"steps is {proposal['value']}, but the chain has T = {self.T}: pass 1 to {self.T}."
            )
        return int(proposal["value"])

    @traitlets.validate("digit")
    def _known_digit(self, proposal: dict[str, Any]) -> int | str:
        digit: int | str = proposal["value"]
        whole = isinstance(digit, int) and not isinstance(digit, bool)
        if digit == "each" or (whole and 0 <= int(digit) < len(self.labels)):
            return digit
        raise traitlets.TraitError(
            f'digit is {digit!r}: pass "each", or a class from 0 to {len(self.labels) - 1}.'
        )


# By the checkpoint's identity, as the generator's recording.
@lru_cache(maxsize=2)
def wished(checkpoint: Trained, steps: int = 8) -> Float[Tensor, "n c h w"]:
    """Three pictures, then the same three with the wish for ink in a band at their foot."""
    network, diffusion, shape = checkpoint.network(), checkpoint.diffusion, checkpoint.about.shape
    classes = classes_of(checkpoint.model_config)
    foot = torch.zeros(shape[1:])
    foot[-(shape[1] // 4) : -(shape[1] // 8), shape[2] // 4 : -(shape[2] // 4)] = 1
    steered = SteeredForward(network, diffusion, lambda x0: ink_error(x0, torch.ones(()), foot), 20.0)
    y = torch.tensor([2 % classes, 5 % classes, 7 % classes]) if classes else None
    how: dict[str, Any] = {"seeds": range(3), "y": y, "step": ddim_step, "steps": min(steps, diffusion.T)}
    return torch.cat([last(sample(each, diffusion, shape, **how)).xt for each in (network, steered)])
