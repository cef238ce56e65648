"""The graders of "Where it goes": the right answer passes, and each mistake is named."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from ddpm_lib.models.dit import DiTBlock, modulate
from ddpm_lib.models.words import CrossAttention
from tests.graders import grader_tests


def of_the_library(q: Tensor, k: Tensor, v: Tensor, there: Tensor) -> Tensor:
    layer = CrossAttention(4, 4, heads=1, groups=0).double()
    for part, eye in ((layer.query, torch.eye(4)[:, :, None, None]), (layer.key, torch.eye(4))):
        part.weight.data.copy_(eye)
        part.bias.data.zero_()
    with torch.no_grad():
        weights: Tensor = layer.weights(q.T[None, :, :, None], k[None], there[None])
    return weights[0, 0] @ v


def gated(h: Tensor, f: Callable[[Tensor], Tensor], shift: float, scale: float, gate: float) -> Tensor:
    rows = [torch.full((1, 1, 8), value).double() for value in (shift, scale)]
    return h + gate * f(modulate(F.layer_norm(h, (8,), eps=0)[None], *rows)[0])


def of_a_block(n: int, d: int) -> float:
    block = DiTBlock(d, heads=1)
    with torch.inference_mode(), sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
        block(torch.zeros(1, n, d), torch.zeros(1, d))
    return counter.get_total_flops() / 2 - 6 * d**2  # without what is made of time and class


RIGHT: dict[str, object] = {
    "check_unit_latent": lambda z: z / z.std(correction=0),
    "check_cross_attention": of_the_library,
    "check_block_cost": of_a_block,
    "check_gated": gated,
    "check_smaller": (8**2, 8**4),
    "check_beyond_chance": lambda counts, fits: (
        (counts[list(fits)].sum() / counts.sum() - len(fits) / 10) / (1 - len(fits) / 10)
    ),
}
VALUES = {"check_smaller"}
WRONG: list[tuple[str, object, str]] = [
    ("check_unit_latent", lambda z: z / z.var(), "its root"),
    ("check_cross_attention", lambda q, k, v, there: q, "off by"),
    ("check_block_cost", lambda n, d: 12 * n * d**2, "between tokens"),
    ("check_gated", lambda h, f, shift, scale, gate: h, "off by"),
    ("check_smaller", (64, 64), "all pairs"),
    ("check_beyond_chance", lambda counts, fits: 0.0, "off by"),
]

TestGraders = grader_tests(RIGHT, VALUES, WRONG)
