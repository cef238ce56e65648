"""The shipped network that says how wide a reverse step should be: what it is, and that it saves bits where it says."""

from __future__ import annotations

import torch

import ddpm_lib
from ddpm_lib.assets.width import FOLDER, load_variance
from ddpm_lib.data import mnist
from ddpm_lib.further.variances import best_variance, between_variances, learned_variance, step_kl
from tests.helpers import generator

checkpoint = ddpm_lib.load("cpu-hour")
DIFFUSION, NETWORK, HEAD = checkpoint.diffusion, checkpoint.network(), load_variance()


def guessed(train: bool, t: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """32 digits, the same at time t, and what `cpu-hour` makes of these."""
    images = mnist(train)
    assert images.y is not None
    x0, y = images.x0(slice(0, 32)), images.y[:32]
    xt = DIFFUSION.q_sample(x0, t, torch.randn(x0.shape, generator=generator(t)))
    with torch.no_grad():
        return x0, xt, DIFFUSION.denoise(NETWORK, xt, t, y=y)[0]


def test_its_card_and_its_size() -> None:
    card = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert f"{sum(p.numel() for p in HEAD.parameters()):,} parameters" in card
    assert (FOLDER / "learned.safetensors").stat().st_size < 400_000


def test_test_digits_cost_fewer_nats_near_the_image_than_with_the_best_number_for_the_time() -> None:
    for t in (2, 5, 10):
        x0, xt, guess = guessed(True, t)
        error = float((x0 - guess).square().mean())
        x0, xt, guess = guessed(False, t)
        with torch.no_grad():
            nu, _ = learned_variance(HEAD, xt, guess, t)
        assert nu.shape == x0.shape
        learned = between_variances(DIFFUSION, xt, t, t - 1, nu)
        best = best_variance(DIFFUSION, xt, t, t - 1, error)
        ours, theirs = (float(step_kl(DIFFUSION, x0, xt, t, t - 1, guess, v).mean()) for v in (learned, best))
        assert ours < 0.9 * theirs


def test_one_time_stands_for_all_images_or_each_has_its_own() -> None:
    _, xt, guess = guessed(False, 20)
    with torch.no_grad():
        once = learned_variance(HEAD, xt, guess, 20)
        each = learned_variance(HEAD, xt, guess, torch.full((len(xt),), 20))
    assert all(torch.equal(a, b) for a, b in zip(once, each, strict=True))
