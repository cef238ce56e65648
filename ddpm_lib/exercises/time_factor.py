"""Grader of the chapter on the U-Net: what the time is worth."""

from __future__ import annotations

import math

from ddpm_lib.assets.measured import measured
from ddpm_lib.exercises.grading import Verdict, grade_value


def check_time_factor(answer: object) -> Verdict:
    """answer: by what factor the mean distance changes when a network for the noise is not given the time."""
    found, image = _means("ablate-eps"), _means("ablate")
    right = found["no time"] / found["the whole"]
    mistakes: list[tuple[object, str]] = [
        (1 / right, "That is the other way round: divide by the distance of the whole."),
        (found["no time"] - found["the whole"], "That is the difference. The factor was asked for."),
        (found["rows for columns"] / found["the whole"], "That is what the mistaken embedding costs."),
        (found["no time"], "That is the distance itself: divide by that of the whole."),
        (found["time only added"] / found["the whole"], "That is for the time only added, not left out."),
        (
            image["no time"] / image["the whole"],
            "That is for the network that is asked for the image: take the other.",
        ),
        (right - 1, "That is the change, in parts of the whole's distance. The factor is 1 more."),
    ]
    mistakes += [
        (value / found["the whole"], f"That is for the row '{arm}'.")
        for arm, value in found.items()
        if arm not in ("the whole", "no time", "rows for columns", "time only added")
    ]
    mistakes += [
        (found["the whole"], "That is the distance of the whole itself: divide by it."),
        (math.log(right), "That is the logarithm of the factor."),
        (image["no time"], "That is a distance, and of the network that is asked for the image."),
    ]
    sides = (
        "It is larger: without the time this network draws far worse. Divide two entries of mean['noise'].",
        "It is smaller: divide the distance without the time by that of the whole.",
    )
    return grade_value(
        answer, right, mistakes, "Above 1 it does worse without the time, below 1 better.", sides
    )


def _means(table: str) -> dict[str, float]:
    """Mean distance of each arm of that ablation over its seeds."""
    found: dict[str, list[float]] = {}
    for row in measured(table)["rows"]:
        found.setdefault(row["arm"], []).append(row["distance"])
    return {arm: sum(values) / len(values) for arm, values in found.items()}
