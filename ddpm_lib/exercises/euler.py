"""Grader of the chapter on sampling: DDIM as Euler's method on the probability-flow ODE."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from ddpm_lib.exercises.answers import Function
from ddpm_lib.exercises.forward import normal
from ddpm_lib.exercises.grading import Mistake, Verdict, grade
from ddpm_lib.exercises.sampling import SCHEDULE


def check_euler(answer: object) -> Verdict:
    """answer(xt, eps_hat, ab_t, ab_s): u_s after one step of Euler's on du / d sigma = eps_hat."""

    def euler(
        level: Callable[[Tensor], Tensor] = lambda ab: ((1 - ab) / ab).sqrt(),
        unshrink: Callable[[Tensor, Tensor, Tensor], Tensor] = lambda xt, t, s: xt / t.sqrt(),
        back: Callable[[Tensor, Tensor], Tensor] = lambda u, s: u,
        sign: int = 1,
        whole: bool = False,
    ) -> Function:
        def function(xt: Tensor, eps_hat: Tensor, ab_t: Tensor, ab_s: Tensor) -> Tensor:
            from_level = 0 * ab_t if whole else level(ab_t)
            u = unshrink(xt, ab_t, ab_s) + sign * (level(ab_s) - from_level) * eps_hat
            return back(u, ab_s)

        return function

    mistakes = [
        Mistake(
            euler(sign=-1),
            "You went forward in sigma. The step is sigma_s - sigma_t, negative on the way to the data.",
        ),
        Mistake(
            euler(level=lambda ab: (1 - ab).sqrt()),
            "sigma is sqrt((1 - alpha_bar) / alpha_bar): the noise beside an image that is not shrunk.",
        ),
        Mistake(
            euler(level=lambda ab: (1 - ab) / ab),
            "That is 1 / SNR. sigma is its root, a ratio of standard deviations.",
        ),
        Mistake(
            euler(unshrink=lambda xt, t, s: xt),
            "The equation is one for u = x_t / sqrt(alpha_bar_t): start there.",
        ),
        Mistake(
            euler(unshrink=lambda xt, t, s: xt / s.sqrt()),
            "u_t is x_t over the root of its own alpha_bar, that of time t.",
        ),
        Mistake(
            euler(back=lambda u, s: s.sqrt() * u),
            "That is x_s, so the step is right; what was asked for is u_s, before the shrinking.",
        ),
        Mistake(
            euler(whole=True),
            "The length of the step is the difference of the two noise levels, sigma_s - sigma_t.",
        ),
        Mistake(euler(unshrink=lambda xt, t, s: xt / t), "u_t is x_t over the *root* of alpha_bar_t."),
        Mistake(
            euler(level=lambda ab: (ab / (1 - ab + 1e-12)).sqrt()),
            "That is the image over the noise. sigma is the noise over the image.",
        ),
    ]
    ab = SCHEDULE.alpha_bar
    cases = [(normal(t, 5), normal(t + 1, 5), ab[t], ab[s]) for t, s in ((30, 20), (20, 19), (10, 0))]
    praise = "Times sqrt(alpha_bar_s) this is sqrt(alpha_bar_s) x0_hat + sqrt(1 - alpha_bar_s) eps_hat: DDIM."
    return grade(answer, euler(), mistakes, cases, praise)
