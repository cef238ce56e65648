"""Answers to the exercises of the chapter on the forward chain."""

import math

import numpy as np
import torch

from ddpm_lib.schedule import cosine_schedule, linear_schedule
from tests.bank import Answers, Bank

AB = linear_schedule(500).alpha_bar
AB100 = math.prod(1 - beta for beta in linear_schedule(500).beta[:101].tolist())
MEAN, SD = 0.8 * AB100**0.5, (1 - AB100) ** 0.5


def weights(ab, ndim=4):
    return ab.sqrt().reshape(-1, *[1] * (ndim - 1)), (1 - ab).sqrt().reshape(-1, *[1] * (ndim - 1))


def jump(x0, t, eps, ab):
    signal, noise = weights(ab[t])
    return signal * x0 + noise * eps


def one_by_one(x0, t, eps, ab):
    rows = zip(x0, t.tolist(), eps, strict=True)
    return torch.stack([ab[time] ** 0.5 * x + (1 - ab[time]) ** 0.5 * e for x, time, e in rows])


def walked(b1, b2):
    """The weights of x_0 and of both noises, step by step."""
    x0, first = (1 - b1) ** 0.5, b1**0.5
    x0, first, second = x0 * (1 - b2) ** 0.5, first * (1 - b2) ** 0.5, b2**0.5
    return x0, first**2 + second**2


def cosine_loop(T):
    f = [math.cos((t / T + 0.008) / 1.008 * math.pi / 2) ** 2 for t in range(T + 1)]
    return [0.0] + [min(1 - f[t] / f[t - 1], 0.999) for t in range(1, T + 1)]


def cosine_slip(T, s=0.008, power=2, top=0.999, end=None, upside=False):
    f = torch.cos((torch.arange(T + 1).double() / T + s) / (end or 1 + s) * math.pi / 2) ** power
    kept = f[:-1] / f[1:] if upside else f[1:] / f[:-1]
    return torch.cat([torch.zeros(1), (1 - kept).clamp(max=top)])


