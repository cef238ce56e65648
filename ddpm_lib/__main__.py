"""python -m ddpm_lib train | sample | evaluate | export | import | diagnose | shard"""

from __future__ import annotations

import os
import shlex
import sys
from argparse import Namespace
from collections.abc import Sequence
from contextlib import nullcontext

from ddpm_lib import CourseError, shown
from ddpm_lib.cli import bring, diagnose, evaluate, export, sample, shard, train
from ddpm_lib.cli.common import UsageError, stop_at_once
from ddpm_lib.cli.memory import enough_memory
from ddpm_lib.cli.options import parser
from ddpm_lib.cli.terminal import plain_output
from ddpm_lib.models.place import PlaceError
from ddpm_lib.train import TrainingError
from ddpm_lib.train.machine.processes import launched

COMMANDS = {
    "train": train,
    "sample": sample,
    "evaluate": evaluate,
    "export": export,
    "import": bring,
    "diagnose": diagnose,
    "shard": shard,
}
LESS = {  # memory
    "train": "close other programs, or choose a smaller preset or --size",
    "sample": "pass a smaller --batch, which changes no image, or --device cpu",
    "evaluate": "pass a smaller --bits or --samples, or --device cpu",
    "export": "close other programs",
    "import": "close other programs",
    "diagnose": "close other programs, or pass --device cpu",
    "shard": "close other programs, or pass a smaller --size or --each",
}
MISTAKES = (CourseError, OSError)  # one sentence each; any other exception is ours, and shows its traceback
SHARED = (
    UsageError,
    TrainingError,
    PlaceError,
)  # mistakes that every process of a run makes: one of them says so


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; a mistake of the user's is one line on stderr and exit status 2."""
    with plain_output() as out:
        status = _main(argv)
        out.flush()
        if out.lost and not isinstance(out.lost, BrokenPipeError):  # `| head` has seen enough
            print(
                f"ddpm_lib: What was printed could not all be written ({out.lost.strerror}); the rest was done.",
                file=sys.stderr,
            )
            status = status or 2
        return status


def _main(argv: Sequence[str] | None) -> int:
    args = parser().parse_args(argv)
    try:
        check_given(args)
        with enough_memory("here", LESS[args.command]), nullcontext() if launched() else stop_at_once():
            COMMANDS[args.command].run(args)
    except MISTAKES as error:
        rank = int(os.environ["RANK"]) if launched() else 0
        if rank == 0 or not isinstance(error, SHARED):
            who = f" (process {rank})" if launched() else ""
            # In one piece: other processes write here too.
            sys.stderr.write(f"ddpm_lib {args.command}{who}: {shown(error)}\n")
        return 2
    except KeyboardInterrupt:
        print("\ninterrupted", file=sys.stderr)
        return 130
    return 0


def check_given(args: Namespace) -> None:
    """Raise UsageError for an option that is empty, as a shell makes it of a variable that is not set."""
    for name, value in vars(args).items():
        if value == "":
            raise UsageError(
                f"The {name} is empty, as if a variable were not set: write its value, or leave it out."
            )


def command(line: str) -> None:
    """Run `python -m ddpm_lib LINE` in each process that accelerate.notebook_launcher starts.

    notebook_launcher(command, ("train unet --preset gpu-minutes",), num_processes=2)
    """
    if status := main(shlex.split(line)):
        raise SystemExit(status)


if __name__ == "__main__":
    sys.exit(main())
