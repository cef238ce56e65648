"""One's own images on the command line: a network and a noise of one's own choice, single files, films, editing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from ddpm_lib import load
from ddpm_lib.__main__ import main
from ddpm_lib.train import loop
from tests.tiny import CPU, pictures, tiny, train

assert tiny  # a fixture

CHOSEN = ["--width", "12", "--levels", "2", "--predicts", "v", "--schedule", "linear", "-T", "40"]
pytestmark = pytest.mark.usefixtures("tiny")


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Twelve pictures in two classes."""
    return pictures(tmp_path / "photos")


@pytest.fixture
def run(photos: Path, tmp_path: Path) -> Path:
    """A run of two steps with options of its own."""
    options = [*CHOSEN, "--ema", "0.9", "--flip", "--steps", "2"]
    assert train(photos, tmp_path / "run", *options) == 0
    return tmp_path / "run" / "checkpoint.safetensors"


def mistake(command: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """What a command that cannot be carried out says."""
    capsys.readouterr()
    assert main(command) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    return said


def sample(run: Path, *more: str) -> int:
    """Draw with few steps."""
    return main(["sample", str(run), "--steps", "4", *CPU, *more])


def test_a_run_is_what_its_options_say_and_goes_on_so(run: Path) -> None:
    checkpoint = load(run)
    config = checkpoint.model_config
    assert (config.base, config.mults, config.predicts) == (12, (1, 1), "v")
    assert (checkpoint.schedule.name, checkpoint.schedule.T) == ("linear", 40)
    assert (checkpoint.training["ema"], checkpoint.training["flip"]) == (0.9, True)
    assert main(["train", "--resume", str(run), "--steps", "3", "--ema", "0.5", "--no-flip", *CPU]) == 0
    assert (load(run).training["ema"], load(run).training["flip"]) == (0.5, False)


def test_the_levels_of_a_preset_are_cut_or_repeated(photos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["train", "--preset", "gpu-minutes", "--data", str(photos), "--size", "16", "--dry-run", *CPU]
    for levels, mults, attention in (
        (1, "(1,)", "(0,)"),
        (2, "(1, 2)", "(1,)"),
        (5, "(1, 2, 2, 2, 2)", "(4,)"),
    ):
        assert main([*command, "--levels", str(levels)]) == 0
        said = capsys.readouterr().out
        assert f"model.mults = {mults}" in said
        assert f"model.attention = {attention}" in said


@pytest.mark.parametrize("option", ["--width 8", "--levels 1", "--predicts x0", "--schedule cosine", "-T 9"])
def test_what_a_run_keeps_to_its_end_is_refused_at_a_resume(
    run: Path, option: str, capsys: pytest.CaptureFixture[str]
) -> None:
    said = mistake(["train", "--resume", str(run), "--steps", "4", *option.split(), *CPU], capsys)
    assert f"{option.split()[0]} was chosen when the run" in said


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("--levels 4 --size 12", "12 x 12"),
        ("--levels 11", "take up to 10"),
        ("--width 33 --preset gpu-minutes", "take a width that they divide"),
        ("-T 3 --schedule linear", "raise T"),
        ("resnet --levels 2", "leave out --levels"),
    ],
)
def test_what_cannot_be_is_said_before_any_work(
    photos: Path, tmp_path: Path, options: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert said in mistake(
        ["train", *options.split(), "--data", str(photos), "--out", str(tmp_path / "x"), *CPU], capsys
    )
    assert not (tmp_path / "x").exists()


def test_half_of_the_images_are_mirrored(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[torch.Tensor] = []
    loss = loop.simple_loss
    monkeypatch.setattr(loop, "simple_loss", lambda *args: (seen.append(args[2]), loss(*args))[1])
    assert train(photos, tmp_path / "a", "--flip", "--steps", "50") == 0
    flipped, seen[:] = torch.cat(seen), []
    assert train(photos, tmp_path / "b", "--steps", "50") == 0
    plain = torch.cat(seen)
    mirrored = (flipped == plain.flip(-1)).flatten(1).all(1)
    kept = (flipped == plain).flatten(1).all(1)
    assert bool((mirrored ^ kept).all())  # batches are the same ones
    assert 70 < int(mirrored.sum()) < 130  # of 200


def test_a_chain_shorter_than_fifty_steps_is_walked_whole(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["sample", str(run), "--dry-run", "--grid", str(tmp_path / "x.png"), *CPU]) == 0
    assert "steps = 40 of T = 40" in capsys.readouterr().out


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
