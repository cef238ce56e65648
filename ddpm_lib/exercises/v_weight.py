"""Grader of the chapter on what to predict: min-SNR for a network that answers v, the debugging exercise."""

from __future__ import annotations

import torch
from torch import Tensor

from ddpm_lib.exercises.grading import Mistake, Verdict, grade


def check_v_weight(answer: object) -> Verdict:
    """answer(snr, gamma): the weight of the squared error of v that makes the loss min-SNR's."""

    def right(snr: Tensor, gamma: float) -> Tensor:
        return snr.clamp(max=gamma) / (snr + 1)

    mistakes = [
        Mistake(
            lambda snr, gamma: (snr + 1).clamp(max=gamma) / (snr + 1),
            "Two SNRs are meant: only the factor of v has a 1 added, the weight of x_0's error has none.",
        ),
        Mistake(lambda snr, gamma: snr.clamp(max=gamma) / snr, "That is the weight of the error of eps."),
        Mistake(
            lambda snr, gamma: snr.clamp(max=gamma),
            "That is the weight of x_0's error: divide by v's factor.",
        ),
        Mistake(
            lambda snr, gamma: snr.clamp(max=gamma) / snr + 1,
            "The 1 belongs to the SNR in the denominator, not to the weight: set parentheses.",
        ),
        Mistake(
            lambda snr, gamma: snr.clamp(max=gamma) * (snr + 1),
            "v's squared error is SNR + 1 times x_0's already: divide by that, do not multiply.",
        ),
        Mistake(
            lambda snr, gamma: snr.clamp(min=gamma) / (snr + 1),
            "min-SNR keeps the weight from growing: at most gamma, not at least.",
        ),
        Mistake(
            lambda snr, gamma: snr.clamp(max=gamma) / (snr.clamp(max=gamma) + 1),
            "v's factor is SNR + 1 with the SNR as it is: only the weight of x_0's error is capped.",
        ),
        Mistake(
            lambda snr, gamma: snr.clamp(max=gamma) / (gamma + 1),
            "v's factor is SNR + 1 at every t, and not gamma + 1.",
        ),
        Mistake(
            lambda snr, gamma: (snr + 1).clamp(max=gamma) / snr,
            "The 1 is in the wrong place: it belongs to v's factor, below, and not to the weight of x_0, above.",
        ),
        Mistake(
            lambda snr, gamma: (snr + 1).clamp(max=gamma + 1) / (snr + 1),
            "A 1 too many above, so that the weight goes to 1 at low SNR: it is the smaller of SNR and gamma.",
        ),
        Mistake(
            lambda snr, gamma: snr.clamp(max=gamma + 1) / (snr + 1),
            "gamma itself limits the weight, without the 1.",
        ),
        Mistake(
            lambda snr, gamma: snr / (snr + 1),
            "And gamma? It limits the SNR before the division, so that the weight falls again at high SNR.",
        ),
        Mistake(
            lambda snr, gamma: (snr + 1).clamp(max=gamma),
            "That is min-SNR with SNR + 1 in the place of SNR, and without the division by v's factor.",
        ),
        Mistake(
            lambda snr, gamma: 1 / (snr + 1),
            "That makes v's error x_0's. Now weigh that by the smaller of SNR and gamma.",
        ),
        Mistake(
            lambda snr, gamma: gamma / (snr + 1),
            "Below gamma it is the SNR that weighs x_0's error: the smaller of the two.",
        ),
        Mistake(
            lambda snr, gamma: snr.clamp(max=gamma) / (snr - 1), "v's factor is SNR + 1, and not SNR - 1."
        ),
        Mistake(
            lambda snr, gamma: (snr - 1).clamp(max=gamma) / snr,
            "Nothing is taken off: the smaller of SNR and gamma, over SNR + 1.",
        ),
    ]
    cases = [(torch.tensor([0.01, 0.5, 3.0, 4.5, 7.0, 400.0], dtype=torch.float64), 5.0)]
    return grade(answer, right, mistakes, cases, "At low SNR the weight goes to 0, as it does for x_0.")
