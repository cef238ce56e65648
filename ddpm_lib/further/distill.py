"""Few steps: what a student is taught, so that one call of it does what many of its teacher's do.

A student is a network like any other. Only what it is asked to answer is new: an image that its teacher would reach.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from ddpm_lib.denoiser import Denoiser, Labels, Time, X
from ddpm_lib.diffusion import GaussianDiffusion, times
from ddpm_lib.sampling import ddim_step
from ddpm_lib.schedule import NoiseSchedule


def spread_kept(schedule: NoiseSchedule, path: Sequence[int]) -> float:
    """What DDIM along `path` leaves of the standard deviation of data that are N(0, I): 1 with short steps, 0 with one.

    Book: eq-spread-kept.

    A step multiplies it by cos(phi_t - phi_s), where cos(phi_t) = sqrt(alpha_bar_t) and sin(phi_t) the noise's share.
    """
    phi = schedule.alpha_bar.sqrt().clamp(max=1).arccos()
    kept = 1.0
    for t, s in pairwise(path):
        kept *= float((phi[t] - phi[s]).cos())
    return kept


def landing(diffusion: GaussianDiffusion, xt: X, t: Time, s: Time, xs: X) -> X:
    """The x_0 whose DDIM step from x_t, t to s ends in x_s: at s = 0, x_s itself. Needs s < t.

    Book: eq-landing (Salimans and Ho 2022, algorithm 2).
    """
    ab_t, ab_s = diffusion.alpha_bar(t, xt), diffusion.alpha_bar(s, xt)
    r = ((1 - ab_s) / (1 - ab_t)).sqrt()
    return times(1 / (ab_s.sqrt() - r * ab_t.sqrt()), xs - times(r, xt))


def step_of(
    denoiser: Denoiser, diffusion: GaussianDiffusion, xt: X, t: Time, s: Time, y: Labels | None = None,
    clip: bool | None = None,
) -> X:  # fmt: skip
    """x_s: one DDIM step of a network from t to s. `clip` is that of `GaussianDiffusion.denoise`."""
    x0_hat, eps_hat = diffusion.denoise(denoiser, xt, t, y=y, clip=clip)
    return ddim_step(diffusion, xt, t, s, x0_hat, eps_hat, xt)


def two_in_one(
    teacher: Denoiser, diffusion: GaussianDiffusion, xt: X, t: Time, m: Time, s: Time,
    y: Labels | None = None, clip: bool | None = None,
) -> X:  # fmt: skip
    """Progressive distillation's target: the x_0 whose one step from t to s ends where the teacher's two do, by m.

    Book: eq-two-in-one (Salimans and Ho 2022, algorithm 2).
    """
    xm = step_of(teacher, diffusion, xt, t, m, y, clip)
    return landing(diffusion, xt, t, s, step_of(teacher, diffusion, xm, m, s, y, clip))


def same_end(
    student: Denoiser, teacher: Denoiser, diffusion: GaussianDiffusion, xt: X, t: Time, s: Time,
    y: Labels | None = None, clip: bool | None = None,
) -> X:  # fmt: skip
    """Consistency distillation's target: what the student, or its average, answers one step of the teacher further on.

    Book: eq-same-end (Song et al. 2023, section 4). At s = 0 the step's end itself.
    """
    xs = step_of(teacher, diffusion, xt, t, s, y, clip)
    at_end = diffusion.alpha_bar(s, xt) == 1
    # there is no answer at s = 0, where nothing is left to guess
    later = s.clamp(min=1) if isinstance(s, Tensor) else max(s, 1)
    return xs.where(at_end, diffusion.denoise(student, xs, later, y=y, clip=clip)[0])


def distill_loss(
    student: Denoiser, diffusion: GaussianDiffusion, xt: X, t: Time, target: X, y: Labels | None = None
) -> Float[Tensor, ""]:
    """The mean squared error of the student's x0_hat at x_t, against what its teacher made of x_t.

    Book: eq-end-loss (Luhman and Luhman 2021).
    """
    x0_hat, _ = diffusion.denoise(student, xt, t, y=y, clip=False)
    return F.mse_loss(x0_hat, target)
