"""Grader of the chapter on the loss: Algorithm 1's loss, the debugging exercise."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from ddpm_lib.evaluate.montecarlo import normals
from ddpm_lib.exercises.answers import Function
from ddpm_lib.exercises.grading import Mistake, Verdict, grade
from ddpm_lib.schedule import linear_schedule

SCHEDULE = linear_schedule(50)


def check_noise_loss(answer: object) -> Verdict:
    """answer(network, x0, t, eps, alpha_bar): the loss of Algorithm 1 for points (the debugging exercise)."""

    def loss(
        roots: bool = True, shown: str = "xt", target: str = "eps", total: bool = False, power: int = 2
    ) -> Function:
        def function(network: Function, x0: Tensor, t: Tensor, eps: Tensor, alpha_bar: Tensor) -> Tensor:
            a = alpha_bar[t].reshape(-1, 1)
            signal, noise = (a.sqrt(), (1 - a).sqrt()) if roots else (a, 1 - a)
            xt = signal * x0 + noise * eps
            sight = {"xt": xt, "rest": xt - a * x0, "left": xt - signal * x0, "x0": x0, "eps": eps}[shown]
            square = ({"eps": eps, "x0": x0, "xt": xt}[target] - network(sight, t)).abs() ** power
            result: Tensor = square.sum() if total else square.mean()
            return result

        return function

    def mix(x0: Tensor, t: Tensor, eps: Tensor, ab: Tensor) -> Tensor:
        return ab[t, None].sqrt() * x0 + (1 - ab[t, None]).sqrt() * eps

    def mixed(signal: Callable[[Tensor], Tensor], noise: Callable[[Tensor], Tensor]) -> Function:
        """The loss where x_t is mixed with other weights."""
        return lambda network, x0, t, eps, ab: (
            (eps - network(signal(ab[t, None]) * x0 + noise(ab[t, None]) * eps, t)).square().mean()
        )

    mistakes = [
        Mistake(
            loss(False, "rest"), "This is the function as it was. What may a network see when it samples?"
        ),
        Mistake(
            loss(shown="rest"),
            "The roots are back. But x_0 is still taken out of what the network sees: it samples without one.",
        ),
        Mistake(
            loss(shown="left"),
            "The network is given x_t without its image, which is the noise: it must guess that from x_t.",
        ),
        Mistake(
            loss(roots=False),
            "The network sees x_t now. But x_t is mixed wrongly: variances are alpha_bar and 1 - alpha_bar.",
        ),
        Mistake(loss(shown="x0"), "The network is given the clean image: it must guess the noise from x_t."),
        Mistake(loss(shown="eps"), "The network is given the noise that it has to guess."),
        Mistake(loss(target="x0"), "The target is the noise: eps, not x0."),
        Mistake(loss(total=True), "Right up to a factor: take the mean, or the loss grows with the batch."),
        Mistake(
            lambda *given: loss()(*given).sqrt(),
            "That is the root of the loss: return the mean square itself.",
        ),
        Mistake(
            lambda network, x0, t, eps, ab: (
                (eps - network(ab[t].reshape(-1, 1).sqrt() * x0 + (1 - ab[t].reshape(-1, 1)) * eps, t)) ** 2
            ).mean(),
            "One root is back. The noise needs its own: sqrt(1 - alpha_bar).",
        ),
        Mistake(
            lambda network, x0, t, eps, ab: loss()(network, x0, t, eps, ab.roll(1)),
            "You read alpha_bar[t - 1]. The table has an entry for t = 0, the clean image: read alpha_bar[t].",
        ),
        Mistake(loss(power=1), "Those are absolute errors. The bound asks for their squares."),
        Mistake(
            lambda network, x0, t, eps, ab: loss()(network, x0, t, eps, ab.sqrt()),
            "A root too many: the weights are sqrt(alpha_bar) and sqrt(1 - alpha_bar).",
        ),
        Mistake(
            mixed(lambda a: 0 * a + 1, lambda a: (1 - a).sqrt()),
            "The image keeps its full weight: shrink it by sqrt(alpha_bar).",
        ),
        Mistake(
            mixed(lambda a: a.sqrt(), lambda a: 0 * a + 1),
            "The noise has full weight: multiply it by sqrt(1 - alpha_bar).",
        ),
        Mistake(
            mixed(lambda a: a, lambda a: (1 - a).sqrt()),
            "One root is back. The image needs its own: sqrt(alpha_bar).",
        ),
        Mistake(mixed(lambda a: a**2, lambda a: (1 - a) ** 2), "You squared the weights: they need roots."),
        Mistake(loss(target="xt"), "The target is the noise: eps, not x_t."),
        Mistake(
            lambda network, x0, t, eps, ab: loss()(lambda x, t: network(x, 0 * t), x0, t, eps, ab),
            "The network is told the time 0, whatever t is: pass t.",
        ),
        Mistake(
            lambda network, x0, t, eps, ab: (eps - network(mix(x0, t, eps, ab), t)).mean() ** 2,
            "Square first, then take the mean: errors of either sign must not cancel.",
        ),
    ]
    normal = normals(1)

    def network(x: Tensor, t: Tensor) -> Tensor:
        return torch.tanh(x) * (1 + t[:, None] / 50)

    cases = [
        (network, normal(6, 2), torch.tensor([1, 5, 10, 20, 40, 50]), normal(6, 2), SCHEDULE.alpha_bar),
        (network, normal(3, 4), torch.tensor([50, 2, 25]), normal(3, 4), SCHEDULE.alpha_bar),
    ]
    praise = (
        "The roots are back, and the network sees x_t and t, which is all that it will have when it samples."
    )
    verdict = grade(answer, loss(), mistakes, cases, praise)

    def summed(network: Function, x0: Tensor, t: Tensor, eps: Tensor, alpha_bar: Tensor) -> Tensor:
        mean: Tensor = loss()(network, x0, t, eps, alpha_bar) * x0.shape[1]
        return mean

    if not verdict and grade(answer, summed, [], cases, ""):  # the squared norm of each image, as printed
        return Verdict(True, praise)
    return verdict
