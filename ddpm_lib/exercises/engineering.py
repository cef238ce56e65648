"""Graders of the engineering notes: a faster part of a step, tiles of other sizes, layers too narrow for them."""

from __future__ import annotations

import math

from ddpm_lib.exercises.grading import Mistake, Verdict, grade


def check_faster_whole(answer: object) -> Verdict:
    """answer(p, k): how many times as fast a step becomes if a share p of its time is spent k times as fast."""

    def right(p: float, k: float) -> float:
        return 1 / (1 - p + p / k)

    mistakes = [
        Mistake(
            lambda p, k: 1 - p + p / k,
            "That is the time that is left, as a share of what it was. How many times as fast is the step then?",
        ),
        Mistake(
            lambda p, k: k, "So fast is the part alone: the rest of the step takes as long as it took before."
        ),
        Mistake(
            lambda p, k: 1 - p + p * k,
            "You averaged the gains. Times add up, and gains do not: first find the time that is left.",
        ),
        Mistake(
            lambda p, k: p * k,
            "A part of the step stays as it was, and takes its time. Add up the times of both parts.",
        ),
        Mistake(
            lambda p, k: k / p,
            "The rest of the step has been left out: it takes 1 - p of the time, as before.",
        ),
        Mistake(
            lambda p, k: 1 / (1 - p),
            "That is the limit, where the part takes no time at all. Here it still takes p / k.",
        ),
        Mistake(
            lambda p, k: 1 / (1 - p / k),
            "You took p / k off. It is what the part still takes; the step loses the rest of p.",
        ),
        Mistake(
            lambda p, k: 1 / (p + (1 - p) / k),
            "The shares have changed places: p is the share that becomes faster.",
        ),
        Mistake(
            lambda p, k: 1 / (1 - p + p * k),
            "k times as fast means a k-th of the time: the part takes p / k.",
        ),
        Mistake(
            lambda p, k: 1 / (p - p / k),
            "That is one over what is saved. The time that is left is 1 minus what is saved.",
        ),
        Mistake(
            lambda p, k: 1 + p * k,
            "You added the gain to 1. Times add up, and gains do not: first find the time that is left.",
        ),
    ]
    cases = [(0.5, 2.0), (0.93, 4.0), (0.2, 10.0)]
    praise = (
        "However large k is, the step becomes at most 1 / (1 - p) times as fast: look for a large p first."
    )
    return grade(answer, right, mistakes, cases, praise)


def check_share_of_products(answer: object) -> Verdict:
    """answer(m, r): what share of the multiplications a tile of m x m outputs leaves, for a filter of r x r."""

    def right(m: int, r: int) -> float:
        return (m + r - 1) ** 2 / (m * r) ** 2

    mistakes = [
        Mistake(
            lambda m, r: 1 / right(m, r),
            "Upside down: by so much the multiplications fall. What share of them is left?",
        ),
        Mistake(lambda m, r: 1 - right(m, r), "That is the share that is saved. What share is left?"),
        Mistake(
            lambda m, r: (m + r - 1) / (m * r),
            "That holds for a row. In two dimensions it is applied to the rows and then to the columns.",
        ),
        Mistake(
            lambda m, r: (m + r - 1) ** 2,
            "So many multiplications are left. Divide them by those of the direct convolution.",
        ),
        Mistake(
            lambda m, r: (m + r) ** 2 / (m * r) ** 2,
            "The tile of inputs is a pixel too wide: 4 outputs of a filter of 3 read 6 inputs.",
        ),
        Mistake(
            lambda m, r: 1 / r**2,
            "That is one product for each output. There is one for each entry of the tile of inputs, which is larger.",
        ),
        Mistake(
            lambda m, r: (m + r - 1) ** 2 / (m**2 * r),
            "A filter of r x r takes r^2 multiplications for each output.",
        ),
        Mistake(
            lambda m, r: (m + r - 1) ** 2 / (m * r),
            "Both are squares: the direct convolution takes r^2 multiplications for each of m^2 outputs.",
        ),
        Mistake(
            lambda m, r: (m + r + 1) ** 2 / (m * r) ** 2,
            "The tile of inputs is two pixels too wide: 4 outputs of a filter of 3 read 6 inputs.",
        ),
    ]
    cases = [(4, 3), (2, 3), (6, 3), (4, 5)]
    praise = (
        "With 6 x 6 outputs a fifth would be left, and with ever larger tiles one product for each output."
    )
    return grade(answer, right, mistakes, cases, praise)


def check_break_even(answer: object) -> Verdict:
    """answer(m, r): at how many feature maps tiles take as many multiplications as the direct convolution."""

    def parts(m: int, r: int) -> tuple[int, int, int, int]:
        n = m + r - 1
        return (
            n**4,
            m**2 * n**2,
            n**2,
            m**2 * r**2,
        )  # into the tile and out of it, per map; products, per pair

    def right(m: int, r: int) -> float:
        into, out, tiled, direct = parts(m, r)
        return (into + out) / (direct - tiled)

    def without_output(m: int, r: int) -> float:
        into, _, tiled, direct = parts(m, r)
        return into / (direct - tiled)

    def without_input(m: int, r: int) -> float:
        _, out, tiled, direct = parts(m, r)
        return out / (direct - tiled)

    def against_direct(m: int, r: int) -> float:
        into, out, _, direct = parts(m, r)
        return (into + out) / direct

    def against_tiled(m: int, r: int) -> float:
        into, out, tiled, _ = parts(m, r)
        return (into + out) / tiled

    def per_pair(m: int, r: int) -> float:
        into, out, tiled, direct = parts(m, r)
        return (into + out + tiled) / direct

    def square_tables(m: int, r: int) -> float:
        into, _, tiled, direct = parts(m, r)
        return (into + m**4) / (direct - tiled)

    mistakes = [
        Mistake(
            without_output, "The transform of the outputs is missing: n^2 numbers become m^2, for each map."
        ),
        Mistake(
            without_input, "The transform of the inputs is missing: n^2 numbers become n^2, for each map."
        ),
        Mistake(
            against_direct,
            "The entry-by-entry products are missing: n^2 for each pair of maps, beside the transforms.",
        ),
        Mistake(
            against_tiled,
            "So many maps make the transforms as dear as the products. Compare both together with m^2 r^2 c^2.",
        ),
        Mistake(
            per_pair,
            "Two terms are taken per map. The products are taken per pair, so that they grow with c^2.",
        ),
        Mistake(square_tables, "The second table is m^2 by n^2: n^2 numbers go in, and m^2 come out."),
        Mistake(lambda m, r: 1 / right(m, r), "Upside down: solve for c, the number of maps."),
        Mistake(lambda m, r: math.ceil(right(m, r)), "The number before rounding is asked for."),
    ]
    cases = [(4, 3), (2, 3), (4, 5)]
    praise = "Below it there is more to do, not less; and copies, which are no multiplications, are not counted yet."
    return grade(answer, right, mistakes, cases, praise)
