"""Further slips in the exercises on what to predict."""

from tests.bank import More
from tests.bank.predict import SNR, early

MORE: More = {
    "check_three_errors": [
        ((0.18, 0.2), "The answer should be 3 numbers in"),
        ((0.18, 0.18, 0.18), "Of the third: Right up to the"),
        ((0.18, 0.2, 0.29), "The last is SNR + 1 /"),
        ((0.02, 0.02, 0.02), "Of the second: That is a tenth"),
        ((0.09, 0.2, 0.26), "Of the first: That is half of"),
    ],
    "check_best_linear": [
        (lambda s, d: d / (s**2 + d**2), "Right but for a factor `d` that"),
        (lambda s, d: d**2 / (s + d) ** 2, "The variance of u is sigma^2 +"),
        (lambda s, d: 1 / (1 + s**2 * d**2), "It is what comes out with `d`"),
        (lambda s, d: d**2 / (s**2 - d**2), "The parts are independent, so their variances"),
        (lambda s, d: (s**2 + d**2) / d**2, "Upside down: c is below 1"),
    ],
    "check_v_weight": [
        (lambda n, g: n.clamp(max=g) / (n.clamp(max=g) + 1), "v's factor is SNR + 1 with"),
        (lambda n, g: (n / (n + 1)).clamp(max=g), "And gamma? It limits the SNR before"),
        (lambda n, g: n.clamp(max=g) / (g + 1), "v's factor is SNR + 1 at"),
        (lambda n, g: (n + 1).clamp(max=g) / n, "The 1 is in the wrong place"),
        (lambda n, g: (n + 1).clamp(max=g + 1) / (n + 1), "A 1 too many above, so that"),
        (lambda n, g: n.clamp(max=g + 1) / (n + 1), "gamma itself limits the weight, without the"),
        (lambda n, g: (n + 1) / n.clamp(max=g), "That is upside down"),
        (lambda n, g: (g / n).clamp(max=1), "That is the weight of the error"),
        (lambda n, g: (n + 1).clamp(max=g), "That is min-SNR with SNR + 1"),
        (lambda n, g: 1 / (n + 1), "That makes v's error x_0's"),
        (lambda n, g: g / (n + 1), "Below gamma it is the SNR that"),
        (lambda n, g: n.clamp(max=g) / (n - 1), "v's factor is SNR + 1, and"),
    ],
    "check_new_weights": [
        (lambda w, p, q: w + p - q, "Weight and law are multiplied in the"),
        (lambda w, p, q: w, "That is `w` itself, as the function"),
        (lambda w, p, q: w * p / q.sum(), "That is what each time contributes"),
        (lambda w, p, q: w * p * (1 - q), "A time drawn twice as often counts"),
        (lambda w, p, q: q / (w * p), "That is upside down"),
    ],
    "check_early_shares": [
        ((95.87, 25.0), "That is in percent"),
        ((early(SNR), 0.5), "Of the second: That is the square"),
        ((0.5, early(SNR.clamp(max=5))), "Right: the second"),
        ((early(SNR), early(SNR)), "Right: the first"),
        ((early(SNR), 1 - early(SNR.clamp(max=5))), "Of the second: That is 1 minus"),
    ],
}
