"""A folder that diffusers' `DDPMPipeline.from_pretrained(folder)` loads and samples as Algorithm 2 does.

Where the network is one that UNet2DModel can be, the folder holds a UNet2DModel and needs nothing of ours;
otherwise it names `pipeline_unet.PipelineUNet`, and ddpm_lib has to be installed and that module imported.
"""

from __future__ import annotations

import html
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from ddpm_lib import shown
from ddpm_lib.formats import FormatError, need
from ddpm_lib.formats.agreement import difference, quiet
from ddpm_lib.formats.unet2d import unet2d_config, unet2d_weights, why_not
from ddpm_lib.models import Network, classes_of
from ddpm_lib.models.place import usual_mode, writing
from ddpm_lib.models.trained import Trained, kind_of
from ddpm_lib.models.unet import UNet

PREDICTION = {"eps": "epsilon", "x0": "sample", "v": "v_prediction"}


@dataclass(frozen=True)
class Written:
    """What was written: how to load it, whether ddpm_lib is needed for that and why, and how exact it is."""

    code: str  # Python that loads the folder and samples
    own: str | None  # why the network is not a UNet2DModel; None where it is one
    off: float  # largest difference of a loaded network's output from ours


def write_pipeline(folder: Path, checkpoint: Trained) -> Written:
    """Write the averaged network and the scheduler, load them again, compare, and only then copy them to `folder`.

    Raises FormatError.
    """
    diffusers = need("diffusers", "The diffusers export")
    if len(checkpoint.about.shape) != 3:
        raise FormatError(
            "The diffusers export is for images, and this network was trained on points: use a U-Net."
        )
    if folder.is_file() or (
        folder.is_dir() and any(folder.iterdir()) and not (folder / "model_index.json").is_file()
    ):
        raise FormatError(
            f"{folder} exists and is not a pipeline's folder: choose another --out, or remove it first."
        )
    network = checkpoint.network()
    own = why_not(network)
    with _beside(folder) as beside, quiet(diffusers):
        part = beside / "pipeline"
        unet = _own(network, checkpoint) if own else _theirs(diffusers, network, checkpoint)
        diffusers.DDPMPipeline(unet=unet, scheduler=scheduler(diffusers, checkpoint)).save_pretrained(part)
        (part / "README.md").write_text(_card(checkpoint, own), encoding="utf-8")
        loaded = diffusers.DDPMPipeline.from_pretrained(part, low_cpu_mem_usage=False)
        off = difference(loaded.unet, network, checkpoint)
        for weights in part.rglob("*.safetensors"):
            weights.chmod(usual_mode())
        if folder.is_dir():
            os.replace(folder, beside / "older")
        os.replace(part, folder)
    return Written(_code(os.fspath(folder), checkpoint, own), own, off)


@contextmanager
def _beside(folder: Path) -> Iterator[Path]:
    """An empty folder beside `folder`, for a moment. Raises PlaceError where writing fails; `folder` is as it was."""
    with writing(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=folder.parent) as name:
            yield Path(name)


def scheduler(diffusers: Any, checkpoint: Trained) -> Any:
    """Their scheduler of our chain: clipping, beta-tilde and times as `sampling.sample` has them.

    Their index i is our t = i + 1. "trailing" starts every respaced chain at T, as `sampling.timesteps` does; the
    steps should divide T, for theirs takes strides of one length.
    """
    return diffusers.DDPMScheduler(
        num_train_timesteps=checkpoint.schedule.T,
        trained_betas=checkpoint.schedule.beta[1:].tolist(),
        variance_type="fixed_small",
        clip_sample=True,
        clip_sample_range=1.0,
        prediction_type=PREDICTION[checkpoint.model_config.predicts],
        timestep_spacing="trailing",
    )


def _size(checkpoint: Trained) -> tuple[int, int]:
    _, height, width = checkpoint.about.shape
    return height, width


def _theirs(diffusers: Any, network: Network, checkpoint: Trained) -> Any:
    assert isinstance(network, UNet)
    unet = diffusers.UNet2DModel(**unet2d_config(network, _size(checkpoint)))
    unet.load_state_dict(unet2d_weights(network))
    return unet.eval()


def _own(network: Network, checkpoint: Trained) -> Any:
    from ddpm_lib.formats.pipeline_unet import PipelineUNet  # imports diffusers

    height, width = _size(checkpoint)
    unet = PipelineUNet(
        kind=kind_of(network.config),
        fields=asdict(network.config),
        in_channels=checkpoint.about.shape[0],
        sample_size=height if height == width else [height, width],
    )
    unet.network.load_state_dict(network.state_dict())
    return unet.eval()


def _code(folder: str, checkpoint: Trained, own: str | None) -> str:
    lines = ["from diffusers import DDPMPipeline"]
    if own:
        lines += ["import ddpm_lib.formats.pipeline_unet  # the network's class, which diffusers looks up"]
    lines += [
        f"pipeline = DDPMPipeline.from_pretrained({folder!r})",
        f"images = pipeline(batch_size=8, num_inference_steps={checkpoint.schedule.T}).images",
    ]
    return "\n".join(lines)


def _card(checkpoint: Trained, own: str | None) -> str:
    """README.md, so that the folder explains itself wherever it is copied to."""
    T, data = checkpoint.schedule.T, _plain(checkpoint.about.data or "images")
    begun = f", beginning with the weights of {_plain(checkpoint.init)}" if checkpoint.init else ""
    needs = (
        f"It is ddpm_lib's own network ({own}): ddpm_lib must be installed, and diffusers remarks that the type is not "
        "the one it expects.\n"
        if own
        else "It is a UNet2DModel, and needs nothing of ddpm_lib.\n"
    )
    classes, names = classes_of(checkpoint.model_config), checkpoint.about.classes
    called = ", ".join(f"{i} {_plain(name)}" for i, name in enumerate(names)) if classes else ""
    labels = f"`class_labels` are {called}, and {classes} for no class.\n" if called else ""
    return (
        f"A denoising diffusion model trained with ddpm_lib on {data}, {checkpoint.step:,} steps{begun}. {needs}\n"
        f"In this folder:\n\n```python\n{_code('.', checkpoint, own)}\n```\n\n"
        f"The chain has T = {T} steps; fewer should divide {T}. DDIMPipeline loads the folder too: to sample as "
        f"ddpm_lib does, call it with\n`use_clipped_model_output=True`.\n{labels}"
    )


def _plain(name: str) -> str:
    """A name as text in a page: neither HTML nor Markdown, and nothing that a terminal obeys."""
    return re.sub(r"([\\`*_{}\[\]()#!|])", r"\\\1", html.escape(shown(name)))
