"""What training costs before it is paid for: operations, memory, traffic, time and money, computed from the network.

Nothing is run: the network is built and called on torch's `meta` device, where tensors have shapes and no numbers.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.autograd.graph import saved_tensors_hooks
from torch.utils.flop_counter import FlopCounterMode

from ddpm_lib.models import MLPConfig, NetworkConfig, build

TRAINING = 3  # forward passes' worth of operations in a training step: one forward, and two backward
COPIES = 5  # numbers held for each weight: itself, its gradient, Adam's two moments, the average
FLOAT = 4  # bytes of a float32


@dataclass(frozen=True)
class Cost:
    """What one image costs a network."""

    parameters: int
    flops: int  # multiplications and additions in the convolutions and matrix products of a forward pass
    activations: int  # bytes kept from the forward for the backward pass, in float32; see `cost`


def cost(config: NetworkConfig, size: int) -> Cost:
    """Count for one image of size x size pixels. Raises ValueError for a size that the network cannot take.

    The activations include the attention weights, which torch's fused kernels do not keep: up to a few per cent.
    """
    if isinstance(config, MLPConfig):
        raise ValueError("An MLP reads points, which have no size: count a unet or a resnet.")
    kept: dict[int, Tensor] = {}  # by storage: views of one tensor are kept once

    def keep(tensor: Tensor) -> Tensor:
        kept[tensor.untyped_storage()._cdata] = tensor
        return tensor

    with torch.device("meta"):
        model = build(config)
        x, t = torch.empty(1, config.channels, size, size), torch.empty(1, dtype=torch.int64)
    with FlopCounterMode(display=False) as counter, saved_tensors_hooks(keep, lambda tensor: tensor):
        model(x, t).square().mean()
    weights = {parameter.untyped_storage()._cdata for parameter in model.parameters()}
    activations = sum(tensor.untyped_storage().nbytes() for key, tensor in kept.items() if key not in weights)
    return Cost(sum(p.numel() for p in model.parameters()), counter.get_total_flops(), activations)


def training_bytes(cost: Cost, images: int) -> int:
    """Memory of training with `images` at a time on one device: five numbers a weight, and the activations.

    Book: eq-training-memory.

    Counted in float32. CUDA's autocast to bfloat16 saves little of it: GroupNorm and the activation after it stay
    in float32, and a convolution keeps a copy of its input in bfloat16.
    What the library's kernels need for a moment, and the gaps of the allocator, come on top: leave a fifth free.
    """
    return cost.parameters * COPIES * FLOAT + images * cost.activations


def ring_bytes(parameters: int, processes: int) -> float:
    """Bytes that each process sends to average the gradients of all: 2 (n - 1) / n times the gradient.

    Book: eq-ring (Patarasuk and Yuan 2009).
    """
    return 2 * (processes - 1) / processes * FLOAT * parameters


def step_seconds(compute: int | float, traffic: int | float) -> float:
    """Seconds of a step: the computation, and what of the traffic its backward pass, two thirds of it, cannot hide.

    Book: eq-step-time.

    The best case: every gradient is sent as soon as it is there (Li et al. 2020).
    """
    return compute + max(0.0, traffic - (TRAINING - 1) / TRAINING * compute)


@dataclass(frozen=True)
class Device:
    """A GPU, as its maker describes it, and how it is joined to the others."""

    name: str
    peak: float  # multiplications and additions a second, in the precision that is trained in
    memory: float  # bytes
    link: float  # bytes a second that it sends to another while it receives as much


@dataclass(frozen=True)
class Plan:
    """A run, computed and not measured."""

    processes: int
    images: int  # per step and process
    microbatches: int  # that a process computes its images in, so that they fit
    memory: int  # bytes on each device
    step: float  # seconds
    traffic: float  # seconds of a step that the network between the devices is busy
    hours: float
    price: float  # in the currency of `hourly`


def plan(
    cost: Cost,
    device: Device,
    processes: int,
    *,
    batch: int,
    steps: int,
    share: int | float,
    hourly: int | float,
) -> Plan:
    """What `steps` steps of `batch` images take on so many devices that reach `share` of their peak.

    `hourly` is the price of one device for one hour. Images that do not fit are taken in microbatches,
    whose gradients are added up. Raises ValueError where not even one image fits, or where the batch cannot be shared.
    """
    if batch % processes or not 0 < share <= 1:
        raise ValueError(
            f"A batch of {batch} on {processes} devices at {share} of their peak cannot be planned: the batch must be "
            "a multiple of the devices, and the share above 0 and at most 1."
        )
    images = batch // processes
    microbatches = next(
        (p for p in range(1, images + 1) if training_bytes(cost, -(-images // p)) <= 0.8 * device.memory),
        0,
    )
    if not microbatches:
        raise ValueError(
            f"Not one image fits: it takes {training_bytes(cost, 1) / 1e9:.1f} GB and {device.name} has "
            f"{device.memory / 1e9:.0f}, of which a fifth stays free: take a larger device or a smaller network."
        )
    compute = TRAINING * cost.flops * images / (share * device.peak)
    traffic = ring_bytes(cost.parameters, processes) / device.link
    step = step_seconds(compute, traffic)
    hours = steps * step / 3600
    memory = training_bytes(cost, -(-images // microbatches))
    return Plan(processes, images, microbatches, memory, step, traffic, hours, hours * processes * hourly)


def scale_batch(
    batch: int, lr: float, ema: float, steps: int, factor: int | float
) -> tuple[int, float, float, int]:
    """(batch, lr, ema, steps) for a batch `factor` times as large: as many images, and the same path in the mean.

    Book: eq-scaled-ema (Busbridge et al. 2023, the EMA scaling rule).

    Adam's learning rate grows with the root (Malladi et al. 2022); plain SGD's would grow in proportion
    (Goyal et al. 2017).
    """
    return round(factor * batch), factor**0.5 * lr, ema**factor, round(steps / factor)
