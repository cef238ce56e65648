"""Guidance by any loss of the clean guess that has a gradient: through the network, or with one more forward pass."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

from ddpm_lib.denoiser import Denoiser, Labels, Predicts, Times, X
from ddpm_lib.diffusion import GaussianDiffusion, times

Loss = Callable[[X], Float[Tensor, " b"]]  # of x0_hat, one number per image


def ink_error(x0: X, target: Float[Tensor, "..."], cares: Float[Tensor, "..."]) -> Float[Tensor, " b"]:
    """The mean of ((x0 - target) / 2)^2 over the pixels where `cares` is 1, image by image.

    `target` is 1 where there shall be ink, -1 where there shall be none; `cares` is 0 where anything will do. Both have
    the shape of an image, or one that broadcasts to it. 0 where all is as wished, 1 where all is the opposite.
    """
    cares = cares.expand(x0.shape[1:])
    if not cares.any():
        raise ValueError("The wish is for no pixel at all: let `cares` be 1 somewhere.")
    return (cares * ((x0 - target) / 2).square()).flatten(1).sum(1) / cares.sum()


class Steered:
    """A denoiser that lowers a loss of its own guess: eps_hat + scale sqrt(1 - alpha_bar_t) grad loss(x0_hat(x_t)).

    Book: eq-steered (Chung et al. 2023, eq. 16, with a step size of its own).

    `loss` takes x0_hat, (b, ...), and returns one number per image; its gradient is taken in x_t, through the network.
    It is guidance with exp(-loss) in the place of a classifier. Each call is one forward and one backward pass.
    """

    def __init__(self, denoiser: Denoiser, diffusion: GaussianDiffusion, loss: Loss, scale: float) -> None:
        if not math.isfinite(scale):
            raise ValueError(f"The strength of the wish is {scale}: pass a finite number; 0 is none.")
        self.denoiser, self.diffusion, self.loss, self.scale = denoiser, diffusion, loss, scale

    @property
    def predicts(self) -> Predicts:
        """The noise, whatever the denoiser predicts."""
        return "eps"

    def __call__(self, xt: X, t: Times, y: Labels | None = None) -> X:
        """eps_hat of a batch at times t, (b,)."""
        # `sample` runs in inference mode, where there are no gradients: leave it
        with torch.inference_mode(False), torch.enable_grad():
            x, at = xt.clone().requires_grad_(), t.clone()
            output = self.denoiser(x, at, None if y is None else y.clone())
            x0_hat, eps_hat = self.diffusion.interpret(output, x, at, self.denoiser.predicts)
            (gradient,) = torch.autograd.grad(self.loss(x0_hat).sum(), x)
        ab = self.diffusion.alpha_bar(t, xt)
        return eps_hat.detach() + times(self.scale * (1 - ab).sqrt(), gradient)


class SteeredForward(Steered):
    """`Steered` with no backward pass through the network: its gradient is (x0_hat(x_t + h g) - x0_hat(x_t)) / h.

    Book: eq-steered-forward (the covariance: Manor and Michaeli 2024).

    g is the loss's gradient in x0_hat alone. The Jacobian of the best denoiser is a covariance times a number, so it is
    symmetric, and what it makes of g is what its transpose makes of it. `shift` is the root mean square of h g. Each
    call is two forward passes.
    """

    def __init__(
        self, denoiser: Denoiser, diffusion: GaussianDiffusion, loss: Loss, scale: float, shift: float = 0.05
    ) -> None:
        super().__init__(denoiser, diffusion, loss, scale)
        self.shift = shift

    def __call__(self, xt: X, t: Times, y: Labels | None = None) -> X:
        """eps_hat of a batch at times t, (b,)."""
        x0_hat, eps_hat = self._guess(xt, t, y)
        with torch.inference_mode(False), torch.enable_grad():
            x0 = x0_hat.detach().clone().requires_grad_()
            (g,) = torch.autograd.grad(self.loss(x0).sum(), x0)
        rms = g.flatten(1).square().mean(1).sqrt().clamp(min=1e-12).reshape(-1, *[1] * (g.ndim - 1))
        h = self.shift / rms
        ahead, _ = self._guess(xt + h * g, t, y)
        ab = self.diffusion.alpha_bar(t, xt)
        return eps_hat + times(self.scale * (1 - ab).sqrt(), (ahead - x0_hat) / h)

    def _guess(self, xt: X, t: Times, y: Labels | None) -> tuple[X, X]:
        with torch.no_grad():
            return self.diffusion.interpret(self.denoiser(xt, t, y), xt, t, self.denoiser.predicts)
