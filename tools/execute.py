"""Execute the chapters by nbval, each once, and keep what they put out in _build/executed.

    python -m tools.execute          those whose code, ddpm_lib or environment changed since their last run
    python -m tools.execute --all    every one

Two run at once, each in a process of its own; with one thread each, on two cores, both take less time than one after
the other. A chapter stops at its first cell that fails; the others run all the same. The status is 1 when one failed.
"""

from __future__ import annotations

import argparse
import contextlib
import re
import sys
import time
from collections.abc import Generator, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionComplete
from nbval.plugin import IPyNbCell, IPyNbFile  # type: ignore[import-untyped]

from tools import executed, kernel, side_by_side
from tools.equations import chapters
from tools.executed import ROOT, Failure, Record, copy_of
from tools.last_run import this_machine
from tools.progress import Progress
from tools.side_by_side import Say

NBVAL = [
    "--nbval-lax",
    "--nbval-current-env",
    f"--nbval-cell-timeout={kernel.CELL_LIMIT}",
    f"--nbval-kernel-startup-timeout={kernel.START_LIMIT}",
]
PYTEST = [
    "-W",
    "ignore::pytest.PytestAssertRewriteWarning",
    "-q",
    "-s",
    "-rN",
    "--no-header",
    "-o",
    "console_output_style=classic",
]
ALONE = ["-p", "no:xdist", "-p", "no:cacheprovider"]
ANSI = re.compile(r"\x1b\[[0-9;]*m")


class Run:
    """A chapter while it runs."""

    def __init__(self, file: IPyNbFile) -> None:
        self.file = file
        self.begun = time.monotonic()
        self.failure: Failure | None = None
        self.notebook = executed.read(file.path)  # apart from nbval's own, which it compares with
        for cell in executed.code_cells(self.notebook):
            cell.outputs, cell.execution_count = [], None
        # Files messages as outputs, as Jupyter's own executor does.
        self.client = NotebookClient(self.notebook, record_timing=False)
        self.client.reset_execution_trackers()

    def listen(self, item: IPyNbCell) -> None:
        """File what the kernel publishes from now on as this cell's."""
        cell = executed.code_cells(self.notebook)[item.cell_num]
        self.client.clear_before_next_output = False
        index = next(i for i, other in enumerate(self.notebook.cells) if other is cell)

        def hear(message: kernel.Message) -> None:
            if not message["msg_type"].startswith("comm"):  # a widget's state: pages carry their own
                with contextlib.suppress(CellExecutionComplete):
                    self.client.process_message(message, cell, index)
                cell.execution_count = item.cell_num + 1

        self.file.kernel.hear = hear

    def stop(self, item: IPyNbCell, error: BaseException) -> None:
        """Note the cell that failed, and why."""
        lines = ANSI.sub("", getattr(error, "inner_traceback", None) or "").strip().splitlines()
        self.failure = Failure(item.cell.id, item.cell_num, lines[-1] if lines else str(error))


