"""A small convolutional autoencoder: images to a latent of a quarter of their height and width, and back."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ddpm_lib.gaussian import kl
from ddpm_lib.models.blocks import Image
from ddpm_lib.models.header import check_settings

Latent = Float[Tensor, "b z h4 w4"]


@dataclass(frozen=True)
class AutoencoderConfig:
    """The shape of an autoencoder, and the unit of its latent."""

    channels: int = 1  # of the image
    base: int = 32  # feature maps at half the height and width; twice as many at a quarter
    latent: int = 4  # channels of the latent
    scale: float = 1.0  # standard deviation of the means over the training images: what `encode` divides by

    def __post_init__(self) -> None:
        check_settings(self)


class Autoencoder(nn.Module):
    """q(z | x) = N(mean(x), diag(exp(log_variance(x)))), and a decoder; height and width divisible by 4."""

    def __init__(self, config: AutoencoderConfig) -> None:
        super().__init__()
        self.config = config
        half, quarter = config.base, 2 * config.base

        def conv(c_in: int, c_out: int) -> nn.Module:
            return nn.Conv2d(c_in, c_out, 3, padding=1)

        self.encoder = nn.Sequential(
            nn.Conv2d(config.channels, half, 4, 2, 1), nn.SiLU(), nn.Conv2d(half, quarter, 4, 2, 1), nn.SiLU(),
            conv(quarter, quarter), nn.SiLU(), conv(quarter, 2 * config.latent),
        )  # fmt: skip
        # A pixel shuffle makes 4 channels of one pixel 2 x 2 pixels of one channel.
        self.decoder = nn.Sequential(
            conv(config.latent, quarter), nn.SiLU(), conv(quarter, quarter), nn.SiLU(),
            conv(quarter, 4 * half), nn.PixelShuffle(2), nn.SiLU(), conv(half, half), nn.SiLU(),
            conv(half, 4 * config.channels), nn.PixelShuffle(2),
        )  # fmt: skip

    def moments(self, x: Image) -> tuple[Latent, Latent]:
        """Mean and log variance of q(z | x), in the encoder's own units."""
        mean, log_variance = self.encoder(x).chunk(2, dim=1)
        return mean, log_variance.clamp(-20, 20)

    def encode(self, x: Image) -> Latent:
        """mean(x) / scale: what the diffusion calls x_0, with variance 1 over the training images.

        Book: eq-latent (Rombach et al. 2022, section 3.3 and appendix G).
        """
        return self.moments(x)[0] / self.config.scale

    def decode(self, z: Latent) -> Image:
        """The image of a latent in the units of `encode`: decoder(scale z).

        Book: eq-latent (Rombach et al. 2022, section 3.3 and appendix G).
        """
        x: Tensor = self.decoder(self.config.scale * z)
        return x


def autoencoder_loss(
    autoencoder: Autoencoder, x: Image, noise: Latent, weight: float
) -> tuple[Float[Tensor, ""], Float[Tensor, ""]]:
    """(squared error a pixel, weight times the KL to N(0, 1) a number of the latent); their sum is the loss.

    Book: eq-autoencoder (Kingma and Welling 2014, eq. 10; Rombach et al. 2022, appendix G).

    `noise` is drawn from N(0, I), in the latent's shape.
    """
    mean, log_variance = autoencoder.moments(x)
    variance = log_variance.exp()
    error = (autoencoder.decoder(mean + variance.sqrt() * noise) - x).square().mean()
    return error, weight * kl(mean, variance, torch.zeros_like(mean), 1.0).mean()
