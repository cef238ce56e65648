"""Grader of the chapter on the ResNet: what its three repairs are worth together."""

from __future__ import annotations

from ddpm_lib.assets.measured import measured
from ddpm_lib.exercises.grading import Verdict, grade_value


def repaired_means() -> dict[tuple[bool, bool, bool], dict[str, float]]:
    """The mean loss and distance over the seeds, by what is repaired: channels, field, time."""
    runs: dict[tuple[bool, bool, bool], list[dict[str, float]]] = {}
    for r in measured("resnet")["rows"]:
        runs.setdefault((r["width"] > 1, r["dilate"], r["time"]), []).append(r)
    return {
        parts: {figure: sum(r[figure] for r in each) / len(each) for figure in ("loss", "distance")}
        for parts, each in runs.items()
    }


def check_repair_factor(answer: object) -> Verdict:
    """answer: the loss of the ResNet with no repair, over that with all three, each the mean of three seeds."""
    rows = repaired_means()
    none, every, channels = rows[False, False, False], rows[True, True, True], rows[True, False, False]
    worst = max(r["loss"] for r in rows.values())
    mistakes: list[tuple[object, str]] = [
        (every["loss"] / none["loss"], "That is the other way round: divide the larger loss by the smaller."),
        (none["loss"] - every["loss"], "That is the difference. Divide."),
        (none["loss"] / channels["loss"], "That is what the channels alone are worth."),
        (channels["loss"] / every["loss"], "You started from the network that has the channels already."),
        (
            worst / every["loss"],
            "You started from the worst of the eight. Start from the one without repairs.",
        ),
        (
            none["distance"] / every["distance"],
            "That is the ratio of the distances. The first of them is larger than that of black paper, where the "
            "distance ranks nothing: take the losses.",
        ),
    ]
    worth = {(True, False, False): "channels", (False, True, False): "field", (False, False, True): "time"}
    for parts, row in rows.items():
        names = [
            name
            for (a, b, c), name in worth.items()
            if (a and parts[0]) or (b and parts[1]) or (c and parts[2])
        ]
        if 0 < len(names) < 3 and row is not channels:
            told = f"That is with {' and '.join(names)} repaired. Divide by the loss with all three."
            mistakes.append((none["loss"] / row["loss"], told))
    mistakes += [
        (none["loss"], "That is the loss of the first. Divide it by the loss with all three."),
        (every["loss"], "That is the loss with all three. Divide the first one's by it."),
        (
            100 * (1 - every["loss"] / none["loss"]),
            "That is how much less it is, in percent. The factor was asked for.",
        ),
        (1 - every["loss"] / none["loss"], "That is how much less it is. The factor was asked for."),
        (none["loss"] / every["loss"] - 1, "That is the change. The factor is 1 more."),
    ]
    praise = "And still no digits: read a ratio beside what it is a ratio of."
    sides = (
        "It is a larger factor: `rows[False, False, False]` over `rows[True, True, True]`, the losses.",
        "It is a smaller factor: `rows[False, False, False]` over `rows[True, True, True]`, the losses.",
    )
    return grade_value(answer, none["loss"] / every["loss"], mistakes, praise, sides)
