"""The executed copies of the notebooks, in _build/executed: what the checks ran, and what the book shows.

A copy is the notebook of today with the outputs of its last run. It is current while the notebook's code, `ddpm_lib`
and the pinned environment are what they were; prose may change without a new run.
"""

from __future__ import annotations

import hashlib
import json
import platform
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from tools.last_run import FOLDER, RECORD, Machine, last_run

ROOT = Path(__file__).resolve().parent.parent
PINS = ("requirements.txt", "constraints.txt", "pyproject.toml")


@dataclass(frozen=True)
class Failure:
    """The cell at which a chapter stopped."""

    cell: str  # its id
    number: int  # counting code cells from 0, as nbval does
    error: str  # one line

    def __str__(self) -> str:
        return f"cell {self.cell} (code cell {self.number}): {self.error}"


@dataclass(frozen=True)
class Record:
    """What is known of a chapter's last run."""

    fingerprint: str
    seconds: float
    failure: Failure | None = None
    machine: Machine | None = None


def copy_of(notebook: Path, root: Path = ROOT) -> Path:
    """Where a notebook's executed copy lies."""
    return root / FOLDER / notebook.relative_to(root)


def read(path: Path) -> NotebookNode:
    """A notebook in format 4, its sources as strings."""
    return nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call, no-any-return]


def code_cells(notebook: NotebookNode) -> list[NotebookNode]:
    """The cells that run."""
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


@cache
def environment(root: Path = ROOT) -> str:
    """A hash of all that a chapter's outputs depend on, save its own code."""
    files = [root / name for name in PINS if (root / name).is_file()]
    files += sorted(path for path in (root / "ddpm_lib").rglob("*") if path.is_file())
    found = hashlib.sha256(f"{platform.python_version()} {platform.machine()}".encode())
    for path in files:
        if "__pycache__" not in path.parts:
            found.update(f"\n{path.relative_to(root)} {path.stat().st_size}\n".encode())
            found.update(path.read_bytes())
    return found.hexdigest()


def fingerprint(notebook: NotebookNode, root: Path = ROOT) -> str:
    """A hash of a chapter's code and of all that its outputs depend on."""
    code = json.dumps([cell.source for cell in code_cells(notebook)])
    return hashlib.sha256(f"{environment(root)} {code}".encode()).hexdigest()


def record_of(path: Path) -> Record | None:
    """What a copy says of its run; None where there is no copy, or one that another version wrote."""
    try:
        found = dict(read(path).metadata[RECORD])
        failure = Failure(**found["failure"]) if found["failure"] else None
        machine = Machine(**found["machine"]) if found.get("machine") else None
        return Record(found["fingerprint"], found["seconds"], failure, machine)
    except (OSError, KeyError, TypeError, ValueError):
        return None


def write(path: Path, notebook: NotebookNode, record: Record) -> None:
    """Write an executed copy, whole or not at all."""
    notebook.metadata[RECORD] = asdict(record)
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".unfinished")
    nbformat.write(notebook, unfinished)  # type: ignore[no-untyped-call]
    unfinished.replace(path)


def is_current(notebook: Path, root: Path = ROOT) -> bool:
    """Whether a chapter ran whole, and nothing that its outputs depend on has changed since."""
    record = record_of(copy_of(notebook, root))
    return (
        record is not None and not record.failure and record.fingerprint == fingerprint(read(notebook), root)
    )


def page(notebook: Path, root: Path = ROOT) -> NotebookNode:
    """The chapter as the book shows it: today's text, the last run's outputs and its line."""
    shown, ran = read(notebook), read(copy_of(notebook, root))
    shown.metadata.language_info = ran.metadata.language_info
    for cell, source in zip(code_cells(shown), code_cells(ran), strict=True):
        cell.outputs, cell.execution_count = source.outputs, source.execution_count
    record = record_of(copy_of(notebook, root))
    if record is not None and record.failure is not None:
        place = next(i for i, cell in enumerate(shown.cells) if cell.get("id") == record.failure.cell)
        text = "When this page was built, the cell above failed. What follows stands without results."
        shown.cells.insert(place + 1, nbformat.v4.new_markdown_cell(f":::{{warning}}\n{text}\n:::"))  # type: ignore[no-untyped-call]
    if record is not None and record.machine is not None:
        line = last_run(record.machine, record.seconds)
        shown.cells.append(nbformat.v4.new_markdown_cell(line, id="last-run"))  # type: ignore[no-untyped-call]
    return shown
