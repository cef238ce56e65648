"""The cloud in Python: its state, its checks and its HTML."""

import re
from itertools import pairwise
from typing import Any

import pytest
import torch
import traitlets

from ddpm_lib.data.toys import two_moons
from ddpm_lib.sampling import State
from ddpm_lib.schedule import cosine_schedule, linear_schedule
from ddpm_lib.widgets import CloudWidget
from ddpm_lib.widgets.host.noise import noise
from tests.cloud_parts import CLOUDS, DIFFUSION, GOOD, recording


def test_the_points_are_the_closed_form() -> None:
    w = CloudWidget(CLOUDS, t=120, seed=3)
    expected = DIFFUSION.q_sample(CLOUDS["two moons"], 120, noise(3, (200, 2)).float())
    assert (w.x - expected).abs().max() < 1e-3  # x0 is kept to 1 / 8,192
    w.t = 0
    assert (w.x - CLOUDS["two moons"]).abs().max() <= 1 / 8192
    w.cloud, w.t = "spiral", 500
    assert w.x.shape == (150, 2)


def test_backward_shows_the_recorded_states() -> None:
    states = recording(50)
    w = CloudWidget(CLOUDS, reverse=states, direction="reverse")
    assert w.t == 500
    for state in states:
        w.t = state.t
        assert (w.x - state.xt.clamp(-4, 4)).abs().max() <= 4 / 255 + 1e-6
    w.t = 12  # between two: the nearest, 10
    assert (w.x - states[-2].xt).abs().max() <= 4 / 255 + 1e-6
    far = [State(500, torch.tensor([[9.0, 1.0]]), None), State(0, torch.zeros(1, 2), None)]
    assert CloudWidget(CLOUDS, reverse=far, direction="reverse").x[0, 0] == 4  # the edge of what is kept


def test_a_recording_may_come_straight_from_the_sampler() -> None:
    w = CloudWidget(CLOUDS, reverse=iter(recording(10)), direction="reverse", t=0)
    assert (w.x - two_moons(120)).abs().max() <= 4 / 255 + 1e-6


def test_long_recordings_are_thinned_and_keep_both_ends() -> None:
    w = CloudWidget(CLOUDS, reverse=recording(500))
    ts = w.runs["recorded"][0]
    assert (len(ts), ts[0], ts[-1]) == (60, 500, 0)
    assert {t - s for t, s in pairwise(ts)} == {8, 9}
    assert len(CloudWidget(CLOUDS, reverse=recording(20)).runs["recorded"][0]) == 21


def test_a_cloud_may_have_its_own_recording_or_share_several() -> None:
    own = CloudWidget(CLOUDS, reverse={"spiral": recording(9), "two moons": recording(10)})
    assert own.recording == "two moons"
    own.cloud = "spiral"
    assert own.recording == "spiral"
    several = CloudWidget(CLOUDS, reverse={"DDPM": recording(9), "DDIM": recording(10)}, run="DDIM")
    assert several.recording == "DDIM"


def test_the_state_can_be_observed_and_linked() -> None:
    a, b = CloudWidget(CLOUDS), CloudWidget(CLOUDS, cosine_schedule(500))
    link = traitlets.link((a, "t"), (b, "t"))
    b.t = 90
    assert a.t == 90
    link.unlink()
    assert repr(a) == "CloudWidget(cloud='two moons', direction='forward', t=90, seed=0)"


def replaced(states: list[State], xt: torch.Tensor) -> list[State]:
    """The same walk with another second state."""
    return [states[0], State(states[1].t, xt, None), *states[2:]]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"clouds": {}}, "no cloud to show"),
        ({"clouds": {"a": torch.zeros(3)}}, r"'a' has shape \(3,\).*\(n, 2\)"),
        ({"clouds": {"a": torch.zeros(0, 2)}}, r"shape \(0, 2\)"),
        ({"clouds": {"a": torch.zeros(501, 2)}}, r"'a' has 501 points, but at most 500"),
        ({"clouds": {"a": torch.full((3, 2), float("nan"))}}, "'a' holds NaN or infinity"),
        ({"clouds": {"a": torch.full((3, 2), 9.0)}}, "'a' reaches 9, but must stay within 7.9"),
        ({"reverse": []}, "has no states"),
        ({"reverse": GOOD[1:]}, "from 450 to 0 .*must fall from T = 500 to 0"),
        ({"reverse": GOOD[:-1]}, "from 500 to 50"),
        ({"reverse": [GOOD[0], GOOD[2], GOOD[1], GOOD[-1]]}, "times must fall"),
        ({"reverse": GOOD, "schedule": linear_schedule(1000)}, "must fall from T = 1000"),
        ({"reverse": replaced(GOOD, torch.zeros(120, 3))}, r"at t = 450 has shape \(120, 3\)"),
        ({"reverse": replaced(GOOD, torch.zeros(501, 2))}, "at t = 450 has 501 points"),
        ({"reverse": replaced(GOOD, torch.zeros(7, 2))}, r"states of \[7, 120\] points"),
        ({"reverse": replaced(GOOD, torch.full((120, 2), float("inf")))}, "at t = 450 holds NaN or inf"),
        ({"reverse": {"spiral": GOOD}}, r"recordings \['spiral'\]: pass one for each cloud"),
        ({"reverse": {"spiral": GOOD, "two moons": GOOD, "DDIM": GOOD}}, "pass one for each cloud"),
        ({"direction": "reverse"}, "Nothing was recorded"),
        ({"direction": "sideways"}, "direction"),
        ({"cloud": "moon"}, "no cloud 'moon' here: choose one of .*two moons"),
        ({"reverse": GOOD, "run": "DDIM"}, "no run 'DDIM' here: choose one of .*recorded"),
        ({"t": 501}, "t is 501, but it runs from 0 to 500"),
        ({"seed": -1}, "seed"),
    ],
)
def test_what_does_not_fit_is_refused_with_one_sentence(arguments: dict[str, Any], words: str) -> None:
    with pytest.raises((ValueError, traitlets.TraitError), match=words) as refusal:
        CloudWidget(**{"clouds": CLOUDS, **arguments})
    assert "\n" not in str(refusal.value)


def test_the_html_is_small_and_has_no_ids() -> None:
    three = {name: two_moons(400, i) for i, name in enumerate("abc")}
    forward = CloudWidget(three)
    assert len(forward.fallback().png) < 8_000
    assert len(forward.to_html()) < 45_000
    backward = CloudWidget(three, reverse=recording(39, n=300), direction="reverse")
    assert len(backward.fallback().png) < 8_000
    assert len(backward.to_html()) < 80_000
    assert " id=" not in re.sub(r"base64,[^\"]*", "", forward.to_html())
