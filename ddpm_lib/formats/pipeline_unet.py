"""Any network of ours as the `unet` of diffusers' DDPMPipeline and DDIMPipeline.

Importing this module is what lets `DDPMPipeline.from_pretrained(folder)` find the class: diffusers resolves a
component that is not its own among the modules already imported, by the name in model_index.json.
"""

from __future__ import annotations

from typing import Any

import torch
from diffusers import ConfigMixin, ModelMixin
from diffusers.configuration_utils import register_to_config
from diffusers.models.unets.unet_2d import UNet2DOutput
from torch import Tensor

from ddpm_lib.formats import FormatError
from ddpm_lib.models import build
from ddpm_lib.models.header import checked
from ddpm_lib.models.trained import CONFIGS


class PipelineUNet(ModelMixin, ConfigMixin):  # type: ignore[misc]  # to mypy, diffusers is untyped
    """A network that is called as UNet2DModel is: (sample, timestep, class_labels), with their time t - 1.

    `kind` and `fields` are what a checkpoint holds: "unet" or "resnet", and the fields of its configuration.
    """

    @register_to_config  # type: ignore[untyped-decorator]
    def __init__(
        self, kind: str, fields: dict[str, Any], in_channels: int, sample_size: int | list[int]
    ) -> None:
        super().__init__()
        self.network = build(checked(CONFIGS[kind], fields))

    def forward(
        self,
        sample: Tensor,
        timestep: Tensor | float | int,
        class_labels: Tensor | None = None,
        return_dict: bool = True,
    ) -> UNet2DOutput | tuple[Tensor]:
        """The prediction for (b, c, h, w) images at one time, or one an image; no class_labels means "no class"."""
        if sample.dtype != torch.float32:
            raise FormatError(
                f"This network computes in float32, not {sample.dtype}: load the pipeline without torch_dtype."
            )
        t = torch.as_tensor(timestep, device=sample.device).long() + 1  # our index 0 is the clean image
        output = self.network(sample, t.expand(len(sample)), class_labels)
        return UNet2DOutput(sample=output) if return_dict else (output,)
