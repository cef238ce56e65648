"""Graders of the chapter on the ResNet: how far its blocks see."""

from __future__ import annotations

from ddpm_lib.exercises.grading import Mistake, Verdict, grade, grade_value


def check_view(answer: object) -> Verdict:
    """answer: the width in pixels of the receptive field of six plain one-channel blocks."""
    mistakes: list[tuple[object, str]] = [
        (13, "That is the receptive field of six convolutions. Each block has two."),
        (24, "The pixel itself belongs to it: add 1."),
        (12, "Twelve convolutions add 12 pixels to *each* side."),
        (
            36,
            "Not three pixels per convolution: each adds one to either side of what was there.",
        ),
        (625, "That is the number of pixels in the square. Its side was asked for."),
        (17, "That is the receptive field of four blocks. Here are six."),
        (49, "That is two pixels to each side for every convolution: it is one."),
    ]
    sides = (
        "Too narrow: count the convolutions of six blocks, and how far each reaches.",
        "Too wide: each convolution adds one pixel to either side of what was there, once.",
    )
    return grade_value(
        answer, 25, mistakes, "Twelve convolutions, one pixel to each side, and the pixel itself.", sides
    )


def check_blocks_needed(answer: object) -> Verdict:
    """answer: the plain blocks until every output pixel of a 28 x 28 picture depends on every input."""
    mistakes: list[tuple[object, str]] = [
        (7, "Then a pixel in the middle depends on all. One in the corner reaches half of each side only."),
        (13.5, "Blocks come whole: round up."),
        (13, "Then the receptive field is 53 pixels wide, 26 to each side, and the far corner is 27 away."),
        (27, "That is the number of convolutions. A block has two."),
        (15, "One more than needed: 14 blocks reach 28 pixels to each side, and 27 are enough."),
        (28, "That is one block per pixel. A block reaches two pixels further to each side."),
    ]
    sides = (
        "Too few: then the two far corners do not depend on each other.",
        "More than needed: fewer blocks reach from corner to corner.",
    )
    return grade_value(
        answer, 14, mistakes, "A corner is 27 pixels from the other: 27 to each side, two per block.", sides
    )


def check_dilated_view(answer: object) -> Verdict:
    """answer(n): the width of the receptive field of n one-channel blocks, block k with pixels 2^k apart."""
    mistakes = [
        Mistake(lambda n: 4 * n + 1, "That is the receptive field of plain blocks."),
        Mistake(lambda n: 4 * (2**n - 1), "The pixel itself belongs to it: add 1."),
        Mistake(lambda n: 1 + 2 * (2**n - 1), "Each block has two convolutions, both with its distance."),
        Mistake(lambda n: 1 + 4 * 2**n, "1 + 2 + ... + 2^(n-1) is 2^n - 1, not 2^n."),
        Mistake(lambda n: 1 + 4 * (2 ** (n + 1) - 1), "Count the blocks from k = 0: the last one is n - 1."),
        Mistake(lambda n: 1 + 4 * (2 ** (n + 1) - 2), "Count the blocks from k = 0: the last one is n - 1."),
        Mistake(
            lambda n: 1 + 4 * 2 ** (n - 1), "That is the last block alone. What the others add comes on top."
        ),
        Mistake(
            lambda n: 1 + 2 * n, "Block k has its pixels 2^k apart, and each block has two convolutions."
        ),
        Mistake(lambda n: 1 + 4 * n**2, "The distances double from block to block: add up 2^k, not 2 k + 1."),
        Mistake(
            lambda n: 3**n, "Distances double, and views add: sum up what each convolution adds, 2 times 2^k."
        ),
        Mistake(lambda n: 5**n, "Views add, they do not multiply: sum up what each block adds, 4 times 2^k."),
    ]
    cases = [(n,) for n in (1, 2, 3, 5)]
    return grade(
        answer,
        lambda n: 1 + 4 * (2**n - 1),
        mistakes,
        cases,
        "It doubles with every block, at the same cost.",
    )
