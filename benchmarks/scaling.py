"""How training scales: images a second with 1, 2 ... processes, each on a core or on a GPU of its own.

    python -m benchmarks.scaling [--seconds 20] [--rounds 3] [--processes 1 2]

Two networks with one batch each, shared by the processes: the 0.7 M network of cpu-minutes and the 3.9 M network of
gpu-minutes. A measurement is a launch by torchrun: a few steps to warm up, then training for --seconds by the main
process's clock. Rounds are interleaved (every network and number of processes once a round), so that what else the
machine does falls on all alike; medians and the extremes of the rounds are written to
ddpm_lib/assets/measured/scaling.json. On a machine with CUDA every process takes a GPU; otherwise process r has one
thread, and core r to itself where the system can pin it. `drawing_ms` is what every process spends a step on drawing
t and eps for the batch of all of them.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import torch

from benchmarks.machine import machine
from ddpm_lib.data import ASSETS, Batches, mnist
from ddpm_lib.diffusion import GaussianDiffusion
from ddpm_lib.loss import draw_t, t_weights
from ddpm_lib.models import build
from ddpm_lib.train import Machine, TrainConfig, start, train
from ddpm_lib.train.machine.probe import synchronize
from ddpm_lib.train.machine.processes import Processes, accelerated, launched
from ddpm_lib.train.presets import PRESETS

RESULT = ASSETS / "measured" / "scaling.json"
NETWORKS = {"cpu-minutes": 64, "gpu-minutes": 64}  # preset: images a step, of all processes together
WARM_UP = 3  # steps


def measure(preset: str, batch: int, seconds: float, processes: Processes) -> dict[str, float]:
    """Images a second of all processes together, in a run of `seconds` after the warm-up."""
    on_gpu = processes.device.type == "cuda"
    config = TrainConfig(steps=10**9, batch=batch, every=10 if on_gpu else 1, warmup=0.0, decay="none")
    machine = Machine(precision="bfloat16" if on_gpu else "float32", channels_last=True)
    torch.manual_seed(0)
    state = start(build(PRESETS[preset].model).to(processes.device), config)
    diffusion = GaussianDiffusion(PRESETS[preset].noise_schedule())
    batches = Batches(mnist(train=False).to(processes.device), batch, 0, processes.rank, processes.world)
    begun, first = 0.0, 0
    for progress in train(state.model, diffusion, batches, config, state, machine, processes):
        if not begun and progress.step >= WARM_UP:
            begun, first = progress.seconds, progress.step
        elif begun and progress.seconds - begun >= seconds:  # the main process's clock: all stop together
            break
    steps = progress.step - first
    return {
        "images_per_second": steps * batch / (progress.seconds - begun),
        "steps": steps,
        "drawing_ms": drawing_ms(diffusion, batch, processes),
    }


def drawing_ms(diffusion: GaussianDiffusion, batch: int, processes: Processes, times: int = 20) -> float:
    """Milliseconds for the times and the noise of a whole batch."""
    weights = t_weights(diffusion.schedule).to(processes.device, torch.float32)
    generator = torch.Generator(processes.device).manual_seed(0)
    synchronize(processes.device)
    begun = time.perf_counter()
    for _ in range(times):
        draw_t(batch, weights, generator)
        torch.randn((batch, 1, 28, 28), generator=generator, device=processes.device)
    synchronize(processes.device)
    return 1000 * (time.perf_counter() - begun) / times


def pin(rank: int) -> None:
    """One thread, on the core of that number where the system can pin."""
    torch.set_num_threads(1)
    if hasattr(os, "sched_setaffinity"):
        cores = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {cores[rank % len(cores)]})


def worker(preset: str, seconds: float, out: Path) -> None:
    """One process of a measurement; the main one writes the result."""
    on_gpu = torch.cuda.is_available()
    if not on_gpu:
        pin(int(os.environ.get("LOCAL_RANK", 0)))
    processes = accelerated() if launched() else Processes("cuda" if on_gpu else "cpu")
    row = measure(preset, NETWORKS[preset], seconds, processes)
    if processes.is_main:
        out.write_text(json.dumps(row))
    processes.close()


def launch(preset: str, processes: int, seconds: float) -> dict[str, float]:
    """One measurement in processes of its own."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "row.json"
        command = [
            sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(processes),
            "-m", "benchmarks.scaling", "--worker", preset, "--seconds", str(seconds), "--out", str(out),
        ]  # fmt: skip
        subprocess.run(command, check=True, env={**os.environ, "OMP_NUM_THREADS": "1"})
        row: dict[str, float] = json.loads(out.read_text())
        return row


def summary(preset: str, processes: int, rows: list[dict[str, float]]) -> dict[str, Any]:
    """The median of the rounds and their extremes."""
    speeds = [row["images_per_second"] for row in rows]
    return {
        "network": preset,
        "parameters": sum(p.numel() for p in build(PRESETS[preset].model).parameters()),
        "batch": NETWORKS[preset],
        "processes": processes,
        "images_per_second": round(statistics.median(speeds), 1),
        "lowest": round(min(speeds), 1),
        "highest": round(max(speeds), 1),
        "drawing_ms": round(statistics.median(row["drawing_ms"] for row in rows), 2),
        "step_ms": round(1000 * NETWORKS[preset] / statistics.median(speeds), 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="Images a second of training in several processes.")
    gpus = torch.cuda.device_count()
    most = gpus or machine()["cores"]
    parser.add_argument(
        "--processes", type=int, nargs="+", default=[n for n in (1, 2, 4, 8) if n <= int(most)]
    )
    parser.add_argument("--seconds", type=float, default=20.0, help="a measurement (default: 20)")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--out", type=Path, default=RESULT)
    parser.add_argument("--worker", choices=list(NETWORKS), help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.worker:
        worker(args.worker, args.seconds, args.out)
        return
    rows: dict[tuple[str, int], list[dict[str, float]]] = {}
    for _ in range(args.rounds):
        for preset in NETWORKS:
            for processes in args.processes:
                rows.setdefault((preset, processes), []).append(launch(preset, processes, args.seconds))
                print(preset, processes, rows[preset, processes][-1], flush=True)
    where = {"gpu": torch.cuda.get_device_name(), "gpus": gpus} if gpus else {"threads of a process": 1}
    result = {
        "what": "images a second of training, of all processes together; medians of interleaved rounds",
        "machine": {**machine(), **where},
        "precision": "bfloat16" if gpus else "float32",
        "seconds": args.seconds,
        "rounds": args.rounds,
        "points": [summary(*key, some) for key, some in rows.items()],
    }
    args.out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(result["points"], indent=1))


if __name__ == "__main__":
    main()
