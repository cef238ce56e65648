"""Grader of the chapter on quality: the entropy of a histogram."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ddpm_lib.exercises.grading import Mistake, Verdict, grade


def check_entropy(answer: object) -> Verdict:
    """answer(counts): the entropy of a histogram, in bits."""

    def right(counts: Tensor) -> Tensor:
        p = counts / counts.sum()
        total: Tensor = -torch.special.xlogy(p, p).sum() / math.log(2)
        return total

    mistakes = [
        Mistake(lambda c: right(c) * math.log(2), "That is in nats: take the logarithm to base 2."),
        Mistake(lambda c: -right(c), "The sign: logarithms of shares are negative."),
        Mistake(lambda c: right(c) / len(c), "The entropy is the sum over the classes, not their mean."),
        Mistake(
            lambda c: right(c) / (c > 0).sum(), "The entropy is the sum over the classes, not their mean."
        ),
        Mistake(
            lambda c: -(c[c > 0] * c[c > 0].log2()).sum(),
            "You used the counts. Divide by their sum first.",
        ),
        Mistake(
            lambda c: torch.tensor(float(len(c))).log2(),
            "That is the largest possible entropy. It does not look at the counts.",
        ),
        Mistake(
            lambda c: -(c / c.sum()).clamp(min=1e-9).log2().sum(),
            "You added the logarithms alone: weight each with its share.",
        ),
        Mistake(
            lambda c: 2 ** right(c),
            "That is the number of classes that would be as even. Return its logarithm.",
        ),
        Mistake(
            lambda c: -(c / c.sum() * (c / c.sum() + 1e-3).log2()).sum(),
            "A small number under the logarithm moves every term. Leave the empty classes out instead.",
        ),
        Mistake(
            lambda c: -(c / c.sum() * (c / c.sum() + 1).log2()).sum(),
            "With 1 added under the logarithm it is another sum. Leave the empty classes out instead.",
        ),
        Mistake(
            lambda c: torch.special.entr(c / c.max()).sum() / math.log(2),
            "Shares add to 1: divide by the sum, not by the largest.",
        ),
        Mistake(
            lambda c: torch.special.entr(c / len(c)).sum() / math.log(2),
            "Shares add to 1: divide by the sum, not by the number of classes.",
        ),
        Mistake(
            lambda c: right(c) / math.log2(len(c)),
            "That is in units of the largest: bits were asked for.",
        ),
        Mistake(
            lambda c: (c / c.sum()).square().sum(),
            "That is the chance that two draws agree. The entropy has a logarithm.",
        ),
        Mistake(
            lambda c: (c > 0).double().sum().log2(),
            "That would be the entropy if all classes that occur were equally frequent.",
        ),
    ]
    cases = [
        (torch.tensor([30.0, 10.0, 0.0, 60.0]).double(),),
        (torch.tensor([5.0, 5.0, 5.0, 1.0, 0.0]).double(),),
    ]
    return grade(answer, right, mistakes, cases, "And empty classes add nothing.")
