"""Numbers and data that no network can have: said in a sentence before work begins, and what a dry run says of it."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from ddpm_lib.__main__ import main
from ddpm_lib.data.photos import find_photos
from ddpm_lib.models import MLPConfig, NetworkConfig, UNetConfig, build
from ddpm_lib.models.blocks import time_embedding
from ddpm_lib.models.storage import write
from ddpm_lib.models.trained import About, Trained
from ddpm_lib.schedule import linear_schedule
from ddpm_lib.train.presets import PRESETS
from tests.tiny import CPU, TINY, pictures, train


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return pictures(tmp_path_factory.mktemp("door") / "photos")


@pytest.fixture(scope="module")
def run(photos: Path) -> Path:
    """A run of two steps, not to be changed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(PRESETS, "cpu-minutes", TINY)
        assert train(photos, photos.parent / "run", "--steps", "2") == 0
    return photos.parent / "run"


def refused(argv: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """Status 2; what was said."""
    capsys.readouterr()
    try:
        status: object = main(argv)
    except SystemExit as error:  # argparse's
        status = error.code
    assert status == 2
    return capsys.readouterr().err.strip().splitlines()[-1]


@pytest.mark.parametrize("dim", [0, 1, 7])
def test_the_time_has_an_even_number_of_features(dim: int) -> None:
    with pytest.raises(ValueError, match="come in pairs"):
        time_embedding(torch.tensor([1]), dim)


def test_a_width_that_no_network_has_is_refused(photos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    argv = ["train", "unet", "--preset", "classic-small", "--data", str(photos), "--dry-run", *CPU]
    assert "26 channels cannot be split into 4 heads" in refused([*argv, "--width", "13"], capsys)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(PRESETS, "cpu-minutes", TINY)
        argv = ["train", "--data", str(photos), "--size", "8", "--dry-run", *CPU]
        assert "7 features are none: take an even width" in refused([*argv, "--width", "7"], capsys)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--count", str(10**14), "--folder", "drawn"], "at most 10,000,000"),
        (["--from", "x.png", "--mask", "y.png", "--resample", str(10**10)], "at most 1,000"),
    ],
)
def test_more_than_anyone_waits_for_is_refused(
    run: Path, options: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert said in refused(["sample", str(run), *options, *CPU], capsys)


def test_a_dry_run_says_in_words_where_a_walk_begins_and_where_it_goes(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    argv = ["sample", str(run), "--count", "9999999", "--folder", str(tmp_path), "--dry-run", *CPU]
    assert main(argv) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "begin = noise" in lines
    assert f"out = {tmp_path}" in lines
    assert "labels = 0, 1, 0, 1, 0, 1, 0, 1, 0, 1 and 9,999,989 more" in lines


def test_a_dry_run_says_that_images_are_too_few(photos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    argv = ["train", "unet", "--data", str(photos), "--size", "8", "--batch", "13", "--dry-run", *CPU]
    assert main(argv) == 0
    assert "images = 12, too few for a batch of 13" in capsys.readouterr().out


@pytest.mark.parametrize("command", ["evaluate", "diagnose"])
def test_data_of_another_shape_are_named_with_the_networks(
    run: Path, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    said = refused([command, str(run), "--data", "mnist", *(CPU if command == "evaluate" else ())], capsys)
    assert "28 pixels wide and grey, and not 8 pixels wide with 3 channels" in said


def test_one_image_that_does_not_fit_needs_a_smaller_one(
    photos: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("ddpm_lib.cli.first_pass.build", lambda _: torch.empty(2**50))
    run = ["--out", str(photos.parent / "too large")]  # a dry run holds shapes alone
    said = refused(["train", "--data", str(photos), "--size", "8", *run, *CPU], capsys)
    assert "for one image of (3, 8, 8) alone" in said
    assert "pass a smaller --size, a smaller --width, or another --preset." in said


def weights(config: NetworkConfig, shape: tuple[int, ...], file: Path, last: float = 0.0) -> str:
    """A file of an untrained network for examples of that shape, whose last layer holds one number."""
    torch.manual_seed(0)
    tensors = {f"ema.{name}": t for name, t in build(config).state_dict().items()}
    for name, tensor in tensors.items():
        if name.startswith("ema.last.") and tensor.ndim == 4:
            tensor.fill_(last)
    schedule = linear_schedule(100)
    made = Trained(config, schedule, About("mnist", shape), {**tensors, "schedule.beta": schedule.beta})
    write(file, dict(made.tensors), made.header())
    return str(file)


@pytest.mark.parametrize(
    ("config", "shape"), [(MLPConfig(), (2,)), (UNetConfig(channels=2, base=8, heads=1), (2, 8, 8))]
)
def test_a_network_that_draws_no_pictures_is_for_python(
    config: NetworkConfig, shape: tuple[int, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = weights(config, shape, tmp_path / "x.safetensors")
    for command in ("sample", "evaluate", "diagnose"):
        said = refused([command, file], capsys)
        assert f"draws examples of shape {shape}, and no grey or color images" in said
    assert "export a" in refused(["export", file, "--web"], capsys)
    assert [path.name for path in tmp_path.iterdir()] == ["x.safetensors"]


def test_a_network_of_oblongs_is_not_measured_on_squares(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = weights(UNetConfig(base=8, heads=1), (1, 8, 12), tmp_path / "x.safetensors")
    for command in ("evaluate", "diagnose"):
        assert "draws 8 x 12 pixels, and images are read as squares" in refused([command, file], capsys)


def test_an_untrained_network_is_diagnosed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = UNetConfig(base=8, mults=(1,), blocks=1, heads=1)
    assert main(["diagnose", weights(config, (1, 28, 28), tmp_path / "x.safetensors")]) == 0
    assert "it still answers 0, as at the start" in capsys.readouterr().out


def test_answers_that_are_not_finite_are_no_sound_ones(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = UNetConfig(base=8, mults=(1,), blocks=1, heads=1)
    assert main(["diagnose", weights(config, (1, 28, 28), tmp_path / "x.safetensors", last=3e38)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1].startswith("SICK")
    assert "answers that are not finite" in lines[-1]
    assert not [line for line in lines if line.startswith("ok") and ("inf" in line or "nan" in line)]


def test_an_option_that_is_none_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert "there is no option --dataa: did you mean --data?" in refused(["train", "--dataa", "x"], capsys)
    assert "there is no option --frm" in refused(["sample", "unet-small", "--frm=x.png"], capsys)
    assert "there is no option --json" in refused(["export", "unet-small", "--json", "x"], capsys)


def test_parts_of_a_data_set_are_hardly_its_classes(tmp_path: Path) -> None:
    assert "name one: " in str(find_photos(pictures(tmp_path / "parts", ("Train", "test"))))
    assert "name one: " not in str(find_photos(pictures(tmp_path / "classes", ("train", "car"))))
