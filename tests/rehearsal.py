"""A machine that has six packages, no network and little time: where the GPU run is rehearsed."""

from __future__ import annotations

import hashlib
import importlib.metadata
import lzma
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parent.parent
SIX = ("torch", "numpy", "safetensors", "jaxtyping", "pillow", "tqdm")
DIGITS = 256  # of each part of MNIST in the copy of the package: as many as `evaluate` needs


def needed(names: tuple[str, ...] = SIX) -> set[str]:
    """The distributions of that name, and what they require on this machine."""
    found: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name.lower() in found:
            continue
        try:
            requires = importlib.metadata.requires(name) or []
        except importlib.metadata.PackageNotFoundError:
            continue
        found.add(name.lower())
        waiting += [
            line.split(";")[0].strip().split("[")[0] for line in map(_bare, requires) if "extra" not in line
        ]
    return found


def _bare(line: str) -> str:
    head, _, condition = line.partition(";")
    for sign in "<>=!~ ":
        head = head.partition(sign)[0]
    return f"{head};{condition}"


def environment(folder: Path) -> Path:
    """A Python in `folder` that sees those six and what they need, linked from this environment: nothing is fetched."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    site = next(folder.glob("lib*/python*/site-packages"))
    for name in needed():
        for file in importlib.metadata.files(name) or []:
            top = file.parts[0]
            source = (
                Path(str(file.locate())).parents[len(file.parts) - 2]
                if len(file.parts) > 1
                else file.locate()
            )
            target = site / top
            if top not in ("..", "__pycache__") and not target.exists():
                target.symlink_to(source)
    return folder / "bin" / "python"


def course(folder: Path) -> Path:
    """A copy of the package, the tools and the benchmarks, with few digits of MNIST."""
    for name in ("ddpm_lib", "tools", "benchmarks"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "results"))
    mnist = folder / "ddpm_lib" / "assets" / "mnist"
    sums = []
    for path in sorted(mnist.glob("*.xz")):
        raw = lzma.decompress(path.read_bytes())
        start = 4 + 4 * raw[3]
        shape = np.frombuffer(raw, ">i4", count=raw[3], offset=4).copy()
        shape[0] = DIGITS
        few = raw[:4] + shape.tobytes() + raw[start : start + int(np.prod(shape))]
        path.write_bytes(lzma.compress(few, preset=0))
        sums.append(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n")
    (mnist / "SHA256SUMS").write_text("".join(sums))
    return folder


def alone() -> list[str]:
    """What to put before a command so that it has no network; nothing where the system does not allow it."""
    cut = ["unshare", "-rn"]
    try:
        allowed = subprocess.run([*cut, "true"], capture_output=True).returncode == 0
    except OSError:
        allowed = False
    if not allowed:
        print("the network cannot be taken away here: rehearsed with it")
    return cut if allowed else []


def call(python: Path, folder: Path, *command: str, status: int = 0) -> str:
    """What that Python prints in `folder`, on one thread."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
    done = subprocess.run(
        [*alone(), str(python), *command],
        cwd=folder,
        env={**kept, "OMP_NUM_THREADS": "1", "PYTHONNOUSERSITE": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode == status, done.stdout[-4000:]
    return done.stdout


def run(python: Path, folder: Path, *options: str, status: int = 0) -> str:
    """What `python -m tools.gpu ...` prints."""
    return call(python, folder, "-m", "tools.gpu", *options, status=status)
