"""Write constraints.txt: the version of everything that the direct requirements brought in.

    python -m tools.constraints

Change a pin in requirements.txt, run `make setup`, then this. Left out are the direct requirements themselves,
ddpm_lib, and what torch chooses by the machine (CUDA's libraries, Triton).
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HEADER = """\
# Everything that requirements.txt brings in, pinned. Written by `make constraints`; do not edit.
# To refresh: change requirements.txt, empty this file, then `make clean-venv setup constraints test`.
# What torch chooses by the machine (CUDA's libraries, Triton) is left out.
"""
BY_MACHINE = re.compile(r"^(nvidia|cuda|triton|pytorch-triton|intel|tbb|mkl)")


def name(line: str) -> str:
    """The normalized project name of a requirement line."""
    return re.sub(r"[-_.]+", "-", re.split(r"[=<>!~@; \[]", line.strip(), maxsplit=1)[0]).lower()


def constraints(freeze: str, requirements: str) -> list[str]:
    """The lines of `freeze` that pin something which `requirements` does not name."""
    direct = {name(line) for line in requirements.splitlines() if line.strip() and not line.startswith("#")}
    lines = [line for line in freeze.splitlines() if "==" in line and not line.startswith(("-", "#"))]
    kept = [line for line in lines if name(line) not in direct and not BY_MACHINE.match(name(line))]
    return sorted((re.sub(r"\+\S+$", "", line) for line in kept), key=str.lower)


def main() -> int:
    command = [sys.executable, "-m", "pip", "freeze", "--exclude-editable"]
    freeze = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    lines = constraints(freeze, (ROOT / "requirements.txt").read_text(encoding="utf-8"))
    (ROOT / "constraints.txt").write_text(HEADER + "\n".join(lines) + "\n", encoding="utf-8")
    print(f"constraints.txt: {len(lines)} versions pinned")
    return 0


if __name__ == "__main__":
    sys.exit(main())
