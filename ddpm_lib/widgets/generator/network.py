"""The network that the generator runs, as a checkpoint of a U-Net, its recording, and its pictures in Python."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, lru_cache

import torch
from jaxtyping import Float, Int
from torch import Tensor

from ddpm_lib.assets.weights import load_weights
from ddpm_lib.diffusion import GaussianDiffusion
from ddpm_lib.evaluate.generate import generate, with_guidance
from ddpm_lib.models import UNet, UNetConfig, classes_of
from ddpm_lib.models.trained import About, Trained
from ddpm_lib.sampling import Step
from ddpm_lib.web import export
from ddpm_lib.widgets.generator.recording import Recording, record

# The network of the published pages, and the one that a reader may choose there.
SHIPPED, FEW = "cpu-minutes", "cpu-few"
# The classes that the recording draws.
SHOWN_FIRST = (3, 0, 7, 5)


@cache
def shipped() -> Trained:
    """The network of the published pages."""
    return load_weights(SHIPPED)


# By the checkpoint's identity: the shipped one runs once, and a network of one's own is let go.
@lru_cache(maxsize=2)
def recording_of(checkpoint: Trained) -> Recording:
    """The network's own drawing, for where it cannot run."""
    network, classes = checkpoint.network(), classes_of(checkpoint.model_config)
    assert isinstance(network, UNet)
    labels = [label % classes for label in SHOWN_FIRST] if classes else []
    return record(network, checkpoint.diffusion, checkpoint.about.shape, labels, n=len(SHOWN_FIRST))


def checkpoint_of(
    model: Trained | UNet, diffusion: GaussianDiffusion | None, shape: tuple[int, int, int]
) -> Trained:
    """Whatever was passed as a checkpoint of a U-Net for grey images."""
    if isinstance(model, UNet):
        if diffusion is None:
            raise ValueError("A network alone has no schedule: pass its diffusion as well.")
        tensors = {f"ema.{name}": t.detach().cpu().clone() for name, t in model.state_dict().items()}
        schedule, config = diffusion.schedule, model.config
        model = Trained(config, schedule, About(shape=shape), tensors)
    if not isinstance(model, Trained):
        raise ValueError(
            f"{model!r:.40} is no network: pass what `ddpm_lib.load` gives, or a UNet and its diffusion."
        )
    if not isinstance(model.model_config, UNetConfig) or model.about.shape[0] != 1:
        raise ValueError("The pages run U-Nets for grey images: pass the checkpoint of such a network.")
    return model


def named(model: Trained | UNet | None, shape: tuple[int, int, int]) -> str:
    """The arguments that stand for the network in the Python that a page shows: none for the published one."""
    if model is None:
        return ""
    return f"model, diffusion, shape={shape}, " if isinstance(model, UNet) else "model, "


# By the checkpoint's identity, as the recording.
@lru_cache(maxsize=2)
def as_in_the_page(checkpoint: Trained) -> Trained:
    """The checkpoint with its weights as a page has them: rounded to eight bits."""
    return export.checkpoint_of(export.detail(checkpoint))


def drawn(
    checkpoint: Trained,
    seeds: Sequence[int],
    y: Int[Tensor, " n"] | None,
    step: Step,
    *,
    steps: int,
    w: float,
    device: str = "cpu",
) -> Float[Tensor, "n c h w"]:
    """The images of these seeds as a page draws them: its weights, and float32 alone on every device."""
    page = as_in_the_page(checkpoint)
    network = with_guidance(page.network().to(device), 0.0 if y is None else w)
    # A GPU rounds the factors of a convolution to ten bits unless it is told not to.
    with torch.backends.cudnn.flags(allow_tf32=False):
        return torch.cat(
            [
                *generate(
                    network,
                    page.diffusion,
                    page.about.shape,
                    seeds,
                    y=y,
                    step=step,
                    steps=steps,
                    device=device,
                )
            ]
        )
