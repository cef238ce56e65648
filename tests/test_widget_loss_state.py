"""The widget of the loss in Python: its state, its checks and its HTML."""

import re
from typing import Any

import numpy as np
import pytest
import torch
import traitlets

from ddpm_lib.diffusion import GaussianDiffusion
from ddpm_lib.schedule import NoiseSchedule, cosine_schedule, linear_schedule
from ddpm_lib.widgets import LossWidget
from tests.loss_parts import LONG, SHORT, losses


@pytest.mark.parametrize("schedule", [LONG, cosine_schedule(50)], ids=["linear", "cosine"])
@pytest.mark.parametrize("t", [1, 2, 20, 50])
def test_the_factors_are_those_of_the_librarys_conversions(schedule: NoiseSchedule, t: int) -> None:
    """x_t is fixed and eps_hat is off by d: how far off are x0, v, the score and the mean of p_theta?"""
    diffusion = GaussianDiffusion(schedule)
    generator = torch.Generator().manual_seed(t)
    x0, eps, d = torch.randn(3, 4, 100, dtype=torch.float64, generator=generator)
    xt = diffusion.q_sample(x0, t, eps)
    eps_hat = eps + 0.1 * d
    x0_hat = diffusion.predict_x0(xt, t, eps_hat)
    v_hat = diffusion.predict_v(x0_hat, t, eps_hat)
    noise = (1 - schedule.alpha_bar[t]).sqrt()

    def error(a: torch.Tensor, b: torch.Tensor) -> float:
        return float(((a - b) ** 2).mean())

    errors: dict[str, float | None] = {
        "eps": error(eps_hat, eps),
        "x0": error(x0_hat, x0),
        "v": error(v_hat, diffusion.predict_v(x0, t, eps)),
        "score": error(eps_hat / noise, eps / noise),
        "bound": None,  # the term at t = 1 is another
    }
    if t >= 2:  # KL(q(x_{t-1} | x_t, x0) || p_theta(x_{t-1} | x_t)): two Gaussians of one variance
        mean, variance = diffusion.q_posterior(x0, xt, t, t - 1)
        mean_hat, _ = diffusion.q_posterior(x0_hat, xt, t, t - 1)
        errors["bound"] = error(mean_hat, mean) / (2 * float(variance))
        snr = schedule.snr
        assert errors["bound"] == pytest.approx(
            float((snr[t - 1] - snr[t]) / 2) * error(x0_hat, x0), rel=1e-9
        )
    loss = torch.full((schedule.T + 1,), errors["eps"], dtype=torch.float64)
    for scale, expected in errors.items():
        w = LossWidget({"off": loss}, schedule, t=t, scale=scale)
        assert w.shown()["off"] == (None if expected is None else pytest.approx(expected, rel=2e-6)), scale


def test_every_time_of_a_short_chain_is_kept_and_a_long_one_is_thinned() -> None:
    assert LossWidget(losses(SHORT), SHORT).ts == list(range(1, 61))
    w = LossWidget(losses(LONG), LONG)
    assert w.ts == [*range(1, 51), *range(60, 1001, 10)]
    for T in (150, 151, 200, 300, 333, 500, 777):
        s = cosine_schedule(T)
        ts = LossWidget(losses(s), s).ts
        assert len(ts) <= 150
        assert ts[:50] == list(range(1, 51))
        assert ts[-1] == T
        assert len(set(np.diff(ts[51:]))) == 1


def test_t_moves_to_the_nearest_time_that_is_kept() -> None:
    w = LossWidget(losses(LONG), LONG)
    assert w.t == 250
    w.t = 103
    assert w.t == 100
    w.t = 998
    assert w.t == 1000
    assert w.shown()["trained"] == pytest.approx(float(losses(LONG)["trained"][1000]), rel=1e-6)


def test_only_what_was_measured_is_shown() -> None:
    sparse = torch.full((1001,), torch.nan)
    sparse[[1, 10, 100, 1000]] = torch.tensor([0.5, 0.4, 0.3, 0.2])
    w = LossWidget({"sparse": sparse}, LONG)
    assert w.ts == [1, 10, 100, 1000]
    both = LossWidget({"full": losses(LONG)["trained"], "sparse": sparse}, LONG, t=20)
    assert both.shown()["sparse"] is None
    assert both.shown()["full"] is not None


def test_the_state_can_be_observed_and_linked() -> None:
    a, b = LossWidget(losses(SHORT), SHORT), LossWidget(losses(SHORT), SHORT)
    link = traitlets.link((a, "t"), (b, "t"))
    b.t = 40
    assert a.t == 40
    link.unlink()
    assert repr(a) == "LossWidget(['irreducible', 'trained'], t=40, scale='eps', axis='t')"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"losses": {}}, "0 curves, but 1 to 4"),
        ({"losses": {str(i): torch.ones(61) for i in range(5)}}, "5 curves, but 1 to 4"),
        ({"losses": {"a": torch.ones(60)}}, r"'a' has shape \(60,\).*pass 61 values"),
        ({"losses": {"a": -torch.ones(61)}}, "'a' has a negative or infinite loss"),
        ({"losses": {"a": torch.full((61,), torch.inf)}}, "'a' has a negative or infinite loss"),
        ({"losses": {"a": torch.full((61,), torch.nan)}}, "No loss was measured"),
        ({"t": 0}, "t is 0, but the losses run from 1 to 60"),
        ({"t": 61}, "t is 61"),
        ({"scale": "mu"}, "scale.*'eps', 'x0', 'v', 'score', 'bound'"),
    ],
)
def test_what_does_not_fit_is_refused_with_one_sentence(arguments: dict[str, Any], words: str) -> None:
    with pytest.raises((ValueError, traitlets.TraitError), match=words) as refusal:
        LossWidget(**{"losses": losses(SHORT), "schedule": SHORT, **arguments})
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("schedule", [LONG, linear_schedule(150)], ids=["T = 1000", "T = 150"])
def test_the_html_is_small_and_has_no_ids(schedule: NoiseSchedule) -> None:
    w = LossWidget(losses(schedule, 3), schedule)
    assert len(w.fallback().png) < 8_000
    page = re.sub(r"base64,[^\"]*", "", w.to_html())
    assert len(page) < 30_000
    assert " id=" not in page
    assert "http" not in page.replace("http://www.w3.org/2000/svg", "")
