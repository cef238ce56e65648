"""The pieces in order of worth, each with the minutes that it takes on one H200: measured up to speed."""

from __future__ import annotations

from functools import partial

from ddpm_lib.train.presets import LADDER
from tools.gpu import networks, tables
from tools.gpu.desk import Desk, Piece

STATED = {
    "classic-resnet": 0.3,
    "timed-resnet": 0.4,
    "wide-resnet": 0.8,
    "classic-small": 0.75,
    "classic-half": 1.55,
}


def plan() -> list[Piece]:
    """Everything there is to do."""
    rungs = [name for name in LADDER if name != "classic-unet"]
    return [
        Piece(
            "train unet",
            1.6,
            partial(networks.train, preset_name="classic-unet", name="unet", folder="weights"),
        ),
        Piece("card of unet", 0.6, partial(networks.card, name="unet")),
        Piece("unet by every step of DDPM", 0.55, partial(networks.every_step, name="unet")),
        Piece("ladder: classic-unet", 0.45, partial(networks.rung, name="classic-unet")),
        *(
            Piece(f"ladder: {name}", STATED[name], partial(networks.trained_rung, name=name))
            for name in reversed(rungs)
        ),
        *(
            Piece(f"speed: {work}", minutes, partial(tables.speed, work=work))
            for work, minutes in (("sample", 0.75), ("train", 2.5))
        ),
        Piece("what the U-Net's pieces are worth, eps", 2.0, partial(tables.pieces, target="eps", tables=5)),
        Piece("what the U-Net's pieces are worth, x0", 2.0, partial(tables.pieces, target="x0", tables=4)),
        Piece("what to predict", 1.5, tables.answers),
        Piece("flow matching", 1.5, tables.straight),
        Piece("where it goes", 1.5, tables.latents),
        Piece("train modern-unet-cond", 2.5, modern),
        Piece("card of modern-unet-cond", 0.6, partial(networks.card, name="modern-unet-cond")),
        Piece("speed: compiled", 2.5, partial(tables.speed, work="compiled")),
        Piece("from the classic recipe to cpu-minutes", 1.0, tables.recipe),
    ]


def modern(desk: Desk) -> None:
    """The better U-Net that knows the class, in two minutes."""
    seconds = None if desk.tiny else 120.0
    networks.train(desk, "modern-unet-cond", "modern-unet-cond", "weights", seconds)
