"""The loop around a run: its progress bar, its saves, and an end that loses nothing, whoever asks for it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

from tqdm import tqdm

from ddpm_lib.cli.common import UsageError, clock, typed
from ddpm_lib.cli.keep import Keeper
from ddpm_lib.data import DataError
from ddpm_lib.train import Batch, Progress, TrainConfig, TrainState
from ddpm_lib.train.machine.processes import Processes
from ddpm_lib.train.state import share_done

WHOLE = re.compile(r"[0-9]+,.*\n")  # row of a log; one that a kill cut short may read as an earlier step


class Interrupted(Exception):
    """A run that ends between two steps, where its state is whole; the message says why, if nobody asked for it."""


def until(
    stopped: Callable[[], bool], batches: Callable[[int], Batch], processes: Processes
) -> Callable[[int], Batch]:
    """The batches, until a stop is asked for or images cannot be had: Interrupted, before a step begins.

    The first step is taken in any case, so that there is something to save. Several processes stop at a Progress
    instead, all at the same one.
    """
    taken = 0

    def batch(step: int) -> Batch:
        nonlocal taken
        if taken and processes.world == 1 and stopped():
            raise Interrupted
        taken += 1
        try:
            return batches(step)
        except (DataError, OSError) as error:
            raise Interrupted(str(error)) from error

    return batch


def watch(
    run: Iterator[Progress],
    keeper: Keeper,
    state: TrainState,
    config: TrainConfig,
    save_every: float,
    processes: Processes,
    stopped: Callable[[], bool],
) -> None:
    """The progress bar, a checkpoint every `save_every` seconds, the loss in a file, and a gentle Ctrl-C.

    Every process goes through here with the same Progress; the main one shows and writes.
    """
    path, begun = keeper.path, state.step
    last: Progress | None = None
    why, saved = "", 0.0
    bar = tqdm(
        total=1000,
        bar_format="{percentage:3.0f}% {bar:24} {desc}",
        mininterval=0.5,
        disable=not processes.is_main,
    )
    with bar:
        try:
            for last in run:
                keeper.rows.append(f"{last.step},{last.loss:.6f},{last.seconds:.2f}\n")
                bar.set_description_str(describe(last), refresh=False)
                bar.update(round(1000 * last.share) - bar.n)
                if last.seconds - saved >= save_every:
                    saved = last.seconds
                    if processes.is_main:
                        keeper.try_to_save()
                if processes.anyone(stopped()):
                    break
        except Interrupted as end:
            why = str(end)
    share = share_done(state, config)
    if state.step == begun:
        if why:
            raise UsageError(f"{why} No step was taken, so there is nothing to save.")
        print(
            f"The run of {path} is finished already: lengthen it with --steps or --seconds, which count from its start "
            f"({begun:,} steps, {clock(state.seconds)})."
        )
        return
    if processes.is_main:
        keeper.save_somewhere()
    go_on = f"python -m ddpm_lib train --resume {typed(path)}"
    if why:
        raise UsageError(
            f"{why} The run was saved after {state.step:,} steps: mend that, and go on with `{go_on}`."
        )
    loss = f", loss {last.loss:.4f}" if last else ""
    verb = "Finished" if share >= 1 else "Stopped"
    print(f"{verb} after {state.step:,} steps in {clock(state.seconds)}{loss}. Saved to {path}")
    if share < 1:
        print(f"Go on with:    {go_on}")
    print(f"Draw samples:  python -m ddpm_lib sample {typed(path)} --grid samples.png")


def trim_log(log: Path, step: int) -> None:
    """Drop what a log holds of steps after `step`: they were lost with a run that was killed, and are taken again."""
    if not log.is_file():
        return
    with log.open("r+", errors="replace") as file:  # in place: it is locked, and needs no room
        rows = [row for row in file.read().splitlines(keepends=True) if WHOLE.fullmatch(row)]
        file.seek(0)
        file.writelines(row for row in rows if int(row.partition(",")[0]) <= step)
        file.truncate()


def describe(p: Progress) -> str:
    """One line for the progress bar."""
    speed = f"{p.images_per_second:.0f} images/s"
    return f"step {p.step:,}, loss {p.loss:.4f}, {speed}, {clock(p.seconds_left)} left"
