"""Press Train: a network learns points in the plane in the reader's own browser, and its field and samples are drawn.

Everything runs in the page, in a worker (web/learn). What was learned comes to Python whenever the training pauses,
where there is one, and a network of Python's can be looked at and trained further.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import traitlets
from jaxtyping import Float
from torch import Tensor

from ddpm_lib.diffusion import GaussianDiffusion
from ddpm_lib.models import MLP, MLPConfig
from ddpm_lib.models.trained import Trained
from ddpm_lib.plot.picture import COLORS, axes
from ddpm_lib.web.learned import from_learned, to_learned
from ddpm_lib.web.worker_source import learn_source
from ddpm_lib.widgets.host.noise import NOISE_JS, SEEDS
from ddpm_lib.widgets.host.values import Finite, base64_of, within
from ddpm_lib.widgets.host.widget import Fallback, Widget, css, javascript
from ddpm_lib.widgets.play.shapes import seen, sent, shapes

DRAWING = "drawing"
SCHEDULES = ("linear", "cosine", "short")
SHARED = (*NOISE_JS, "host/dial.js", "host/play.js", "host/chart.js", "generator/pad.js")
PARTS = ("trainer", "plane", "ends", "curve", "drawing", "settings", "session", "play")
CHOSEN = ("data", "schedule", "T", "predicts", "width", "lr", "seed", "t", "arrows", "sampler", "steps")


class PlayWidget(Widget):
    """Train an MLP on points in the plane, here in the page.

    model: a network to begin with, an MLP with its `diffusion` or a checkpoint of one; a fresh one unless told.
    points: name -> (n, 2) points to learn, at most 500 each; moons, rings, a spiral and a letter unless told.

    `data` (a name, or "drawing" for what the reader draws), `schedule` ("linear"; "cosine"; "short", the betas of Ho et
    al. 2020 whatever T is), `T`, `predicts` ("eps", "x0", "v"), `width`, `lr`, `seed`, `t` (of the arrows), `arrows`
    ("move" is x0_hat - x_t; "score"; "none"), `sampler` ("ddpm", "ddim", "heun") and `steps` can be read, set, observed
    and linked. `learned` is what was learned, as JSON, once the training has paused; `trained` is the same to use.
    Raises ValueError for points that do not fit, CheckpointError for such a network, TraitError for a value out of
    range.
    """

    _esm = javascript(*SHARED, *(f"play/{part}.js" for part in PARTS))
    _css = css("host/chart.css", "host/dial.css", "play/play.css")

    data = traitlets.Unicode(help="the points to learn").tag(sync=True)
    schedule = traitlets.Enum(SCHEDULES, "linear", help="how fast noise is added").tag(sync=True)
    T = traitlets.Int(100, help="the number of noising steps").tag(sync=True)
    predicts = traitlets.Enum(["eps", "x0", "v"], "eps", help="what the network predicts").tag(sync=True)
    width = traitlets.Int(32, help="features of a hidden layer").tag(sync=True)
    lr = Finite(1e-2, help="the learning rate").tag(sync=True)
    seed = traitlets.Int(0, min=0, max=SEEDS - 1, help="of weights and batches").tag(sync=True)
    t = traitlets.Int(10, help="the time of the arrows").tag(sync=True)
    arrows = traitlets.Enum(["move", "score", "none"], "move", help="what the arrows show").tag(sync=True)
    sampler = traitlets.Enum(["ddpm", "ddim", "heun"], "ddim", help="how a walk goes").tag(sync=True)
    steps = traitlets.Int(50, help="of a walk").tag(sync=True)
    learned = traitlets.Unicode(help="the averaged network as JSON").tag(sync=True)

    points = traitlets.Dict(read_only=True, help="name -> x0 as int16, base64").tag(sync=True)
    worker = traitlets.Unicode(read_only=True, help="the worker's source").tag(sync=True)

    def __init__(
        self,
        model: MLP | Trained | None = None,
        diffusion: GaussianDiffusion | None = None,
        *,
        points: Mapping[str, Tensor] | None = None,
        **chosen: Any,
    ) -> None:
        self._points = sent(shapes() if points is None else points)
        learned = "" if model is None else to_learned(model, diffusion)
        if learned:
            chosen = {**_recipe(from_learned(learned)), **chosen}
        with self.hold_trait_notifications():
            super().__init__()
            self.set_trait("points", {name: base64_of(x) for name, x in self._points.items()})
            self.set_trait("worker", learn_source())
            self.data, self.learned = next(iter(self._points)), learned
            for name, value in chosen.items():
                if name not in CHOSEN:
                    raise TypeError(f"PlayWidget has no option {name!r}: choose from {', '.join(CHOSEN)}.")
                setattr(self, name, value)

    def __repr__(self) -> str:
        """What plain text shows: the state, with no address of an object in it."""
        names = ("data", "schedule", "T", "predicts", "width")
        return f"PlayWidget({', '.join(f'{name}={getattr(self, name)!r}' for name in names)})"

    @property
    def trained(self) -> Trained:
        """What the page has learned: `.network()` is the MLP, `.diffusion` its diffusion.

        Raises CheckpointError where nothing was learned yet, or nothing came to Python.
        """
        return from_learned(self.learned)

    @property
    def x0(self) -> Float[Tensor, "n 2"]:
        """The points that are learned. Raises ValueError for a drawing, which stays in the page."""
        if self.data == DRAWING:
            raise ValueError(f"A drawing stays in the page: set data to one of {list(self._points)}.")
        return seen(self._points[self.data])

    def fallback(self) -> Fallback:
        """The sets of points, for viewers that run no scripts."""
        picture, panels = axes(1, len(self._points), height=165, square=True)
        for panel, (name, x) in zip(panels, self._points.items(), strict=True):
            panel.scatter(*seen(x).T.numpy(), s=2, linewidths=0, color=COLORS[0])
            panel.set(xlim=(-2.8, 2.8), ylim=(-2.8, 2.8), xticks=[], yticks=[], title=name)
            panel.spines[:].set_visible(False)
        picture.density = 1
        names = ", ".join(self._points)
        return Fallback(
            png=picture.png(),
            alt=f"Points in the plane: {names}.",
            caption=f"The points that can be learned: {names}. With scripts on, a network learns them in the page.",
            width=600,
        )

    @traitlets.validate("data")
    def _known_data(self, proposal: dict[str, Any]) -> str:
        name = str(proposal["value"])
        if name not in (*self._points, DRAWING):
            known = [*self._points, DRAWING]
            raise traitlets.TraitError(f"There are no data {name!r} here: choose one of {known}.")
        return name

    @traitlets.validate("T", "width", "steps", "t", "lr")
    def _in_range(self, proposal: dict[str, Any]) -> int | float:
        low, high = {"T": (1, 1000), "width": (4, 256), "steps": (1, 1000), "t": (0, 1000), "lr": (0, 1)}[
            proposal["trait"].name
        ]
        value: int | float = within(proposal, low, high)
        return value

    @traitlets.validate("learned")
    def _readable(self, proposal: dict[str, Any]) -> str:
        text: str = proposal["value"]
        if text:
            from_learned(text)
        return text


def _recipe(trained: Trained) -> dict[str, Any]:
    """The settings of a network, as the widget names them."""
    config, schedule = trained.model_config, trained.schedule
    assert isinstance(config, MLPConfig)
    known = {"schedule": schedule.name} if schedule.name in SCHEDULES else {}
    return {"width": config.width, "predicts": config.predicts, "T": schedule.T, **known}
