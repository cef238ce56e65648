"""What the widgets share that run a network in the page: where its weights come from, and what its engine is."""

from __future__ import annotations

import json
import sys
from typing import Any

import traitlets

from ddpm_lib.diffusion import GaussianDiffusion
from ddpm_lib.models import UNet, classes_of
from ddpm_lib.models.trained import Trained
from ddpm_lib.web.export import detail
from ddpm_lib.web.worker_source import lean, worker_source
from ddpm_lib.widgets.generator.network import checkpoint_of, shipped
from ddpm_lib.widgets.generator.offered import URL
from ddpm_lib.widgets.host.values import base64_of
from ddpm_lib.widgets.host.widget import Widget


class Networked(Widget):
    """A widget whose page runs a network: the published pages' own, or one that was passed.

    In a published page the weights are a file beside the pages, `url`; in a live notebook Python sends them when the
    page asks; in Colab, and for a network of the reader's own, they lie in the output.
    """

    url = traitlets.Unicode(help="the file of weights, counted from the book's root").tag(sync=True)
    labels = traitlets.List(traitlets.Unicode(), read_only=True, help="the classes").tag(sync=True)
    shape = traitlets.List(traitlets.Int(), read_only=True, help="channels, height, width").tag(sync=True)
    alpha_bar = traitlets.Unicode(read_only=True, help="float32 table, base64").tag(sync=True)
    worker = traitlets.Unicode(read_only=True, help="the worker's source").tag(sync=True)
    weights = traitlets.Unicode(read_only=True, help="the network as JSON, once asked for").tag(sync=True)

    def _runs(
        self,
        model: Trained | UNet | None,
        diffusion: GaussianDiffusion | None,
        shape: tuple[int, int, int],
        worker: str | None,
    ) -> None:
        """Read the network, before the traits are set; raises ValueError for one that does not fit."""
        self._published, self._worker = model is None, worker
        self._checkpoint = shipped() if model is None else checkpoint_of(model, diffusion, shape)
        self.T = self._checkpoint.schedule.T

    def _tell(self) -> None:
        """Set what the page needs to know of the network."""
        checkpoint, worker = self._checkpoint, self._worker
        classes = classes_of(checkpoint.model_config)
        names = checkpoint.about.classes or tuple(map(str, range(classes)))
        self.set_trait("labels", [str(name) for name in names[:classes]])
        self.set_trait("shape", list(checkpoint.about.shape))
        self.set_trait("alpha_bar", base64_of(checkpoint.schedule.alpha_bar.float()))
        self.set_trait("worker", lean(worker_source() if worker is None else worker))
        self.url = URL if self._published else ""
        self.on_msg(self._answer)

    @property
    def _beside(self) -> bool:
        """Whether the book's own file holds what the page runs."""
        return self._published and self._worker is None and self.url == URL and not _in_colab()

    def state(self) -> dict[str, Any]:
        """What the page needs; what the book's own file will hold, the worker and the weights, is left out."""
        state = super().state()
        if not self._published or _in_colab():
            return {**state, "weights": self._json()}
        return {**state, "weights": "", "worker": "" if self._beside else self.worker}

    def _json(self) -> str:
        return json.dumps(detail(self._checkpoint), separators=(",", ":"))

    def _answer(self, widget: object, content: object, buffers: object) -> None:
        """The page asks for the weights, {"type": "weights"}: set the trait that it then hears of."""
        if isinstance(content, dict) and content.get("type") == "weights":
            self.set_trait("weights", self._json())

    def _chosen(self, chosen: dict[str, Any], known: tuple[str, ...]) -> None:
        """Set the options that were passed by name; raises TypeError for one that there is not."""
        for name, value in chosen.items():
            if name not in known:
                raise TypeError(
                    f"{type(self).__name__} has no option {name!r}: choose from {', '.join(known)}."
                )
            setattr(self, name, value)


def _in_colab() -> bool:
    return "google.colab" in sys.modules
