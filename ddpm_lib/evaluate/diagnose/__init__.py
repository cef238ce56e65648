"""What is wrong with a network that draws badly: a tree of checks, from its weights to a walk, one line each."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from torch import nn

from ddpm_lib.denoiser import Denoiser, Labels, X
from ddpm_lib.diffusion import GaussianDiffusion
from ddpm_lib.evaluate.diagnose import answers, before, diet, walk
from ddpm_lib.evaluate.diagnose.case import Case, Finding
from ddpm_lib.models import build
from ddpm_lib.models.trained import Trained
from ddpm_lib.sampling import Step, ddpm_step

__all__ = ["Finding", "diagnose", "findings"]

# In this order: what is cheap and certain comes first, and a fault explains all that would be found after it.
CHECKS: tuple[Callable[[Case], Finding | None], ...] = (
    before.weights, before.batch, before.noise, before.step, answers.alone, answers.norm, answers.average,
    answers.says_something, answers.time, answers.reach, diet.training, answers.labels, walk.variety,
)  # fmt: skip


def diagnose(
    patient: Trained | Denoiser,
    diffusion: GaussianDiffusion | None = None,
    *,
    x0: X,
    y: Labels | None = None,
    step: Step = ddpm_step,
    raw: Denoiser | None = None,
    network: nn.Module | None = None,
    say: Callable[[str], None] = print,
) -> list[Finding]:
    """Run the tree, print one line a check, and stop at the first fault: the last finding names it.

    `patient` is a checkpoint, or a network as your sampler calls it, with the `diffusion` that your sampler has. `x0`
    is a batch as your training gets it (64 images are enough), and `y` its labels. `raw` is the network before
    averaging. `network` is the module behind a `patient` that is a function. Where nothing is found, no fault that is
    known here is there; a network may still be small or half trained.
    """
    found = []
    for finding in findings(patient, diffusion, x0=x0, y=y, step=step, raw=raw, network=network):
        say(str(finding))
        found.append(finding)
        if finding.fault:
            break
    return found


def findings(
    patient: Trained | Denoiser,
    diffusion: GaussianDiffusion | None = None,
    *,
    x0: X,
    y: Labels | None = None,
    step: Step = ddpm_step,
    raw: Denoiser | None = None,
    network: nn.Module | None = None,
) -> Iterator[Finding]:
    """Every finding of the tree, in order; those after a fault are mostly its echoes."""
    denoiser: Denoiser
    if isinstance(patient, Trained):
        diffusion, denoiser = diffusion or patient.diffusion, patient.network()
        if patient.part("model."):
            trained = build(patient.model_config)
            patient.fill(trained, "model.")
            raw = trained.eval()
    else:
        denoiser = patient
    if diffusion is None:
        raise ValueError(
            "A network alone does not say how it is sampled: pass your sampler's diffusion as well."
        )
    module = network if network is not None else denoiser if isinstance(denoiser, nn.Module) else None
    case = Case(denoiser, diffusion, x0, y, step, raw, module)
    for check in CHECKS:
        finding = check(case)
        if finding is not None:
            yield finding.of_numbers()
