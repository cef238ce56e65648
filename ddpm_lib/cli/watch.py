"""The loop around a run: its progress bar, its log, its checkpoints, and a gentle stop."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from tqdm import tqdm

from ddpm_lib.cli.common import clock, stop_on_interrupt
from ddpm_lib.models.trained import About
from ddpm_lib.schedule import NoiseSchedule
from ddpm_lib.train import Machine, Progress, TrainConfig
from ddpm_lib.train.checkpoint import save_checkpoint
from ddpm_lib.train.machine.processes import Processes


def watch(
    run: Iterator[Progress],
    path: Path,
    schedule: NoiseSchedule,
    config: TrainConfig,
    about: About,
    machine: Machine,
    save_every: float,
    processes: Processes,
) -> None:
    """The progress bar, a checkpoint every `save_every` seconds, the loss in a file, and a gentle Ctrl-C.

    Every process goes through here with the same Progress; the main one shows and writes.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    last: Progress | None = None
    saved = 0.0

    def save(p: Progress) -> None:
        if processes.is_main:
            save_checkpoint(path, p.state, schedule, config, about, machine)

    bar = tqdm(
        total=1000,
        bar_format="{percentage:3.0f}% {bar:24} {desc}",
        mininterval=0.5,
        disable=not processes.is_main,
    )
    csv = path.parent / "loss.csv" if processes.is_main else Path(os.devnull)
    with csv.open("a") as log, stop_on_interrupt(processes.is_main) as stopped, bar:
        for last in run:
            log.write(f"{last.step},{last.loss:.6f},{last.seconds:.2f}\n")
            bar.set_description_str(describe(last), refresh=False)
            bar.update(round(1000 * last.share) - bar.n)
            if last.seconds - saved >= save_every:
                log.flush()
                save(last)
                saved = last.seconds
            if processes.anyone(stopped()):
                break
    if last is None:
        print(f"The run of {path} is finished already: lengthen it with --steps or --seconds.")
        return
    save(last)
    verb = "Finished" if last.share >= 1 else "Stopped"
    print(f"{verb} after {last.step:,} steps in {clock(last.seconds)}, loss {last.loss:.4f}. Saved to {path}")
    if last.share < 1:
        print(f"Go on with:    python -m ddpm_lib train --resume {path}")
    print(f"Draw samples:  python -m ddpm_lib sample {path} --grid samples.png")


def trim_log(log: Path, step: int) -> None:
    """Drop what a log holds of steps after `step`: they were lost with a run that was killed, and are taken again."""
    if not log.is_file():
        return
    rows = [row for row in log.read_text().splitlines() if row.partition(",")[0].isdigit()]
    log.write_text("".join(f"{row}\n" for row in rows if int(row.partition(",")[0]) <= step))


def describe(p: Progress) -> str:
    """One line for the progress bar."""
    speed = f"{p.images_per_second:.0f} images/s"
    return f"step {p.step:,}, loss {p.loss:.4f}, {speed}, {clock(p.seconds_left)} left"
