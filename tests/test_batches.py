"""Batches: a permutation an epoch, a function of step and seed, shared by processes."""

from __future__ import annotations

import pytest
import torch

from ddpm_lib.data import (
    Batches,
    DataError,
    ImageData,
    to_pixels,
)


def numbered(n):
    """n images, each filled with its own number, which is also its label."""
    pixels = torch.arange(n, dtype=torch.uint8)[:, None, None, None].expand(n, 1, 2, 2)
    return ImageData(pixels, torch.arange(n), "numbers")


def test_an_epoch_is_a_permutation_and_images_keep_their_labels():
    batches = Batches(numbered(12), 4, seed=1)
    assert batches.an_epoch == 3
    for epoch in range(3):
        seen = []
        for step in range(3 * epoch, 3 * epoch + 3):
            x0, y = batches(step)
            assert x0.shape == (4, 1, 2, 2)
            assert torch.equal(to_pixels(x0)[:, 0, 0, 0].long(), y)
            seen += y.tolist()
        assert sorted(seen) == list(range(12))


def test_a_short_last_batch_is_left_out():
    batches = Batches(numbered(11), 4)
    seen = torch.cat([batches(step)[1] for step in range(2)])
    assert len(seen.unique()) == 8
    assert batches.an_epoch == 2


def test_batches_are_a_function_of_step_and_seed():
    data_, order = numbered(32), [9, 2, 31, 0, 2, 9]
    forward = {step: Batches(data_, 8, seed=5)(step)[1].tolist() for step in range(32)}
    again = Batches(data_, 8, seed=5)
    assert all(again(step)[1].tolist() == forward[step] for step in order)
    epochs = [[forward[4 * e + i] for i in range(4)] for e in range(8)]
    assert len({str(epoch) for epoch in epochs}) == 8
    assert Batches(data_, 8, seed=6)(0)[1].tolist() != forward[0]
    assert Batches(data_, 8, seed=6)(0)[1].tolist() not in (epochs[1][0], epochs[2][0])


@pytest.mark.parametrize("world", [1, 2, 4])
def test_the_parts_of_several_processes_are_the_batch_of_one(world):
    data_ = numbered(20)
    for step in range(7):  # across epochs
        x0, y = Batches(data_, 8, seed=5)(step)
        parts = [Batches(data_, 8, 5, rank, world)(step) for rank in range(world)]
        assert {len(part) for part, _ in parts} == {8 // world}
        assert torch.equal(torch.cat([part for part, _ in parts]), x0)
        assert torch.equal(torch.cat([labels for _, labels in parts]), y)


@pytest.mark.parametrize(("rank", "world"), [(0, 3), (2, 2), (-1, 2)])
def test_a_batch_without_an_equal_part_for_a_process_is_refused(rank, world):
    with pytest.raises(DataError, match=f"no equal part of a batch of 8.* multiple of {world}"):
        Batches(numbered(20), 8, 0, rank, world)


def test_unlabelled_data_give_no_labels():
    x0, y = Batches(ImageData(numbered(4).pixels, None, "plain"), 4)(0)
    assert y is None
    assert len(x0) == 4


@pytest.mark.parametrize("size", [0, -1, 13])
def test_a_batch_that_does_not_fit_is_refused(size):
    with pytest.raises(
        DataError, match=f"A batch of {size} cannot be drawn from 12 images: choose .* 1 to 12"
    ):
        Batches(numbered(12), size)
