"""Which loop takes a run's steps: `train`, or on one GPU its graphed twin, where that is faster and agrees."""

from __future__ import annotations

import copy
from functools import partial

import torch

from ddpm_lib.cli.common import stop_at_once
from ddpm_lib.data import Batches
from ddpm_lib.data.stream import Images
from ddpm_lib.diffusion import GaussianDiffusion
from ddpm_lib.models import Network
from ddpm_lib.train import Machine, TrainConfig, train
from ddpm_lib.train.machine.processes import Processes
from ddpm_lib.train.machine.quickest import Loop, quickest

WORTH = 1_000  # steps that must be left: a shorter run is over before the trial has paid


def loop_for(
    model: Network,
    diffusion: GaussianDiffusion,
    data: Images,
    config: TrainConfig,
    machine: Machine,
    processes: Processes,
    taken: int,
) -> Loop:
    """The loop for a run that has `taken` so many steps; the model stays as it is.

    A graphed step is tried by one process on CUDA that computes a batch at once and compiles nothing. The trial is on
    copies of the model and one batch, some hundred steps of it.
    """
    plain: Loop = partial(train, processes=processes)
    if not _graphable(processes, machine) or config.steps - taken < WORTH:
        return plain
    batches = Batches(data.head(config.batch).to(processes.device), config.batch, config.seed)

    with stop_at_once():
        _, loop = quickest(partial(copy.deepcopy, model), diffusion, batches, config, machine, compiled=False)
    torch.cuda.empty_cache()  # what the trials took
    return plain if loop is train else loop


def _graphable(processes: Processes, machine: Machine) -> bool:
    one = processes.world == 1 and machine.accumulate == 1
    return one and processes.device.type == "cuda" and not machine.compile
