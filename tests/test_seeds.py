"""What a notebook passes by mistake is refused in a sentence, at once: it draws, trains and counts nothing wrong."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from ddpm_lib.__main__ import main
from ddpm_lib.train import TrainingError
from ddpm_lib.train.progress import _mean_of_finite
from tests.mistakes_script import RIGHT, WRONG


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    """What each expression says, in a Python as its users have it."""
    code = [sys.executable, "-m", "tests.mistakes_script"]
    done = subprocess.run(code, cwd=Path(__file__).parent.parent, capture_output=True, text=True, check=True)
    found: dict[str, object] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("expression", WRONG)
def test_a_mistake_is_told_in_a_sentence(expression: str, answers: dict[str, object]) -> None:
    said = str(answers[expression])
    assert WRONG[expression] in said
    assert len(said) < 300
    assert "\n" not in said


@pytest.mark.parametrize("expression", RIGHT)
def test_what_is_right_in_numpy_s_words_is_right(expression: str, answers: dict[str, object]) -> None:
    assert answers[expression] is True


def test_a_lost_run_says_at_which_step() -> None:
    with pytest.raises(TrainingError) as lost:
        _mean_of_finite(torch.tensor([1.0, math.nan, 2.0]), step=9)
    assert lost.value.step == 8


@pytest.mark.parametrize(
    "command",
    [["train", "--data", ""], ["sample", ""], ["evaluate", "resnet", "--data", ""], ["shard", "", "x"]],
)
def test_an_empty_word_is_no_value(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """`--data "$PHOTOS"` without PHOTOS would train on MNIST."""
    assert main(command) == 2
    assert "is empty, as if a variable were not set" in capsys.readouterr().err
