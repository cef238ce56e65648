"""Answers to the exercises of the chapter on editing."""

import math

import numpy as np
import torch

from tests.bank import Answers, Bank


def replace(guessed, x0, known, ab, z):
    return torch.where(known, ab**0.5 * x0 + (1 - ab) ** 0.5 * z, guessed)


def replace_by_index(guessed, x0, known, ab, z):
    xs = guessed.clone()
    xs[known] = (math.sqrt(ab) * x0 + math.sqrt(1 - ab) * z)[known]
    return xs


def replace_by_mask(guessed, x0, known, ab, z):
    m = known.double()
    return m * (ab**0.5 * x0 + (1 - ab) ** 0.5 * z) + (1 - m) * guessed


def share(c, means, std):
    return (-((c - means[:, 0]) ** 2) / (2 * std**2)).softmax(0)[0]


def share_by_likelihoods(c, means, std):
    first, second = (math.exp(-((c - float(m)) ** 2) / (2 * std**2)) for m in means[:, 0])
    return first / (first + second)


def share_by_sigmoid(c, means, std):
    a, b = means[:, 0]
    return torch.sigmoid(((c - b) ** 2 - (c - a) ** 2) / (2 * std**2))


def angle(a, b):
    return (a @ b / (a.norm() * b.norm())).acos()


def on_arc(a, b, share, whole):
    return (torch.sin((1 - share) * whole) * a + torch.sin(share * whole) * b) / torch.sin(whole)


def arc(a, b, share):
    return on_arc(a, b, share, angle(a, b))


def arc_in_numpy(a, b, share):
    x, y = a.numpy(), b.numpy()
    whole = np.arccos(x @ y / np.linalg.norm(x) / np.linalg.norm(y))
    return (np.sin((1 - share) * whole) * x + np.sin(share * whole) * y) / np.sin(whole)


def arc_by_cross(a, b, share):
    whole = math.acos(float(torch.nn.functional.cosine_similarity(a, b, dim=0)))
    return a * math.sin(whole * (1 - share)) / math.sin(whole) + b * math.sin(whole * share) / math.sin(whole)


def up(xs, ss, st, rs, rt, eps):
    return rt * (xs / rs + (st - ss) * eps)


def missing(x, mask):
    return (((x - 1) / 2) ** 2 * mask).sum((1, 2, 3)) / mask.sum()


