"""What a person installs holds what the licences ask for, and how to cite the course."""

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
TEXTS = ("LICENSE", "LICENSE-TEXT", "CITATION.cff")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel and the source distribution."""
    out = tmp_path_factory.mktemp("dist")
    build = [sys.executable, "-m", "hatchling", "build", "--directory", str(out)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    return out


@pytest.mark.parametrize("name", TEXTS)
def test_wheel_and_source_distribution_hold_licences_and_citation(built: Path, name: str) -> None:
    text = (ROOT / name).read_bytes()
    (wheel,) = built.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        (inside,) = [path for path in archive.namelist() if path.endswith(f".dist-info/licenses/{name}")]
        assert archive.read(inside) == text
        assert (
            f"License-File: {name}" in archive.read(inside.split("/")[0] + "/METADATA").decode().splitlines()
        )
    (source,) = built.glob("*.tar.gz")
    with tarfile.open(source) as archive:
        (member,) = [
            path for path in archive.getnames() if path.count("/") == 1 and path.endswith(f"/{name}")
        ]
        file = archive.extractfile(member)
        assert file is not None
        assert file.read() == text
