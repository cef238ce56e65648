"""Where it goes: an autoencoder of digits, and three denoisers of its latent: a U-Net, a DiT, and one told in words.

    OMP_NUM_THREADS=1 python -m benchmarks.where --save runs/where --seeds 1 --install
    python -m benchmarks.where --save runs/where --device cuda --only unet dit words

benchmarks/latents.py trains what does not lie in the folder yet. A row has what decoded digits are worth, beside real
digits, beside what the autoencoder makes of real digits, and beside `cpu-minutes`, which works on pixels; "cost"
counts multiply-adds, and times the networks in turn; "words" has, for every phrase, how many of its digits were named
0 to 9. The denoisers of all seeds work in the latent of one autoencoder; "unet-long" is the U-Net, trained
for as much arithmetic as `cpu-minutes`, the autoencoder's included. The chapter "Where it goes" reads the result,
ddpm_lib/assets/measured/where.json.
"""

from __future__ import annotations

import argparse
import math
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

import ddpm_lib
from benchmarks.arms import Key, Row, evenly, reference, run
from benchmarks.jobs import add_jobs, in_turn
from benchmarks.latents import (
    DIFFUSION,
    KL_WEIGHT,
    LATENT,
    NETWORKS,
    decoded,
    encoded,
    install,
    trained,
    trained_autoencoder,
)
from benchmarks.where_cost import cost
from ddpm_lib.data import ASSETS, mnist
from ddpm_lib.data.phrases import PHRASES, UNSEEN
from ddpm_lib.denoiser import Denoiser
from ddpm_lib.evaluate.classifier import digit_classifier, in_batches
from ddpm_lib.evaluate.generate import class_labels, generate, with_guidance
from ddpm_lib.evaluate.metrics import digit_classes, frechet_distance, recall
from ddpm_lib.models import Autoencoder

RESULT = ASSETS / "measured" / "where.json"
SHOWN = 20
DRAWS = 10  # sets of real digits, without a common one, over whose figures the mean is taken


class Judge:
    """What is measured of digits, n of them."""

    def __init__(self, n: int) -> None:
        self.n = n
        self.test = reference()

    def __call__(self, x: Tensor, y: Tensor | None) -> Row:
        features = in_batches(digit_classifier().features, x)
        return {
            "distance": round(frechet_distance(features, self.test), 2),
            "recall": round(recall(self.test[: self.n], features), 3),
            "named": None if y is None else round(digit_classes(x, y).agreement or 0.0, 4),
            "gray": round(float((x.abs() < 0.5).float().mean()), 4),
        }


def drawn(
    denoiser: Denoiser, shape: tuple[int, ...], n: int, y: Tensor | None, steps: int, device: str = "cpu"
) -> Tensor:
    """n images or latents by DDIM, labels given; latents are not clipped."""
    each = generate(denoiser, DIFFUSION, shape, range(n), y=y, steps=steps, clip=shape[0] == 1, device=device)
    return torch.cat(list(each))


