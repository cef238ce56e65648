"""A folder of one's own: what counts as an image and as a class, what is left out, and that all of it is said."""

import os
from pathlib import Path

import pytest

from ddpm_lib.data import DataError, image_folder
from ddpm_lib.data.photos import find_photos
from tests.photo_folders import cats as cats
from tests.photo_folders import put


@pytest.mark.parametrize(
    "name", [".ipynb_checkpoints/a.png", "__MACOSX/a.png", "@eaDir/a.png", "cat/._a.png", ".a.png"]
)
def test_hidden_and_system_files_are_no_images_and_no_classes(cats: Path, name: str) -> None:
    put(cats / name)
    photos = find_photos(cats)
    assert (photos.classes, len(photos.files)) == (("cat", "dog"), 4)
    assert "1 hidden" in str(photos)


def test_one_line_says_how_many_which_and_what_is_left_out(cats: Path) -> None:
    (cats / "notes.txt").write_text("about the cats")
    (cats / "empty").mkdir()
    line = str(find_photos(cats))
    for words in (
        "4 images",
        "2 classes (cat, dog)",
        "1 of another kind (notes.txt)",
        "without an image (empty)",
    ):
        assert words in line


def test_one_image_beside_the_class_folders_is_said(cats: Path) -> None:
    put(cats / "stray.png")
    photos = find_photos(cats)
    assert photos.classes == ()
    assert "stray.png beside them: move that into a folder for classes" in str(photos)


def test_linked_folders_are_followed_once_and_loops_end(cats: Path, tmp_path: Path) -> None:
    put(tmp_path / "elsewhere" / "a.png")
    (cats / "bird").symlink_to(tmp_path / "elsewhere")
    (cats / "cat" / "again").symlink_to(cats)
    photos = find_photos(cats)
    assert (photos.classes, len(photos.files)) == (("bird", "cat", "dog"), 5)


def test_channels_follow_the_images_unless_told(cats: Path) -> None:
    assert image_folder(cats, 4).shape == (1, 4, 4)
    assert image_folder(cats, 4, channels=3).shape == (3, 4, 4)
    put(cats / "cat" / "c.png", (200, 10, 10))
    assert image_folder(cats, 4).shape == (3, 4, 4)
    assert image_folder(cats, 4, channels=1).shape == (1, 4, 4)


def test_several_bad_files_are_named_at_once_or_skipped_and_counted(cats: Path) -> None:
    (cats / "cat" / "empty.png").touch()
    (cats / "dog" / "text.jpg").write_text("no image")
    with pytest.raises(DataError, match=r"2 files cannot be read .* or pass --skip-bad") as error:
        image_folder(cats, 4)
    assert "empty.png (it is empty)" in str(error.value)
    assert "text.jpg" in str(error.value)
    said: list[str] = []
    data = image_folder(cats, 4, skip_bad=True, say=said.append)
    assert (len(data), data.classes) == (4, ("cat", "dog"))
    assert "2 unreadable" in said[0]


def test_a_folder_of_bad_files_alone_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.png").touch()
    with pytest.raises(DataError, match="holds no image that can be read"):
        image_folder(tmp_path, 4, skip_bad=True)


def test_names_from_the_disk_do_not_reach_the_terminal_raw(tmp_path: Path) -> None:
    put(tmp_path / "a\x1b[31m" / "a.png")
    assert "\x1b" not in str(find_photos(tmp_path))
    assert "\x1b" not in "".join(image_folder(tmp_path, 4, say=lambda line: None).classes)


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads every folder")
def test_a_folder_that_cannot_be_looked_into_is_named(cats: Path) -> None:
    (cats / "cat").chmod(0)
    with pytest.raises(DataError, match="cannot be read here: cat"):
        find_photos(cats)
    (cats / "cat").chmod(0o700)
