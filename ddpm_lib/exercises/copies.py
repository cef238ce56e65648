"""Grader of the chapter on quality: a model that never copies, the debugging exercise."""

from __future__ import annotations

import torch
from torch import Tensor

from ddpm_lib.evaluate.montecarlo import normals
from ddpm_lib.exercises.grading import Mistake, Verdict, grade


def check_share_of_copies(answer: object) -> Verdict:
    """answer(x, memory, closest): the share of x nearer than `closest` to one of `memory` (the debugging exercise)."""

    def distances(x: Tensor, memory: Tensor) -> Tensor:
        between: Tensor = (x[:, None] - memory).square().sum(-1).sqrt()
        return between

    def share(near: Tensor) -> Tensor:
        return near.double().mean()

    mistakes = [
        Mistake(
            lambda x, m, c: share((x - m.mean(0)).norm(dim=1) < c),
            "This is the function as it was: no copy is near the average of all pictures.",
        ),
        Mistake(
            lambda x, m, c: share(distances(x, m).max(1).values < c), "That is the farthest training picture."
        ),
        Mistake(
            lambda x, m, c: share(distances(x, m).mean(1) < c),
            "The mean distance to all of them is large for a copy, too.",
        ),
        Mistake(
            lambda x, m, c: share(distances(x, m).min(0).values < c),
            "You took the nearest drawn picture of each training picture: the minimum runs over the training pictures.",
        ),
        Mistake(
            lambda x, m, c: share(distances(x, m) < c),
            "That is a share of pairs. A picture is a copy if *one* is near.",
        ),
        Mistake(
            lambda x, m, c: len(x) * share(distances(x, m).min(1).values < c),
            "That is the number of copies. Divide by the number of pictures drawn.",
        ),
        Mistake(
            lambda x, m, c: share(distances(x, m).min(1).values >= c),
            "That is the share that is *not* copied.",
        ),
        Mistake(
            lambda x, m, c: share(distances(x, m).min(1).values ** 2 < c),
            "That is the squared distance. Take its root before you compare.",
        ),
        Mistake(
            lambda x, m, c: share((x[:, None] - m).abs().mean(-1).min(1).values < c),
            "That is the mean difference of a pixel. The distance is the root of the sum of the squares.",
        ),
        Mistake(
            lambda x, m, c: distances(x, m).min(1).values.mean(),
            "That is the mean distance to the nearest. Compare it with `closest`, picture by picture.",
        ),
    ]
    normal = normals(4)
    memory = normal(12, 6)
    x = torch.cat([memory[:3] + 0.01 * normal(3, 6), normal(2, 6) + 6])
    heap = 0.6 * normal(12, 6)  # here the mean of all pictures is near, too
    middle = heap.mean(0)
    around = torch.stack([middle, middle + torch.eye(6)[0] * 1.7, middle + 9])
    near = memory[:4] + 0.6 * torch.eye(6)[:4]
    praise = "Nearest first, then the comparison."
    return grade(
        answer,
        lambda x, memory, closest: share(distances(x, memory).min(1).values < closest),
        mistakes,
        [(x, memory, 0.5), (around, heap, 1.8), (near, memory, 0.5), (memory[:4] + 0.5, memory, 1.0)],
        praise,
    )
