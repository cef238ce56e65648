"""Answers to the exercises of the chapter on what to predict, and how to weigh it."""

import math

import numpy as np
import torch

from ddpm_lib.loss import min_snr
from ddpm_lib.schedule import cosine_schedule
from tests.bank import Answers, Bank

SNR = cosine_schedule(500).snr[1:]


def early(weight):
    return float(weight[:50].sum() / weight.sum())


BANK: Bank = {
    "check_three_errors": Answers(
        right=[(0.18, 0.2, 0.26), np.array([0.18, 0.2, 0.26]), (0.02 * 9, 0.02 * 10, 0.02 * 13)],
        wrong=[
            ((0.02 / 9, 0.02 / 10, 0.02 / 13), "Upside down"),
            ((0.02 * 3, 0.02 * 10**0.5, 0.02 * 13**0.5), "not their roots"),
            ((0.18, 0.2, 0.19), "the variance divides"),
            ((0.18, 0.2, 0.22), "square sigma_data"),
            ((0.18, 0.16, 0.26), "both errors"),
            ((0.18, 0.2, 0.72), "a sum, and no product"),
            ((0.26, 0.2, 0.18), "wrong order"),
            ((0.18, 0.2, 0.2), "sigma_data = 1"),
        ],
    ),
    "check_best_linear": Answers(
        right=[
            lambda s, d: d**2 / (s**2 + d**2),
            lambda s, d: 1 / (1 + (s / d) ** 2),
            lambda s, d: 1 - s**2 / (s**2 + d**2),
        ],
        wrong=[
            (lambda s, d: s**2 / (s**2 + d**2), "noise's share"),
            (lambda s, d: d / (s + d), "not their roots"),
            (lambda s, d: d / math.hypot(s, d), "take the square"),
            (lambda s, d: 1 / math.hypot(s, d), "c_in"),
            (lambda s, d: (d / s) ** 2, "signal to noise"),
            (lambda s, d: (d / (s + d)) ** 2, "variance of u"),
            (lambda s, d: 1 / (1 + s**2), "c_skip of v"),
            (lambda s, d: s * d / math.hypot(s, d), "c_out"),
        ],
    ),
    "check_v_weight": Answers(
        right=[
            lambda snr, gamma: snr.clamp(max=gamma) / (snr + 1),
            lambda snr, gamma: torch.where(snr < gamma, snr, gamma) / (1 + snr),
            lambda snr, gamma: np.minimum(snr.numpy(), gamma) / (snr.numpy() + 1),
        ],
        wrong=[
            (lambda snr, gamma: (snr + 1).clamp(max=gamma) / (snr + 1), "Two SNRs"),
            (lambda snr, gamma: snr.clamp(max=gamma) / snr, "error of eps"),
            (lambda snr, gamma: snr.clamp(max=gamma), "divide by v's factor"),
            (lambda snr, gamma: snr.clamp(max=gamma) / snr + 1, "set parentheses"),
            (lambda snr, gamma: snr.clamp(max=gamma) * (snr + 1), "do not multiply"),
            (lambda snr, gamma: snr.clamp(min=gamma) / (snr + 1), "at most gamma"),
            (lambda snr, gamma: 1 / (1 + 1 / snr.clamp(max=gamma)), "only the weight"),
        ],
    ),
    "check_new_weights": Answers(
        right=[
            lambda w, p, q: w * p / q,
            lambda w, p, q: w / (q / p),
            lambda w, p, q: torch.exp(w.log() + p.log() - q.log()),
        ],
        wrong=[
            (lambda w, p, q: w * q / p, "other way round"),
            (lambda w, p, q: w * p, "how often it is drawn now"),
            (lambda w, p, q: w / q, "the old law"),
            (lambda w, p, q: w * p * q, "new law divides"),
            (lambda w, p, q: p / q, "old weights"),
        ],
    ),
    "check_early_shares": Answers(
        right=[
            (early(SNR), early(SNR.clamp(max=5))),
            (0.9587, 0.25),
            np.array([early(SNR), early(min_snr(cosine_schedule(500))[1:])]),
        ],
        wrong=[
            ((early(SNR.clamp(max=5)), early(SNR)), "other order"),
            ((1 - early(SNR), 1 - early(SNR.clamp(max=5))), "51 to 500"),
            ((0.1, 0.1), "add up their weights"),
            ((early(SNR + 1), early(SNR.clamp(max=5))), "that of v"),
            ((0.1, early(SNR.clamp(max=5))), "all times weigh the same"),
        ],
    ),
}
