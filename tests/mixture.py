"""Two small clouds of unequal weight in the plane, for which everything has a formula."""

from __future__ import annotations

import torch

from ddpm_lib.models import GaussianMixture

MIXTURE = GaussianMixture(
    torch.tensor([[-1.0, 0.5], [1.0, 0.0]]).double(),
    torch.tensor([0.2, 0.4]).double(),
    torch.tensor([0.3, 0.7]).double(),
)
