"""Grader of the chapter on the posterior: the mean of the network's step, with its guess clipped."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from ddpm_lib.exercises.answers import Function
from ddpm_lib.exercises.forward import normal
from ddpm_lib.exercises.grading import Mistake, Verdict, grade
from ddpm_lib.exercises.posterior import SCHEDULE, weights


def check_clipped_mean(answer: object) -> Verdict:
    """answer(xt, eps_hat, t, s, alpha_bar): the mean of p(x_s | x_t) from a predicted eps, with x0_hat clipped."""

    def clip(x: Tensor) -> Tensor:
        return x.clamp(-1, 1)

    def same(x: Tensor) -> Tensor:
        return x

    def mean(
        on_x0: Callable[[Tensor], Tensor] = clip,
        on_xt: Callable[[Tensor], Tensor] = same,
        on_eps: Callable[[Tensor], Tensor] = same,
        on_mean: Callable[[Tensor], Tensor] = same,
        root_noise: float = 0.5,
        root_image: float = 0.5,
    ) -> Function:
        def function(xt: Tensor, eps_hat: Tensor, t: int, s: int, alpha_bar: Tensor) -> Tensor:
            ab_t, ab_s = alpha_bar[t], alpha_bar[s]
            xt, eps_hat = on_xt(xt), on_eps(eps_hat)
            x0_hat = on_x0((xt - (1 - ab_t) ** root_noise * eps_hat) / ab_t**root_image)
            weight_x0, weight_xt = weights(ab_t, ab_s)
            return on_mean(weight_x0 * x0_hat + weight_xt * xt)

        return function

    def just_x0_hat(xt: Tensor, eps_hat: Tensor, t: int, s: int, ab: Tensor) -> Tensor:
        return clip((xt - (1 - ab[t]).sqrt() * eps_hat) / ab[t].sqrt())

    def noise_for_image(xt: Tensor, eps_hat: Tensor, t: int, s: int, ab: Tensor) -> Tensor:
        weight_x0, weight_xt = weights(ab[t], ab[s])
        return weight_x0 * clip(eps_hat) + weight_xt * xt

    mistakes = [
        Mistake(mean(on_x0=same), "You did not clip: x0_hat leaves [-1, 1] when t is large."),
        Mistake(
            mean(on_x0=same, on_mean=clip),
            "You clipped the mean. x_s is noisy and may leave [-1, 1]; it is x0_hat that may not.",
        ),
        Mistake(
            mean(on_xt=clip),
            "You clipped x_t as well. It is noisy, and noise does leave [-1, 1].",
        ),
        Mistake(
            mean(on_x0=same, on_xt=clip),
            "You clipped x_t. It is noisy, and noise does leave [-1, 1]; clip x0_hat.",
        ),
        Mistake(
            mean(on_x0=same, on_eps=clip),
            "You clipped eps_hat. A standard Gaussian leaves [-1, 1] about once in three times; clip x0_hat.",
        ),
        Mistake(
            mean(on_x0=lambda x: x.clamp(0, 1)),
            "You clipped to [0, 1]. Images live in [-1, 1] here.",
        ),
        Mistake(just_x0_hat, "That is x0_hat, clipped. Put it into the posterior's mean, with x_t."),
        Mistake(mean(on_mean=clip), "You clipped the mean as well. x_s is noisy and may leave [-1, 1]."),
        Mistake(
            mean(root_noise=1.0),
            "In x0_hat the noise is multiplied by sqrt(1 - alpha_bar), not by 1 - alpha_bar.",
        ),
        Mistake(mean(root_image=1.0), "x0_hat is divided by sqrt(alpha_bar), not by alpha_bar."),
        Mistake(
            noise_for_image,
            "You put eps_hat where x0_hat belongs: compute x0_hat from it first.",
        ),
        Mistake(mean(on_x0=lambda x: x.tanh()), "tanh bends all values. Clip those that leave [-1, 1] only."),
    ]
    cases = [
        (1.5 * normal(seed, 8), normal(seed + 1, 8), t, s, SCHEDULE.alpha_bar)
        for seed, t, s in ((10, 40, 39), (12, 12, 4), (14, 5, 0))
    ]
    praise = "The guess is clipped, and nothing else: the mean itself is free."
    return grade(answer, mean(), mistakes, cases, praise)
