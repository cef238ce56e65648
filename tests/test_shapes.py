"""The shapes in the signatures are checked while the tests run (conftest.py): a wrong one is refused, alias or not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from jaxtyping import TypeCheckError

from ddpm_lib.bound import prior_term, step_term
from ddpm_lib.diffusion import GaussianDiffusion, times
from ddpm_lib.flow import euler_step, heun_step
from ddpm_lib.guidance import Guided, class_score
from ddpm_lib.loss import simple_loss
from ddpm_lib.models import MLP, MLPConfig, ResNet, ResNetConfig, UNet, UNetConfig
from ddpm_lib.sampling import DDIM, DDPM, sample_from
from ddpm_lib.schedule import linear_schedule

D = GaussianDiffusion(linear_schedule(100))
NETWORK = MLP(MLPConfig(dim=2))
# Four points, three points, points in space, their times; the same with whole numbers for points and without a batch
X, FEW, WIDE = torch.ones(4, 2), torch.ones(3, 2), torch.ones(4, 3)
T, FEW_T, FLOAT_T = torch.ones(4).long(), torch.ones(3).long(), torch.ones(4)
WHOLE, NONE = torch.ones(4, 2).long(), torch.ones(())

WRONG: dict[str, Callable[[], Any]] = {
    "q_sample of other noise": lambda: D.q_sample(X, 5, WIDE),
    "q_sample of fewer images' noise": lambda: D.q_sample(X, 5, FEW),
    "q_sample of whole numbers": lambda: D.q_sample(WHOLE, 5, X),
    "q_sample of no batch": lambda: D.q_sample(NONE, 5, NONE),
    "q_sample at fewer times": lambda: D.q_sample(X, FEW_T, X),
    "q_sample at times that are no integers": lambda: D.q_sample(X, FLOAT_T, X),
    "q_posterior": lambda: D.q_posterior(X, WIDE, 5, 4),
    "interpret": lambda: D.interpret(X, WIDE, 5, "eps"),
    "denoise with fewer labels": lambda: D.denoise(NETWORK, X, 5, y=FEW_T),
    "times": lambda: times(T, X),
    "simple_loss": lambda: simple_loss(NETWORK, D, X, T, WIDE),
    "simple_loss at fewer times": lambda: simple_loss(NETWORK, D, X, FEW_T, X),
    "step_term": lambda: step_term(NETWORK, D, X, 5, WIDE),
    "prior_term": lambda: prior_term(D, WHOLE),
    "ddpm": lambda: DDPM()(D, X, 5, 4, WIDE, X, X),
    "ddim": lambda: DDIM()(D, X, 5, 4, X, X, FEW),
    "euler": lambda: euler_step(D, X, 5, 4, X, WIDE, X),
    "heun": lambda: heun_step(D, X, 5, 4, X, WIDE, X, lambda x, t: (x, x)),
    "sample_from": lambda: next(sample_from(NETWORK, D, WHOLE)),
    "guided": lambda: Guided(NETWORK, 1.0, 3)(X, FEW_T, T),
    "class_score": lambda: class_score(D, X, 5, X, WIDE),
    "mlp": lambda: NETWORK(X, FEW_T),
    "resnet": lambda: ResNet(ResNetConfig())(X, T),
    "unet": lambda: UNet(UNetConfig(base=8))(torch.ones(4, 1, 8, 8), FEW_T),
}


@pytest.mark.parametrize("call", WRONG.values(), ids=WRONG.keys())
def test_a_wrong_shape_or_type_is_refused(call: Callable[[], Any]) -> None:
    with pytest.raises(TypeCheckError):
        call()


def test_the_right_ones_pass() -> None:
    assert D.q_sample(X, T, X).shape == X.shape
    assert D.q_sample(X, 5, X).shape == X.shape
    assert simple_loss(NETWORK, D, X, T, X).ndim == 0
    assert [state.t for state in sample_from(NETWORK, D, X, steps=2)] == [100, 50, 0]
