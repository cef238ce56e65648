"""Streamed images: the same pixels as the loaded ones, batches that depend on the step alone, flat memory."""

from __future__ import annotations

import io
import json
import multiprocessing
import os
import signal
import subprocess
import sys
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch
import webdataset
from PIL import Image
from torch import Tensor

import ddpm_lib.cli.watch as watching
from ddpm_lib.__main__ import main
from ddpm_lib.data import DataError, image_folder, to_pixels
from ddpm_lib.data.stream import Shards, StreamedBatches, batches, batches_of, open_images, write_shards
from ddpm_lib.diffusion import GaussianDiffusion
from ddpm_lib.models import build
from ddpm_lib.models.trained import About
from ddpm_lib.train import train
from ddpm_lib.train.checkpoint import load_checkpoint, save_checkpoint
from ddpm_lib.train.presets import PRESETS
from tests.tiny import CPU, tiny

__all__ = ["tiny"]

SIZE, N = 8, 90


@pytest.fixture(scope="session")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ninety small pictures in three classes, no two alike, not all square."""
    root, rng = tmp_path_factory.mktemp("stream") / "photos", np.random.default_rng(0)
    for i in range(N):
        folder = root / ("cat", "dog", "owl")[i % 3]
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (12, 10 + i % 5, 3), dtype=np.uint8)).save(folder / f"{i}.png")
    return root


@pytest.fixture
def shards(photos: Path, tmp_path: Path) -> Path:
    """The same as nine shards of ten images."""
    *_, index = write_shards(photos, tmp_path / "shards", size=SIZE, each=10)
    assert [count for _, count in index.shards] == [10] * 9
    return tmp_path / "shards"


@pytest.fixture(autouse=True)
def small_buffer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two shards are shuffled together, as in a folder much larger than the buffer."""
    monkeypatch.setattr(batches, "BUFFER", 2 * 10 * 3 * SIZE * SIZE)


def opened(folder: Path) -> Shards:
    data = open_images(str(folder))
    assert isinstance(data, Shards)
    return data


def rows(x: Tensor) -> set[bytes]:
    """The images as bytes, to compare without an order."""
    return {image.numpy().tobytes() for image in x}


def epoch(of: StreamedBatches, number: int = 0) -> list[tuple[Tensor, Tensor]]:
    return [of(step) for step in range(number * of.an_epoch, (number + 1) * of.an_epoch)]  # type: ignore[misc]


def test_an_epoch_holds_every_image_once_with_its_label(photos: Path, shards: Path) -> None:
    loaded, data = image_folder(photos, SIZE), opened(shards)
    assert (data.shape, data.classes, len(data)) == (loaded.shape, loaded.classes, len(loaded))
    assert loaded.y is not None
    label = {image.numpy().tobytes(): int(y) for image, y in zip(loaded.pixels, loaded.y, strict=True)}
    for number in (0, 1):
        x0, y = (torch.cat(part) for part in zip(*epoch(StreamedBatches(data, 9), number), strict=True))
        pixels = to_pixels(x0)
        assert len(pixels) == N
        assert rows(pixels) == set(label)
        assert [label[image.numpy().tobytes()] for image in pixels] == y.tolist()


def test_the_head_is_the_first_images_of_the_files(shards: Path) -> None:
    data = opened(shards)
    head, everything = data.head(13), data.head(10**6)
    assert (len(head), len(everything)) == (13, N)
    assert torch.equal(head.pixels, everything.pixels[:13])
    assert torch.equal(everything.pixels, data.read(tuple(range(9)))[0])


@pytest.mark.parametrize("workers", [0, 1, 2])
def test_a_batch_depends_on_the_step_and_not_on_what_was_read_before(shards: Path, workers: int) -> None:
    data = opened(shards)
    straight = StreamedBatches(data, 8, seed=5, workers=0)
    wanted = [straight(step) for step in range(25)]  # more than two epochs of eleven batches
    other = StreamedBatches(data, 8, seed=5, workers=workers)
    for step in (3, 4, 5, 11, 10, 24, 0):  # 4 and 5 go on, the others begin anew
        for got, want in zip(other(step), wanted[step], strict=True):
            assert isinstance(got, Tensor)
            assert isinstance(want, Tensor)
            assert torch.equal(got, want), step
    other.close()


