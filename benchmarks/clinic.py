"""Sick training runs, run for real: the evidence that the chapter *The clinic* shows.

    OMP_NUM_THREADS=1 python -m benchmarks.clinic

Every run of `benchmarks.patients` has one network (0.1 M parameters), one budget and one seed. Its weights, eight bits
each, go to tests/clinic, where `diagnose` is held to them; a run whose weights are there is not run again. From these
weights the evidence is drawn, which is part of the package: ddpm_lib/assets/measured/clinic.json holds the figures,
clinic.png the pictures, 64 a patient: 32 drawings, then of two digits the guesses at GUESSED, the states of a short
walk at SHORT, and those of a walk from noise at FULL.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from torch import Tensor

from benchmarks.machine import machine
from benchmarks.patients import PATIENTS, STEPS, TRAIN, Called, Patient, T
from benchmarks.rows import compact
from ddpm_lib.data import ASSETS, ImageData, mnist
from ddpm_lib.evaluate.diagnose import findings
from ddpm_lib.evaluate.generate import class_labels, tile
from ddpm_lib.models import UNet
from ddpm_lib.sampling import Noise, State, sample, sample_from
from ddpm_lib.train import train
from ddpm_lib.train.state import start
from ddpm_lib.web.quantize import dequantize, quantize

RESULT = ASSETS / "measured" / "clinic.json"
WEIGHTS = Path(__file__).parent.parent / "tests" / "clinic"
TIMES = (5, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100)  # of the loss by t
GUESSED = (10, 30, 50, 70, 90)  # of the one-step guess
SHORT = (40, 30, 20, 10, 0)  # shown of the short walk, from a digit with noise
FULL = (100, 80, 60, 40, 20, 0)  # shown of the full walk
POINTS = 50  # of a loss curve


def run(patient: Patient, data: ImageData) -> tuple[UNet, list[float]]:
    """(averaged network, loss of every step) of one training run."""
    net = patient.build()
    config = replace(TRAIN, batch=min(TRAIN.batch, patient.images), label_drop=patient.label_drop)
    state = start(net, config)
    state.ema = patient.ema(net, config.ema)
    losses = []
    torch.manual_seed(0)  # of what a patient draws itself
    for progress in train(net, patient.forward(patient.schedule), patient.batches(data), config, state):
        losses.append(progress.loss)
        patient.after(state)
    return state.ema.average, losses  # type: ignore[return-value]


def save(path: Path, net: UNet, exact: bool, losses: list[float]) -> None:
    """Write a network in eight bits a weight, or in bfloat16 where it is exactly that, and the loss of every step."""
    tensors: dict[str, Tensor] = {"losses": torch.tensor(losses).half()}
    for name, t in net.state_dict().items():
        if exact:
            tensors[name] = t.bfloat16()
        elif t.ndim > 1:
            whole, tensors[f"{name}.scale"] = quantize(t)
            tensors[name] = whole.to(torch.int8)
        else:
            tensors[name] = t
    path.parent.mkdir(exist_ok=True)
    save_file(tensors, path)


def file(key: str) -> Path:
    """Where the weights are that a patient draws with."""
    return WEIGHTS / f"{PATIENTS[key].weights or key}.safetensors"


def load(key: str) -> UNet:
    """The network that a patient draws with."""
    tensors, net, state = load_file(file(key)), PATIENTS[key].build(), {}
    for name, now in net.state_dict().items():
        t, scale = tensors[name], tensors.get(f"{name}.scale")
        state[name] = t.to(now.dtype) if scale is None else dequantize(t.short(), scale)
    net.load_state_dict(state)
    return net.eval().requires_grad_(False)


def raw(key: str) -> UNet | None:
    """The network before a slow average: its training is the healthy one's, whose average stands for it here."""
    return load("healthy") if key == "slow" else None


