"""What is refused of a folder of photos, and what is said, before any work."""

import os
from pathlib import Path

import pytest

from ddpm_lib.__main__ import main
from ddpm_lib.data import Batches, DataError, image_folder, load_data
from ddpm_lib.data.photos import find_photos
from ddpm_lib.data.stream import write_shards
from ddpm_lib.data.stream.open import open_images
from tests.photo_folders import cats as cats
from tests.photo_folders import put


def test_a_folder_that_refuses_is_named_or_left_out(cats: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scan = os.scandir

    def refuse(path: str) -> object:  # for root, whom the disk refuses nothing
        if str(path).endswith("dog"):
            raise PermissionError(13, "Permission denied")
        return scan(path)

    (cats / "self").symlink_to(cats / "self")
    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(DataError, match=r"cannot be read here: dog\. Change the permissions"):
        image_folder(cats, 8)
    assert "1 unreadable (dog)" in str(find_photos(cats, skip_bad=True))


def test_a_pipe_is_no_image(cats: Path) -> None:
    os.mkfifo(cats / "cat" / "pipe.png")
    assert "1 of another kind (cat/pipe.png)" in str(find_photos(cats))


def test_shards_leave_out_bad_files_too(cats: Path, tmp_path: Path) -> None:
    (cats / "dog" / "empty.png").touch()
    with pytest.raises(DataError, match=r"empty\.png cannot be read as an image"):
        list(write_shards(cats, tmp_path / "refused", 8))
    assert not (tmp_path / "refused").exists()
    *_, index = write_shards(cats, tmp_path / "shards", 8, skip_bad=True)
    assert len(index) == 4
    assert len(open_images(str(tmp_path / "shards")).head(9)) == 4


def test_a_dry_run_writes_no_index(cats: Path, tmp_path: Path) -> None:
    list(write_shards(cats, tmp_path / "shards", 8))
    (tmp_path / "shards" / "index.json").unlink()
    assert main(["train", "--data", str(tmp_path / "shards"), "--dry-run", "--device", "cpu"]) == 0
    assert [file.name for file in (tmp_path / "shards").iterdir()] == ["000000.tar"]


def test_a_folder_named_as_a_built_in_data_set_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path / "mnist" / "1.png")
    monkeypatch.chdir(tmp_path)
    lines: list[str] = []
    assert load_data("mnist", train=False, say=lines.append).name == "mnist"
    assert lines == ["mnist is the data set that comes with the course; the folder of that name is ./mnist."]
    assert len(load_data("./mnist", say=lines.append)) == 1


@pytest.mark.parametrize("options", [{"size": 32}, {"channels": 3}])
def test_what_a_built_in_data_set_cannot_be_is_refused(options: dict[str, int]) -> None:
    with pytest.raises(
        DataError, match=r"28 pixels wide and grey, and not .*: leave out --size and --channels"
    ):
        load_data("mnist", train=False, **options)


def test_one_image_and_too_small_a_folder(cats: Path) -> None:
    with pytest.raises(
        DataError, match=r"A batch of 64 cannot be drawn from 1 image: choose a batch size of 1"
    ):
        Batches(image_folder(cats, 8).head(1), 64)


def test_images_that_cannot_fit_into_memory_are_refused_before_they_are_read(
    cats: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "sysconf", lambda name: 1000)  # a million bytes
    with pytest.raises(DataError, match=r"These images take 0\.\d GB of memory|stream them from shards"):
        image_folder(cats, 1024)


@pytest.mark.parametrize(
    "options",
    [["--size", "0"], ["--size", "100000"], ["--each", "-5"], ["--each", "0"], ["--seed", str(2**63)]],
)
def test_numbers_of_shard_are_checked_before_work(
    cats: Path, tmp_path: Path, options: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["shard", str(cats), str(tmp_path / "shards"), *options]) == 2
    message = capsys.readouterr().err
    assert message.startswith("ddpm_lib shard: ")
    assert len(message.splitlines()) == 1
    assert not list(tmp_path.glob("shards*"))


def test_a_seed_of_63_bits_draws(cats: Path) -> None:
    images = image_folder(cats, 8)
    assert len(Batches(images, 2, seed=2**63 - 1)(0)[0]) == 2
