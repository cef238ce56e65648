"""What a person installs: what the licences ask for and how to cite the course is in it, and it runs by itself."""

import json
import os
import re
import subprocess
import sys
import sysconfig
import tarfile
import tomllib
import venv
import zipfile
from pathlib import Path

import pytest
import yaml

import ddpm_lib

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


INSTALLED = """
import json
from importlib.metadata import version
import torch
import ddpm_lib
from ddpm_lib.__main__ import main
from ddpm_lib.data import mnist
network = ddpm_lib.load("cpu-minutes").network()
guess = network(mnist(train=False).x0(slice(0, 2)), torch.tensor([100, 100]))
print(json.dumps([ddpm_lib.__file__, version("ddpm-lib"), list(guess.shape)]))
main(["train", "unet", "--preset", "cpu-minutes", "--dry-run"])
"""


def test_the_wheel_runs_where_the_course_is_not(built: Path, tmp_path: Path) -> None:
    """In an environment of its own, without a network: what ddpm_lib needs is lent to it, ddpm_lib itself is not."""
    venv.create(tmp_path / "env", with_pip=False)
    python = tmp_path / "env" / "bin" / "python"
    environ = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}

    def run(*command: str | Path) -> str:
        ran = subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, text=True)
        assert ran.returncode == 0, ran.stderr
        return ran.stdout

    own = Path(run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip())
    # A folder named so is searched, but its own .pth files are not read: not the one that leads to this course.
    (own / "lent.pth").write_text(sysconfig.get_path("purelib") + "\n")
    (wheel,) = built.glob("*.whl")
    run(sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", "--target", own, wheel)
    first, *shown = run(python, "-c", INSTALLED).splitlines()
    place, version, shape = json.loads(first)
    assert Path(place).is_relative_to(own)
    assert (version, shape) == (VERSION, [2, 1, 28, 28])
    assert any("cpu-minutes" in line for line in shown)


def test_the_source_distribution_builds_the_same_wheel(built: Path, tmp_path: Path) -> None:
    (source,), (wheel,) = built.glob("*.tar.gz"), built.glob("*.whl")
    with tarfile.open(source) as archive:
        archive.extractall(tmp_path, filter="data")
    (unpacked,) = tmp_path.iterdir()
    build = [
        sys.executable,
        "-m",
        "hatchling",
        "build",
        "--target",
        "wheel",
        "--directory",
        str(tmp_path / "out"),
    ]
    subprocess.run(build, cwd=unpacked, check=True, capture_output=True)
    (again,) = (tmp_path / "out").glob("*.whl")
    with zipfile.ZipFile(wheel) as first, zipfile.ZipFile(again) as second:
        assert {(each.filename, each.CRC) for each in first.infolist()} == {
            (each.filename, each.CRC) for each in second.infolist()
        }


VERSION: str = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]


def test_one_version_and_one_title_stand_everywhere() -> None:
    assert ddpm_lib.__version__ == VERSION
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    zenodo = json.loads((ROOT / ".zenodo.json").read_text(encoding="utf-8"))
    changes = re.search(r"^## (\S+?),? ", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert changes is not None
    assert citation["version"] == VERSION == changes[1]
    assert zenodo["title"] == citation["title"]
    assert [each["name"] for each in zenodo["creators"]] == [each["name"] for each in citation["authors"]]
