"""`train --init`: a run that begins with trained weights, whose network and noise it keeps."""

from __future__ import annotations

import argparse
from dataclasses import dataclass, replace
from pathlib import Path

from ddpm_lib import load
from ddpm_lib.cli.classes import check_classes
from ddpm_lib.cli.common import UsageError, typed
from ddpm_lib.data.errors import counted, some
from ddpm_lib.data.folder import BUILT_IN
from ddpm_lib.data.stream import Images
from ddpm_lib.data.stream.open import holds_shards
from ddpm_lib.models import WordsConfig, classes_of
from ddpm_lib.models.storage import file_of
from ddpm_lib.models.trained import Trained, kind_of

CHOSEN = ("width", "levels", "predicts", "schedule", "T")  # what the weights have settled


@dataclass(frozen=True)
class Init:
    """The weights that a run begins with: `name` is how the command line calls them."""

    name: str
    trained: Trained  # with the averaged network's tensors alone

    def __str__(self) -> str:
        schedule = self.trained.schedule
        return (
            f"{self.name}: its network, its noise ({schedule.name}, T = {schedule.T}) and its averaged weights "
            f"({self.trained.history})"
        )


def read_init(args: argparse.Namespace) -> Init | None:
    """The weights of --init, which the loop can train on images. Raises UsageError or CheckpointError for others."""
    name = args.init
    if name is None:
        return None
    if args.resume:
        raise UsageError(
            "--resume goes on with a run, and --init begins a new one with trained weights: pass one of the two."
        )
    for option in CHOSEN:
        if getattr(args, option) is not None:
            said = f"-{option}" if len(option) == 1 else f"--{option}"
            raise UsageError(
                f"{said} would change the network or the noise of {name}, which --init keeps: leave out {said}, or "
                "train a new network, without --init."
            )
    if (Path(name) / "model_index.json").is_file() and not file_of(name).exists():
        raise UsageError(
            f"{name} is a folder of diffusers, and no weights of ddpm_lib: run `python -m ddpm_lib import "
            f"{typed(name)}`, and pass --init the file that it writes."
        )
    trained = load(name)
    _check_kind(name, trained, args.model)
    kept = {f"ema.{key}": tensor for key, tensor in trained.part("ema.").items()}
    return Init(name, replace(trained, tensors=kept))


def _check_kind(name: str, trained: Trained, model: str | None) -> None:
    """Raise UsageError for a network that draws no images, was not trained by Algorithm 1, or is no `model`."""
    shape, kind = trained.about.shape, kind_of(trained.model_config)
    if len(shape) != 3 or shape[0] not in (1, 3):
        what = f"points of {counted(shape[0], 'number')}" if len(shape) == 1 else f"examples of shape {shape}"
        raise UsageError(
            f"{name} draws {what}, and `train` reads grey or color images: pass weights that draw images, or train it "
            "in Python, with ddpm_lib.load and ddpm_lib.train."
        )
    if "teacher" in trained.training:
        raise UsageError(
            f"{name} was distilled from {trained.training['teacher']} to draw in few steps, which `train` would undo: "
            "begin with the weights of its teacher."
        )
    if model not in (None, kind):
        raise UsageError(
            f"{name} is a {kind}, and not a {model}: leave out {model}, or train a new one, without --init."
        )


def sides(args: argparse.Namespace, init: Init, source: str) -> dict[str, int | None]:
    """The size and the channels that `source` is opened with: those of the weights, where images can be made to fit."""
    channels, height, width = init.trained.about.shape
    if args.channels not in (None, channels):
        raise UsageError(
            f"{init.name} draws images of {counted(channels, 'channel')}, and --channels says {args.channels}: leave "
            "it out, or begin with other weights."
        )
    if source in BUILT_IN or holds_shards(Path(source)):
        return {"size": args.size, "channels": args.channels}  # as they are: check_fit says what does not fit
    if args.size is None and height != width:
        raise UsageError(
            f"{init.name} draws {height} x {width} pixels, and images are read as squares: say their side with --size."
        )
    return {"size": args.size or width, "channels": channels}


def check_fit(init: Init, data: Images, source: str) -> None:
    """Raise UsageError where the network cannot learn from these images; say so where its classes get new names."""
    trained, found = init.trained, data.classes
    channels, classes, known = trained.about.shape[0], classes_of(trained.model_config), trained.about.classes
    if data.shape[0] != channels:
        raise UsageError(
            f"{init.name} draws images of {counted(channels, 'channel')}, and those of {source} have {data.shape[0]}: "
            "pass other images with --data, or begin with other weights."
        )
    if not classes:
        return
    if isinstance(trained.model_config, WordsConfig):  # a label of another name is another phrase
        check_classes(trained.model_config.phrases, found, source, init.name)
    if len(found) != classes:
        has = f"{len(found)} ({some(found)})" if found else "none"
        raise UsageError(
            f"{init.name} knows {counted(classes, 'class', 'classes')}, and {source} has {has}: sort the images into "
            f"{counted(classes, 'subfolder')}, one a class, or begin with weights that know no classes."
        )
    if known and known != found:
        print(f"The classes of {init.name} were {some(known)}; from here on they are {some(found)}.")
