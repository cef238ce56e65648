"""Checks that come before any answer of the network: its weights, the batch, the schedule, the sampler's step."""

from __future__ import annotations

import torch

from ddpm_lib.evaluate.diagnose.case import Case, Finding, mean_square
from ddpm_lib.sampling import Noise

TOO_MUCH_LEFT = 0.2  # of the image at T; Stable Diffusion's schedule leaves 0.07
BITS = 0.99  # share of the weights that bfloat16 holds exactly; of float16's weights it is an eighth


def weights(case: Case) -> Finding | None:
    """Finite, and finer than bfloat16?"""
    if case.module is None:
        return None
    flat = torch.cat([p.detach().float().flatten() for p in case.module.parameters()])
    if not bool(flat.isfinite().all()):
        return Finding("weights", "not finite", "NaN: lower the learning rate, and clip the gradient")
    share = float((flat == flat.bfloat16().float()).double().mean())
    return Finding(
        "weights",
        f"{len(flat):,}, {share:.0%} of them exact in bfloat16",
        "weights kept in bfloat16: small steps, and the average's above all, are rounded away"
        if share > BITS
        else "",
    )


def batch(case: Case) -> Finding:
    """Images that fill [-1, 1]?"""
    low, high = float(case.x0.min()), float(case.x0.max())
    fault = ""
    if not (torch.isfinite(case.x0).all()):
        fault = "NaN in the images"
    elif high > 2:
        fault = "images never scaled: bytes where [-1, 1] belongs"
    elif high - low < 0.1:
        fault = "images divided by 255 twice"
    elif low > -0.1:
        fault = "images in [0, 1]: the noise, and the sampler's clipping, are made for [-1, 1]"
    return Finding("batch", f"from {low:.3f} to {high:.3f}", fault)


def noise(case: Case) -> Finding:
    """Is nearly nothing of the image left at T, where sampling begins with pure noise?"""
    left = case.diffusion.schedule.terminal_weight
    return Finding(
        "schedule",
        f"{left:.3f} of the image is left at T = {case.diffusion.T}",
        "T too small for the schedule: training never saw the noise that sampling begins with"
        if left > TOO_MUCH_LEFT
        else "",
    )


def step(case: Case) -> Finding:
    """With a perfect guess, is x_s distributed as q(x_s | x_0), and x_0 free of noise?

    All data are one number c, so that the guess is known. DDPM with sigma^2 = beta draws a little more noise than q.
    """
    diffusion, c, n = case.diffusion, 0.5, 4096
    x0, T = torch.full((n, 1), c, dtype=torch.float64), diffusion.T
    eps, z = (Noise([seed], (n, 1))()[0].double() for seed in (0, 1))
    ratios = []
    for t in sorted({2, max(2, T // 20), max(2, T // 2)} if T > 1 else set()):
        xt = diffusion.q_sample(x0, t, eps)
        s = t - 1
        xs = case.step(diffusion, xt, t, s, x0, eps, z, lambda x, _: (x0, eps))
        mean, variance = diffusion.q_mean_variance(x0[:1], s)
        ratios.append(mean_square(xs - mean) / float(variance))
    left = mean_square(
        case.step(diffusion, diffusion.q_sample(x0, 1, eps), 1, 0, x0, eps, z, lambda x, _: (x0, eps)) - c
    )
    fault = ""
    if left > 1e-8:
        fault = "noise in the last step, where the mean alone is drawn"
    elif ratios and not 0.9 < min(ratios) <= max(ratios) < 2.2:
        fault = "a wrong variance in the sampler's step: is a root missing?"
    spread = f"{min(ratios):.2f} to {max(ratios):.2f} of q's variance" if ratios else "one step"
    return Finding("step", f"{spread}; {left**0.5:.3f} of noise at t = 0", fault)