BANK: Bank = {
    "check_pixel": Answers(
        right=[(MEAN, SD), [round(MEAN, 3), round(SD, 3)], np.array([MEAN, SD]), torch.tensor([MEAN, SD])],
        wrong=[
            ((MEAN, SD**2), "Your second number is the variance"),
            ((0.8 * AB100, SD), "You weighted the pixel by alpha_bar"),
            ((0.8 * AB100, 1 - AB100), "Both numbers lack a square root"),
            ((SD, MEAN), "wrong order"),
            ((AB100**0.5, SD), "Multiply it by the pixel"),
            ((0.8, SD), "every step shrinks it"),
            ((0.65, 0.58), "give three"),
            ((0.8 * AB[99] ** 0.5, (1 - AB[99]) ** 0.5), "one step off"),
            ((MEAN, 1 - AB100**0.5), "Right: the first"),
            (
                (
                    0.8 * linear_schedule(1000).alpha_bar[100] ** 0.5,
                    (1 - linear_schedule(1000).alpha_bar[100]) ** 0.5,
                ),
                "another schedule",
            ),
        ],
    ),
    "check_two_steps": Answers(
        right=[
            walked,
            lambda b1, b2: [((1 - b1) * (1 - b2)) ** 0.5, b1 + b2 - b1 * b2],
            lambda b1, b2: torch.tensor([math.sqrt((1 - b1) * (1 - b2)), b1 * (1 - b2) + b2]),
        ],
        wrong=[
            (lambda b1, b2: (walked(b1, b2)[0], b1 + b2), "do not simply add"),
            (lambda b1, b2: (walked(b1, b2)[0], walked(b1, b2)[1] ** 0.5), "standard deviation"),
            (lambda b1, b2: (walked(b1, b2)[0], b1 * b2), "multiplied the variances"),
            (lambda b1, b2: walked(b1, b2)[::-1], "wrong order"),
            (lambda b1, b2: ((1 - b1) * (1 - b2), walked(b1, b2)[1]), "lacks a square root"),
            (lambda b1, b2: (walked(b1, b2)[0], b1 + b2 * (1 - b1) ** 0.5), "You shrank the wrong noise"),
            (lambda b1, b2: ((1 - b1 - b2) ** 0.5, b1 + b2), "multiply"),
            (lambda b1, b2: (walked(b1, b2)[0], 1 - walked(b1, b2)[0]), "1 minus its square"),
            (lambda b1, b2: (walked(b1, b2)[0], (1 - b1) * (1 - b2)), "the noise has the rest"),
            (
                lambda b1, b2: (walked(b1, b2)[0], ((b1 - b1 * b2) ** 0.5 + b2**0.5) ** 2),
                "added the standard deviations",
            ),
            (lambda b1, b2: ((1 - b1) * (1 - b2), b1 + b2), "multiplies the image by sqrt"),
            (lambda b1, b2: ((1 - b2) ** 0.5, b2), "does not change with `b1`"),
        ],
    ),
    "check_one_step": Answers(
        right=[
            lambda x, b, eps: (1 - b) ** 0.5 * x + b**0.5 * eps,
            lambda x, b, eps: torch.lerp(torch.zeros_like(x), x, (1 - b) ** 0.5) + eps * math.sqrt(b),
            lambda x, b, eps: np.sqrt(1 - b) * x.numpy() + np.sqrt(b) * eps.numpy(),
        ],
        wrong=[
            (lambda x, b, eps: (1 - b) ** 0.5 * x + b * eps, "its noise is too small"),
            (lambda x, b, eps: (1 - b) * x + b**0.5 * eps, "shrank the image by 1 - beta"),
            (lambda x, b, eps: x + b**0.5 * eps, "did not shrink"),
            (lambda x, b, eps: (1 - b) ** 0.5 * (x + b**0.5 * eps), "shrank the noise"),
            (lambda x, b, eps: b**0.5 * x + (1 - b) ** 0.5 * eps, "swapped the weights"),
            (lambda x, b, eps: (1 - b**0.5) * x + b**0.5 * eps, "1 - sqrt(beta)"),
            (lambda x, b, eps: (1 - b) * x + b * eps, "Both square roots are missing"),
            (lambda x, b, eps: (x + b**0.5 * eps) / (1 + b) ** 0.5, "another chain"),
            (lambda x, b, eps: (1 - b**2) ** 0.5 * x + b * eps, "`b` squared"),
        ],
    ),
    "check_q_sample": Answers(
        right=[jump, one_by_one, lambda x0, t, eps, ab: jump(x0.float(), t, eps.float(), ab.float())],
        wrong=[
            (lambda x0, t, eps, ab: jump(x0, t - 1, eps, ab), "You read alpha_bar[t - 1]"),
            (lambda x0, t, eps, ab: jump(x0, t + 1, eps, ab), "You read alpha_bar[t + 1]"),
            (lambda x0, t, eps, ab: jump(eps, t, x0, ab), "swapped the weights"),
            (
                lambda x0, t, eps, ab: weights(ab[t])[0] * x0 + weights(ab[t])[1] ** 2 * eps,
                "You used 1 - alpha_bar",
            ),
            (lambda x0, t, eps, ab: weights(ab[t])[0] ** 2 * x0 + weights(ab[t])[1] * eps, "not alpha_bar."),
            (lambda x0, t, eps, ab: ab[t].sqrt() * x0 + (1 - ab[t]).sqrt() * eps, "with the columns"),
            (lambda x0, t, eps, ab: jump(x0, t[:1].expand(3), eps, ab), "one time"),
            (lambda x0, t, eps, ab: jump(x0, t, eps, ab.cumprod(0)), "cumprod"),
            (lambda x0, t, eps, ab: weights(ab[t])[0] * (x0 + eps), "weight of its own"),
            (lambda x0, t, eps, ab: x0 + weights(ab[t])[1] * eps, "did not shrink the image"),
        ],
    ),
    "check_cosine_beta": Answers(
        right=[lambda T: cosine_schedule(T).beta, cosine_loop, cosine_slip],
        wrong=[
            (lambda T: cosine_slip(T, power=1), "not squared"),
            (lambda T: cosine_slip(T, top=1.0), "not clipped"),
            (lambda T: cosine_slip(T, s=0.0), "offset"),
            (lambda T: [*cosine_loop(T)[1:], 0.0], "wrong side"),
            (lambda T: cosine_schedule(T).alpha_bar, "That is alpha_bar"),
            (lambda T: cosine_loop(T)[1:], "was expected"),
            (lambda T: [0.02, *cosine_loop(T)[1:]], "beta[0] is 0"),
            (lambda T: cosine_slip(T, end=1.0), "divided by 1 + s"),
            (lambda T: cosine_slip(T, upside=True), "upside down"),
            (lambda T: 1 - cosine_schedule(T).alpha_bar, "all the noise so far"),
            (lambda T: cosine_slip(T, end=1.008 * math.pi / 2), "pi / 2"),
        ],
    ),
    "check_smallest_T": Answers(
        right=[911, 911.0, torch.tensor(911)],
        wrong=[
            (910, "One too few"),
            (912, "One too many"),
            (916, "That is the estimate"),
            (909, "has T + 1 entries"),
            (1000, "usual T"),
            (0.01, "a whole number"),
            (458, "twice as much"),
            (921, "log(1 - beta) = -beta"),
            (1822, "twice"),
        ],
    ),
    "check_shift": Answers(
        right=[
            lambda ab, d: (ab.logit() - 2 * math.log(d)).sigmoid(),
            lambda ab, d: 1 / (1 + d * d * (1 - ab) / ab),
            lambda ab, d: [a / (a + d**2 * (1 - a)) for a in ab.tolist()],
        ],
        wrong=[
            (lambda ab, d: (ab.logit() - math.log(d)).sigmoid(), "You divided the SNR by d."),
            (lambda ab, d: (ab.logit() + 2 * math.log(d)).sigmoid(), "You raised the SNR"),
            (lambda ab, d: ab / d**2, "divided alpha_bar"),
            (lambda ab, d: ab / (1 - ab) / d**2, "That is the SNR"),
            (lambda ab, d: ab.logit() - 2 * math.log(d), "That is log SNR"),
            (lambda ab, d: ab / (ab + (1 - ab) / d), "and by d"),
        ],
    ),
    "check_correlation": Answers(
        right=[
            lambda s, t: (t / (1 - t) * (1 - s) / s) ** 0.5,
            lambda s, t: math.sqrt(t / s) * (1 - s) / math.sqrt((1 - s) * (1 - t)),
            lambda s, t: np.exp((math.log(t / (1 - t)) - math.log(s / (1 - s))) / 2),
        ],
        wrong=[
            (lambda s, t: (t / s) ** 0.5 * (1 - s), "That is the covariance"),
            (lambda s, t: (t / s) ** 0.5, "the weight of x_s"),
            (lambda s, t: t / (1 - t) * (1 - s) / s, "squared correlation"),
            (lambda s, t: (t / s) ** 0.5 / (1 - t), "divide by the standard deviations"),
            (lambda s, t: (s / (1 - s) * (1 - t) / t) ** 0.5, "swapped s and t"),
            (lambda s, t: ((1 - s) / (1 - t)) ** 0.5, "noise alone"),
            (lambda s, t: (t / s) ** 0.5 * (1 - s) ** 0.5, "both standard deviations"),
            (lambda s, t: t / s, "signal kept"),
        ],
    ),
}
