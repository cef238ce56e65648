"""Further slips in the exercises on the variance of a step."""

import math

from tests.bank import More

MORE: More = {
    "check_step_cost": [
        (lambda r, k: 0.5 * (math.log(k) + (1 + r**2) / k - 1), "do not square it"),
        (lambda r, k: 0.5 * (2 * math.log(k) + (1 + r) / k**2 - 1), "k is a ratio of variances"),
        (lambda r, k: 0.5 * (math.log(k) + r / k - 1), "own variance is missing"),
        (lambda r, k: r / 2, "the cost at k = 1"),
        (lambda r, k: 0.5 * (math.log(k) + (1 + r) / k - 1) / math.log(2), "factor"),
    ],
    "check_nu": [
        (lambda x, a, b: (x - a).log() / (b - a).log(), "The logarithms are subtracted, and not the"),
        (lambda x, a, b: x.log() / b.log(), "nu = 0 must give `small`"),
        (lambda x, a, b: (x / a) / (b / a), "Your result does not change with `a`"),
        (
            lambda x, a, b: (x.sqrt() - a.sqrt()) / (b.sqrt() - a.sqrt()),
            "That is a straight line between the",
        ),
        (lambda x, a, b: (x / a).log() / b.log(), "The whole distance is log `large` -"),
    ],
}
