"""The denoisers. Each has a frozen config, `predicts` and forward(xt, t, y=None)."""

from ddpm_lib.models.autoencoder import Autoencoder, AutoencoderConfig
from ddpm_lib.models.dit import DiT, DiTConfig
from ddpm_lib.models.mlp import MLP, MLPConfig
from ddpm_lib.models.oracle import ClassOracle, GaussianMixture, OracleDenoiser, tilted_log_prob
from ddpm_lib.models.resnet import ResNet, ResNetConfig
from ddpm_lib.models.unet import UNet, UNetConfig
from ddpm_lib.models.winograd import use_winograd
from ddpm_lib.models.words import Words, WordsConfig

Network = UNet | ResNet | MLP | DiT | Words
NetworkConfig = UNetConfig | ResNetConfig | MLPConfig | DiTConfig | WordsConfig

__all__ = [
    "MLP",
    "Autoencoder",
    "AutoencoderConfig",
    "ClassOracle",
    "DiT",
    "DiTConfig",
    "GaussianMixture",
    "MLPConfig",
    "Network",
    "NetworkConfig",
    "OracleDenoiser",
    "ResNet",
    "ResNetConfig",
    "UNet",
    "UNetConfig",
    "Words",
    "WordsConfig",
    "build",
    "classes_of",
    "tilted_log_prob",
    "use_winograd",
]


def classes_of(config: NetworkConfig) -> int:
    """The number of classes that a network of this configuration knows; 0 for an unconditional one."""
    return config.classes if isinstance(config, UNetConfig | DiTConfig | WordsConfig) else 0


def build(config: NetworkConfig) -> Network:
    """The network of a configuration, freshly initialized."""
    match config:
        case UNetConfig():
            return UNet(config)
        case ResNetConfig():
            return ResNet(config)
        case MLPConfig():
            return MLP(config)
        case DiTConfig():
            return DiT(config)
        case WordsConfig():
            return Words(config)
