"""The Gaussian algebra of diffusion: the forward process q, its posterior, and p_theta.

A time `t` is an int or an int64 tensor with one entry per image. A reverse step goes from t to any s < t; s = t - 1 is
the paper's case. Coefficients are worked out in float64 and cast when they meet an image: 1 - alpha_bar in float32
would lose three digits near t = 0, where alpha_bar is close to 1.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from ddpm_lib.denoiser import Denoiser, Factor, Labels, Predicts, Time, X
from ddpm_lib.schedule import NoiseSchedule

Sigma2 = Literal["beta_tilde", "beta"]


class GaussianDiffusion:
    """The forward process of one schedule and everything that follows from it by algebra."""

    def __init__(self, schedule: NoiseSchedule) -> None:
        self.schedule = schedule
        self._tables: dict[torch.device, Tensor] = {}

    @property
    def T(self) -> int:
        """The number of noising steps."""
        return self.schedule.T

    def alpha_bar(self, t: Time, like: X) -> Factor:
        """alpha_bar[t] in float64 on the device of `like`, shaped to broadcast against it."""
        self._check_time(t)
        if like.device not in self._tables:
            exact = torch.float32 if like.device.type == "mps" else torch.float64  # Metal has no float64
            with torch.inference_mode(False):  # the table outlives the sampling that may ask for it first
                self._tables[like.device] = self.schedule.alpha_bar.to(like.device, exact)
        return self._tables[like.device][t].reshape(-1, *[1] * (like.ndim - 1))

    # -- the forward process q ---------------------------------------------------------------------------

    def q_mean_variance(self, x0: X, t: Time) -> tuple[X, Factor]:
        """Mean and variance of q(x_t | x_0).

        Book: eq-closed-form (Ho et al. 2020, eq. 4).
        """
        ab = self.alpha_bar(t, x0)
        return times(ab.sqrt(), x0), (1 - ab).to(x0.dtype)

    def q_sample(self, x0: X, t: Time, eps: X) -> X:
        """x_t = sqrt(alpha_bar_t) x_0 + sqrt(1 - alpha_bar_t) eps.

        Book: eq-closed-form (Ho et al. 2020, eq. 4).
        """
        ab = self.alpha_bar(t, x0)
        return times(ab.sqrt(), x0) + times((1 - ab).sqrt(), eps)

    def q_posterior(self, x0: X, xt: X, t: Time, s: Time) -> tuple[X, Factor]:
        """Mean and variance of q(x_s | x_t, x_0) for any s < t: at s = 0 exactly x_0 and 0.

        Book: eq-posterior-bayes; eq-posterior-any; eq-posterior-mean (Ho et al. 2020, eq. 7).
        """
        self._check_step(t, s)
        ab_t, ab_s = self.alpha_bar(t, xt), self.alpha_bar(s, xt)
        a = ab_t / ab_s  # the signal kept from s to t
        mean = times(ab_s.sqrt() * (1 - a) / (1 - ab_t), x0) + times(a.sqrt() * (1 - ab_s) / (1 - ab_t), xt)
        return mean, self.reverse_variance(xt, t, s, "beta_tilde")

    # -- four names for one prediction -------------------------------------------------------------------

    def predict_x0(self, xt: X, t: Time, eps: X) -> X:
        """x_0 from the noise: (x_t - sqrt(1 - alpha_bar_t) eps) / sqrt(alpha_bar_t).

        Book: eq-x0-from-eps (Ho et al. 2020, eq. 15).
        """
        ab = self.alpha_bar(t, xt)
        return times(1 / ab.sqrt(), xt) - times((1 / ab - 1).sqrt(), eps)

    def predict_eps(self, xt: X, t: Time, x0: X) -> X:
        """eps from the image: (x_t - sqrt(alpha_bar_t) x_0) / sqrt(1 - alpha_bar_t). Needs t >= 1."""
        ab = self.alpha_bar(t, xt)
        return times(1 / (1 - ab).sqrt(), xt - times(ab.sqrt(), x0))

    def predict_v(self, x0: X, t: Time, eps: X) -> X:
        """v = sqrt(alpha_bar_t) eps - sqrt(1 - alpha_bar_t) x_0.

        Book: eq-v (Salimans and Ho 2022, section 4).
        """
        ab = self.alpha_bar(t, x0)
        return times(ab.sqrt(), eps) - times((1 - ab).sqrt(), x0)

    def x0_from_v(self, xt: X, t: Time, v: X) -> X:
        """x_0 = sqrt(alpha_bar_t) x_t - sqrt(1 - alpha_bar_t) v."""
        ab = self.alpha_bar(t, xt)
        return times(ab.sqrt(), xt) - times((1 - ab).sqrt(), v)

    def eps_from_v(self, xt: X, t: Time, v: X) -> X:
        """eps = sqrt(1 - alpha_bar_t) x_t + sqrt(alpha_bar_t) v."""
        ab = self.alpha_bar(t, xt)
        return times((1 - ab).sqrt(), xt) + times(ab.sqrt(), v)

    def score(self, xt: X, t: Time, eps: X) -> X:
        """The gradient of log q(x_t | x_0) in x_t, -eps / sqrt(1 - alpha_bar_t); that of log q(x_t) for E[eps | x_t].

        Book: eq-score (score SDE, section 3.3). Needs t >= 1.
        """
        ab = self.alpha_bar(t, xt)
        return times(-1 / (1 - ab).sqrt(), eps)

    def interpret(self, output: X, xt: X, t: Time, predicts: Predicts) -> tuple[X, X]:
        """(x0_hat, eps_hat) from a network's output, whatever it predicts."""
        match predicts:
            case "eps":
                return self.predict_x0(xt, t, output), output
            case "x0":
                return output, self.predict_eps(xt, t, output)
            case "v":
                return self.x0_from_v(xt, t, output), self.eps_from_v(xt, t, output)
        raise ValueError(f"A denoiser predicts 'eps', 'x0' or 'v', but this one says {predicts!r}.")

    def target(self, x0: X, t: Time, eps: X, predicts: Predicts) -> X:
        """What a network that predicts `predicts` should answer: the inverse of `interpret`."""
        match predicts:
            case "eps":
                return eps
            case "x0":
                return x0
            case "v":
                return self.predict_v(x0, t, eps)
        raise ValueError(f"A denoiser predicts 'eps', 'x0' or 'v', but this one says {predicts!r}.")

    # -- the reverse process p_theta ---------------------------------------------------------------------

    def p_mean_variance(
        self, denoiser: Denoiser, xt: X, t: Time, s: Time, *,
        y: Labels | None = None, clip: bool | None = None, sigma2: Sigma2 = "beta_tilde",
    ) -> tuple[X, Factor]:  # fmt: skip
        """Mean and variance of p_theta(x_s | x_t): the posterior at x0_hat.

        Book: eq-reverse (Ho et al. 2020, eq. 1); eq-mean-eps (Ho et al. 2020, eq. 11), with clip=False.

        `clip` is that of `denoise`; `sigma2` is one of the paper's two choices (section 3.2).
        """
        x0_hat, _ = self.denoise(denoiser, xt, t, y=y, clip=clip)
        mean, _ = self.q_posterior(x0_hat, xt, t, s)
        return mean, self.reverse_variance(xt, t, s, sigma2)

    def denoise(
        self, denoiser: Denoiser, xt: X, t: Time, *, y: Labels | None = None, clip: bool | None = None
    ) -> tuple[X, X]:
        """(x0_hat, eps_hat) of the network at (x_t, t); with `clip`, both belong to x0_hat in [-1, 1].

        Book: eq-clip. None clips images, (b, c, h, w), and leaves points, (b, d), which have no such bounds.
        """
        each = torch.as_tensor(t, device=xt.device).expand(len(xt))
        x0_hat, eps_hat = self.interpret(denoiser(xt, each, y), xt, t, denoiser.predicts)
        if xt.ndim == 4 if clip is None else clip:
            x0_hat = x0_hat.clamp(-1, 1)
            eps_hat = self.predict_eps(xt, t, x0_hat)
        return x0_hat, eps_hat

    def reverse_variance(self, xt: X, t: Time, s: Time, sigma2: Sigma2) -> Factor:
        """The variance of p_theta(x_s | x_t): the posterior's for "beta_tilde", the forward step's for "beta".

        Book: eq-posterior-variance (Ho et al. 2020, eq. 7); eq-sigma-choices (Ho et al. 2020, section 3.2).
        """
        self._check_step(t, s)
        ab_t, ab_s = self.alpha_bar(t, xt), self.alpha_bar(s, xt)
        match sigma2:
            case "beta_tilde":
                return ((1 - ab_s) * (1 - ab_t / ab_s) / (1 - ab_t)).to(xt.dtype)
            case "beta":
                return (1 - ab_t / ab_s).to(xt.dtype)
        raise ValueError(f"sigma2 is 'beta_tilde' or 'beta', not {sigma2!r}.")

    def _check_time(self, t: Time) -> None:
        # A tensor on an accelerator is not read back: that would stall the device at every step.
        if isinstance(t, Tensor):
            inside = t.device.type != "cpu" or bool(((t >= 0) & (t <= self.T)).all())
        else:
            inside = 0 <= t <= self.T
        if not inside:
            raise ValueError(
                f"t = {t} is outside 0 ... {self.T}: 0 is the clean image and T = {self.T} is the noise."
            )

    def _check_step(self, t: Time, s: Time) -> None:
        before = torch.as_tensor(s < t)
        if before.device.type == "cpu" and not bool(before.all()):
            raise ValueError(
                f"A reverse step goes back in time, but s = {s} is not before t = {t}: pass s < t."
            )


def times(coefficient: Factor, x: X) -> X:
    """coefficient * x in the dtype of x."""
    return coefficient.to(x.dtype) * x
