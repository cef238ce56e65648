"""Write SHA256SUMS for a folder of the package's assets: what `ddpm_lib.data.verified` checks against.

python -m tools.checksums ddpm_lib/assets/weights
"""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path


def write_sums(folder: Path) -> None:
    """One line a file, as sha256sum prints them; cards and the sums themselves are left out."""
    files = sorted(path for path in folder.iterdir() if path.suffix in {".xz", ".safetensors"})
    lines = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}" for path in files]
    (folder / "SHA256SUMS").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    for name in sys.argv[1:]:
        write_sums(Path(name))
