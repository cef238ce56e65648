"""The ladder of networks: the same data, schedule, loss, optimizer and ten epochs, from 80 parameters to 13.8 million.

    OMP_NUM_THREADS=1 python -m benchmarks.ladder

A rung is a preset (`presets.LADDER`). Its weights are found in runs/<preset>, where `train` leaves them, in --weights
FOLDER, or among the shipped ones; a rung that is trained nowhere is left out. A row holds what the network is and cost
(`flops` of the whole training, `minutes`), `loss` by t on training digits and on held-out ones, the Frechet `distance`
of digits drawn by DDIM to the test set, `bits` per dimension (the bound, with its standard error), and the share of
drawn digits that the classifier names with p > 0.9 (`confident`). The row "real digits" says what is best: the least
loss that any network can have on the training digits (and what that answer gets on held-out ones), the distance and
share of real digits; the row "black paper" what an answer of 0 and black images get. ladder.png has 80 images a row:
64 digits, then one digit's way from noise in 16 moments; ladder-walk-<preset>.png has the ways of 16 digits, one below
the other. Rows that are there are kept.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

from benchmarks.arms import Drawn, Key, Row, distance, draw, run
from benchmarks.rungs import MOMENTS, best_loss, bits, confident, found, losses, times_of, walk
from ddpm_lib.data import ASSETS, mnist
from ddpm_lib.diffusion import GaussianDiffusion
from ddpm_lib.evaluate.generate import tile
from ddpm_lib.models import use_winograd
from ddpm_lib.models.trained import Trained
from ddpm_lib.train.machine.compiling import tune
from ddpm_lib.train.machine.cost import TRAINING, cost
from ddpm_lib.train.presets import LADDER, PRESETS

RESULT = ASSETS / "measured" / "ladder.json"
GRID = 64
BEST, NOTHING = "real digits", "black paper"
WALKS = ("classic-resnet", "classic-half", "classic-unet")  # whose walks of 16 digits are kept


def measure_rung(
    checkpoint: Trained, args: argparse.Namespace, trained_on: str, walks: Path | None
) -> tuple[Row, Tensor]:
    """The row of one trained network and its pictures; its walks are written to `walks`."""
    device, diffusion, images = args.device, checkpoint.diffusion, checkpoint.training["batch"]
    network = checkpoint.network().to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    use_winograd(network, checkpoint.training.get("winograd", 0))
    x = draw(network, diffusion, Drawn(args.samples, args.ddim, device))
    path = walk(network, diffusion, device)
    if walks is not None:
        walks.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(tile(path, MOMENTS, pad=0).squeeze(-1)).save(walks, optimize=True)
    counted = cost(checkpoint.model_config, 28)
    mean, error = bits(network, diffusion, args.bits, device)
    row = {
        "trained on": trained_on,
        "parameters": counted.parameters,
        "epochs": round(checkpoint.step * images / len(mnist()), 2),
        "flops": float(f"{TRAINING * counted.flops * checkpoint.step * images:.4g}"),
        "minutes": float(f"{checkpoint.seconds / 60:.3g}"),
        "loss": losses(network, diffusion, args.losses, device, train=True),
        "loss held out": losses(network, diffusion, args.losses, device, train=False),
        "distance": distance(x),
        "bits": mean,
        "bits error": error,
        "confident": confident(x),
    }
    return row, torch.cat([x[:GRID], path[:MOMENTS]])


def measure_reference(name: str, args: argparse.Namespace) -> tuple[Row, Tensor]:
    """What is best, or what comes for nothing."""
    diffusion = GaussianDiffusion(PRESETS[LADDER[0]].noise_schedule())
    n = max(args.samples, GRID + MOMENTS)
    if name == BEST:
        x = mnist().x0(slice(0, n))
        loss, held_out = (best_loss(diffusion, args.losses, args.device, train) for train in (True, False))
    else:
        x = torch.full((n, 1, 28, 28), -1.0)
        loss = held_out = {str(t): 1.0 for t in times_of(diffusion)}
    row = {"loss": loss, "loss held out": held_out}
    return {**row, "distance": distance(x[: args.samples]), "confident": confident(x)}, x


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--runs", type=Path, default=Path("runs"), help="where the runs lie (default: runs)")
    parser.add_argument("--weights", type=Path, nargs="+", default=[], help="folders of exported weights")
    parser.add_argument("--on", default="", help="where they were trained, where no machine.json says so")
    parser.add_argument("--rungs", choices=LADDER, nargs="+", default=list(LADDER))
    parser.add_argument("--unfinished", action="store_true", help="also networks of fewer than ten epochs")
    parser.add_argument("--samples", type=int, default=2048, help="digits drawn a network (default: 2048)")
    parser.add_argument("--ddim", type=int, default=50, help="steps that they are drawn in (default: 50)")
    parser.add_argument(
        "--bits", type=int, default=64, help="digits that the bound is taken of (default: 64)"
    )
    parser.add_argument(
        "--losses", type=int, default=512, help="digits that losses are taken of (default: 512)"
    )
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--out", type=Path, default=RESULT, help="the JSON file")
    args = parser.parse_args(argv)

    tune(torch.device(args.device))
    trained = found([args.runs, *args.weights], args.unfinished, args.rungs)
    for name in set(args.rungs) - set(trained):
        print(f"{name} is trained nowhere yet and left out", flush=True)

    def measure(key: Key) -> tuple[Row, Tensor]:
        name = key["rung"]
        if name in (BEST, NOTHING):
            return measure_reference(name, args)
        walks = args.out.with_name(f"{args.out.stem}-walk-{name}.png") if name in WALKS else None
        about = args.runs / name / "machine.json"
        trained_on = json.loads(about.read_text())["processor"] if about.is_file() else args.on
        return measure_rung(trained[name], args, trained_on, walks)

    head = {
        "what": f"loss by t, Frechet distance of {args.samples} digits (DDIM, {args.ddim} steps), bits, sure digits",
        "device": args.device if args.device == "cpu" else torch.cuda.get_device_name(),
        "samples": args.samples,
        "bits of": args.bits,
        "losses of": args.losses,
    }
    keys: list[Key] = [{"rung": NOTHING}, {"rung": BEST}]
    keys += [{"rung": name, "steps": checkpoint.step} for name, checkpoint in trained.items()]
    run(args.out, head, keys, measure, GRID + MOMENTS)
    return 0


if __name__ == "__main__":
    sys.exit(main())
