"""Grader of attention to words: what a pixel reads, where some of the words are filling."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ddpm_lib.exercises.grading import Mistake, Verdict, grade


def _scores(q: Tensor, k: Tensor) -> Tensor:
    return q @ k.T / math.sqrt(q.shape[1])


def _attend(q: Tensor, k: Tensor, v: Tensor, there: Tensor) -> Tensor:
    return _scores(q, k).masked_fill(~there, -math.inf).softmax(dim=1) @ v


def check_cross_attention(answer: object) -> Verdict:
    """answer(q, k, v, there): what n pixels (n, d) read of l words (l, d), of which only those `there` count."""
    mistakes = [
        Mistake(
            lambda q, k, v, there: _scores(q, k).softmax(1) @ v, "The filling is read as well: mask it first."
        ),
        Mistake(
            lambda q, k, v, there: (_scores(q, k).softmax(1) * there) @ v,
            "Masked after the softmax, the weights no longer sum to 1: mask the scores.",
        ),
        Mistake(
            lambda q, k, v, there: (_scores(q, k) * there).softmax(1) @ v,
            "A score of 0 is no weight of 0: e^0 is 1. Set the scores of the filling to minus infinity.",
        ),
        Mistake(
            lambda q, k, v, there: (q @ k.T).masked_fill(~there, -math.inf).softmax(1) @ v,
            "The scores are divided by the root of d.",
        ),
        Mistake(
            lambda q, k, v, there: (q @ k.T / q.shape[1]).masked_fill(~there, -math.inf).softmax(1) @ v,
            "Divide by the root of d, not by d.",
        ),
        Mistake(
            lambda q, k, v, there: (_scores(q, k).softmax(0) * there) @ v,
            "The softmax runs over the words, so that each pixel's weights sum to 1.",
        ),
        Mistake(
            lambda q, k, v, there: _scores(q, k).masked_fill(~there, -math.inf).softmax(1) @ k,
            "Keys are compared; values are read.",
        ),
        Mistake(
            lambda q, k, v, there: _attend(q, k, v, ~there),
            "The other way round: `there` is True for the words that count, and the rest gets minus infinity.",
        ),
        Mistake(
            lambda q, k, v, there: _scores(q, k).masked_fill(~there, -1).softmax(1) @ v,
            "A score of -1 has a weight as well: only minus infinity has none.",
        ),
        Mistake(
            lambda q, k, v, there: _attend(q, k * there[:, None], v * there[:, None], there | True),
            "The filling is 0 now, and still gets a weight, which the words lose: mask the scores.",
        ),
        Mistake(
            lambda q, k, v, there: (q @ k.T / math.sqrt(len(k))).masked_fill(~there, -math.inf).softmax(1) @ v,
            "d is how many numbers a row holds, and not how many words there are.",
        ),
        Mistake(
            lambda q, k, v, there: (q @ k.T / math.sqrt(len(q))).masked_fill(~there, -math.inf).softmax(1) @ v,
            "d is the number of features in a row, not of pixels.",
        ),
        Mistake(
            lambda q, k, v, there: q + _attend(q, k, v, there),
            "What was read is asked for: the sum with the pixels comes later.",
        ),
        Mistake(
            lambda q, k, v, there: _attend(q, v, k, there), "Keys and values have changed places."
        ),
        Mistake(
            lambda q, k, v, there: v[there].mean(0).expand(len(q), v.shape[1]),
            "Each word gets the same weight here: weigh it by how well its key fits the query.",
        ),
    ]  # fmt: skip
    draw = torch.Generator().manual_seed(1)
    q = torch.randn(6, 4, generator=draw, dtype=torch.float64)
    k, v = torch.randn(2, 5, 4, generator=draw, dtype=torch.float64)
    masks = [torch.tensor([True, True, True, False, False]), torch.tensor([True, False, False, False, False])]
    cases = [(q, k, v, mask) for mask in masks]
    return grade(answer, _attend, mistakes, cases, "The pixels ask, the words answer.")
