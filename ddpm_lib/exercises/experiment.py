"""Graders of the chapter on the experiment: its steps, its arithmetic, a fair race, and what it found."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from ddpm_lib.assets.measured import measured
from ddpm_lib.exercises.grading import Mistake, Verdict, grade, grade_value

Distance = Callable[[Tensor], Tensor]


def check_epoch_steps(answer: object) -> Verdict:
    """answer: steps of ten epochs of 60,000 pictures, 64 per step, where an incomplete batch is left out."""
    mistakes: list[tuple[object, str]] = [
        (9375, "60,000 is no multiple of 64: each epoch ends in a batch of 32, which is left out."),
        (9380, "The incomplete batch at the end of each epoch is left out, not counted."),
        (937, "That is one epoch."),
        (938, "That is one epoch, with its incomplete batch. There are ten, and that batch is left out."),
        (600_000, "That is the number of pictures. A step takes 64 of them."),
        (937.5, "That is one epoch, and steps are whole: the half batch is left out."),
        (93_750, "Ten epochs are 600,000 pictures; 64 make a step."),
        (60_000, "That is the number of pictures of an epoch. A step takes 64 of them."),
    ]
    sides = (
        "It is more: whole batches of one epoch, times ten.",
        "It is less: whole batches of one epoch, times ten.",
    )
    return grade_value(answer, 9370, mistakes, "937 whole batches per epoch, ten times.", sides)


def check_training_cost(answer: object) -> Verdict:
    """answer(forward, pictures): FLOP of training on so many pictures, `forward` FLOP per picture in a forward pass."""
    mistakes = [
        Mistake(lambda forward, pictures: forward * pictures, "That is the forward pass alone."),
        Mistake(
            lambda forward, pictures: 2 * forward * pictures,
            "The backward pass has two products for each one of the forward pass: for the weights and for the input.",
        ),
        Mistake(
            lambda forward, pictures: 4 * forward * pictures,
            "One product forward and two backward are three, not four.",
        ),
        Mistake(
            lambda forward, pictures: 6 * forward * pictures,
            "`forward` counts FLOP already, multiplications and additions: three times that, not six.",
        ),
        Mistake(lambda forward, pictures: 3 * forward, "That is for one picture."),
        Mistake(
            lambda forward, pictures: 5 * forward * pictures,
            "One product forward and two backward are three, not five.",
        ),
        Mistake(
            lambda forward, pictures: forward**3 * pictures,
            "Costs add up: three times `forward`, not its third power.",
        ),
        Mistake(
            lambda forward, pictures: forward + 2 * forward * pictures,
            "The forward pass is run for each picture, too: multiply the whole by `pictures`.",
        ),
        Mistake(lambda forward, pictures: 3 * (forward + pictures), "Multiply: every picture costs as much."),
    ]
    praise = "Once forward, and twice as much backward."
    return grade(
        answer, lambda forward, pictures: 3 * forward * pictures, mistakes, [(7, 4), (100, 3)], praise
    )


def check_seconds(answer: object) -> Verdict:
    """answer(cost, peak, share): seconds for `cost` FLOP on a machine of `peak` FLOP/s that is used to a `share`."""
    mistakes = [
        Mistake(lambda cost, peak, share: cost / peak, "The machine reaches only a share of its peak."),
        Mistake(lambda cost, peak, share: cost / peak * share, "A smaller share takes longer: divide by it."),
        Mistake(lambda cost, peak, share: peak * share / cost, "Upside down: more work takes more time."),
        Mistake(
            lambda cost, peak, share: cost / (peak * (1 - share)),
            "1 - share is the part that is not used. Divide by the part that is.",
        ),
        Mistake(
            lambda cost, peak, share: cost / (peak * share) / 3600,
            "That is in hours: seconds were asked for.",
        ),
        Mistake(
            lambda cost, peak, share: cost * peak * share, "Divide: a faster machine takes fewer seconds."
        ),
    ]
    cases = [(8.8e15, 1e15, 0.4), (1e12, 2e11, 0.25)]
    praise = "Work divided by what the machine really does."
    return grade(answer, lambda cost, peak, share: cost / (peak * share), mistakes, cases, praise)


def check_excess(answer: object) -> Verdict:
    """answer: distance of `classic-unet` above the floor, in units of that of `classic-small` above it."""
    distance = {row["rung"]: row["distance"] for row in measured("ladder")["rows"]}
    small, large, floor = (distance[name] for name in ("classic-small", "classic-unet", "real digits"))
    right = (large - floor) / (small - floor)
    both = "Subtract the floor from both: real digits have it as well."
    mistakes: list[tuple[object, str]] = [
        (1 / right, "That is the other way round: the large network's in units of the small one's."),
        (large / small, both),
        ((large - floor) / small, both),
        (large / (small - floor), both),
        (large - floor, "That is the large network's own. Divide by the small one's."),
        (1 - right, "That is what is gone of the excess. What is left was asked for."),
        (small - floor, "That is the small network's own: it is what you divide by."),
        (
            large / floor,
            "That is how many floors the large network's distance is. Take both above the floor.",
        ),
        ((small - large) / small, "That is the part of the way that is done, and without the floor."),
        ((large + floor) / (small + floor), "The floor is subtracted from both, not added."),
        (floor, "That is the floor, which real digits have."),
        (
            large,
            "That is the large network's distance. Take the floor off, and divide by the small one's excess.",
        ),
        (small, "That is the small network's distance. Its excess is what you divide by."),
    ]
    sides = (
        "It is more: (the large network's distance - the floor) / (the small one's - the floor).",
        "It is less: (the large network's distance - the floor) / (the small one's - the floor).",
    )
    return grade_value(answer, right, mistakes, "This much of the small network's excess is left.", sides)


def check_widest_gap(answer: object) -> Verdict:
    """answer: the t of the table at which `timed-resnet`'s loss exceeds `classic-small`'s by the largest factor."""
    loss = {row["rung"]: row["loss"] for row in measured("ladder")["rows"]}
    ratio = {int(t): loss["timed-resnet"][t] / loss["classic-small"][t] for t in loss["classic-small"]}
    right = max(ratio, key=lambda t: ratio[t])
    mistakes: list[tuple[object, str]] = [
        (
            min(ratio, key=lambda t: ratio[t]),
            "There the ResNet's loss is the smaller one: turn the ratio round.",
        ),
        (350, "Both have the same loss there, to a percent."),
        (50, "The ResNet is still a little ahead there."),
        (500, "The losses are a few thousandths there, and differ by less than at another t."),
        (100, "The U-Net is ahead there, but by more at another t."),
    ]
    known = {value for value, _ in mistakes} | {right}
    mistakes += [
        (t, f"There the factor is {value:.2f}. At another t it is larger.")
        for t, value in ratio.items()
        if t not in known
    ]
    sides = (
        "That t is not in the table, or not the one: take the key with the largest ratio.",
        "That t is not in the table, or not the one: take the key with the largest ratio.",
    )
    return grade_value(answer, right, mistakes, "There the U-Net is ahead by most.", sides)
