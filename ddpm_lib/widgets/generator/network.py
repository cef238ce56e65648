"""The network that the generator runs, as a checkpoint of a U-Net, and its recording."""

from __future__ import annotations

from functools import cache, lru_cache

from ddpm_lib.assets.weights import load_weights
from ddpm_lib.diffusion import GaussianDiffusion
from ddpm_lib.models import UNet, UNetConfig, classes_of
from ddpm_lib.models.trained import About, Trained
from ddpm_lib.widgets.generator.recording import Recording, record

# The network of the published pages.
SHIPPED = "cpu-minutes"
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
    if not isinstance(model.model_config, UNetConfig) or model.about.shape[0] != 1:
        raise ValueError("The pages run U-Nets for grey images: pass the checkpoint of such a network.")
    return model
