"""Further slips in the exercises on scale."""

from tests.bank import More
from tests.bank.scale import least

MORE: More = {
    "check_images_that_fit": [
        (lambda m, p, a: (0.8 * (m - 20 * p)) // a, "That is 16 bytes a weight, not"),
        (lambda m, p, a: (0.8 * m + 20 * p) // a, "It is what comes out with `p`"),
        (lambda m, p, a: (m / 5 - 20 * p) // a, "A fifth stays free, so that four"),
        (lambda m, p, a: (0.8 * m - 20 * p) // (4 * a), "`activations` are bytes already"),
        (lambda m, p, a: (0.8 * m - 12 * p) // a, "You counted three numbers a weight"),
    ],
    "check_rescale": [
        (lambda lr, ema, k: (k**0.5 * lr, ema * k), "The rate is right"),
        (lambda lr, ema, k: (k**2 * lr, ema**k), "The decay is right"),
        (lambda lr, ema, k: (k**0.5 * lr, ema ** (k**0.5)), "The root is for the rate alone"),
        (lambda lr, ema, k: (ema**k, k**0.5 * lr), "Your parts are right, but in the"),
        (lambda lr, ema, k: (k * lr, ema ** (1 / k)), "Both: Adam takes the root of k"),
    ],
    "check_least_images": [
        (lambda n, p, f, r, w: least(n, p, f, r, w) / 3, "Right up to the factor 1 /"),
        (
            lambda n, p, f, r, w: least(n, p, f, r, w) * 2 * n / (n - 1),
            "Your result does not change with `n`",
        ),
        (lambda n, p, f, r, w: 1 / least(n, p, f, r, w), "That is upside down"),
        (lambda n, p, f, r, w: least(n, p, f, w, r), "It is what comes out with `r`"),
        (lambda n, p, f, r, w: least(n, p, f, r, w) * 8, "Right up to the factor 8, which"),
    ],
    "check_noise_scale": [
        (
            lambda b, n, c, m: (n - m) / (1 / b - 1 / c) / ((n + m) / 2),
            "The mean of both lengths holds noise",
        ),
        (lambda b, n, c, m: (n - m) / ((c * m - b * n) / (c - b)), "The difference of the lengths is S"),
        (lambda b, n, c, m: n / m, "Your result does not change with `b`"),
        (lambda b, n, c, m: b * n / m, "Your result does not change with `c`"),
        (lambda b, n, c, m: (b * n - c * m) / (n - m), "That mixes both unknowns"),
    ],
}