@torch.no_grad()
def figures(patient: Patient, net: UNet, test: ImageData) -> dict[str, Any]:
    """What the training itself could have logged: loss by t and the spread of x_t, on images that it has not seen."""
    forward, x0 = patient.forward(patient.schedule), patient.pixels(test.x0())
    eps = torch.randn(x0.shape, generator=torch.Generator().manual_seed(0))
    y = test.y if patient.labels is not None else None
    by_t, spread = [], []
    for t in TIMES:
        xt, told = forward.q_sample(x0, t, eps), torch.full((len(x0),), t)
        by_t.append(round(float((net(xt, told, y) - x0).square().mean()), 6))
        spread.append(round(float(xt.std()), 3))
    return {"by_t": by_t, "spread": spread}


@torch.no_grad()
def pictures(patient: Patient, net: UNet, test: ImageData) -> Tensor:
    """What the sampler makes of it: 64 pictures."""
    denoiser, diffusion, step = Called(net, patient), patient.diffusion, patient.step
    two, eps = patient.pixels(test.x0(slice(0, 2))), Noise(range(2), (1, 28, 28))
    z, y = eps(), None if patient.labels is None else test.y[:2]  # type: ignore[index]
    guesses = [diffusion.denoise(denoiser, diffusion.q_sample(two, t, z), t, y=y)[0] for t in GUESSED]

    def shown(states: list[State], ts: tuple[int, ...]) -> Tensor:
        return by_image([next(s.xt[:2] for s in states if s.t == t) for t in ts])

    begun, path = diffusion.q_sample(two, SHORT[0], z), list(range(SHORT[0], -1, -T // STEPS))
    short = list(sample_from(denoiser, diffusion, begun, noise=eps, y=y, step=step, steps=path))
    all_y = class_labels(32, 10) if patient.labels else None
    full = list(sample(denoiser, diffusion, (1, 28, 28), seeds=range(32), y=all_y, step=step, steps=STEPS))
    return torch.cat([full[-1].xt, by_image(guesses), shown(short, SHORT), shown(full, FULL)])


def by_image(columns: list[Tensor]) -> Tensor:
    """The columns of a table of pictures, row by row."""
    return torch.stack(columns, 1).flatten(0, 1)


def main(argv: list[str] | None = None) -> None:
    """Run every patient whose weights are missing; then draw the evidence of all."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--only", nargs="+", default=list(PATIENTS), choices=PATIENTS)
    args = parser.parse_args(argv)
    data, test, drawn = mnist(), mnist(train=False).head(256), []
    pixels = data.pixels.double() / 127.5 - 1
    result: dict[str, Any] = {
        "what": "sick training runs: loss, loss by t on 256 test digits, signs as `diagnose` measures them",
        "machine": machine(), "steps": TRAIN.steps, "batch": TRAIN.batch, "T": T, "times": TIMES, "guessed": GUESSED,
        "short": SHORT, "full": FULL, "patients": {},
        "images": {"square": float(pixels.square().mean()), "mean": float(pixels.mean())},
    }  # fmt: skip
    for key in args.only:
        patient = PATIENTS[key]
        if not file(key).is_file():
            average, losses = run(patient, data)
            save(file(key), average, key == "bfloat16", losses)
        net, curve = load(key), load_file(file(key))["losses"].double().numpy()
        few = test.head(64)
        signs = {
            f.check: f.measured
            for f in findings(Called(net, patient), patient.diffusion, x0=patient.pixels(few.x0()), y=few.y,
                              step=patient.step, raw=raw(key), network=net)
        }  # fmt: skip
        result["patients"][key] = {
            "fault": patient.fault,
            "first": round(float(curve[0]), 5),
            "curve": [round(float(part.mean()), 5) for part in np.array_split(curve, POINTS)],
            "signs": signs,
            **figures(patient, net, test),
        }
        drawn.append(pictures(patient, net, test))
        print(
            key,
            result["patients"][key]["first"],
            result["patients"][key]["curve"][-1],
            signs["training"],
            flush=True,
        )
    RESULT.write_text(compact(result) + "\n", encoding="utf-8")
    page = tile(torch.cat(drawn), 64, pad=0).squeeze(-1)
    Image.fromarray(page // 8 * 8 + page // 32).save(
        RESULT.with_suffix(".png"), optimize=True
    )  # 32 grays are enough


if __name__ == "__main__":
    main()
