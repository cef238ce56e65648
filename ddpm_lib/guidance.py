"""Guidance towards a class: with the gradient of a classifier, or without a classifier.

Both multiply p(x_t | y) by a power of p(y | x_t), at each t separately.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from ddpm_lib.denoiser import Denoiser, Labels, Predicts, Time, Times, X
from ddpm_lib.diffusion import GaussianDiffusion, times

LogProb = Callable[[Tensor, Tensor, Tensor], Tensor]  # (x_t, t, y) -> log p(y | x_t), one number per image


class Guided:
    """Classifier-free guidance: (1 + w) output(y) - w output(no class).

    Book: eq-guidance (Ho and Salimans 2022, eq. 6).

    `null` is the label that stands for "no class". w = 0 is the plain conditional model. With an `interval`
    (low, high), guidance acts at low < t <= high, and elsewhere costs nothing (Kynkäänniemi et al. 2024).
    """

    def __init__(
        self, denoiser: Denoiser, w: float, null: int, interval: tuple[int, int] | None = None
    ) -> None:
        if not math.isfinite(w):
            raise ValueError(f"The weight of guidance is {w}: pass a finite number; 0 is none.")
        self.denoiser, self.w, self.null, self.interval = denoiser, w, null, interval

    @property
    def predicts(self) -> Predicts:
        """What the guided network predicts: the weights add to 1, so the same as the plain one."""
        return self.denoiser.predicts

    def __call__(self, xt: X, t: Times, y: Labels | None = None) -> X:
        """One pass of the network over twice the batch: with the labels, and without."""
        if y is None:
            raise ValueError("Guidance steers towards a class: pass y, one label per image.")
        w: float | Tensor = self.w
        if self.interval is not None:
            low, high = self.interval
            inside = (low < t) & (t <= high)
            if not bool(inside.any()):
                return self.denoiser(xt, t, y)
            w = self.w * inside.to(xt.dtype).reshape(-1, *[1] * (xt.ndim - 1))
        both = self.denoiser(
            torch.cat([xt, xt]), torch.cat([t, t]), torch.cat([y, torch.full_like(y, self.null)])
        )
        with_class, without = both.chunk(2)
        return (1 + w) * with_class - w * without


class ClassifierGuided:
    """Classifier guidance: eps_hat - scale sqrt(1 - alpha_bar_t) grad log p(y | x_t); predicts the noise.

    Book: eq-classifier-guidance (Dhariwal and Nichol 2021, eq. 14).

    The denoiser runs without a class. `log_prob` must be a classifier of noisy images; its gradient is taken in x_t.
    """

    def __init__(
        self, denoiser: Denoiser, diffusion: GaussianDiffusion, log_prob: LogProb, scale: float
    ) -> None:
        if not math.isfinite(scale):
            raise ValueError(f"The scale of guidance is {scale}: pass a finite number; 0 is none.")
        self.denoiser, self.diffusion, self.log_prob, self.scale = denoiser, diffusion, log_prob, scale

    @property
    def predicts(self) -> Predicts:
        """The noise, whatever the denoiser predicts."""
        return "eps"

    def __call__(self, xt: X, t: Times, y: Labels | None = None) -> X:
        """One pass of the denoiser, and a forward and a backward pass of the classifier."""
        if y is None:
            raise ValueError("Guidance steers towards a class: pass y, one label per image.")
        # `sample` runs in inference mode, where there are no gradients: leave it for the classifier
        with torch.inference_mode(False), torch.enable_grad():
            x = xt.clone().requires_grad_()
            (gradient,) = torch.autograd.grad(self.log_prob(x, t.clone(), y.clone()).sum(), x)
        _, eps_hat = self.diffusion.interpret(self.denoiser(xt, t, None), xt, t, self.denoiser.predicts)
        ab = self.diffusion.alpha_bar(t, xt)
        return eps_hat - times(self.scale * (1 - ab).sqrt(), gradient)


def class_score(diffusion: GaussianDiffusion, xt: X, t: Time, eps_y: X, eps_null: X) -> X:
    """grad log p(y | x_t), from eps_hat with and without the class: the difference of two scores.

    Book: eq-class-score (Ho and Salimans 2022, section 3.2). Needs t >= 1.
    """
    return diffusion.score(xt, t, eps_y - eps_null)