def measure(
    judge: Judge, save: Path, steps: dict[str, int], draw_steps: int, device: str, key: Key
) -> tuple[Row, Tensor]:
    """One row, and some of its pictures."""
    autoencoder, arm = trained_autoencoder(save / "autoencoder.safetensors", steps["autoencoder"]), key["arm"]
    if arm in ("real", "autoencoder"):
        return real(judge, autoencoder if arm == "autoencoder" else None)
    if arm == "cost":
        return cost(save, steps, autoencoder), torch.zeros(SHOWN, 1, 28, 28)
    if arm == "pixels":
        network = with_guidance(ddpm_lib.load("cpu-minutes").network(), key["w"])
        y = class_labels(judge.n, 10)
        x = drawn(network, (1, 28, 28), judge.n, y, draw_steps)
        return judge(x, y), x
    kept = trained(arm, save, steps[arm], autoencoder, key["seed"], device)
    network = with_guidance(kept.network().to(device), key["w"])
    took = {"steps": kept.step, "seconds": kept.seconds}
    if arm == "words":
        y = torch.arange(len(PHRASES)).repeat_interleave(key["each"])
        x = decoded(autoencoder, drawn(network, LATENT, len(y), y, draw_steps, device))
        named = in_batches(digit_classifier(), x).argmax(dim=1).split(key["each"])
        counts = {
            name: torch.bincount(n, minlength=10).tolist() for name, n in zip(PHRASES, named, strict=True)
        }
        return {**took, "counts": counts}, x[:: len(x) // SHOWN]
    y = class_labels(judge.n, 10)
    x = decoded(autoencoder, drawn(network, LATENT, judge.n, y, draw_steps, device))
    return {**judge(x, y), **took}, x


def real(judge: Judge, autoencoder: Autoencoder | None) -> tuple[Row, Tensor]:
    """Real training digits, with classes as even as the networks', or what the autoencoder makes of them."""
    data, rows, first = mnist(), list[Row](), torch.empty(0)
    assert data.y is not None
    for k in range(DRAWS):
        places = evenly(data.y, judge.n, k)
        x = data.x0(places)
        if autoencoder is not None:
            x = decoded(autoencoder, encoded(autoencoder, x))
        rows.append(judge(x, data.y[places]))
        first = first if k else x
    row: Row = {name: round(sum(r[name] for r in rows) / DRAWS, 4) for name in rows[0]}
    if autoencoder is not None:
        test = mnist(train=False).x0()
        error = (decoded(autoencoder, encoded(autoencoder, test)) - test).square().mean()
        row["error"] = round(float(error), 5)
    return {**row, "draws": DRAWS}, first


def main(argv: list[str] | None = None, until: float = math.inf) -> bool:
    """Measure what is missing; no row is begun that would not end by `until` (see arms.run). True when none is left."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument(
        "--steps", type=int, default=1_500, help="of each denoiser's training (default: 1500)"
    )
    parser.add_argument(
        "--words-steps", type=int, default=2_000, help="of the one told in words (default: 2000)"
    )
    parser.add_argument(
        "--long-steps",
        type=int,
        default=8_750,
        help="of a U-Net that costs, with the autoencoder, as much as the one on pixels (default: 8750)",
    )
    parser.add_argument("--autoencoder-steps", type=int, default=2_000, help="(default: 2000)")
    parser.add_argument("--samples", type=int, default=512, help="digits a row (default: 512)")
    parser.add_argument("--each", type=int, default=12, help="digits a phrase (default: 12)")
    parser.add_argument("--seeds", type=int, default=3, help="denoisers a row (default: 3)")
    add_jobs(parser)
    parser.add_argument("--save", type=Path, default=Path("runs/where"), help="a folder for the weights")
    parser.add_argument("--train", choices=(*NETWORKS, "autoencoder"), help="train this one and stop")
    parser.add_argument("--install", action="store_true", help="put the chapter's weights into the package")
    parser.add_argument("--only", nargs="+", help="arms to measure now (default: all)")
    parser.add_argument("--out", type=Path, default=RESULT, help="the JSON file")
    args = parser.parse_args(argv)
    steps = dict.fromkeys(NETWORKS, args.steps)
    steps |= {"words": args.words_steps, "autoencoder": args.autoencoder_steps, "unet-long": args.long_steps}
    if args.train:
        autoencoder = trained_autoencoder(args.save / "autoencoder.safetensors", steps["autoencoder"])
        if args.train != "autoencoder":
            trained(args.train, args.save, steps[args.train], autoencoder)
        return True
    head = {
        "what": f"{args.samples} digits each, of networks on a latent of 7 x 7 x 4 and on pixels",
        "samples": args.samples,
        "ddim": min(25, DIFFUSION.T),
        "kl_weight": KL_WEIGHT,
        "unseen": list(UNSEEN),
    }
    keys: list[Key] = [{"arm": "real"}, {"arm": "autoencoder"}]
    keys.append({"arm": "pixels", "w": 0.5})
    for seed in range(args.seeds):
        keys += [{"arm": arm, "w": 0.5, "seed": seed} for arm in ("unet", "dit")]
        keys += [{"arm": "words", "w": w, "each": args.each, "seed": seed} for w in (0.5, 2.0)]
    keys.append({"arm": "cost"})
    keys += [{"arm": "unet-long", "w": 0.5, "seed": seed} for seed in range(args.seeds)]
    keys = [key for key in keys if not args.only or key["arm"] in args.only]
    how = partial(measure, Judge(args.samples), args.save, steps, head["ddim"], args.device)
    if args.jobs > 1:  # each network once, before two rows ask for one
        networks = sorted({(key["arm"], key["seed"]) for key in keys if "seed" in key})
        one = partial(_train, args.save, steps, args.device)
        list(in_turn(networks, one, until, args.jobs))
    done = run(args.out, head, keys, how, SHOWN, until, args.jobs)
    if args.install:
        install(args.save)
    return done


def _train(save: Path, steps: dict[str, int], device: str, which: tuple[str, int]) -> None:
    name, seed = which
    autoencoder = trained_autoencoder(save / "autoencoder.safetensors", steps["autoencoder"])
    trained(name, save, steps[name], autoencoder, seed, device)


if __name__ == "__main__":
    raise SystemExit(not main())
