"""The widget of the schedule in Python: its state, its checks and its HTML."""

import re
from pathlib import Path
from typing import Any

import pytest
import torch
import traitlets

from ddpm_lib.schedule import cosine_schedule, linear_schedule, scaled_linear_schedule
from ddpm_lib.widgets import ScheduleWidget
from ddpm_lib.widgets.host.widget import WIDGETS
from tests.schedule_parts import X0


@pytest.mark.parametrize(
    ("T", "left"), [(50, 0.777), (200, 0.364), (300, 0.219), (500, 0.080), (1000, 0.0064)]
)
def test_what_the_papers_betas_leave_of_the_image(T: int, left: float) -> None:
    assert ScheduleWidget(T=T).left == pytest.approx(left, abs=6e-4)


def test_the_schedule_is_the_librarys() -> None:
    w = ScheduleWidget(T=80, beta_min=1e-3, beta_max=0.03)
    assert torch.equal(w.schedule.beta, linear_schedule(80, 1e-3, 0.03, rescale=False).beta)
    w.rescale = True
    assert torch.equal(w.schedule.beta, linear_schedule(80, 1e-3, 0.03).beta)
    w.kind = "scaled linear"
    assert torch.equal(w.schedule.beta, scaled_linear_schedule(80, 1e-3, 0.03).beta)
    w.kind = "cosine"
    assert torch.equal(w.schedule.beta, cosine_schedule(80).beta)
    assert w.left == w.schedule.terminal_weight


@pytest.mark.parametrize(
    ("T", "words"),
    [(1000, "x_T is noise"), (500, "a trace of the image is left"), (300, "x_T still shows the image")],
)
def test_the_verdict(T: int, words: str) -> None:
    assert ScheduleWidget(T=T).verdict == words


def test_betas_beyond_one_are_no_schedule() -> None:
    w = ScheduleWidget(T=10, rescale=True)
    assert not w.valid
    with pytest.raises(ValueError, match=r"beta\[6\].*not between 0 and 1"):
        _ = w.schedule
    assert "no schedule" in w.fallback().alt
    w.rescale = False
    assert w.valid


def test_the_pictures_are_the_closed_form() -> None:
    w = ScheduleWidget(X0, T=300)
    assert w.ts == [0, 75, 150, 225, 300]
    assert (w.xt[0] - X0).abs().max() <= 1 / 255 + 1e-6
    eps = ScheduleWidget(X0, beta_max=0.5).xt[-1]  # nothing else is left there
    ab = w.schedule.alpha_bar[w.ts].reshape(-1, 1, 1, 1)
    assert torch.allclose(w.xt.double(), ab.sqrt() * w.xt[0] + (1 - ab).sqrt() * eps, atol=1e-5)
    with pytest.raises(ValueError, match="no image"):
        _ = ScheduleWidget().xt


def test_the_state_can_be_observed_and_linked() -> None:
    a, b = ScheduleWidget(), ScheduleWidget()
    seen: list[int] = []
    a.observe(lambda change: seen.append(change["new"]), "T")
    link = traitlets.link((a, "T"), (b, "T"))
    b.T = 90
    assert (a.T, seen) == (90, [90])
    link.unlink()
    assert repr(a) == "ScheduleWidget(T=90, kind='linear', beta_min=0.0001, beta_max=0.02, rescale=False)"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"x0": X0[None]}, r"x0 has shape \(1, 1, 28, 28\).*\(c, h, w\)"),
        ({"x0": X0.repeat(2, 1, 1)}, "c = 1 or 3"),
        ({"x0": X0 * 9}, r"in \[-1, 1\]"),
        ({"T": 1}, "T"),
        ({"T": 1001}, "T"),
        ({"kind": "quadratic"}, r"kind.*'linear', 'scaled linear', 'cosine'"),
        ({"beta_min": 0.0}, "beta_min"),
        ({"beta_max": 1.0}, "beta_max"),
    ],
)
def test_what_does_not_fit_is_refused_with_one_sentence(arguments: dict[str, Any], words: str) -> None:
    with pytest.raises((ValueError, traitlets.TraitError), match=words) as refusal:
        ScheduleWidget(**arguments)
    assert "\n" not in str(refusal.value)


def test_the_html_is_small_and_has_no_ids() -> None:
    w = ScheduleWidget(X0)
    assert len(w.fallback().png) < 8_000
    page = re.sub(r"base64,[^\"]*", "", w.to_html())
    assert len(page) < 30_000
    assert " id=" not in page
    assert "http" not in page.replace("http://www.w3.org/2000/svg", "")


@pytest.mark.parametrize("file", sorted(WIDGETS.rglob("*.js")), ids=lambda file: file.name)
def test_no_string_of_a_module_runs_over_a_lines_end(file: Path) -> None:
    """For `to_html` leaves out what stands at the beginning of a line."""
    text = file.read_text(encoding="utf-8")
    assert all(line.count("`") % 2 == 0 for line in text.splitlines())
    assert "/*" not in text
    assert "innerHTML" not in re.sub(r"//.*", "", text)