class Keeper:
    """A pytest plugin: it keeps the outputs that nbval got, and says how far the chapter is."""

    def __init__(self, root: Path, say: Say) -> None:
        self.root, self.say = root, say
        self.runs: dict[IPyNbFile, Run] = {}

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: IPyNbCell, nextitem: pytest.Item | None) -> Iterator[None]:
        file = item.parent
        if file not in self.runs:
            self.runs[file] = Run(file)
            self.say("begin", len(executed.code_cells(file.nb)))
        result = yield
        if nextitem is None or nextitem.parent is not file:
            self.finish(file)
        return result

    def pytest_runtest_setup(self, item: IPyNbCell) -> None:
        if self.runs[item.parent].failure is not None:
            pytest.skip("an earlier cell of the chapter failed")

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_call(self, item: IPyNbCell) -> None:
        item.output_timeout = kernel.SILENCE_LIMIT
        item.parent.kernel.wait = lambda: self.say("tick")
        self.runs[item.parent].listen(item)
        self.say("cell", item.cell_num, item.cell.id)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: IPyNbCell, call: pytest.CallInfo[None]
    ) -> Generator[None, Any, Any]:
        report = yield
        run = self.runs[item.parent]
        if report.failed and run.failure is None and call.excinfo is not None:
            run.stop(item, call.excinfo.value)
        return report

    def pytest_report_teststatus(self, report: pytest.TestReport) -> tuple[str, str, str]:
        """No dot for a cell: what is printed is read only where a chapter failed."""
        if report.failed:
            return ("failed" if report.when == "call" else "error"), "", ""
        return (report.outcome if report.when == "call" or report.skipped else ""), "", ""

    def finish(self, file: IPyNbFile) -> None:
        """Write the executed copy of a chapter that ran, or stopped."""
        run = self.runs[file]
        seconds = time.monotonic() - run.begun
        run.notebook.metadata.language_info = getattr(file.kernel, "language_info", {})
        mark = executed.fingerprint(run.notebook, self.root)
        record = Record(mark, round(seconds, 1), run.failure, this_machine())
        executed.write(copy_of(file.path, self.root), run.notebook, record)
        self.say("end", seconds, run.failure)


def name_of(notebook: Path, root: Path) -> str:
    """A chapter as _toc.yml names it."""
    return notebook.relative_to(root).with_suffix("").as_posix()


def run_chapter(notebook: Path, root: Path, say: Say) -> None:
    """Run one chapter in this process."""
    kernel.use()
    where = ["--rootdir", str(root), "-c", str(ROOT / "pyproject.toml")]
    pytest.main([*NBVAL, *PYTEST, *ALONE, *where, str(notebook)], plugins=[Keeper(root, say)])


def execute(root: Path = ROOT, every: bool = False) -> dict[str, Failure]:
    """Run the chapters that changed, or every one; return those that failed and where."""
    notebooks = [root / f"{chapter}.ipynb" for chapter in chapters(root)]
    stale = [path for path in notebooks if every or not executed.is_current(path, root)]
    if len(stale) < len(notebooks):
        current = [name_of(path, root) for path in notebooks if path not in stale]
        print(f"==> unchanged since they ran, taken as they are: {', '.join(current)}", flush=True)
    if not stale:
        return {}
    print(f"==> executing {len(stale)} of {len(notebooks)} chapters ...", flush=True)
    records = {name_of(path, root): executed.record_of(copy_of(path, root)) for path in stale}
    at_once = min(side_by_side.AT_ONCE, side_by_side.cores())
    progress = Progress({name: r.seconds if r else None for name, r in records.items()}, at_once)
    ended: dict[str, Failure | None] = {}

    def hear(path: Path, what: str, *words: Any) -> None:
        name = name_of(path, root)
        getattr(progress, what)(name, *words)
        if what == "end":
            ended[name] = words[1]

    printed = side_by_side.run(partial(run_chapter, root=root), stale, hear, at_once)
    for path, text in printed.items():
        if ended.get(name_of(path, root), text) is not None:
            print(f"\n==> {name_of(path, root)} said:\n{text}", flush=True)
    if len(ended) < len(stale):
        sys.exit("==> nbval did not run every chapter: the messages above say why")
    failures = {name: failure for name in records if (failure := ended[name]) is not None}
    for name, failure in failures.items():
        print(f"==> {name} FAILED at {failure}", flush=True)
    return failures


def main() -> int:
    parser = argparse.ArgumentParser(description="Execute the chapters by nbval and keep their outputs.")
    parser.add_argument("--all", action="store_true", help="those that did not change as well")
    parser.add_argument("--root", type=Path, default=ROOT, help="the folder of the course")
    arguments = parser.parse_args()
    return bool(execute(arguments.root.resolve(), every=arguments.all))


if __name__ == "__main__":
    sys.exit(main())
