"""How near real digits come to the test digits, if drawn as a network's are: the least distance that tells anything."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from statistics import mean, stdev

import torch
from jaxtyping import Int
from torch import Tensor

from ddpm_lib.data import mnist
from ddpm_lib.evaluate.classifier import digit_classifier, in_batches
from ddpm_lib.evaluate.metrics import distance_and_error, frechet_distance


@dataclass(frozen=True)
class Floor:
    """The Frechet distance of real training digits from the test digits."""

    mean: float  # over the sets
    spread: float  # standard deviation from one set to another
    sets: int  # no two with a common digit


def real_sets(
    known: Int[Tensor, " m"], n: int, labels: Int[Tensor, " n"] | None = None, sets: int = 10
) -> Iterator[Int[Tensor, " l"]]:
    """Places of n shuffled digits, none in two sets; as many sets as there are digits for, and at least one.

    `known` holds the classes of all digits. A network that is told a class draws just the classes in `labels`; then a
    set has those too, in their order, and else its classes come by chance. It matters: 256 digits of classes in turn
    lie half as far from the test digits as 256 of any. A single set leaves out what there are not enough digits for.
    """
    mixed = torch.randperm(len(known), generator=torch.Generator().manual_seed(0))
    if labels is None:
        for k in range(max(1, min(sets, len(mixed) // n))):
            yield mixed[k * n : (k + 1) * n]
        return
    of_class = {int(label): mixed[known[mixed] == label] for label in labels.unique()}
    count = torch.bincount(labels)
    rank = [
        int((labels[:i] == label).sum()) for i, label in enumerate(labels)
    ]  # the how manyth of its class each is
    most = min(len(places) // int(count[label]) for label, places in of_class.items())
    for k in range(max(1, min(sets, most))):
        ranks = [(int(label), r + k * int(count[label])) for label, r in zip(labels, rank, strict=True)]
        yield torch.stack([of_class[label][r] for label, r in ranks if r < len(of_class[label])])


def real_floor(n: int, labels: Int[Tensor, " n"] | None = None, sets: int = 10) -> Floor:
    """What n real training digits get where n of a network's are measured against the 10,000 test digits.

    `labels` are the classes that the network was asked for, if it was (see `real_sets`). Where there are digits for
    one set only, the spread is that of a jackknife.
    """
    train, features = mnist(), digit_classifier().features
    assert train.y is not None
    reference = in_batches(features, mnist(train=False).x0())
    parts = [in_batches(features, train.x0(places)) for places in real_sets(train.y, n, labels, sets)]
    if len(parts) == 1:
        n, d = parts[0].shape
        left_out = max(1, min(-(-n // 10), n - d - 1))  # so that the rest spans the d features
        return Floor(*distance_and_error(parts[0], reference, groups=-(-n // left_out)), sets=1)
    distances = [frechet_distance(part, reference) for part in parts]
    return Floor(mean(distances), stdev(distances), len(distances))
