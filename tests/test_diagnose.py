"""`diagnose` names the fault of every sick run of the clinic, asked as its sampler asks, and none of a sound one."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

import ddpm_lib
from benchmarks.clinic import load, raw
from benchmarks.patients import PATIENTS, Called
from ddpm_lib.assets.weights import shipped
from ddpm_lib.data import mnist
from ddpm_lib.diffusion import GaussianDiffusion
from ddpm_lib.evaluate.diagnose import Finding, diagnose
from ddpm_lib.sampling import ddim_step
from ddpm_lib.schedule import linear_schedule

TEST = mnist(train=False).head(64)
WHOLE = ("unet",)  # networks of 13.8 M weights
# patient -> (the check that finds it, words of the fault)
NAMED = {
    "roots": ("training", "alpha_bar where its root belongs"),
    "unit": ("batch", "images in [0, 1]"),
    "twice": ("batch", "divided by 255 twice"),
    "short": ("schedule", "T too small"),
    "rows": ("alone", "masked by rows"),
    "blind": ("time", "time never passed"),
    "slow": ("average", "too slow"),
    "buffers": ("norm", "buffers left out"),
    "bfloat16": ("weights", "kept in bfloat16"),
    "few": ("walk", "too few images"),
    "labels": ("labels", "labels shuffled"),
    "schedule": ("training", "the cosine one"),
    "index": ("training", "told another time"),
    "read": ("training", "x0 read as one for eps"),
    "variance": ("step", "is a root missing"),
    "last": ("step", "noise in the last step"),
}


def examined(key: str, own_batch: bool = True) -> tuple[list[Finding], list[str]]:
    """(findings, printed lines) of a patient, with the batch of its own training or with a right one."""
    patient, net, lines = PATIENTS[key], load(key), []
    found = diagnose(
        Called(net, patient),
        patient.diffusion,
        x0=patient.pixels(TEST.x0()) if own_batch else TEST.x0(),
        y=TEST.y,
        step=patient.step,
        raw=raw(key),
        network=net,
        say=lines.append,
    )
    return found, lines


def test_every_patient_but_the_healthy_one_is_sick() -> None:
    assert set(NAMED) == set(PATIENTS) - {"healthy"}


@pytest.mark.parametrize("key", NAMED)
def test_the_fault_of_a_patient_is_named_at_the_right_check(key: str) -> None:
    found, lines = examined(key)
    check, words = NAMED[key]
    assert [f.check for f in found if f.fault] == [check]
    assert words in found[-1].fault
    assert len(lines) == len(found)
    assert lines[-1].startswith("SICK")
    assert all(line.startswith("ok") for line in lines[:-1])


@pytest.mark.parametrize(("key", "words"), [("unit", "trained on images in [0, 1]"), ("twice", "255 twice")])
def test_a_range_is_seen_in_the_weights_too_where_the_batch_is_right(key: str, words: str) -> None:
    found, _ = examined(key, own_batch=False)
    assert words in found[-1].fault


def test_a_slow_average_is_seen_where_it_is_all_that_is_known() -> None:
    found = diagnose(load("slow"), PATIENTS["slow"].diffusion, x0=TEST.x0(), say=lambda line: None)
    assert found[-1].check == "answer"
    assert "an average that is too slow" in found[-1].fault


def test_the_healthy_run_is_sound_and_says_so_in_every_line() -> None:
    found, lines = examined("healthy")
    assert not [f for f in found if f.fault]
    assert all(line.startswith("ok") for line in lines)
    assert found[-1].check == "walk"


@pytest.mark.parametrize("name", shipped())
@pytest.mark.slow
def test_no_shipped_network_is_called_sick(name: str) -> None:
    batch = TEST.head(4 if name in WHOLE else 16)  # the walk of a whole one takes minutes on a CPU with more
    found = diagnose(ddpm_lib.load(name), x0=batch.x0(), y=batch.y, say=lambda line: None)
    assert not [f for f in found if f.fault]
    assert len(found) >= 8
    assert found[-1].check == "walk"


def test_ddim_is_a_sound_step_as_well() -> None:
    found = diagnose(
        load("read"), PATIENTS["read"].diffusion, x0=TEST.x0(), step=ddim_step, say=lambda line: None
    )
    assert next(f for f in found if f.check == "step").fault == ""


def test_bytes_and_nan_are_seen_before_anything_is_asked() -> None:
    net, diffusion = load("healthy"), PATIENTS["healthy"].diffusion
    found = diagnose(net, diffusion, x0=TEST.pixels.float(), say=lambda line: None)
    assert "never scaled" in found[-1].fault
    broken = load("healthy")
    next(broken.parameters()).fill_(torch.nan)
    assert "NaN" in diagnose(broken, diffusion, x0=TEST.x0(), say=lambda line: None)[-1].fault


def test_a_network_alone_needs_its_sampler_s_diffusion() -> None:
    with pytest.raises(ValueError, match="pass your sampler's diffusion"):
        diagnose(load("healthy"), x0=TEST.x0())


def test_a_short_chain_is_told_by_its_schedule_alone() -> None:
    diffusion = GaussianDiffusion(linear_schedule(50, rescale=False))
    found = diagnose(load("healthy"), diffusion, x0=TEST.x0(), say=lambda line: None)
    assert found[-1].check == "schedule"
    assert found[-1].measured.startswith(f"{diffusion.schedule.terminal_weight:.3f}")


@pytest.mark.parametrize("factor", [5, 10])
def test_a_clock_that_runs_too_slowly_is_named_with_its_factor(factor: int) -> None:
    patient = replace(PATIENTS["healthy"], told=lambda t: t // factor)
    net = load("healthy")
    found = diagnose(
        Called(net, patient), patient.diffusion, x0=TEST.x0(), network=net, say=lambda line: None
    )
    assert found[-1].check == "training"
    assert f"would be {factor} times as much" in found[-1].fault


def test_what_bfloat16_holds_exactly_of_the_sound_run_is_its_zeros() -> None:
    exact = [p[p.bfloat16() == p] for p in load("healthy").parameters()]
    assert sum(map(len, exact)) == 889
    assert not any(p.any() for p in exact)
