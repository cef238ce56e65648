"""One zip for a place without a network: pages, notebooks, the library with its weights and data, the book to print.

python -m tools.forms.offline     into _build/offline; `make offline` builds first what goes into it
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import tomllib
import zipfile
from collections.abc import Mapping
from pathlib import Path

from tools.forms.imprint import imprint
from tools.plain.copies import write_all
from tools.plain.places import Course
from tools.serve import HTML, ROOT

OUT = ROOT / "_build" / "offline"
READ_ME = """{title}, version {version}: the course for a place without a network

Read     Open site/index.html in a browser, from this folder as it is. Widgets, the generator and the search work;
         nothing is asked of a network. Links to papers lead out of the folder.
Teach    site/slides/index.html lists the slides of every chapter.
Run      In an environment that has {needs}:
             python -m pip install --no-index --no-deps wheels/{wheel}
         It holds MNIST and the trained weights. Then open the notebooks in the folder notebooks with JupyterLab.
Print    book.pdf and book.epub, where they are here, hold the whole text.
"""


def requirements(root: Path) -> str:
    """What the library needs beside itself, as a phrase."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    names: list[str] = project["dependencies"]
    return ", ".join(names)


def build_wheel(root: Path, folder: Path) -> Path:
    """The library's wheel, built without a network."""
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(command, cwd=root, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    return wheel


def gather(
    site: Path, notebooks: Path, wheel: Path, extras: list[Path], read_me: str
) -> dict[str, Path | str]:
    """Everything that goes into the zip, by its name there."""
    held: dict[str, Path | str] = {"README.txt": read_me, f"wheels/{wheel.name}": wheel}
    for folder, name in ((site, "site"), (notebooks, "notebooks")):
        for path in sorted(folder.rglob("*")):
            within = path.relative_to(folder)
            if path.is_file() and within.parts[0] != "_sources":
                held[f"{name}/{within.as_posix()}"] = path
    return held | {path.name: path for path in extras if path.is_file()}


def write_zip(held: Mapping[str, Path | str], out: Path, name: str) -> Path:
    """Write the zip, all of it in a folder of its own; its size stands in its name."""
    out.mkdir(parents=True, exist_ok=True)
    unnamed = out / "unfinished.zip"
    with zipfile.ZipFile(unnamed, "w", zipfile.ZIP_DEFLATED) as archive:
        for where, what in held.items():
            if isinstance(what, str):
                archive.writestr(f"{name}/{where}", what)
            else:
                archive.write(what, f"{name}/{where}")
    return unnamed.replace(out / f"{name}-offline-{max(1, round(unnamed.stat().st_size / 1e6))}MB.zip")


def main() -> None:
    if not (HTML / "index.html").is_file():
        raise SystemExit(
            "There is no built book in _build/html, which the zip is made of: run `make offline`."
        )
    said = imprint(ROOT)
    for old in OUT.glob("*.zip"):
        old.unlink()
    with tempfile.TemporaryDirectory() as folder:
        wheel = build_wheel(ROOT, Path(folder))
        written = write_all(Course(ROOT), Path(folder) / "notebooks")
        extras = [ROOT / "_build" / kind / f"book.{kind}" for kind in ("pdf", "epub")]
        needs = requirements(ROOT)
        text = READ_ME.format(title=said.title, version=said.version, needs=needs, wheel=wheel.name)
        held = gather(HTML, written[0].parent, wheel, extras, text)
        target = write_zip(held, OUT, f"ddpm-course-{said.version}")
    print(f"{target.relative_to(ROOT)}: {target.stat().st_size / 1e6:.1f} MB, {len(held)} files")
    for path in extras:
        if path.name not in held:
            print(f"without {path.name}: `make {path.suffix[1:]}` makes it")


if __name__ == "__main__":
    main()
