"""Train and measure all that the book ships, on a CUDA machine, in pieces that can be interrupted.

python -m tools.gpu                 do everything that is not done yet
python -m tools.gpu --minutes 8.5   stop by then; the next call goes on where this one stopped
python -m tools.gpu --tiny          the same pieces, each a hundred times smaller, on any machine: a rehearsal

Runs lie in runs/gpu; what is small enough to keep goes into the package as it gets ready: weights with their cards, and
the results of benchmarks/. A piece is done when its file says so, so a call after the last one does nothing.
"""

from __future__ import annotations

import argparse
import json
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import torch

from tools.serve import ROOT

OUT = ROOT / "runs" / "gpu"
MEASURED = ROOT / "ddpm_lib" / "assets" / "measured"


@dataclass(frozen=True)
class Piece:
    """One thing to do. A training run may be stopped at any time and resumed; the others take a few minutes."""

    name: str
    command: list[str]  # after `python -m`
    training: bool = False


@dataclass(frozen=True)
class Plan:
    """The preset that a shipped name is trained with."""

    name: str
    network: str
    preset: str
    stored: bool = True  # or its card alone, for all weights together stay under 40 MB


PLANS = [
    Plan("resnet", "resnet", "classic-resnet"),
    Plan("unet", "unet", "classic-unet"),
    Plan("modern-unet", "unet", "modern-unet", stored=False),
    Plan("modern-unet-cond", "unet", "modern-unet-cond"),
]


def pieces(device: str, out: Path, tiny: bool) -> list[Piece]:
    """Everything, in order: train each network, ship it, then measure."""
    found = []
    hardware = torch.cuda.get_device_name() if device == "cuda" else "a CPU, in a rehearsal"
    small = ["--steps", "20", "--batch", "4"] if tiny else []
    n = "130" if tiny else "2048"
    for plan in PLANS:
        run = out / plan.name
        train = [
            "ddpm_lib",
            "train",
            plan.network,
            "--preset",
            plan.preset,
            "--out",
            str(run),
            "--device",
            device,
        ]
        found.append(Piece(f"train {plan.name}", [*train, *small], training=True))
        ship = ["tools.ship", str(run / "checkpoint.safetensors"), plan.name, "--hardware", hardware]
        where = ["--folder", str(out / "weights")] if tiny else []
        where += [] if plan.stored else ["--card-only"]
        found.append(Piece(f"ship {plan.name}", [*ship, "--samples", n, *where]))
    for name, script in (("the ResNet's eight", "resnet_table"), ("the U-Net's pieces", "ablate")):
        small = ["--steps", "5", "--samples", "130", "--out", str(out / f"{script}.json")] if tiny else []
        found.append(Piece(name, [f"benchmarks.{script}", "--device", device, *small]))
    return found + speed(device, out, tiny)


def speed(device: str, out: Path, tiny: bool) -> list[Piece]:
    """The classic experiment on the fast path, whose time done.json keeps; then the benchmarks of speed."""
    classic = [
        "ddpm_lib",
        "train",
        "unet",
        "--preset",
        "classic-unet",
        "--device",
        device,
        "--precision",
        "bfloat16",
    ]
    small = ["--steps", "2", "--batch", "4"] if tiny else []
    found = [
        Piece(f"classic experiment, {how}", [*classic, "--out", str(out / f"classic {how}"), *flag, *small])
        for how, flag in (("compiled", ["--compile"]), ("not compiled", []))
        if not (tiny and flag)  # on a CPU compiling takes minutes
    ]
    where = out if tiny else MEASURED
    quick = {
        "peers": ["--quick", "--sizes", "0.3 M", "--batch", "4"],
        "growth": ["--quick", "--rounds", "1"],
        "paths": ["--steps", "10"],
        "scaling": ["--seconds", "1", "--rounds", "1"],
    }
    for name, options in quick.items():
        command = [f"benchmarks.{name}", "--out", str(where / f"gpu-{name}.json"), *(options if tiny else [])]
        on = [] if name == "scaling" else ["--device", device]  # it takes whatever there is
        found.append(Piece(f"speed: {name}", [*command, *on]))
    return found


def done(out: Path) -> dict[str, float]:
    """Names of the pieces that are done, with the seconds that each took."""
    path = out / "done.json"
    names: dict[str, float] = json.loads(path.read_text()) if path.is_file() else {}
    return names


def do(piece: Piece, out: Path, seconds_left: float) -> bool:
    """Run one piece for at most so long; a training run is stopped gently and goes on next time. True when done."""
    command = [sys.executable, "-m", *piece.command]
    checkpoint = out / piece.name.removeprefix("train ") / "checkpoint.safetensors"
    if piece.training and checkpoint.is_file():
        command = [
            sys.executable,
            "-m",
            "ddpm_lib",
            "train",
            "--resume",
            str(checkpoint),
            *_device(piece.command),
        ]
    begun = time.monotonic()
    process = subprocess.Popen(command, cwd=ROOT, preexec_fn=_interruptible)
    try:
        status = process.wait(timeout=seconds_left)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGINT)  # `train` saves and ends; anything else is begun anew
        process.wait()
        return False
    if status:
        raise SystemExit(f"'{piece.name}' failed with status {status}: the messages above say why.")
    marks = done(out)
    marks[piece.name] = round(time.monotonic() - begun, 1)
    (out / "done.json").write_text(json.dumps(marks, indent=1) + "\n")
    return True


def _interruptible() -> None:
    # A shell's background job ignores SIGINT, and so would what it starts: `make gpu &` could not stop gently.
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _device(command: list[str]) -> list[str]:
    i = command.index("--device")
    return command[i : i + 2]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--minutes", type=float, default=1e6, help="stop after so long, and go on next time")
    parser.add_argument(
        "--tiny", action="store_true", help="a rehearsal, a hundred times smaller, on any machine"
    )
    parser.add_argument("--out", type=Path, default=OUT, help="where the runs are kept")
    parser.add_argument("--anew", action="store_true", help="forget what was done before")
    args = parser.parse_args()

    device = "cuda" if torch.cuda.is_available() else "cpu"
    if device == "cpu" and not args.tiny:
        print("There is no CUDA device here: run this on a machine that has one, or rehearse with --tiny.")
        return 2
    if args.anew:
        shutil.rmtree(args.out, ignore_errors=True)
    args.out.mkdir(parents=True, exist_ok=True)
    end = time.monotonic() + 60 * args.minutes
    for piece in pieces(device, args.out, args.tiny):
        if piece.name in done(args.out):
            continue
        left = end - time.monotonic()
        print(f"==> {piece.name} ...", flush=True)
        if left < 5 or not do(piece, args.out, left):
            print(f"==> time is up during '{piece.name}': call this again to go on", flush=True)
            return 3
    print("==> all is trained and measured:", json.dumps(done(args.out)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
