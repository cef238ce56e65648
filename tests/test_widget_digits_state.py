"""Digits in Python: its file, its networks, its checks."""

from __future__ import annotations

import base64
import json

import pytest
import torch
import traitlets

from ddpm_lib import load
from ddpm_lib.data import mnist
from ddpm_lib.models.storage import CheckpointError
from ddpm_lib.widgets import DigitsWidget
from ddpm_lib.widgets.digits.digits import BYTES
from ddpm_lib.widgets.digits.images import digits_json, digits_script, page_digits
from tests.digits_page import untrained


def test_the_file_of_digits_is_as_large_as_is_said_and_holds_all_of_them() -> None:
    script, digits = digits_script(), page_digits()
    assert abs(len(script) - BYTES) < 50_000
    found = json.loads(digits_json())
    assert len(base64.b64decode(found["y"])) == len(digits) == 10_000
    assert digits.y is not None
    assert digits.y.bincount().min() > 800
    assert (digits.pixels - mnist().head(10_000).pixels.int()).abs().max() <= 8


def test_a_network_comes_back_as_it_was() -> None:
    trained = untrained()
    again = DigitsWidget(trained).trained
    for ours, theirs in zip(again.network().parameters(), trained.network().parameters(), strict=True):
        assert torch.equal(ours, theirs)
    assert again.step == 7


def test_what_does_not_fit_is_refused_in_a_sentence() -> None:
    widget = DigitsWidget()
    with pytest.raises(CheckpointError, match="press Train"):
        _ = widget.trained
    with pytest.raises(CheckpointError, match="base64"):
        widget.learned = "%"
    with pytest.raises(CheckpointError):
        widget.learned = "aaaa"
    with pytest.raises(CheckpointError, match="one network alone"):
        DigitsWidget(load("cpu-minutes"))
    with pytest.raises(traitlets.TraitError, match="pass 0 to 9"):
        widget.digit = 10
    with pytest.raises(traitlets.TraitError, match="pass a steps in that range"):
        widget.steps = 0
    with pytest.raises(TypeError, match="no option"):
        DigitsWidget(rate=1)
