"""Further slips in the exercises of the engineering notes."""

import math

from tests.bank import More
from tests.bank.engineering import maps, share, whole

MORE: More = {
    "check_faster_whole": [
        (lambda p, k: 1 / (p - p / k), "That is one over what is saved"),
        (lambda p, k: 1 + p * k, "You added the gain to 1"),
        (lambda p, k: (1 - p) + k * p, "You averaged the gains"),
        (lambda p, k: 100 * whole(p, k), "Right up to the factor 100, which"),
        (lambda p, k: whole(1 - p, k), "The shares have changed places"),
    ],
    "check_share_of_products": [
        (lambda m, r: 100 * share(m, r), "Right up to the factor 100, which"),
        (lambda m, r: (m + r + 1) ** 2 / (m * r) ** 2, "The tile of inputs is two pixels"),
        (lambda m, r: 1 / m**2, "Your result does not change with `r`"),
        (lambda m, r: math.sqrt(share(m, r)), "That holds for a row"),
        (lambda m, r: share(m, r) ** 2, "That is the square of what was"),
    ],
    "check_break_even": [
        (lambda m, r: int(maps(m, r)), "It is right for m = 2"),
        (lambda m, r: 2 * maps(m, r), "Right up to the factor 2, which"),
        (lambda m, r: -maps(m, r), "Right but for the sign"),
        (lambda m, r: maps(m, r) ** 2, "That is the square of what was"),
        (lambda m, r: maps(m, r) ** 0.5, "That is the square root of what"),
    ],
}
