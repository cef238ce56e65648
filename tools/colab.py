"""The first cell of every notebook, and the copies of the notebooks that Colab opens.

Colab opens a notebook alone, without the package beside it, so the first cell of every chapter installs
`ddpm_lib` where it is missing. This file is that cell's only source. The copies are in plain Markdown (tools/plain),
their links lead to the published book, and their last line says when and on what the chapter ran for it.

    python -m tools.colab --sync     rewrite the first cell of every notebook under book/
    python -m tools.colab --stamp    write the copies for Colab to _build/colab/, with this repository's address

The address is derived (tools/address.py), so a fork edits nothing. Without one, `--stamp` writes nothing.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from tools.address import Address, find_address
from tools.last_run import FOLDER, of_the_book
from tools.notebook import Cell, Notebook, first_code_cell, notebooks, read, source, write
from tools.plain.copies import copies
from tools.plain.places import Course

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "_build" / "colab"

UNSTAMPED = 'COURSE = ""'
CELL = f"""\
# Set-up. Where ddpm_lib is installed this cell does nothing; in Colab it installs it.
import importlib.util
import subprocess
import sys

{UNSTAMPED}  # the course's address, written here when the book is published (tools/colab.py)


def _stop(sentence):
    error = ModuleNotFoundError(sentence)
    error._render_traceback_ = lambda: [sentence]  # a notebook shows this alone
    raise error


if importlib.util.find_spec("ddpm_lib") is None:
    if not COURSE:
        _stop(
            "ddpm_lib is not installed: open this chapter with the Colab button of the published book, "
            "or run `%pip install git+<address of your copy of the course>` first."
        )
    print("installing ddpm_lib (about a minute) ...")
    if subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", COURSE]).returncode:
        _stop(
            f"ddpm_lib could not be installed from {{COURSE}}, for the reason that pip gives above: "
            "see that this address is right and can be reached, then run this cell again."
        )
    importlib.invalidate_caches()"""
TAGS = ["colab", "remove-cell"]


def is_setup(cell: Cell | None) -> bool:
    """Whether a cell is the set-up cell, whatever its wording."""
    return cell is not None and "colab" in cell["metadata"].get("tags", [])


def sync(notebook: Notebook) -> bool:
    """Make the first code cell the canonical one; return whether anything changed.

    A notebook without a set-up cell gets one right after its first cell (the title).
    """
    cell = first_code_cell(notebook)
    if cell is None or not is_setup(cell):
        cell = {
            "cell_type": "code",
            "execution_count": None,
            "id": "colab-setup",
            "metadata": {},
            "outputs": [],
        }
        notebook["cells"].insert(1, cell)
    before = json.dumps(cell, sort_keys=True)
    cell["source"] = CELL.splitlines(keepends=True)
    cell["metadata"]["tags"] = TAGS
    return json.dumps(cell, sort_keys=True) != before


def stamp(notebook: Notebook, requirement: str) -> Notebook:
    """A copy of the notebook for Colab: the set-up cell installs `requirement`, on a T4 by default."""
    copy: Notebook = json.loads(json.dumps(notebook))
    cell = first_code_cell(copy)
    if cell is None or source(cell) != CELL:
        raise ValueError(
            "the first code cell is not the course's set-up cell; run `python -m tools.colab --sync`."
        )
    cell["source"] = CELL.replace(UNSTAMPED, f"COURSE = {json.dumps(requirement)}").splitlines(keepends=True)
    copy["metadata"]["accelerator"] = "GPU"
    copy["metadata"]["colab"] = {"gpuType": "T4", "provenance": []}
    return copy


def stamp_all(address: Address, out: Path = OUT, root: Path = ROOT) -> list[Path]:
    """Write the stamped copy of every notebook under book/, in plain Markdown, keeping its path; return the paths."""
    course = Course(root, address.site)
    for path, notebook in copies(course).items():
        copy = stamp(notebook, address.requirement)
        if (line := of_the_book(root / FOLDER / path)) is not None:
            copy["cells"].append(
                {"cell_type": "markdown", "id": "last-run", "metadata": {}, "source": [line]}
            )
        write(out / path, copy)
    return [out / path.relative_to(root) for path in notebooks(root)]


def main() -> int:
    parser = argparse.ArgumentParser(
        description="The set-up cell of the notebooks, and their copies for Colab."
    )
    action = parser.add_mutually_exclusive_group(required=True)
    action.add_argument("--sync", action="store_true", help="rewrite the first code cell of every notebook")
    action.add_argument("--stamp", action="store_true", help="write the copies for Colab to _build/colab/")
    arguments = parser.parse_args()

    if arguments.sync:
        for path in notebooks(ROOT):
            notebook = read(path)
            if sync(notebook):
                write(path, notebook)
                print(f"rewrote the first code cell of {path.relative_to(ROOT)}")
        return 0

    address = find_address(ROOT)
    if address is None:
        print(
            "no copies for Colab: neither COURSE_ADDRESS, GITHUB_REPOSITORY nor a git remote `origin` gives this "
            "course an address"
        )
        return 0
    for path in stamp_all(address):
        print(f"wrote {path.relative_to(ROOT)} (installs {address.requirement})")
    return 0


if __name__ == "__main__":
    sys.exit(main())
