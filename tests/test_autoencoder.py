"""The autoencoder: its latent, its loss, and images by heart."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from ddpm_lib.models import (
    Autoencoder,
    AutoencoderConfig,
)
from ddpm_lib.models.autoencoder import autoencoder_loss
from tests.awake import close, normal


@pytest.mark.equation("eq-latent")
def test_a_latent_is_the_mean_in_units_of_its_standard_deviation():
    torch.manual_seed(0)
    plain = Autoencoder(AutoencoderConfig(base=4, latent=3))
    scaled = Autoencoder(AutoencoderConfig(base=4, latent=3, scale=2.5))
    scaled.load_state_dict(plain.state_dict())
    x = normal(5, 1, 28, 28)
    assert scaled.encode(x).shape == (5, 3, 7, 7)
    close(scaled.encode(x), plain.moments(x)[0] / 2.5)
    close(scaled.decode(scaled.encode(x)), plain.decode(plain.encode(x)))


@pytest.mark.equation("eq-autoencoder")
def test_the_loss_is_the_error_of_a_drawn_latent_and_its_divergence():
    torch.manual_seed(0)
    model = Autoencoder(AutoencoderConfig(base=4))
    x, noise = normal(3, 1, 28, 28), normal(3, 4, 7, 7, seed=1)
    mean, log_variance = model.moments(x)
    error, divergence = autoencoder_loss(model, x, noise, weight=0.5)
    close(error, F.mse_loss(model.decoder(mean + (log_variance / 2).exp() * noise), x))
    by_hand = (mean**2 + log_variance.exp() - 1 - log_variance) / 2
    close(divergence, 0.5 * by_hand.mean())


def test_an_autoencoder_learns_a_few_images_by_heart():
    torch.manual_seed(0)
    model = Autoencoder(AutoencoderConfig(base=8))
    x = F.interpolate(normal(4, 1, 4, 4).sign(), size=(28, 28))
    optimizer, losses = torch.optim.Adam(model.parameters(), lr=1e-2), []
    for _ in range(30):
        error, divergence = autoencoder_loss(model, x, torch.zeros(4, 4, 7, 7), weight=0.0)
        optimizer.zero_grad()
        (error + divergence).backward()
        optimizer.step()
        losses.append(float(error.detach()))
    assert losses[-1] < 0.5 * losses[0]


def test_a_setting_that_cannot_be_is_refused():
    with pytest.raises(ValueError, match="AutoencoderConfig cannot have latent"):
        AutoencoderConfig(latent=-1)
