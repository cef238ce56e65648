"""A short chain and an image, for the tests that walk it."""

from __future__ import annotations

import torch

from ddpm_lib.schedule import linear_schedule

SHORT = linear_schedule(6, 0.05, 0.4, rescale=False)
X0 = torch.tensor([0.8, -0.3, 1.5]).double()