def test_a_later_step_does_not_read_what_lies_before_it(shards: Path) -> None:
    # Eight images a batch, twenty a part: batch 6 begins with image 48, the ninth of the third part.
    first, second = islice(StreamedBatches(opened(shards), 8).parts(6), 2)
    assert [(len(part.shards), part.skip) for part in (first, second)] == [(2, 8), (2, 0)]
    assert not set(first.shards) & set(second.shards)


def test_epochs_and_seeds_have_orders_of_their_own(shards: Path) -> None:
    data = opened(shards)
    one, other = StreamedBatches(data, 10, seed=1), StreamedBatches(data, 10, seed=2)
    assert not torch.equal(one(0)[0], other(0)[0])
    assert not torch.equal(one(0)[0], one(9)[0])
    orders = [[part.shards for part in islice(one.parts(step), 5)] for step in (0, 9)]
    assert orders[0] != orders[1]


def test_a_batch_mixes_shards(shards: Path) -> None:
    data = opened(shards)
    by_shard = [rows(data.read((shard,))[0]) for shard in range(9)]
    mixed = to_pixels(StreamedBatches(data, 10)(0)[0])
    assert sum(bool(rows(mixed) & images) for images in by_shard) == 2


def test_processes_share_the_batch_and_no_image(shards: Path) -> None:
    data = opened(shards)
    ranks = [StreamedBatches(data, 12, seed=3, rank=rank, world=2) for rank in (0, 1)]
    assert ranks[0].an_epoch == ranks[1].an_epoch == 40 // 6  # four shards each; the ninth is left out
    images = [rows(torch.cat([to_pixels(x0) for x0, _ in epoch(rank)])) for rank in ranks]
    assert len(images[0]) == len(images[1]) == 36
    assert not images[0] & images[1]
    x0, _ = batches_of(data, 12, seed=3, rank=1, world=2)(4)
    assert torch.equal(x0, ranks[1](4)[0])


def test_the_loaded_kind_is_shared_too(photos: Path) -> None:
    data = open_images(str(photos), size=SIZE)
    whole = batches_of(data, 12, seed=3)(4)[0]
    parts = [batches_of(data, 12, seed=3, rank=rank, world=2)(4)[0] for rank in (0, 1)]
    assert torch.equal(torch.cat(parts), whole)


def test_reading_draws_nothing_from_torchs_own_generator(shards: Path) -> None:
    before = torch.get_rng_state()
    stream = StreamedBatches(opened(shards), 8, workers=1)
    stream(0)
    stream.close()
    assert torch.equal(torch.get_rng_state(), before)


def test_workers_end_with_the_batches_that_they_read_for(shards: Path) -> None:
    before = set(multiprocessing.active_children())
    stream = StreamedBatches(opened(shards), 8, workers=1)
    stream(0)
    assert set(multiprocessing.active_children()) - before
    del stream  # at once, and not when the garbage collector comes by
    assert not set(multiprocessing.active_children()) - before


def kill_workers() -> None:
    """As the system does where memory runs out; returns when they are dead, and their signals sent."""
    for child in multiprocessing.active_children():
        assert child.pid is not None
        os.kill(child.pid, signal.SIGKILL)
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)


def test_a_killed_worker_is_told_where_a_batch_is_asked_for(shards: Path) -> None:
    stream = StreamedBatches(opened(shards), 8, workers=1)
    expected = [stream(step) for step in range(3)]
    kill_workers()
    sum(range(100_000))  # a training step: whatever the signal does, it does not end in here
    with pytest.raises(
        DataError, match="was killed, most often because memory ran out: close other"
    ) as error:
        stream(3)
    assert "pid" not in str(error.value)
    for step, (x0, _) in enumerate(expected):  # by new workers
        assert torch.equal(stream(step)[0], x0)
    answer = signal.getsignal(signal.SIGCHLD)
    stream.close()
    assert signal.getsignal(signal.SIGCHLD) is not answer  # DataLoader has its own back


