"""No option is passed for nothing, no result takes another's place, and no shortage is taken for a bad file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image
from torch.nn.modules.module import register_module_forward_pre_hook

from ddpm_lib.__main__ import main
from ddpm_lib.data import load_data
from ddpm_lib.models import header
from ddpm_lib.train.presets import PRESETS
from tests.tiny import CPU, TINY, pictures, tiny, train

__all__ = ["tiny"]
pytestmark = pytest.mark.usefixtures("tiny")


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return pictures(tmp_path_factory.mktemp("ignored") / "photos")


def test_options_that_sampling_would_ignore_are_refused(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(PRESETS, "cpu-minutes", replace(TINY, model=replace(TINY.model, classes=0)))
    assert train(photos, Path("run"), "--steps", "2") == 0
    few = ["run", "--steps", "1", *CPU]
    for command in (["sample", *few, "--count", "1"], ["evaluate", *few, "--data", "mnist", "--dry-run"]):
        for options, said in (
            (["--eta", "0.5", "--sampler", "ddpm"], "--eta is DDIM's noise, and ddpm has its own"),
            (["--guidance", "3"], "this network knows no classes"),
        ):
            assert main([*command, *options]) == 2
            assert said in capsys.readouterr().err
        assert main([*command, "--guidance", "0", "--eta", "0.5"]) == 0


@pytest.mark.parametrize(
    "option",
    [["--samples", "300"], ["--sampler", "ddpm"], ["--steps", "5"], ["--eta", "1"], ["--guidance", "2"]],
)
def test_evaluate_takes_no_option_of_drawing_where_nothing_is_drawn(
    option: list[str], photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert train(photos, tmp_path / "run", "--steps", "2") == 0
    capsys.readouterr()
    assert main(["evaluate", str(tmp_path / "run"), "--dry-run", *option, *CPU]) == 2
    said = capsys.readouterr().err
    assert f"{option[0]} says how digits are drawn" in said
    assert said.count("\n") == 1


@pytest.mark.parametrize(
    "places",
    [
        ["--grid", "drawn/000001.png"],
        ["--grid", "./drawn/000005.png"],
        ["--gif", "drawn.gif", "--folder", "drawn.gif"],
    ],
)
def test_a_grid_or_film_takes_no_place_of_the_folder(
    photos: Path,
    tmp_path: Path,
    places: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert train(photos, Path("run"), "--steps", "2") == 0
    before = sorted(tmp_path.iterdir())
    assert main(["sample", "run", "--count", "2", "--steps", "1", "--folder", "drawn", *places, *CPU]) == 2
    assert "is a place of --folder's own" in capsys.readouterr().err
    assert sorted(tmp_path.iterdir()) == before


def test_memory_that_runs_out_leaves_no_image_out(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def none_left(*_: object, **__: object) -> None:
        raise MemoryError

    monkeypatch.setattr(Image.Image, "load", none_left)
    with pytest.raises(MemoryError):
        load_data(str(photos), size=8, skip_bad=True)


@pytest.mark.parametrize("error", [MemoryError, ImportError])
def test_a_shortage_is_no_fault_of_a_header(error: type[Exception]) -> None:
    def build(config: object) -> None:
        raise error

    with pytest.raises(error):
        header.outline(build, TINY.model, 100)


def test_a_dry_run_costs_the_shapes_only(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As for images of 4096 pixels, whose attention takes minutes: no weight is drawn and no number computed."""
    seen = set[str]()

    def note(network: object, inputs: tuple[object, ...]) -> None:
        seen.add(str(getattr(inputs[0], "device", "")))

    hook = register_module_forward_pre_hook(note)
    try:
        assert train(pictures(tmp_path / "photos"), tmp_path / "run", "--dry-run") == 0
    finally:
        hook.remove()
    assert seen == {"meta"}
    assert "parameters = " in capsys.readouterr().out


def test_a_folder_called_as_a_data_set_is_named_in_the_refusal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mnist").mkdir()
    assert main(["train", "--data", "mnist", "--size", "8", "--dry-run"]) == 2
    assert "(the folder of that name is ./mnist)" in capsys.readouterr().err
