"""The page on images of one's own: each of its commands is carried out, on tiny pictures and with few steps."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ddpm_lib.__main__ import main
from ddpm_lib.cli.options import parser
from tests.theirs import saved
from tests.tiny import pictures, tiny

assert tiny  # a fixture

BOOK = Path(__file__).resolve().parent.parent / "book"
FENCE = re.compile(r"^ *```bash\n(.*?)^ *```$", flags=re.MULTILINE | re.DOTALL)
# What is made small: steps and images of a run, and a time of the tiny preset's chain of 60.
SMALL = {"10000": "2", "20000": "4", "5000": "5", "200": "3", "250": "30"}


def commands(page: Path) -> list[str]:
    """The lines of a page's shell blocks that run the package."""
    text = page.read_text(encoding="utf-8")
    if page.suffix == ".ipynb":
        cells = [cell for cell in json.loads(text)["cells"] if cell["cell_type"] == "markdown"]
        text = "\n\n".join("".join(cell["source"]) for cell in cells)
    lines = [line.split("  #")[0].strip() for block in FENCE.findall(text) for line in block.splitlines()]
    return [line for line in lines if line.startswith("python -m ddpm_lib ")]


PAGES = [page for page in sorted(BOOK.iterdir()) if page.suffix in (".ipynb", ".md")]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_of_the_book_parses(page: Path) -> None:
    for line in commands(page):
        parser().parse_args(shlex.split(line)[3:])


def test_the_page_is_a_session_that_works(
    tiny: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    pictures(Path("photos"), each=20)
    pictures(Path("paintings"), each=20)
    Image.effect_noise((30, 20), 60).convert("RGB").save("photo.jpg")
    mask = np.zeros((32, 32), np.uint8)
    mask[16:] = 255
    Image.fromarray(mask).save("mask.png")
    saved(Path("butterflies"))
    lines = commands(BOOK / "own_images.ipynb")
    assert len(lines) >= 17
    for line in lines:
        words = [SMALL.get(word, word) for word in shlex.split(line)[3:]]
        if words[0] == "train" and "--dry-run" not in words:
            words += ["--precision", "float32"]
            words += [] if "--steps" in words else ["--steps", "2"]
        words += {"sample": ["--steps", "2"], "evaluate": ["--bits", "2"]}.get(words[0], [])
        assert (
            main(
                [
                    *words,
                    *([] if words[0] in ("export", "import", "shard", "diagnose") else ["--device", "cpu"]),
                ]
            )
            == 0
        ), line
    capsys.readouterr()
    run = Path("runs/photos")
    made = ("weights.safetensors", "model.js", "model.onnx", "diffusers")
    assert all((run / name).exists() for name in made)
    assert [file.name for file in sorted(Path("cats").iterdir())] == [f"{n:06}.png" for n in range(3)]
    assert len(list(Path("drawn").iterdir())) == 5
    assert all(
        Path(name).is_file() for name in ("all.png", "walk.gif", "samples.png", "butterflies.safetensors")
    )
