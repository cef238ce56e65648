"""Grader of the chapter on the forward Markov chain: its jump to any time."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from ddpm_lib.diffusion import GaussianDiffusion
from ddpm_lib.exercises.answers import Function
from ddpm_lib.exercises.forward import normal
from ddpm_lib.exercises.grading import Mistake, Verdict, grade
from ddpm_lib.schedule import linear_schedule


def check_q_sample(answer: object) -> Verdict:
    """answer(x0, t, eps, alpha_bar): x_t in one jump; t is an int64 tensor with one time per image."""
    schedule = linear_schedule(50)

    def right(x0: Tensor, t: Tensor, eps: Tensor, alpha_bar: Tensor) -> Tensor:
        return GaussianDiffusion(schedule).q_sample(x0, t, eps)

    def with_weights(
        weigh: Callable[[Tensor], tuple[Tensor, Tensor]], table: Tensor | None = None, shift: int = 0
    ) -> Function:
        def wrong(x0: Tensor, t: Tensor, eps: Tensor, alpha_bar: Tensor) -> Tensor:
            source = alpha_bar if table is None else table
            image, noise = weigh(source[t + shift].reshape(-1, *[1] * (x0.ndim - 1)))
            return image * x0 + noise * eps

        return wrong

    mistakes = [
        Mistake(
            with_weights(lambda ab: (ab.sqrt(), 1 - ab)),
            "You used 1 - alpha_bar, not its square root: the standard deviation multiplies the noise.",
        ),
        Mistake(
            with_weights(lambda ab: (ab, (1 - ab).sqrt())),
            "The weight of x0 is sqrt(alpha_bar), not alpha_bar.",
        ),
        Mistake(with_weights(lambda ab: (ab, 1 - ab)), "Both square roots are missing."),
        Mistake(
            with_weights(lambda ab: ((1 - ab).sqrt(), ab.sqrt())),
            "You swapped the weights of image and noise.",
        ),
        Mistake(
            with_weights(lambda ab: (ab.sqrt(), (1 - ab.sqrt()))),
            "The noise has weight sqrt(1 - alpha_bar), which is not 1 - sqrt(alpha_bar): the squares add to 1.",
        ),
        Mistake(
            with_weights(lambda ab: (ab.sqrt(), (1 - ab).sqrt()), shift=-1),
            "You read alpha_bar[t - 1]. The table has an entry for t = 0, the clean image: read alpha_bar[t].",
        ),
        Mistake(
            with_weights(lambda ab: (ab.sqrt(), (1 - ab).sqrt()), shift=1),
            "You read alpha_bar[t + 1]. Entry t of the table belongs to x_t: read alpha_bar[t].",
        ),
        Mistake(
            with_weights(lambda ab: (ab.sqrt(), (1 - ab).sqrt()), table=schedule.alpha),
            "You used alpha_t of one step, not alpha_bar_t, the product of all alphas up to t.",
        ),
        Mistake(
            with_weights(lambda ab: (ab.sqrt(), (1 - ab).sqrt()), table=schedule.alpha_bar.cumprod(0)),
            "alpha_bar is a product already: do not take cumprod once more.",
        ),
        Mistake(
            with_weights(lambda ab: (ab.sqrt(), ab.sqrt())),
            "The noise has a weight of its own, sqrt(1 - alpha_bar).",
        ),
        Mistake(
            with_weights(lambda ab: (torch.ones_like(ab), (1 - ab).sqrt())),
            "You did not shrink the image: its weight is sqrt(alpha_bar).",
        ),
    ]
    shape = (3, 1, 3, 3)  # as many rows and columns as images: weights that meet the wrong axis do not crash
    t = torch.tensor([1, 20, 49])
    cases = [(normal(4, *shape), t, normal(5, *shape), schedule.alpha_bar)]
    mistakes.append(
        Mistake(
            lambda x0, t, eps, ab: ab[t].sqrt() * x0 + (1 - ab[t]).sqrt() * eps,
            "The weights were multiplied with the columns, not the images: alpha_bar[t] needs the shape (b, 1, 1, 1).",
        )
    )
    mistakes.append(
        Mistake(
            lambda x0, t, eps, ab: right(x0, t[:1].expand(len(t)), eps, ab),
            "All images got one time, that of the first. Each has its own entry of t.",
        )
    )
    return grade(answer, right, mistakes, cases, "One jump, and a time of its own for every image.")
