"""A folder of one's own: what counts as an image and as a class, what is left out, and that all of it is said."""

import contextlib
import json
import os
import tarfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from ddpm_lib.__main__ import main
from ddpm_lib.data import Batches, DataError, image_folder, load_data
from ddpm_lib.data.photos import find_photos
from ddpm_lib.data.stream import write_shards
from ddpm_lib.data.stream.index import _parsed, read_index
from ddpm_lib.data.stream.open import open_images


def put(path: Path, color: int | tuple[int, ...] = 100) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("L" if isinstance(color, int) else "RGB", (4, 4), color).save(path, "PNG")


@pytest.fixture
def cats(tmp_path: Path) -> Path:
    """Two classes of two grey images each."""
    for name in ("cat/a.png", "cat/b.png", "dog/a.png", "dog/b.png"):
        put(tmp_path / "photos" / name)
    return tmp_path / "photos"


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


# -- tars beside photos, and indices -----------------------------------------------------------------------------


def test_a_tar_beside_photos_does_not_make_shards_of_the_folder(cats: Path) -> None:
    with tarfile.open(cats / "backup.tar", "w") as tar:
        tar.add(cats / "cat" / "a.png", "a.png")
    before = sorted(path.name for path in cats.iterdir())
    assert len(open_images(str(cats), size=4)) == 4
    assert sorted(path.name for path in cats.iterdir()) == before


def test_looking_at_shards_writes_nothing_when_told_not_to(tmp_path: Path) -> None:
    put(tmp_path / "a.png")
    with tarfile.open(tmp_path / "0.tar", "w") as tar:
        tar.add(tmp_path / "a.png", "00000000.png")
    (tmp_path / "a.png").unlink()
    assert len(read_index(tmp_path, write=False)) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["0.tar"]
    read_index(tmp_path)
    assert (tmp_path / "index.json").is_file()


@pytest.mark.parametrize(
    "shards",
    [[["../0.tar", 1]], [["/etc/0.tar", 1]], [["0.tar", -1]], [["0.tar", "1"]], [["0.tar", 10**15]], 7, None],
)
def test_an_index_that_points_elsewhere_or_lies_is_refused(tmp_path: Path, shards: object) -> None:
    (tmp_path / "0.tar").write_bytes(b"\0" * 10240)
    index = {"format": "ddpm_lib.shards/1", "size": 4, "channels": 1, "classes": [], "shards": shards}
    (tmp_path / "index.json").write_text(json.dumps(index))
    with pytest.raises(DataError) as error:
        read_index(tmp_path)
    assert "\n" not in str(error.value)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=80)
@given(st.fixed_dictionaries({"size": JSON, "channels": JSON, "classes": JSON, "shards": JSON}))
def test_no_index_raises_anything_but_what_is_caught(raw: dict[str, object]) -> None:
    with contextlib.suppress(KeyError, TypeError, ValueError, DataError):
        _parsed(raw)


@settings(max_examples=30)
@given(cut=st.integers(0, 10240))
def test_a_tar_cut_anywhere_is_read_or_refused_in_a_sentence(
    cut: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("cut")
    put(folder / "a.png")
    with tarfile.open(folder / "0.tar", "w") as tar:
        tar.add(folder / "a.png", "00000000.png")
    (folder / "a.png").unlink()
    raw = (folder / "0.tar").read_bytes()
    (folder / "0.tar").write_bytes(raw[:cut])
    said = ""
    try:
        assert len(read_index(folder, write=False)) == 1
    except DataError as error:
        said = str(error)
    assert "\n" not in said


# -- what is refused, and what is said, before work ------------------------------------------------------------


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
