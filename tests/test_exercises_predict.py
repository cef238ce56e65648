"""The graders of the chapter on what to predict: the right answer passes, and each mistake is named."""

import torch
from torch import Tensor

from ddpm_lib.further.precondition import edm_scales, own_weight
from ddpm_lib.loss import min_snr
from ddpm_lib.schedule import NoiseSchedule, cosine_schedule
from tests.graders import grader_tests

SCHEDULE = cosine_schedule(500)
# one step to SNR = 9
AT_9 = NoiseSchedule(torch.tensor([0.0, 0.1], dtype=torch.float64))


def three_errors() -> tuple[float, ...]:
    return tuple(0.02 * float(own_weight(AT_9, answer, 0.5)[1]) for answer in ("eps", "v", "edm"))  # type: ignore[arg-type]


def best_linear(sigma: float, sigma_data: float) -> float:
    return float(edm_scales(torch.tensor(sigma, dtype=torch.float64), sigma_data)[0])


def v_weight(snr: Tensor, gamma: float) -> Tensor:
    alpha_bar = torch.cat([torch.ones(1).double(), (snr / (1 + snr)).flip(0)])
    schedule = NoiseSchedule(torch.cat([torch.zeros(1).double(), 1 - alpha_bar[1:] / alpha_bar[:-1]]))
    return (min_snr(schedule, gamma) / own_weight(schedule, "v"))[1:].flip(0)


def early_shares() -> tuple[float, ...]:
    weights = own_weight(SCHEDULE, "eps")[1:], min_snr(SCHEDULE)[1:]
    return tuple(float(weight[:50].sum() / weight.sum()) for weight in weights)


RIGHT: dict[str, object] = {
    "check_three_errors": three_errors(),
    "check_best_linear": best_linear,
    "check_v_weight": v_weight,
    "check_new_weights": lambda weight, law, new_law: weight / (new_law / law),
    "check_early_shares": early_shares(),
}
VALUES = {"check_three_errors", "check_early_shares"}
WRONG: list[tuple[str, object, str]] = [
    ("check_three_errors", (0.02 / 9, 0.002, 0.02 / 13), "Upside down"),
    ("check_best_linear", lambda s, d: 1 - best_linear(s, d), "noise's share"),
    ("check_v_weight", lambda snr, gamma: (snr + 1).clamp(max=gamma) / (snr + 1), "Two SNRs"),
    ("check_new_weights", lambda weight, law, new_law: weight * new_law / law, "other way round"),
    ("check_early_shares", early_shares()[::-1], "other order"),
]

TestGraders = grader_tests(RIGHT, VALUES, WRONG)
