"""Build the book: every chapter executed, every warning an error. Nothing is fetched.

    python -m tools.book

The pages go to _build/html. Where the course's address is known (tools/address.py), the notebooks for Colab go
to _build/colab.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from pathlib import Path

from tools.address import find_address
from tools.colab import OUT as COLAB
from tools.colab import stamp_all

ROOT = Path(__file__).resolve().parent.parent
NOISE = (
    "ParserConfig(",
    "[IPKernelApp] WARNING | Kernel is running over TCP",
)  # the kernels listen on loopback
HTML = ROOT / "_build" / "html"


def run(command: list[str]) -> int:
    """Run a command, passing on what it prints line by line, less the noise; return its status."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert process.stdout is not None
    for line in process.stdout:
        if not any(noise in line for noise in NOISE):
            print(line, end="", flush=True)
    return process.wait()


def main() -> int:
    start = time.monotonic()
    for stale in (HTML, COLAB, ROOT / "_build" / "jupyter_execute"):
        shutil.rmtree(stale, ignore_errors=True)
    print("==> executing the chapters and building the book (about 6 minutes on two cores) ...", flush=True)
    jupyter_book = [sys.executable, "-c", "from jupyter_book.cli.main import main; main()"]
    command = [*jupyter_book, "build", str(ROOT), "--all", "-W", "--keep-going"]
    status = run(command)
    if status == 0 and not (HTML / "index.html").is_file():
        print(
            "The build reported success and wrote no pages: is jupyter-book 1.x installed? Run `make setup`."
        )
        status = 1
    if status != 0:
        shutil.rmtree(HTML, ignore_errors=True)  # half a book must not be served or tested
        print("==> the book was NOT built: the messages above say why", flush=True)
        return 1
    address = find_address(ROOT)
    if address is not None:
        copies = stamp_all(address)
        print(
            f"==> {len(copies)} notebooks for Colab in {COLAB.relative_to(ROOT)} (they install {address.requirement})"
        )
    print(f"==> the book is in {HTML.relative_to(ROOT)} ({time.monotonic() - start:.0f} s)", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
