"""The process that does the pieces, one after the other, until the time is up or one fails."""

from __future__ import annotations

import sys
import time
import traceback
from pathlib import Path

import torch

from benchmarks.networks import NotInstalled
from ddpm_lib.train.machine.compiling import tune
from tools.gpu.desk import Desk
from tools.gpu.rehearsal import shrink
from tools.gpu.state import FAILED, State


def work(folder: Path, seconds: float, tiny: bool, only: list[str] | None) -> int:
    """Do every piece that is not done yet and fits; results lie below `folder`. The status is FAILED after an error."""
    end = time.monotonic() + seconds
    cuda = torch.cuda.is_available()
    if not cuda and not tiny:
        print("There is no CUDA device here: run this on a machine that has one, or rehearse with --tiny.")
        return 2
    if tiny:
        shrink()  # before what reads the presets is imported
    from tools.gpu.plan import plan

    device = torch.device("cuda" if cuda else "cpu")
    tune(device)
    torch.backends.cudnn.benchmark = cuda
    hardware = torch.cuda.get_device_name() if cuda else "a CPU, in a rehearsal"
    desk, state = Desk(folder, device.type, hardware, tiny, end), State(folder)
    python = ".".join(map(str, sys.version_info[:3]))
    desk.say(f"{hardware}, torch {torch.__version__}, Python {python}, {desk.left() / 60:.1f} minutes left")
    for piece in plan():
        if piece.name in {**state.done, **state.failed} or not _asked(piece.name, only):
            continue
        minutes = 0.0 if tiny else piece.minutes
        if 60 * minutes > desk.left():
            state.left_out[piece.name] = f"it takes {minutes:.1f} min and {desk.left() / 60:.1f} are left"
            state.save()
            desk.say(f"==> left out: {piece.name}: {state.left_out[piece.name]}")
            continue
        desk.say(f"==> {piece.name} (stated: {minutes:.1f} min, {desk.left() / 60:.1f} left)")
        begun, state.begun = time.monotonic(), piece.name
        state.save()
        try:
            piece.do(desk)
        except NotInstalled as missing:
            state.not_measured[piece.name], state.begun = str(missing), None
            desk.say(f"==> {piece.name}: {missing}")
        except Exception as error:
            traceback.print_exc()
            state.failed[piece.name], state.begun = f"{type(error).__name__}: {error}"[:500], None
            state.save()
            desk.say(f"==> FAILED: {piece.name}: {state.failed[piece.name]}")
            return FAILED
        else:
            state.begun = None
            if not desk.unfinished:
                state.done[piece.name] = round(time.monotonic() - begun, 1)
            desk.unfinished = False
        state.save()
    return 0


def _asked(name: str, only: list[str] | None) -> bool:
    return only is None or any(name.startswith(each) for each in only)
