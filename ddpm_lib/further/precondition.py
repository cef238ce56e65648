"""What a network itself answers: x0_hat = c_skip u + c_out F(c_in u), and so by which squared error it is trained.

u = x_0 + sigma eps is the noised image on EDM's path, which is not shrunk, and F is the network. Every usual answer is
one choice of the three numbers.
"""

from __future__ import annotations

from typing import Literal

from jaxtyping import Float64
from torch import Tensor

from ddpm_lib.denoiser import Factor, Labels, Predicts, Times, X
from ddpm_lib.diffusion import GaussianDiffusion, times
from ddpm_lib.flow import noise_level
from ddpm_lib.further.names import Field, rescale, sigma_at, variance_exploding, variance_preserving
from ddpm_lib.schedule import NoiseSchedule

Answer = Literal["eps", "x0", "v", "edm"]
Scales = tuple[Factor, Factor, Factor]  # c_skip, c_out, c_in


def edm_scales(sigma: Factor, sigma_data: float) -> Scales:
    """(c_skip, c_out, c_in) that give F's input and target the variance 1, with the smallest c_out.

    Book: eq-edm-scales (Karras et al. 2022, table 1 and appendix B.6).

    sigma_data is the standard deviation of the pixels.
    """
    total = sigma**2 + sigma_data**2
    return sigma_data**2 / total, sigma * sigma_data / total.sqrt(), 1 / total.sqrt()


def scales(sigma: Factor, answer: Answer, sigma_data: float = 1.0) -> Scales:
    """(c_skip, c_out, c_in) of a network that answers eps, x0, v, or what EDM's does.

    Book: eq-family (Karras et al. 2022, table 1).

    Only EDM's three depend on sigma_data, the standard deviation of the pixels.
    """
    c_in = variance_preserving(sigma)[0]
    match answer:
        case "eps":
            return sigma**0, -sigma, c_in
        case "x0":
            return 0 * sigma, sigma**0, c_in
        case "v":
            c_skip, c_out, c_in = edm_scales(sigma, 1.0)
            return c_skip, -c_out, c_in
        case "edm":
            return edm_scales(sigma, sigma_data)
    raise ValueError(f"A network answers 'eps', 'x0', 'v' or 'edm', not {answer!r}.")


def own_target(x0: X, eps: X, sigma: Factor, answer: Answer, sigma_data: float = 1.0) -> X:
    """What F should answer, (x_0 - c_skip u) / c_out.

    Book: eq-own-target (Karras et al. 2022, eq. 8).
    """
    c_skip, c_out, _ = scales(sigma, answer, sigma_data)
    return times((1 - c_skip) / c_out, x0) - times(c_skip * sigma / c_out, eps)


def own_weight(
    schedule: NoiseSchedule, answer: Answer, sigma_data: float = 1.0
) -> Float64[Tensor, " T_plus_1"]:
    """1 / c_out^2 at every t: the plain squared error of F is that of x0_hat times this.

    Book: eq-own-weight (Salimans and Ho 2022, section 4; Karras et al. 2022, table 1).

    SNR for eps, 1 for x0, SNR + 1 for v, SNR + 1 / sigma_data^2 for EDM's. Infinite at t = 0 but for x0.
    """
    return 1 / scales(noise_level(schedule), answer, sigma_data)[1] ** 2


class Preconditioned:
    """A bare network F, read as a denoiser for all of the samplers, whatever it answers."""

    def __init__(
        self, net: Field, diffusion: GaussianDiffusion, answer: Answer, sigma_data: float = 1.0
    ) -> None:
        self.net, self.diffusion, self.answer, self.sigma_data = net, diffusion, answer, sigma_data

    @property
    def predicts(self) -> Predicts:
        """The image: what the three numbers make of F's answer."""
        return "x0"

    def __call__(self, xt: X, t: Times, y: Labels | None = None) -> X:
        """x0_hat at x_t.

        Book: eq-precondition (Karras et al. 2022, eq. 7).
        """
        sigma = sigma_at(self.diffusion, t, xt)
        u = rescale(xt, sigma, variance_preserving, variance_exploding)
        c_skip, c_out, c_in = scales(sigma, self.answer, self.sigma_data)
        return times(c_skip, u) + times(c_out, self.net(times(c_in, u), t, y))
