"""Build the book: every chapter executed once, every warning an error. Nothing is fetched.

    python -m tools.book                 execute what changed (tools/execute.py), build the pages
    python -m tools.book --keep-going    a chapter that fails costs its own results, not the book

The pages go to _build/html, the slides made from them to _build/html/slides. Where the course's address is known
(tools/address.py), the notebooks for Colab go to _build/colab.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import time
from pathlib import Path

from tools.address import find_address
from tools.colab import OUT as COLAB
from tools.colab import stamp_all
from tools.execute import execute
from tools.slides.write import write_slides

ROOT = Path(__file__).resolve().parent.parent
NOISE = ("ParserConfig(",)


def run(command: list[str]) -> int:
    """Run a command, passing on what it prints line by line, less the noise; return its status."""
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert process.stdout is not None
    for line in process.stdout:
        if not any(noise in line for noise in NOISE):
            print(line, end="", flush=True)
    return process.wait()


def build(root: Path) -> bool:
    """Build the pages from the executed chapters; half a book is removed, for it must not be served or tested."""
    html = root / "_build" / "html"
    for stale in (html, root / "_build" / "jupyter_execute"):
        shutil.rmtree(stale, ignore_errors=True)
    print("==> building the pages ...", flush=True)
    jupyter_book = [sys.executable, "-c", "from jupyter_book.cli.main import main; main()"]
    built = run([*jupyter_book, "build", str(root), "--all", "-W", "--keep-going"]) == 0
    if built and not (html / "index.html").is_file():
        print(
            "The build reported success and wrote no pages: is jupyter-book 1.x installed? Run `make setup`."
        )
        built = False
    if not built:
        shutil.rmtree(html, ignore_errors=True)
        print("==> the book was NOT built: the messages above say why", flush=True)
    return built


def main() -> int:
    parser = argparse.ArgumentParser(description="Execute the chapters that changed and build the book.")
    parser.add_argument("--keep-going", action="store_true", help="build the rest when a chapter fails")
    parser.add_argument("--root", type=Path, default=ROOT, help="the folder of the course")
    arguments = parser.parse_args()
    root, start = arguments.root.resolve(), time.monotonic()

    failures = execute(root)
    if failures and not arguments.keep_going:
        shutil.rmtree(root / "_build" / "html", ignore_errors=True)
        print(
            "==> the book was NOT built; `make book KEEP_GOING=1` builds the rest, and runs again only what failed"
        )
        return 1
    if not build(root):
        return 1
    write_slides(root / "_build" / "html", root / "_toc.yml")
    shutil.rmtree(root / "_build" / "colab", ignore_errors=True)
    address = find_address(root)
    if address is not None and root == ROOT:
        copies = stamp_all(address)
        print(
            f"==> {len(copies)} notebooks for Colab in {COLAB.relative_to(ROOT)} (they install {address.requirement})"
        )
    print(f"==> the book is in _build/html ({time.monotonic() - start:.0f} s)", flush=True)
    for name, failure in failures.items():
        print(f"==> without the results of {name}, which FAILED at {failure}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
