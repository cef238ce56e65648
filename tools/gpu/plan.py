"""The pieces in order of worth, each with the minutes that it takes on one H200: measured, but for the last six."""

from __future__ import annotations

import time
from functools import partial

from benchmarks import ablate, bridge, gpu_speed
from ddpm_lib.data import mnist
from ddpm_lib.train.presets import LADDER, PRESETS
from tools.gpu import networks
from tools.gpu.desk import Desk, Piece

EPOCHS = 10
RESERVE = 5.0  # seconds between the end of the last arm and the end
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
            Piece(f"speed: {work}", minutes, partial(speed, work=work))
            for work, minutes in (("sample", 0.75), ("train", 2.5))
        ),
        Piece("train modern-unet-cond", 2.5, modern),
        Piece("card of modern-unet-cond", 0.6, partial(networks.card, name="modern-unet-cond")),
        Piece("speed: compiled", 2.5, partial(speed, work="compiled")),
        Piece("what the U-Net's pieces are worth, eps", 1.0, partial(pieces, target="eps")),
        Piece("what the U-Net's pieces are worth, x0", 1.0, partial(pieces, target="x0")),
        Piece("from the classic recipe to cpu-minutes", 1.0, recipe),
    ]


def modern(desk: Desk) -> None:
    """The better U-Net that knows the class, in two minutes."""
    seconds = None if desk.tiny else 120.0
    networks.train(desk, "modern-unet-cond", "modern-unet-cond", "weights", seconds)


def speed(desk: Desk, work: str) -> None:
    """Rows of gpu-speed.json."""
    quick = ["--quick"] if desk.tiny else []
    out = str(desk.measured("gpu-speed.json"))
    gpu_speed.main(["--work", work, "--device", desk.device, "--out", out, *quick])


def pieces(desk: Desk, target: str) -> None:
    """As many arms as fit, ten epochs each; the next call goes on after them."""
    batch = PRESETS["cpu-minutes"].train.batch
    steps = 2 if desk.tiny else EPOCHS * len(mnist()) // batch
    few = ["--seeds", "1", "--samples", "130", "--arms", "the whole", "no skips"] if desk.tiny else []
    out = desk.measured(ablate.TARGETS[target].name)
    # half of what is left for one target, the rest for the other
    until = time.monotonic() + (desk.left() / 2 if target == "eps" else desk.left()) - RESERVE
    options = ["--steps", str(steps), "--target", target, "--device", desk.device, "--out", str(out), *few]
    desk.unfinished = not ablate.main(options, until)


def recipe(desk: Desk) -> None:
    """As many arms of the bridge as fit, ten epochs each."""
    batch = PRESETS["classic-small"].train.batch
    steps = 2 if desk.tiny else EPOCHS * len(mnist()) // batch
    few = ["--seeds", "1", "--samples", "130", "--ddim", "4"] if desk.tiny else []
    options = [
        "--steps",
        str(steps),
        "--device",
        desk.device,
        "--out",
        str(desk.measured("bridge.json")),
        *few,
    ]
    desk.unfinished = not bridge.main(options, desk.end - RESERVE)
