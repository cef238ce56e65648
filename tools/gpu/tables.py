"""The pieces that measure many arms: the tables of the chapters."""

from __future__ import annotations

import os
import shutil
import time

from benchmarks import ablate, bridge, flow_matching, gpu_speed, predict, where
from ddpm_lib.assets import measured
from ddpm_lib.assets.latent import FOLDER as LATENT
from ddpm_lib.data import mnist
from ddpm_lib.train.presets import PRESETS
from tools.gpu.desk import Desk

EPOCHS = 10
STEPS = 3_000  # of arms that a CPU trains for 600 to 1,500
RESERVE = 5.0  # seconds between the end of the last arm and the end


def _where(desk: Desk) -> list[str]:
    """On a GPU as many arms at once as it has cores to feed it; two are kept for the system."""
    jobs = max(1, (os.cpu_count() or 1) - 2) if desk.device == "cuda" else 1
    return ["--device", desk.device, "--jobs", str(jobs)]


def _ten_epochs(desk: Desk, preset: str) -> list[str]:
    return ["--steps", str(2 if desk.tiny else EPOCHS * len(mnist()) // PRESETS[preset].train.batch)]


def speed(desk: Desk, work: str) -> None:
    """Rows of gpu-speed.json."""
    quick = ["--quick"] if desk.tiny else []
    out = str(desk.measured("gpu-speed.json"))
    gpu_speed.main(["--work", work, "--device", desk.device, "--out", out, *quick])


def _until(desk: Desk, tables: int) -> float:
    """When to begin no more arms, if so many tables share what is left."""
    return time.monotonic() + (desk.left() - RESERVE) / tables


def pieces(desk: Desk, target: str, tables: int) -> None:
    """As many arms as fit, ten epochs each; the next call goes on after them."""
    few = ["--seeds", "1", "--samples", "130", "--arms", "the whole", "no skips"] if desk.tiny else []
    out = ["--target", target, "--out", str(desk.measured(ablate.TARGETS[target].name))]
    options = [*_ten_epochs(desk, "cpu-minutes"), *_where(desk), *out, *few]
    desk.unfinished = not ablate.main(options, _until(desk, tables))


def recipe(desk: Desk) -> None:
    """As many arms of the bridge as fit, ten epochs each."""
    few = ["--seeds", "1", "--samples", "130", "--ddim", "4"] if desk.tiny else []
    out = ["--device", desk.device, "--out", str(desk.measured("bridge.json"))]
    desk.unfinished = not bridge.main([*_ten_epochs(desk, "classic-small"), *out, *few], desk.end - RESERVE)


def answers(desk: Desk) -> None:
    """As many arms of the grid of answers and weightings as fit."""
    few = ["--steps", "1", "--seeds", "1", "--samples", "130", "--digits", "2", "--answers", "x0"]
    whole = ["--steps", str(STEPS), "--samples", "1024", "--digits", "64", "--width", "32"]
    out = ["--out", str(desk.measured("predict.json"))]
    options = [*(few if desk.tiny else whole), *_where(desk), *out]
    desk.unfinished = not predict.main(options, _until(desk, 3))


def straight(desk: Desk) -> None:
    """As many arms of flow matching beside the course's recipe as fit."""
    few = ["--steps", "1", "--seeds", "1", "--samples", "130", "--only", "u weighted as ddpm"]
    whole = ["--steps", str(STEPS), "--samples", "1024"]
    out = ["--out", str(desk.measured("flow_matching.json"))]
    options = [*(few if desk.tiny else whole), *_where(desk), *out]
    desk.unfinished = not flow_matching.main(options, _until(desk, 2))


def latents(desk: Desk) -> None:
    """The rows of Where it goes that the package lacks: three seeds of every denoiser, in the latent that it ships."""
    save, out = desk.work / "scratch" / "where", desk.measured("where.json")
    if not out.is_file() and not desk.tiny:
        for suffix in (".json", ".png"):
            shutil.copyfile(measured.FOLDER / f"where{suffix}", out.with_suffix(suffix))
    save.mkdir(parents=True, exist_ok=True)
    for path in LATENT.glob("*.safetensors"):
        shutil.copyfile(path, save / path.name)
    few = ["--steps", "1", "--seeds", "1", "--samples", "130", "--only", "unet"]
    whole = ["--only", "unet", "dit", "words"]
    options = [*(few if desk.tiny else whole), *_where(desk), "--save", str(save), "--out", str(out)]
    desk.unfinished = not where.main(options, _until(desk, 1))
