"""Graders of the chapter on sampling: Algorithm 2, its step and its loop."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from ddpm_lib.exercises.answers import Function
from ddpm_lib.exercises.forward import normal
from ddpm_lib.exercises.grading import Mistake, Verdict, grade
from ddpm_lib.schedule import linear_schedule

SCHEDULE = linear_schedule(50)  # of all exercises in that chapter but the last


def _line_4(
    share: Callable[[Tensor, Tensor], Tensor] = lambda b, ab: b / (1 - ab).sqrt(),
    shrink: Callable[[Tensor], Tensor] = lambda b: 1 / (1 - b).sqrt(),
    noise: Callable[[Tensor], Tensor] = lambda b: b.sqrt(),
    last: bool = False,
    outside: bool = True,
) -> Function:
    """Line 4 of Algorithm 2 with sigma_t^2 = beta_t, or a slip of it."""

    def step(xt: Tensor, eps_hat: Tensor, z: Tensor, t: int, beta: Tensor, alpha_bar: Tensor) -> Tensor:
        b, ab = beta[t], alpha_bar[t]
        sigma = noise(b) if t > 1 or last else 0 * b
        mean = xt - share(b, ab) * eps_hat
        return shrink(b) * mean + sigma * z if outside else shrink(b) * (mean + sigma * z)

    return step


def check_line_4(answer: object) -> Verdict:
    """answer(xt, eps_hat, z, t, beta, alpha_bar): x_{t-1} of Algorithm 2 with sigma_t^2 = beta_t, no noise at t = 1."""

    def tilde(xt: Tensor, eps_hat: Tensor, z: Tensor, t: int, beta: Tensor, ab: Tensor) -> Tensor:
        sigma2 = beta[t] * (1 - ab[t - 1]) / (1 - ab[t])
        return _line_4(noise=lambda b: 0 * b)(xt, eps_hat, z, t, beta, ab) + sigma2.sqrt() * z  # type: ignore[no-any-return]

    mistakes = [
        Mistake(_line_4(last=True), "All but the last step is right. At t = 1 there is no noise: line 3."),
        Mistake(
            _line_4(noise=lambda b: b),
            "z is multiplied by sigma_t, a standard deviation, and you took sigma_t^2 = beta_t.",
        ),
        Mistake(
            _line_4(outside=False),
            "sigma_t z stands outside the brackets: it is not divided by sqrt(alpha_t).",
        ),
        Mistake(
            _line_4(share=lambda b, ab: b / (1 - ab)),
            "The weight of eps_hat holds the root of 1 - alpha_bar_t, since eps_hat has variance 1.",
        ),
        Mistake(
            _line_4(share=lambda b, ab: (1 - ab).sqrt()),
            "You took out all the noise. One step takes out the last step's share, beta_t / (1 - alpha_bar_t) of it.",
        ),
        Mistake(
            _line_4(shrink=lambda b: (1 - b).sqrt()), "You shrank once more: divide by the root of alpha_t."
        ),
        Mistake(
            _line_4(shrink=lambda b: 1 / (1 - b)), "One step shrinks by the root of alpha_t, not by alpha_t."
        ),
        Mistake(
            lambda xt, eps_hat, z, t, beta, ab: _line_4()(xt * (1 - beta[t]).sqrt(), eps_hat, z, t, beta, ab),
            "The brackets hold x_t too: divide the whole difference by the root of alpha_t.",
        ),
        Mistake(
            lambda xt, eps_hat, z, t, beta, ab: _line_4()(xt, eps_hat, z, t, beta.roll(1), ab),
            "You read beta[t - 1]. The step from t undoes the forward step with beta[t].",
        ),
        Mistake(
            _line_4(share=lambda b, ab: -b / (1 - ab).sqrt()),
            "You added the guessed noise: subtract it.",
        ),
        Mistake(tilde, "That is beta-tilde. It needs no exception at t = 1, but here sigma_t^2 is beta_t."),
        Mistake(
            _line_4(noise=lambda b: 0 * b),
            "That is the mean, without z: fresh noise comes in at every step but the last.",
        ),
        Mistake(
            lambda xt, eps_hat, z, t, beta, ab: _line_4(shrink=lambda b: 1 / ab[t].sqrt())(
                xt, eps_hat, z, t, beta, ab
            ),
            "alpha_bar_t undoes all t steps. One step is undone by alpha_t = 1 - beta_t.",
        ),
    ]
    cases = [
        (normal(t, 5), normal(t + 1, 5), normal(t + 2, 5), t, SCHEDULE.beta, SCHEDULE.alpha_bar)
        for t in (20, 2, 1)
    ]
    praise = "Take out the last step's share of the noise, undo the shrinking, and put fresh noise in."
    return grade(answer, _line_4(), mistakes, cases, praise)


def check_loop(answer: object) -> Verdict:
    """answer(x, z, guess, beta, alpha_bar): x_0 of Algorithm 2, sigma_t^2 = beta_t (the debugging exercise)."""

    ab = SCHEDULE.alpha_bar

    def loop(sigma2: Callable[[Tensor, int], Tensor], until: int = 1, early: int = 0) -> Function:
        def function(x: Tensor, z: Tensor, guess: Function, beta: Tensor, alpha_bar: Tensor) -> Tensor:
            for t in range(len(beta) - 1, until - 1, -1):
                eps_hat = guess(x, t)
                x = (x - beta[t] / (1 - alpha_bar[t]).sqrt() * eps_hat) / (1 - beta[t]).sqrt()
                x = x + sigma2(beta, t).sqrt() * z[t - early]
            return x

        return function

    def right(beta: Tensor, t: int) -> Tensor:
        return beta[t] if t > 1 else 0 * beta[t]

    mistakes = [
        Mistake(
            loop(lambda beta, t: beta[t - 1]),
            "This is the loop as it was: too little noise at every step. sigma_t belongs to the step from t, not from "
            "t - 1; and look what then happens at t = 1.",
        ),
        Mistake(
            loop(lambda beta, t: beta[t]),
            "The index is right now, and the last step has got noise: the picture is grainy. Line 3 of Algorithm 2.",
        ),
        Mistake(
            loop(lambda beta, t: 0 * beta[t]),
            "You dropped the noise at every step. Only the step from t = 1 goes without.",
        ),
        Mistake(
            loop(lambda beta, t: beta[t] if t < len(beta) - 1 else 0 * beta[t]),
            "You dropped the noise of the first step taken, from t = T. It is the last one, from t = 1, that has none.",
        ),
        Mistake(
            loop(lambda beta, t: beta[t] * (1 - ab[t - 1]) / (1 - ab[t])),
            "That is beta-tilde. It needs no exception at t = 1, but here sigma_t^2 is beta_t.",
        ),
        Mistake(
            loop(right, early=1),
            "Leave z[t] as it is: it is the noise of the step from t. The index of beta was wrong.",
        ),
        Mistake(
            loop(right, until=2),
            "Your loop ends at x_1. The step from t = 1 is taken too, without noise.",
        ),
        Mistake(
            lambda x, z, guess, beta, ab: loop(right)(x, z, lambda x, t: guess(x, t - 1), beta, ab),
            "The network is asked at the time of the x that it is given: guess(x, t).",
        ),
        Mistake(
            loop(lambda beta, t: beta[t - 1], early=1),
            "Now z has the wrong index as well. Both belong to the step from t: beta[t] and z[t].",
        ),
        Mistake(
            loop(lambda beta, t: right(beta, t) ** 2),
            "The standard deviation of the noise is the root of beta[t].",
        ),
        Mistake(
            loop(lambda beta, t: beta[t] if t > 2 else 0 * beta[t]),
            "One step too early: that from t = 2 still has its noise. Only that from t = 1 has none.",
        ),
        Mistake(
            loop(lambda beta, t: beta[min(t + 1, len(beta) - 1)] if t > 1 else 0 * beta[t]),
            "You moved the index the wrong way: sigma_t belongs to the step from t, so read beta[t].",
        ),
        Mistake(loop(right, until=50), "Your loop ends after its first step: `return` stands within it."),
        Mistake(lambda *case: loop(right)(*case).clamp(-1, 1), "No picture is clipped in Algorithm 2."),
    ]

    def best_guess(x: Tensor, t: int) -> Tensor:
        """For data N(0, 0.25)."""
        return (1 - ab[t]).sqrt() * x / (1 - 0.75 * ab[t])

    cases = [(normal(3, 24), normal(4, 51, 24), best_guess, SCHEDULE.beta, ab)]
    praise = "The noise of step t has step t's variance, and the picture is shown without any."
    return grade(answer, loop(right), mistakes, cases, praise)
