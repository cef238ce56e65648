"""Walks on the command line: films, single files, an image to begin from, a mask."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ddpm_lib.__main__ import main
from tests.own_run import mistake
from tests.own_run import photos as photos
from tests.own_run import run as run
from tests.tiny import CPU
from tests.tiny import tiny as tiny

pytestmark = pytest.mark.usefixtures("tiny")


def sample(run: Path, *more: str) -> int:
    """Draw with few steps."""
    return main(["sample", str(run), "--steps", "4", *CPU, *more])


def test_a_chain_shorter_than_fifty_steps_is_walked_whole(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["sample", str(run), "--dry-run", "--grid", str(tmp_path / "x.png"), *CPU]) == 0
    assert "steps = 40 of T = 40" in capsys.readouterr().out


@pytest.mark.parametrize("command", [["sample"], ["evaluate", "--samples", "256"]])
@pytest.mark.parametrize(
    ("name", "asked", "steps", "guidance"),
    [
        ("cpu-minutes", [], 50, 0.5),
        ("cpu-few", [], 1, 0.0),
        ("cpu-few", ["--steps", "4", "--guidance", "0.5"], 4, 0.5),
    ],
)
def test_a_distilled_network_takes_one_step_and_no_guidance_unless_asked(
    command: list[str],
    name: str,
    asked: list[str],
    steps: int,
    guidance: float,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    grid = ["--grid", str(tmp_path / "x.png")] if command[0] == "sample" else []
    assert main([command[0], name, *command[1:], *asked, *grid, "--dry-run", *CPU]) == 0
    said = capsys.readouterr().out
    assert f"guidance = {guidance}" in said or f"guidance {guidance}" in said
    assert f"steps = {steps} of T" in said or f" {steps} steps" in said


def test_single_files_are_the_grid_and_are_never_overwritten(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, grid = tmp_path / "drawn", tmp_path / "grid.png"
    assert sample(run, "--count", "5", "--batch", "2", "--seed", "7", "--folder", str(folder)) == 0
    assert [file.name for file in sorted(folder.iterdir())] == [f"{seed:06}.png" for seed in range(7, 12)]
    assert sample(run, "--count", "5", "--seed", "7", "--columns", "5", "--grid", str(grid)) == 0
    page = np.asarray(Image.open(grid))[::3, ::3]
    for i, file in enumerate(sorted(folder.iterdir())):
        left = 2 + 10 * i
        difference = np.asarray(Image.open(file), int) - page[2:10, left : left + 8]
        assert np.abs(difference).max() <= 1  # a batch of another size rounds otherwise
    before = {file: file.read_bytes() for file in folder.iterdir()}
    again = ["sample", str(run), "--count", "9", "--folder", str(folder), *CPU]
    assert "such as --seed 9" in mistake(again, capsys)
    assert {file: file.read_bytes() for file in folder.iterdir()} == before


@pytest.mark.parametrize("name", ["walk.gif", "walk.webp"])
def test_a_film_begins_in_noise_and_rests_on_the_image(tmp_path: Path, name: str) -> None:
    film, grid = tmp_path / name, tmp_path / "grid.png"
    assert sample(Path("cpu-minutes"), "--count", "2", "--gif", str(film), "--grid", str(grid)) == 0
    with Image.open(film) as opened:
        assert opened.n_frames == 5
        opened.load()
        first = np.asarray(opened.convert("RGB"), float)
        opened.seek(4)
        opened.load()
        last, rest = np.asarray(opened.convert("RGB"), float), opened.info["duration"]
    end = np.asarray(Image.open(grid).convert("RGB"), float)
    assert rest == 2000
    assert np.abs(last - end).mean() < 12 < 40 < np.abs(first - end).mean()  # of few colors, or compressed


def test_a_walk_from_an_image_stays_near_it_the_less_it_is_noised(
    run: Path, photos: Path, tmp_path: Path
) -> None:
    image = photos / "cats" / "0.png"
    apart = []
    for start in ("1", "39"):
        folder = tmp_path / start
        options = ["--from", str(image), "--start", start, "--count", "3", "--folder", str(folder)]
        assert sample(run, *options) == 0
        drawn = [np.asarray(Image.open(file), float) for file in folder.iterdir()]
        square = np.asarray(Image.open(image).crop((0, 0, 8, 8)), float)
        apart.append(np.mean([np.abs(x - square).mean() for x in drawn]))
    assert apart[0] < 10 < apart[1]


def test_what_a_mask_keeps_is_kept(run: Path, photos: Path, tmp_path: Path) -> None:
    image, mask, folder = photos / "cats" / "0.png", tmp_path / "mask.png", tmp_path / "drawn"
    pixels = np.zeros((8, 8), np.uint8)
    pixels[:, 4:] = 255
    Image.fromarray(pixels).save(mask)
    options = ["--from", str(image), "--mask", str(mask), "--count", "2", "--folder", str(folder)]
    assert sample(run, *options) == 0
    square = np.asarray(Image.open(image).crop((0, 0, 8, 8)), int)
    for file in folder.iterdir():
        drawn = np.asarray(Image.open(file), int)
        assert np.abs(drawn - square)[:, :4].max() <= 1
        assert np.abs(drawn - square)[:, 4:].mean() > 10


def test_what_cannot_be_drawn_is_said_first(
    run: Path, photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    image, black = str(photos / "cats" / "0.png"), tmp_path / "black.png"
    Image.new("L", (8, 8)).save(black)
    for options, said in (
        (["--start", "3"], "name the image with --from"),
        (["--mask", image], "name the image with --from"),
        (["--from", image, "--start", "41"], "t = 1 ... 40"),
        (["--from", image, "--resample", "2"], "belongs to a mask"),
        (["--from", image, "--mask", str(black)], "is all black"),
        (["--from", str(tmp_path / "none.png")], "cannot be read as an image"),
        (["--from", image, "--grid", image], "would be overwritten"),
        (["--gif", "walk.mp4"], "does not end in .gif or .webp"),
    ):
        assert said in mistake(["sample", str(run), *options, *CPU], capsys)
    assert Image.open(image).size == (9, 8)
