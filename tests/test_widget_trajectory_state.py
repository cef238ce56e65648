"""The trajectory in Python: its state, its checks and its HTML."""

import re
from typing import Any

import pytest
import torch
import traitlets

from ddpm_lib.sampling import State
from ddpm_lib.widgets import TrajectoryWidget
from tests.recorded import GOOD, RUNS, recorded


def test_what_is_shown_is_what_was_recorded_to_sixteen_levels() -> None:
    w = TrajectoryWidget(RUNS, image=2)
    assert w.t == w.T == 500
    for state in RUNS["U-Net"]:
        w.t = state.t
        xt, x0_hat = w.shown()["U-Net"]
        assert (xt - state.xt[2, 0].clamp(-1, 1)).abs().max() <= 1 / 15 + 1e-6
        if state.x0_hat is not None:
            assert (x0_hat - state.x0_hat[2, 0].clamp(-1, 1)).abs().max() <= 1 / 15 + 1e-6
    w.t = 390  # each run shows its own nearest time
    assert torch.equal(w.shown()["ResNet"], w.shown(300)["ResNet"])
    assert torch.equal(w.shown()["U-Net"], w.shown(400)["U-Net"])


def test_long_runs_are_thinned_and_keep_both_ends() -> None:
    w = TrajectoryWidget({"long": recorded(list(range(100, -1, -1)), n=6)})
    ts = w.runs["long"][0]
    assert (len(ts), ts[0], ts[-1], w.shape[0]) == (17, 100, 0, 4)


@pytest.mark.parametrize(
    ("runs", "options", "words"),
    [
        ({}, {}, "There are 0 runs"),
        (dict.fromkeys("abcd", GOOD), {}, "There are 4 runs"),
        ({"a": GOOD[:-1]}, {}, "must fall from T to 0"),
        ({"a": GOOD[::-1]}, {}, "must fall from T to 0"),
        ({"a": [State(9, torch.zeros(2, 2), None), State(0, torch.zeros(2, 2), None)]}, {}, r"grey images"),
        ({"a": GOOD, "b": recorded([500, 0], n=2)}, {}, "differ in their images"),
        ({"a": GOOD, "b": recorded([400, 0])}, {}, "or in T"),
        (RUNS, {"t": 501}, "t is 501, but it runs from 500 to 0"),
        (RUNS, {"image": 3}, "run from 0 to 2"),
    ],
)
def test_what_does_not_fit_is_refused_with_one_sentence(
    runs: dict[str, list[State]], options: dict[str, Any], words: str
) -> None:
    with pytest.raises((ValueError, traitlets.TraitError), match=words) as refusal:
        TrajectoryWidget(runs, **options)
    assert "\n" not in str(refusal.value)


def test_the_html_is_small_and_has_no_ids() -> None:
    digits = recorded(list(range(500, -1, -20)), n=4, side=28)
    w = TrajectoryWidget({"ResNet": digits, "U-Net": digits})
    assert len(w.fallback().png) < 12_000
    assert len(w.to_html()) < 180_000
    assert len(TrajectoryWidget({"ResNet": digits}).to_html()) < 110_000
    assert " id=" not in re.sub(r"base64,[^\"]*", "", w.to_html())
    assert repr(w) == "TrajectoryWidget(['ResNet', 'U-Net'], t=500, image=0)"


def test_without_scripts_a_short_run_names_the_times_that_it_has() -> None:
    x = torch.zeros(1, 1, 8, 8)
    picture = TrajectoryWidget({"run": [State(t, x, x) for t in (500, 250, 0)]}).fallback()
    assert picture.alt.endswith("at t = 500, 250, 0.")
    assert picture.width == 3 * 84
