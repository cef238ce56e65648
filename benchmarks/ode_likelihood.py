"""How many bits a digit costs by the probability-flow ODE, beside the bound: cpu-hour, a few test digits.

    OMP_NUM_THREADS=1 python -m benchmarks.ode_likelihood

Both costs hold the same last step, L_0, at the same x_1; they differ in the density of x_1, which the bound gets term
by term and the ODE from the divergence along one curve, by Hutchinson's estimate. Every probe is a row, and so is
every other length of the steps, so that the chapter "The probability flow" can say how large both errors are. The
result is ddpm_lib/assets/measured/ode_likelihood.json.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import torch
from torch import Tensor

from benchmarks.machine import machine
from benchmarks.rows import Row, fill
from ddpm_lib import load
from ddpm_lib.bound import bits_per_dim, step_term, terms
from ddpm_lib.data import ASSETS, mnist
from ddpm_lib.evaluate.montecarlo import normals
from ddpm_lib.further.likelihood import hutchinson, ode_bound

RESULT = ASSETS / "measured" / "ode_likelihood.json"
WEIGHTS, DIGITS = "cpu-hour", 8
DENSE = 20  # every time up to here, whatever the stride: the field changes fastest where the noise is least


def path(T: int, stride: int) -> list[int]:
    """Times from 1 to T."""
    return [*range(1, DENSE, 1), *range(DENSE, T, stride), T]


def row(nats: Tensor, last: Tensor) -> Row:
    """The whole cost of each digit and that of its last step, in bits per dimension."""
    each = {"bits": nats, "last": last}
    return {
        name: [round(b, 4) for b in bits_per_dim(cost.double(), 784).tolist()] for name, cost in each.items()
    }


def measure(key: Row) -> Row:
    """Bits per dimension of each digit: the bound of the chain, or that with the ODE's density."""
    trained, digits = load(key["weights"]), mnist(train=False)
    assert digits.y is not None
    x0, y = digits.x0(slice(0, DIGITS)), digits.y[:DIGITS]
    network, diffusion = trained.network(), trained.diffusion
    if key["what"] == "bound":
        draw = normals(key["seed"])
        each = terms(network, diffusion, x0, lambda *shape: draw(*shape).float(), y=y, clip=False)
        return row(each.sum(0), each[0])
    eps = normals(0)(
        *x0.shape
    ).float()  # the same x_1 for every probe and stride: what is left is their error
    probe = normals(1000 + key["seed"])(*x0.shape).float().sign()
    times = path(diffusion.T, key["stride"])
    nats = ode_bound(network, diffusion, x0, eps, times, hutchinson(probe), y)
    with torch.inference_mode():
        return row(nats, step_term(network, diffusion, x0, 1, eps, y=y, clip=False))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--probes", type=int, default=4, help="probes a digit (default: 4)")
    parser.add_argument("--out", type=Path, default=RESULT, help="the JSON file")
    args = parser.parse_args()
    torch.set_num_threads(1)
    keys: list[Row] = []
    for weights in WEIGHTS:
        keys += [{"weights": weights, "what": "bound", "seed": seed} for seed in range(args.probes)]
        keys += [{"weights": weights, "what": "ode", "stride": stride, "seed": 0} for stride in (16, 8, 4)]
        keys += [
            {"weights": weights, "what": "ode", "stride": 2, "seed": seed} for seed in range(args.probes)
        ]
    head = {"what": "bits per dimension of test digits", "digits": DIGITS, "machine": machine()}
    fill(args.out, head, keys, measure, resume=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
