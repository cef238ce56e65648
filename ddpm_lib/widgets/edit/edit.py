"""Draw two digits: both are walked up to their noise, and from the arc between the two noises down again.

The page computes all of it with the generator's network: DDIM inversion and slerp (ddpm_lib/evaluate/editing.py).
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import torch
import traitlets
from jaxtyping import Float
from torch import Tensor

from ddpm_lib.diffusion import GaussianDiffusion
from ddpm_lib.evaluate.editing import invert, slerp
from ddpm_lib.evaluate.generate import last
from ddpm_lib.models import UNet, classes_of
from ddpm_lib.models.trained import Trained
from ddpm_lib.sampling import ddim_step, sample_from
from ddpm_lib.widgets.generator.network import recording_of
from ddpm_lib.widgets.generator.networked import Networked
from ddpm_lib.widgets.host.noise import NOISE_JS
from ddpm_lib.widgets.host.strip import strip_png
from ddpm_lib.widgets.host.widget import Fallback, css, javascript

SHARED = (*NOISE_JS, "host/dial.js", "host/beside.js")
PARTS = ("generator/network", "generator/gallery", "generator/pad", "edit/arc", "edit/session", "edit/edit")
CHOSEN = ("first", "second", "steps", "url")


class EditWidget(Networked):
    """Two drawings of the reader's own, the noise that DDIM inversion finds for them, and the arc between.

    model: what `ddpm_lib.load` gives, or a trained UNet with its `diffusion` and the `shape` (c, h, w) of a grey image;
    the network of the published pages unless told. worker: the source of what runs it, as that of `GenerateWidget`.

    `first` and `second` (the digits 0 to 9 whose strokes the pads begin with), `steps` (of each walk) and `url` can be
    read, set, observed and linked.
    Raises ValueError for a network that does not fit, TraitError for a value out of range.
    """

    _esm = javascript(*SHARED, *(f"{part}.js" for part in PARTS))
    _css = css("host/dial.css", "host/panels.css", "generator/generator.css", "edit/edit.css")

    first = traitlets.Int(3, min=0, max=9, help="what the first pad begins with").tag(sync=True)
    second = traitlets.Int(0, min=0, max=9, help="what the second pad begins with").tag(sync=True)
    steps = traitlets.Int(50, min=1, help="of each walk").tag(sync=True)

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
        return f"EditWidget(first={self.first}, second={self.second}, steps={self.steps})"

    def fallback(self) -> Fallback:
        """One picture turning into another, for viewers that run no scripts."""
        names = [f"a {self.labels[label]}" for label in recording_of(self._checkpoint).labels[:2]]
        what = " turning into ".join(names) if names else "one picture turning into another"
        return Fallback(
            png=strip_png(list(arc_of(self._checkpoint)), scale=1),
            alt=f"{what[0].upper()}{what[1:]} in six pictures, through noise.",
            caption="Along the arc between the noises of two pictures. With scripts on, you draw them here.",
            width=6 * 84,
        )

    @traitlets.validate("steps")
    def _within_the_chain(self, proposal: dict[str, Any]) -> int:
        if proposal["value"] > self.T:
            raise traitlets.TraitError(
                f"steps is {proposal['value']}, but the chain has T = {self.T}: pass 1 to {self.T}."
            )
        return int(proposal["value"])


# By the checkpoint's identity, as the recording.
@lru_cache(maxsize=2)
def arc_of(checkpoint: Trained, n: int = 6, steps: int = 15) -> Float[Tensor, "n c h w"]:
    """`n` pictures from the first of the recording's to its second, through the noise that inversion finds."""
    network, diffusion, classes = (
        checkpoint.network(),
        checkpoint.diffusion,
        classes_of(checkpoint.model_config),
    )
    nothing = torch.full((n,), classes) if classes else None
    ends, steps = recording_of(checkpoint).xt[-1][:2], min(steps, diffusion.T)
    a, b = last(invert(network, diffusion, ends, y=None if nothing is None else nothing[:2], steps=steps)).xt
    arc = torch.cat([slerp(a[None], b[None], k / (n - 1)) for k in range(n)])
    return last(sample_from(network, diffusion, arc, y=nothing, step=ddim_step, steps=steps)).xt