BANK: Bank = {
    "check_edit_calls": Answers(
        right=[(30, 250), [30, 250], (np.int64(30), torch.tensor(250))],
        wrong=[
            ((50, 250), "begins at t = 300"),
            ((31, 250), "31 times"),
            ((300, 250), "every tenth"),
            ((30, 50), "five times"),
            ((30, 200), "Four of the five"),
            ((250, 30), "other order"),
        ],
    ),
    "check_replace": Answers(
        right=[replace, replace_by_index, replace_by_mask],
        wrong=[
            (lambda g, x0, k, ab, z: torch.where(k, x0, g), "are clean"),
            (lambda g, x0, k, ab, z: replace(g, x0, ~k, ab, z), "other way round"),
            (lambda g, x0, k, ab, z: torch.where(k, ab * x0 + (1 - ab) * z, g), "take their roots"),
            (
                lambda g, x0, k, ab, z: torch.where(k, ab**0.5 * x0 + (1 - ab) * z, g),
                "multiply z by its root",
            ),
            (lambda g, x0, k, ab, z: torch.where(k, ab**0.5 * x0, g), "without the noise"),
            (lambda g, x0, k, ab, z: ab**0.5 * x0 + (1 - ab) ** 0.5 * z, "keep the guess"),
        ],
    ),
    "check_share_above": Answers(
        right=[share, share_by_likelihoods, share_by_sigmoid],
        wrong=[
            (lambda c, means, std: 1 - share(c, means, std), "second component"),
            (lambda c, means, std: share(c, means.flip(1), std), "first coordinate is known"),
            (lambda c, means, std: torch.exp(-((c - means[0, 0]) ** 2) / (2 * std**2)), "no probability yet"),
            (lambda c, means, std: share(c, means, std**0.5), "std squared"),
            (lambda c, means, std: share(c, means, std / 2**0.5), "has a 2"),
            (lambda c, means, std: 0.5, "before x_1 was known"),
            (
                lambda c, means, std: (-(c - means[:, 0]).abs() / (2 * std**2)).softmax(0)[0],
                "square of the distance",
            ),
        ],
    ),
    "check_slerp": Answers(
        right=[arc, arc_in_numpy, arc_by_cross],
        wrong=[
            (lambda a, b, share: (1 - share) * a + share * b, "straight line"),
            (lambda a, b, share: arc(b, a, share), "share = 0 should give a"),
            (lambda a, b, share: (1 - share) ** 0.5 * a + share**0.5 * b, "at a right angle"),
            (lambda a, b, share: on_arc(a, b, share, (a @ b).clamp(-1, 1).acos()), "over both lengths"),
            (lambda a, b, share: arc(a, b, share) * torch.sin(angle(a, b)), "Divide by the sine"),
            (
                lambda a, b, share: torch.cos(share * angle(a, b)) * a + torch.sin(share * angle(a, b)) * b,
                "which it is not",
            ),
            (
                lambda a, b, share: (
                    ((1 - share) * a + share * b) * a.norm() / ((1 - share) * a + share * b).norm()
                ),
                "not at this share",
            ),
        ],
    ),
    "check_invert_step": Answers(
        right=[
            up,
            lambda xs, ss, st, rs, rt, eps: rt / rs * xs + rt * (st - ss) * eps,
            lambda xs, ss, st, rs, rt, eps: (xs.numpy() / rs + (st - ss) * eps.numpy()) * rt,
        ],
        wrong=[
            (lambda xs, ss, st, rs, rt, eps: up(xs, st, ss, rs, rt, eps), "noise grows"),
            (lambda xs, ss, st, rs, rt, eps: rt * (xs + (st - ss) * eps), "straight for u"),
            (lambda xs, ss, st, rs, rt, eps: xs / rs + (st - ss) * eps, "That is u_t"),
            (lambda xs, ss, st, rs, rt, eps: rt / rs * xs + (st - ss) * eps, "belongs to u_t as well"),
            (lambda xs, ss, st, rs, rt, eps: rt * (xs / rs + st * eps), "only the difference"),
            (lambda xs, ss, st, rs, rt, eps: xs + rs * (st - ss) * eps, "that you arrive at"),
        ],
    ),
    "check_missing_ink": Answers(
        right=[
            missing,
            lambda x, m: (((1 - x) / 2) ** 2)[:, 0][:, m == 1].mean(1),
            lambda x, m: np.square((x.numpy() - 1) / 2)[:, 0, m.numpy() == 1].mean(1),
        ],
        wrong=[
            (lambda x, m: missing(x, m) * m.sum() / m.numel(), "divided by all pixels"),
            (lambda x, m: missing(x, m) * m.sum(), "A sum"),
            (lambda x, m: missing(-x, m), "target is 1, not -1"),
            (lambda x, m: 4 * missing(x, m), "paper costs 4"),
            (lambda x, m: ((1 - x) / 2)[:, 0][:, m == 1].mean(1), "not squared"),
            (lambda x, m: missing(x, 1 - m), "everywhere but"),
            (lambda x, m: ((x * m - 1) / 2).square().sum((1, 2, 3)) / m.sum(), "counts as missing"),
        ],
    ),
    "check_forgets": Answers(
        right=[400, np.int64(400), torch.tensor(400)],
        wrong=[
            (350, "only a third are called 8"),
            (450, "an earlier one"),
            (500, "Most are eights earlier"),
            (300, "A few come back"),
            (250, "as good as none"),
        ],
    ),
}
