"""The denoisers. Each has a frozen config, `predicts` and forward(xt, t, y=None)."""

from ddpm_lib.models.mlp import MLP, MLPConfig
from ddpm_lib.models.oracle import ClassOracle, GaussianMixture, OracleDenoiser, tilted_log_prob
from ddpm_lib.models.resnet import ResNet, ResNetConfig
from ddpm_lib.models.unet import UNet, UNetConfig
from ddpm_lib.models.winograd import use_winograd

Network = UNet | ResNet | MLP
NetworkConfig = UNetConfig | ResNetConfig | MLPConfig

__all__ = [
    "MLP",
    "ClassOracle",
    "GaussianMixture",
    "MLPConfig",
    "Network",
    "NetworkConfig",
    "OracleDenoiser",
    "ResNet",
    "ResNetConfig",
    "UNet",
    "UNetConfig",
    "build",
    "classes_of",
    "tilted_log_prob",
    "use_winograd",
]


def classes_of(config: NetworkConfig) -> int:
    """The number of classes that a network of this configuration knows; 0 for an unconditional one."""
    return config.classes if isinstance(config, UNetConfig) else 0


def build(config: NetworkConfig) -> Network:
    """The network of a configuration, freshly initialized."""
    match config:
        case UNetConfig():
            return UNet(config)
        case ResNetConfig():
            return ResNet(config)
        case MLPConfig():
            return MLP(config)