def test_shards_from_elsewhere_get_an_index(photos: Path, shards: Path) -> None:
    ours = opened(shards).index
    (shards / "index.json").unlink()
    index = opened(shards).index
    assert index == type(ours)(ours.size, ours.channels, ("0", "1", "2"), ours.shards)
    assert json.loads((shards / "index.json").read_text())["count"] == N


def test_writing_is_deterministic_and_whole(photos: Path, tmp_path: Path) -> None:
    for name in "ab":
        list(write_shards(photos, tmp_path / name, size=SIZE))
    assert [p.read_bytes() for p in sorted((tmp_path / "a").iterdir())] == [
        p.read_bytes() for p in sorted((tmp_path / "b").iterdir())
    ]
    interrupted = write_shards(photos, tmp_path / "c", size=SIZE)
    next(interrupted)
    assert not (tmp_path / "c").exists()
    interrupted.close()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b"]
    (tmp_path / "c.part").mkdir()  # as after a kill
    with pytest.raises(DataError, match=r"c\.part exists already"):
        next(write_shards(photos, tmp_path / "c", size=SIZE))


def test_grey_images_without_classes(photos: Path, tmp_path: Path) -> None:
    list(write_shards(photos / "cat", tmp_path / "grey", size=SIZE, channels=1))
    data = opened(tmp_path / "grey")
    assert (data.shape, data.classes) == ((1, SIZE, SIZE), ())
    x0, y = StreamedBatches(data, 30)(0)
    assert y is None
    assert rows(to_pixels(x0)) == rows(image_folder(photos / "cat", SIZE, channels=1).pixels)


def test_a_resumed_run_equals_a_straight_one_to_the_bit(shards: Path, tmp_path: Path) -> None:
    preset, path = PRESETS["cpu-minutes"], tmp_path / "checkpoint.safetensors"
    config = replace(preset.train, steps=16, seconds=None, batch=8, every=1)
    schedule, data = preset.noise_schedule(), opened(shards)
    diffusion = GaussianDiffusion(schedule)
    torch.manual_seed(0)
    model = build(replace(preset.model, channels=3, classes=3))
    for progress in train(model, diffusion, StreamedBatches(data, 8, workers=0), config):
        if progress.step == 7:
            save_checkpoint(path, progress.state, schedule, config, About("shards", data.shape))
    state = load_checkpoint(path).resume()
    resumed = StreamedBatches(data, 8, workers=1)
    *_, last = train(state.model, diffusion, resumed, config, state)
    resumed.close()
    assert (progress.step, last.step) == (16, 16)
    for name, weight in model.state_dict().items():
        assert torch.equal(weight, last.state.model.state_dict()[name]), name


# -- mistakes ------------------------------------------------------------------------------------------------


