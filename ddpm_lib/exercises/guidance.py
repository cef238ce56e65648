"""Graders of the chapter on guidance: its scale, dropped labels, the missing label."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from ddpm_lib.evaluate.montecarlo import normals
from ddpm_lib.exercises.grading import Mistake, Verdict, grade, grade_value

SCALE = 7.5  # of the first exercise
Network = Callable[..., Tensor]  # of xt, t and labels, or without them for no class


def check_scale(answer: object) -> Verdict:
    """answer: the w of a program that computes eps_null + 7.5 (eps_y - eps_null)."""
    mistakes: list[tuple[object, str]] = [
        (SCALE, "That is the program's own number. With w = 7.5 the weight of eps_y would be 8.5."),
        (SCALE + 1, "The other way: the weight of eps_y is 1 + w here, and 7.5 there."),
        (1 - SCALE, "That is the weight of eps_null. It is -w."),
        (0.0, "There the label changes nothing beyond the conditional model. 7.5 is a strong guidance."),
        (1.0, "With w = 1 the weight of eps_y would be 2."),
    ]
    sides = (
        "It is more: the weight of eps_y is 1 + w here, and 7.5 there.",
        "It is less: the weight of eps_y is 1 + w here, and 7.5 there.",
    )
    return grade_value(
        answer, SCALE - 1, mistakes, "And its 1 is the plain conditional model, its 0 no class.", sides
    )


def check_drop_labels(answer: object) -> Verdict:
    """answer(y, u, share, null): the labels of a batch, some of them replaced; u is uniform in [0, 1)."""

    def drop(y: Tensor, u: Tensor, share: float, null: int) -> Tensor:
        return torch.where(u < share, null, y)

    mistakes = [
        Mistake(
            lambda y, u, share, null: torch.where(u < share, y, null),
            "You keep the share that should go: at 0.1, nine labels in ten are lost.",
        ),
        Mistake(
            lambda y, u, share, null: y * (u >= share),
            "Label 0 is a class, the digit 0. There is a label of its own for no class.",
        ),
        Mistake(
            lambda y, u, share, null: torch.where(u < share, null - 1, y),
            "That is the last class. Ten classes are 0 ... 9, so no class is 10.",
        ),
        Mistake(
            lambda y, u, share, null: torch.where(u[0] < share, null, y),
            "One draw decides for the whole batch. Each picture has its own.",
        ),
        Mistake(lambda y, u, share, null: torch.full_like(y, null), "No label is left at all."),
        Mistake(lambda y, u, share, null: y, "Nothing is dropped: compare u with the share."),
        Mistake(
            lambda y, u, share, null: drop(y, u, share, -1),
            "A network's table of classes has no row -1: the label for no class is `null`.",
        ),
        Mistake(
            lambda y, u, share, null: drop(y, u, 1 - share, null),
            "1 - share is the share that stays: a draw is below `share` with the probability `share`.",
        ),
        Mistake(
            lambda y, u, share, null: drop(y, torch.arange(len(y)) / len(y), share, null),
            "The first of the batch are always dropped: let each picture's own draw decide.",
        ),
    ]
    u = torch.tensor([0.05, 0.5, 0.15, 0.95, 0.3, 0.02]).double()
    y = torch.tensor([3, 0, 7, 1, 9, 4])
    cases = [(y, u, 0.1, 10), (y, u, 0.4, 10), (y % 3, u.roll(2), 0.25, 3)]
    return grade(answer, drop, mistakes, cases, "One line, and the network learns both questions.")


def check_guided(answer: object) -> Verdict:
    """answer(network, xt, t, y, w, classes): the guided output (the debugging exercise)."""

    def guided(
        network: Network, xt: Tensor, t: Tensor, y: Tensor, w: float, classes: int, null: int | None = None
    ) -> Tensor:
        without = network(xt, t, torch.full_like(y, classes if null is None else null))
        return (1 + w) * network(xt, t, y) - w * without

    def swapped(network: Network, xt: Tensor, t: Tensor, y: Tensor, w: float, classes: int) -> Tensor:
        return (1 + w) * network(xt, t, torch.full_like(y, classes)) - w * network(xt, t, y)

    mistakes = [
        Mistake(
            lambda network, xt, t, y, w, classes: guided(network, xt, t, y, w, classes, 0),
            "This is the function as it was: it steers away from class 0, and for y = 0 does nothing. "
            "Which label means no class?",
        ),
        Mistake(
            lambda network, xt, t, y, w, classes: guided(network, xt, t, y, w, classes, classes - 1),
            "The last class is still a class. Counting from 0, what comes after it?",
        ),
        Mistake(
            lambda network, xt, t, y, w, classes: guided(network, xt, t, y, w, classes, -1),
            "In Python -1 counts from the end of a table; a network's table of classes has no row -1. Which label is "
            "the one after the last class?",
        ),
        Mistake(swapped, "The label is right. Now the two outputs have changed places."),
        Mistake(
            lambda network, xt, t, y, w, classes: guided(network, xt, t, y, w - 1, classes),
            "The label is right. The weights are those of the other convention, scale and 1 - scale.",
        ),
        Mistake(
            lambda network, xt, t, y, w, classes: network(xt, t, y),
            "That is the plain conditional model.",
        ),
        Mistake(
            lambda network, xt, t, y, w, classes: (
                guided(network, xt, t, y, w, classes) - w * network(xt, t, y)
            ),
            "The two weights must add up to 1: 1 + w and -w.",
        ),
        Mistake(
            lambda network, xt, t, y, w, classes: (
                w * network(xt, t, y) - (1 + w) * network(xt, t, torch.full_like(y, classes))
            ),
            "The label is right. The weights have changed places: 1 + w belongs to the output with the label.",
        ),
        Mistake(
            lambda network, xt, t, y, w, classes: (
                (1 + w) * network(xt, t, y) + w * network(xt, t, torch.full_like(y, classes))
            ),
            "The label is right. The output without a label is subtracted: the weights must add up to 1.",
        ),
        Mistake(
            lambda network, xt, t, y, w, classes: (
                (1 + w) * network(xt, t, y) - network(xt, t, torch.full_like(y, classes))
            ),
            "The label is right. The output without a label is multiplied by w.",
        ),
        Mistake(
            lambda network, xt, t, y, w, classes: (
                (1 + w) * network(xt, t, y) - w * network(xt, 0 * t, torch.full_like(y, classes))
            ),
            "Both outputs are for the same time t.",
        ),
        Mistake(
            lambda network, xt, t, y, w, classes: (
                (1 + w) * network(xt, t, y) - w * network(xt, t, (y + 1) % classes)
            ),
            "That steers away from another class. Which label means no class?",
        ),
        Mistake(
            lambda network, xt, t, y, w, classes: guided(network, xt, t, y, w, classes) - network(xt, t, y),
            "The label is right. That is the change alone: the guess with the class is what it is added to.",
        ),
    ]
    normal = normals(5)

    def network(xt: Tensor, t: Tensor, y: Tensor | None = None) -> Tensor:
        """No table of classes is indexed, so that -1 is no class of its own; without y, no class."""
        label = torch.full_like(t, 4) if y is None else y
        return torch.sin(xt * t[:, None]) + (1 + 0.3 * label[:, None]) ** 2

    xt, t = normal(4, 3), torch.tensor([1, 7, 7, 30])
    cases = [
        (network, xt, t, torch.tensor([0, 1, 2, 3]), 1.5, 4),
        (network, xt, t, torch.tensor([3, 3, 0, 1]), 0.3, 4),
    ]
    return grade(
        answer, guided, mistakes, cases, "No class is a label like any other, the one after the last."
    )
