"""Streamed images: the same pixels as the loaded ones, batches that depend on the step alone, flat memory."""

from __future__ import annotations

import json
import multiprocessing
import signal
from dataclasses import replace
from itertools import islice
from pathlib import Path

import pytest
import torch
from torch import Tensor

from ddpm_lib.data import DataError, image_folder, to_pixels
from ddpm_lib.data.stream import StreamedBatches, batches_of, open_images, write_shards
from ddpm_lib.diffusion import GaussianDiffusion
from ddpm_lib.models import build
from ddpm_lib.models.trained import About
from ddpm_lib.train import train
from ddpm_lib.train.checkpoint import load_checkpoint, save_checkpoint
from ddpm_lib.train.presets import PRESETS
from tests.sharded import SIZE, N, epoch, kill_workers, opened
from tests.sharded import photos as photos
from tests.sharded import shards as shards
from tests.sharded import small_buffer as small_buffer


def rows(x: Tensor) -> set[bytes]:
    """The images as bytes, to compare without an order."""
    return {image.numpy().tobytes() for image in x}


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
