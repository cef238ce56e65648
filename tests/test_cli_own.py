"""One's own images on the command line: a network and a noise of one's own choice, single files, films, editing."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from ddpm_lib import load
from ddpm_lib.__main__ import main
from ddpm_lib.train import loop
from tests.own_run import mistake
from tests.own_run import photos as photos
from tests.own_run import run as run
from tests.tiny import CPU, train
from tests.tiny import tiny as tiny

pytestmark = pytest.mark.usefixtures("tiny")


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
