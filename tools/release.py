"""Everything that a version is given out as, in one folder: wheel, source distribution, PDF, EPUB, the offline zip.

python -m tools.release     into _build/release, with checksums and what the changelog says
"""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import sys
from pathlib import Path

from tools.forms.imprint import imprint
from tools.serve import ROOT

OUT = ROOT / "_build" / "release"


def notes(changelog: str, version: str) -> str:
    """What the changelog says of a version, without its heading."""
    found = re.search(
        rf"^## {re.escape(version)}\b[^\n]*\n(.*?)(?=^## |\Z)", changelog, re.MULTILINE | re.DOTALL
    )
    if found is None:
        raise SystemExit(f"CHANGELOG.md has no section for {version}: write one, headed '## {version}'.")
    return found[1].strip() + "\n"


def gather(root: Path, out: Path, version: str) -> list[Path]:
    """Copy the book's other forms under the names that they are given out by; each must be there."""
    forms = {
        root / "_build" / kind / f"book.{kind}": f"ddpm-course-{version}.{kind}" for kind in ("pdf", "epub")
    }
    zips = list((root / "_build" / "offline").glob(f"ddpm-course-{version}-offline-*.zip"))
    missing = [path.name for path in forms if not path.is_file()] + ([] if zips else ["the offline zip"])
    if missing:
        raise SystemExit(
            f"A release lacks {' and '.join(missing)}: run `make release`, which makes them first."
        )
    forms |= {path: path.name for path in zips}
    return [Path(shutil.copy2(path, out / name)) for path, name in forms.items()]


def checksums(files: list[Path]) -> str:
    """A line a file, as sha256sum writes and checks it."""
    return "".join(
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in sorted(files)
    )


def main() -> None:
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir(parents=True)
    version = imprint(ROOT).version
    said = notes((ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), version)
    files = gather(ROOT, OUT, version)
    build = [sys.executable, "-m", "hatchling", "build", "--directory", str(OUT)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    files += [*OUT.glob("*.whl"), *OUT.glob("*.tar.gz")]
    (OUT / "SHA256SUMS").write_text(checksums(files), encoding="utf-8")
    (OUT / "NOTES.md").write_text(said, encoding="utf-8")
    for path in sorted(files):
        print(f"{path.relative_to(ROOT)}: {path.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
