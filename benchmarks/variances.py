"""The variance of a reverse step: bits and digits of `cpu-hour` in few steps, by how wide a step is.

    OMP_NUM_THREADS=1 python -m benchmarks.variances

The means are those of the shipped network, whatever the variance. It is beta, beta_tilde, the best one for each time
or for each time and pixel (measured on training digits), or learned: a small U-Net that sees x_t, the guess of the
image and t answers nu for every pixel, and a variance for the step that ends in the image (benchmarks/spread.py).
Bits are those of test digits, "error" is their standard error, "last" the cost of the last step: there the variance
is beta for the paper's two, the network's for "learned, last too", and one number, the best of a grid, for the others.
The distance is `metrics.frechet_distance` of what is drawn to the test set: one figure for each draw, every draw from
noise of its own and the same for all variances, then their mean and their standard deviation. The chapter "The
variance of a step" reads the result, ddpm_lib/assets/measured/variances.json. Chains that --counts and --drawn leave
out keep the rows that they have there.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Iterator, Sequence
from functools import cache, lru_cache
from itertools import pairwise, product
from pathlib import Path
from statistics import mean, stdev

import torch
from torch import Tensor

import ddpm_lib
from benchmarks.arms import distance
from benchmarks.machine import machine
from benchmarks.rows import Row, compact
from benchmarks.spread import SMALL, install, kept
from ddpm_lib.bound import bits_per_dim, level_log_prob, prior_term
from ddpm_lib.data import ASSETS, mnist
from ddpm_lib.denoiser import Time
from ddpm_lib.diffusion import GaussianDiffusion
from ddpm_lib.evaluate.generate import class_labels, generate
from ddpm_lib.further.variances import best_variance, between_variances, learned_variance, step_kl
from ddpm_lib.models import UNet
from ddpm_lib.sampling import Noise, timesteps

RESULT, SHAPE = ASSETS / "measured" / "variances.json", (1, 28, 28)
COUNTS, DRAWN = (5, 10, 25, 50, 100, 500), (10, 25)
Kind = tuple[str, int | None]  # the name of a variance, and the seed where it is learned
TABLES: tuple[Kind, ...] = tuple(
    (name, None) for name in ("beta", "beta_tilde", "best by t", "best by t and pixel")
)
Heads = dict[int, UNet]


class Judge:
    """`cpu-hour`, whose means are the same whatever the variance, with n test digits and n training digits."""

    def __init__(self, n: int) -> None:
        checkpoint = ddpm_lib.load("cpu-hour")
        self.net, self.diffusion = checkpoint.network(), checkpoint.diffusion
        self.n, self.noise = n, Noise(range(n), SHAPE)()
        self.guesses, self.square = lru_cache(maxsize=2)(self._guesses), cache(self._square)

    def _guesses(self, train: bool, t: int) -> tuple[Tensor, Tensor, Tensor]:
        """Digits, the same at time t, and what the network makes of these."""
        images = mnist(train)
        x0, xt, x0_hat = images.x0(slice(0, self.n)), [], []
        assert images.y is not None
        for some in torch.arange(self.n).split(64):
            xt.append(self.diffusion.q_sample(x0[some], t, self.noise[some]))
            x0_hat.append(self.diffusion.denoise(self.net, xt[-1], t, y=images.y[some])[0])
        return x0, torch.cat(xt), torch.cat(x0_hat)

    def _square(self, t: int) -> Tensor:
        """The mean square of the error of every pixel of training digits."""
        x0, _, x0_hat = self.guesses(True, t)
        return (x0_hat - x0).square().mean(0).double()

    def options(self, heads: Heads, xt: Tensor, x0_hat: Tensor, t: int, s: int) -> dict[Kind, Tensor]:
        """The variances to choose from, of a step from t to s."""
        said = {seed: learned_variance(head, xt, x0_hat, t) for seed, head in heads.items()}
        if s == 0:  # no Gaussian: the best of a grid, on the training digits
            x0, _, guess = self.guesses(True, t)
            grid = torch.logspace(-6, 0, 49)
            tried = [-float(level_log_prob(x0, guess, v).mean()) for v in grid.tolist()]
            best, beta = grid[tried.index(min(tried))], self.diffusion.reverse_variance(xt, t, 0, "beta")
            named = dict(zip(TABLES, (beta, beta, best, best), strict=True))
            for seed, (_, variance) in said.items():
                named |= {("learned", seed): best, ("learned, last too", seed): variance}
            return named
        beta, small = (self.diffusion.reverse_variance(xt, t, s, kind) for kind in ("beta", "beta_tilde"))
        square = self.square(t)
        best, each = (best_variance(self.diffusion, xt, t, s, e).float() for e in (square.mean(), square))
        named = dict(zip(TABLES, (beta, small, best, each), strict=True))
        for seed, (nu, _) in said.items():
            between = between_variances(self.diffusion, xt, t, s, nu)
            named |= {("learned", seed): between, ("learned, last too", seed): between}
        return named


@torch.inference_mode()
def bits(judge: Judge, heads: Heads, counts: Sequence[int]) -> list[Row]:
    """A row for every chain and variance: bits per pixel of test digits, the cost of the last step among them."""
    diffusion = judge.diffusion
    prior = prior_term(diffusion, mnist(False).x0(slice(0, judge.n))).double()
    nats: dict[tuple[int, Kind], Tensor] = {}
    last: dict[tuple[int, Kind], Tensor] = {}
    strides = [(t, s, n) for n in counts for t, s in pairwise(timesteps(diffusion.T, n))]
    for t, s, count in sorted(strides, reverse=True):  # the network is asked once for each t
        x0, xt, x0_hat = judge.guesses(False, t)
        for kind, variance in judge.options(heads, xt, x0_hat, t, s).items():
            if s:
                cost = step_kl(diffusion, x0, xt, t, s, x0_hat, variance)
            else:
                cost = -level_log_prob(x0, x0_hat, variance)
            last[count, kind] = cost.flatten(1).sum(1).double()
            nats[count, kind] = nats.get((count, kind), prior) + last[count, kind]
    rows = []
    for count in counts:
        for kind in (kind for n, kind in nats if n == count):
            each, end = (bits_per_dim(x[count, kind], math.prod(SHAPE)) for x in (nats, last))
            figures = {"bits": each.mean(), "error": each.std() / math.sqrt(judge.n), "last": end.mean()}
            rows.append(_row(kind, count) | {key: round(float(x), 3) for key, x in figures.items()})
    return rows


def pictures(judge: Judge, heads: Heads, counts: Sequence[int], n: int, draws: int) -> Iterator[Row]:
    """A row for every chain and variance: the distance of n digits in each draw, their last step without noise."""
    for count, kind in product(counts, (*TABLES[:3], *(("learned", seed) for seed in heads))):
        own = {seed: head for seed, head in heads.items() if seed == kind[1]}

        def step(
            diffusion: GaussianDiffusion, xt: Tensor, t: Time, s: Time, x0_hat: Tensor, _: Tensor, z: Tensor,
            *__: object, kind: Kind = kind, own: Heads = own,
        ) -> Tensor:  # fmt: skip
            center, _ = diffusion.q_posterior(x0_hat, xt, t, s)
            return center + judge.options(own, xt, x0_hat, int(t), int(s))[kind].sqrt() * z if s else center

        y, each = class_labels(n, 10), []
        for first in range(0, draws * n, n):
            seeds = range(first, first + n)
            x = generate(judge.net, judge.diffusion, SHAPE, seeds, y=y, step=step, steps=count)
            each.append(distance(torch.cat(list(x))))
        off = {"spread": round(stdev(each), 2)} if draws > 1 else {}
        print(kind, count, each, flush=True)
        yield _row(kind, count) | {"distance": round(mean(each), 2)} | off | {"draws": each}


def _row(kind: Kind, count: int) -> Row:
    name, seed = kind
    return {"steps": count, "variance": name} | ({} if seed is None else {"seed": seed})


def main(argv: list[str] | None = None) -> None:
    """Train what is missing, measure and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument(
        "--steps", type=int, default=1000, help="of the training of variances (default: 1000)"
    )
    parser.add_argument("--seeds", type=int, default=3, help="networks that answer variances (default: 3)")
    parser.add_argument("--digits", type=int, default=128, help="test digits that are coded (default: 128)")
    parser.add_argument("--samples", type=int, default=256, help="digits of a draw (default: 256)")
    parser.add_argument(
        "--draws", type=int, default=3, help="draws a row, each from noise of its own (default: 3)"
    )
    parser.add_argument("--counts", type=int, nargs="*", default=COUNTS, help="steps of a chain, in bits")
    parser.add_argument("--drawn", type=int, nargs="*", default=DRAWN, help="steps of a chain, in pictures")
    parser.add_argument("--save", type=Path, default=Path("runs/variances"), help="a folder for the weights")
    parser.add_argument("--install", action="store_true", help="put the network of seed 0 into the package")
    parser.add_argument("--out", type=Path, default=RESULT, help="the JSON file")
    args = parser.parse_args(argv)
    heads = {seed: kept(args.save, seed, args.steps) for seed in range(args.seeds)}
    judge = Judge(args.digits)
    before = json.loads(args.out.read_text(encoding="utf-8")) if args.out.is_file() else {}
    found = {
        "rows": bits(judge, heads, args.counts),
        "pictures": list(pictures(judge, heads, args.drawn, args.samples, args.draws)),
    }
    for part, counts in (("rows", args.counts), ("pictures", args.drawn)):
        found[part] += [row for row in before.get(part, []) if row["steps"] not in counts]
        found[part].sort(key=lambda row: row["steps"])
    result = {
        "what": "bits per pixel of test digits, cpu-hour with labels, and the distance of drawn ones",
        "machine": machine(), "digits": args.digits, "samples": args.samples, "draws": args.draws,
        "steps": args.steps,
        "parameters": sum(p.numel() for p in UNet(SMALL).parameters()),
        **found,
    }  # fmt: skip
    if args.install:
        install(args.save, args.steps)
    args.out.write_text(compact(result) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