def tar(path: Path, *samples: dict[str, object]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file, webdataset.TarWriter(file) as out:
        for i, sample in enumerate(samples):
            out.write({"__key__": f"{i:04d}", **sample})


def png(size: int = SIZE, mode: str = "RGB") -> bytes:
    out = io.BytesIO()
    Image.new(mode, (size, size)).save(out, "PNG")
    return out.getvalue()


def assert_refused(folder: Path, words: str, workers: int = 0) -> None:
    with pytest.raises(DataError, match=words) as error:
        epoch(StreamedBatches(opened(folder), 2, workers=workers))
    assert "Traceback" not in str(error.value)


def test_an_empty_folder(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds no images"):
        open_images(str(tmp_path))
    (tmp_path / "index.json").write_text("{}")
    with pytest.raises(DataError, match="holds no shards"):
        open_images(str(tmp_path))
    with pytest.raises(DataError, match="holds no images"):
        next(write_shards(tmp_path, tmp_path / "out"))


def test_shards_without_images(tmp_path: Path) -> None:
    tar(tmp_path / "0.tar", {"txt": b"a"})
    assert_refused(tmp_path, "hold no images")


@pytest.mark.parametrize("workers", [0, 1])
@pytest.mark.parametrize("keep", [0.5, 0.9])
def test_a_shard_that_was_cut_short(shards: Path, keep: float, workers: int) -> None:
    raw = (shards / "000004.tar").read_bytes()
    (shards / "000004.tar").write_bytes(raw[: int(keep * 10 * 3 * 512)])  # in the middle of what was written
    assert_refused(shards, r"000004\.tar .*(not a whole shard|was cut short|holds \d+ images)", workers)


def test_a_shard_that_ends_between_two_images(shards: Path) -> None:
    data = opened(shards)
    tar(shards / "000004.tar", *({"png": png(), "cls": b"0"} for _ in range(7)))
    assert data.index.shards[4] == ("000004.tar", 10)
    assert_refused(shards, "holds 7 images, and 10 by the index")
    tar(shards / "000004.tar", *({"png": png(), "cls": b"0"} for _ in range(11)))
    assert_refused(shards, "holds more images, and 10 by the index")


def test_something_that_is_no_tar(shards: Path) -> None:
    (shards / "000002.tar").write_bytes(b"hello" * 1000)
    assert_refused(shards, r"000002\.tar is not a whole shard")


def test_a_shard_that_is_missing(shards: Path) -> None:
    data = opened(shards)
    (shards / "000002.tar").unlink()
    with pytest.raises(DataError, match="put back what is missing"):
        open_images(str(shards))
    with pytest.raises(DataError, match=r"000002\.tar does not exist"):
        epoch(StreamedBatches(data, 2, workers=0))


@pytest.mark.parametrize(
    ("sample", "words"),
    [
        ({"png": png(9), "cls": b"0"}, r"is \(3, 9, 9\), and the index says \(3, 8, 8\)"),
        ({"png": png(mode="L"), "cls": b"0"}, r"is \(1, 8, 8\)"),
        ({"png": png()}, "has no label, but the index names 3 classes"),
        ({"png": png(), "cls": b"3"}, "has the label 3"),
        ({"png": png(), "cls": b"cat"}, "invalid literal"),
        ({"png": b"nothing", "cls": b"0"}, "cannot be read as an image"),
    ],
)
def test_an_image_unlike_the_others(shards: Path, sample: dict[str, object], words: str) -> None:
    good: dict[str, object] = {"png": png(), "cls": b"0"}
    tar(shards / "000004.tar", *[good] * 4, sample, *[good] * 5)
    assert_refused(shards, words)


@pytest.mark.parametrize("first", [True, False])
def test_labels_in_some_shards_only(tmp_path: Path, first: bool) -> None:
    labelled, bare = {"png": png(), "cls": b"0"}, {"png": png()}
    tar(tmp_path / "0.tar", labelled if first else bare)
    tar(tmp_path / "1.tar", bare if first else labelled)
    assert_refused(tmp_path, "has no label, unlike" if first else "has a label, unlike")


def test_an_index_that_is_none(shards: Path) -> None:
    (shards / "index.json").write_text('{"shards": 3}')
    with pytest.raises(DataError, match="is not an index of shards"):
        open_images(str(shards))


def test_batches_that_cannot_be_drawn(shards: Path) -> None:
    data = opened(shards)
    with pytest.raises(DataError, match="A batch of 91 cannot be drawn from 90 images"):
        StreamedBatches(data, 91)
    with pytest.raises(DataError, match="no equal part of a batch of 9"):
        StreamedBatches(data, 9, rank=0, world=2)
    with pytest.raises(DataError, match="9 shards, too few for 10 processes"):
        StreamedBatches(data, 10, rank=0, world=10)
    with pytest.raises(DataError, match="There is no batch -1"):
        StreamedBatches(data, 10)(-1)


def test_another_size_than_the_shards_have(shards: Path) -> None:
    assert len(open_images(str(shards), size=SIZE)) == N
    with pytest.raises(DataError, match="are 8 pixels wide, and not 32"):
        open_images(str(shards), size=32)


# -- the command line ----------------------------------------------------------------------------------------


def test_shard_train_resume_evaluate(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "shards"
    assert main(["shard", str(photos), str(folder), "--size", "8", "--each", "10", "--dry-run"]) == 0
    assert not folder.exists()
    assert main(["shard", str(photos), str(folder), "--size", "8", "--each", "10"]) == 0
    assert "Wrote 90 images in 9 shards, 3 classes" in capsys.readouterr().out
    run = ["--batch", "8", "--precision", "float32", "--device", "cpu", "--out", str(tmp_path / "run")]
    assert main(["train", "unet", "--data", str(folder), *run, "--steps", "7"]) == 0
    checkpoint = tmp_path / "run" / "checkpoint.safetensors"
    assert main(["train", "--resume", str(checkpoint), "--steps", "12", "--device", "cpu"]) == 0
    assert load_checkpoint(checkpoint).step == 12
    assert main(["train", "--resume", str(checkpoint), "--size", "9"]) == 2
    assert "8 pixels wide, and not 9" in capsys.readouterr().err
    assert main(["evaluate", str(checkpoint), "--bits", "0", "--device", "cpu"]) == 0
    assert "90 images of the folder" in capsys.readouterr().out


def test_a_run_whose_worker_is_killed_is_saved_and_goes_on(
    shards: Path,
    tmp_path: Path,
    tiny: None,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    run = ["--batch", "8", "--precision", "float32", *CPU, "--out", str(tmp_path / "run"), "--steps", "60"]
    real = watching.describe
    monkeypatch.setattr(watching, "describe", lambda p: (kill_workers(), real(p))[1])
    assert main(["train", "unet", "--data", str(shards), *run]) == 2
    error = capsys.readouterr().err
    assert "Traceback" not in error
    step = load_checkpoint(tmp_path / "run" / "checkpoint.safetensors").step
    assert (
        f"ran out: close other programs, or write smaller shards with `shard --each`. The run was saved after {step} "
        in error
    )
    assert 2 <= step < 60
    monkeypatch.setattr(watching, "describe", real)
    assert main(["train", "--resume", str(tmp_path / "run"), "--steps", str(step + 1), *CPU]) == 0


def test_without_webdataset(
    shards: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, photos: Path
) -> None:
    monkeypatch.setitem(sys.modules, "webdataset", None)
    assert_refused(shards, r"Shards need webdataset: pip install 'ddpm-lib\[stream\]'")
    with pytest.raises(DataError, match="Shards need webdataset"):
        next(write_shards(photos, tmp_path / "out"))


# -- memory --------------------------------------------------------------------------------------------------

PEAKS = """
import multiprocessing
import sys
from ddpm_lib.data.stream import StreamedBatches, batches, open_images
from benchmarks.memory import peak
batches.BUFFER = 2**21
few, many = map(open_images, sys.argv[1:])
for data in (few, many):
    stream = StreamedBatches(data, 20, workers=1)
    for step in range(stream.an_epoch):
        stream(step)
    workers = multiprocessing.active_children() if sys.platform == "linux" else []
    print(peak() + sum(peak(worker.pid) for worker in workers))
    stream.close()
for data in (few, many):
    data.head(len(data))
    print(peak())
"""


@pytest.mark.slow
def test_memory_does_not_grow_with_the_number_of_images(tmp_path: Path) -> None:
    image = png(128)  # 48 kB of pixels: 1,000 are 47 MB
    for n in (100, 1000):
        for shard in range(n // 20):
            tar(tmp_path / str(n) / f"{shard:04d}.tar", *[{"png": image}] * 20)
    command = [sys.executable, "-c", PEAKS, str(tmp_path / "100"), str(tmp_path / "1000")]
    root = Path(__file__).parent.parent
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=root)
    # The largest resident memory so far, in MB, after each: what was read once stays counted.
    few_streamed, many_streamed, few_loaded, many_loaded = map(float, done.stdout.split())
    grown, seen = many_streamed - few_streamed, many_loaded - few_loaded
    assert grown < 15, f"streaming ten times the images takes {grown} MB more"
    assert seen > 40, f"the measurement does not see 47 MB: {seen}"
