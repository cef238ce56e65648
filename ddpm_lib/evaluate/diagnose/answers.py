"""Checks of a network's answers to a batch with noise: what they depend on, and what they must not depend on."""

from __future__ import annotations

import copy

import torch
from torch import nn

from ddpm_lib.evaluate.diagnose.case import Case, Finding, mean_square

WORSE = 1.25  # a loss that is so many times another is no chance
ASLEEP = 0.1  # root mean square of an answer; of digits and of noise it is about 1
SAME = 1e-3  # relative difference of answers that should be equal


def alone(case: Case) -> Finding:
    """Does an image get the same answer alone as in a batch?"""
    (t,) = case.at(0.3)
    xt = case.diffusion.q_sample(case.x0, t, case.eps)[:8]
    y = None if case.labels is None else case.labels[:8]
    together = case.ask(xt, t, y)
    each = torch.cat(
        [case.ask(xt[i : i + 1], t, None if y is None else y[i : i + 1]) for i in range(len(xt))]
    )
    off = (
        mean_square(together - each) / max(mean_square(together), 1e-12)
    ) ** 0.5  # an untrained one answers 0
    fault = "an answer depends on the other images: time masked by rows, or BatchNorm left in training mode"
    return Finding(
        "alone", f"answers change by {off:.1%} without the rest of the batch", fault if off > SAME else ""
    )


def norm(case: Case) -> Finding | None:
    """Are the running statistics of BatchNorm those of the data?"""
    if case.module is None or not any(
        isinstance(m, nn.modules.batchnorm._BatchNorm) for m in case.module.modules()
    ):
        return None
    (t,) = case.at(0.5)
    fresh = copy.deepcopy(case.module).train()
    fresh.predicts = case.denoiser.predicts  # type: ignore[assignment]
    kept, own = case.loss(t, case.labels), case.loss(t, case.labels, of=fresh)  # type: ignore[arg-type]
    fault = "BatchNorm's running statistics are not the data's: buffers left out of the average"
    return Finding(
        "norm",
        f"loss {kept:.3f} with kept statistics, {own:.3f} with the batch's",
        fault if kept > WORSE * own else "",
    )


def average(case: Case) -> Finding | None:
    """Is the averaged network as good as the one that was trained?"""
    if case.raw is None:
        return None
    (t,) = case.at(0.5)
    ours, raw = case.loss(t, case.labels), case.loss(t, case.labels, of=case.raw)
    fault = "an average that is too slow: it still holds the random start"
    return Finding(
        "average", f"loss {ours:.3f}, and {raw:.3f} without averaging", fault if ours > WORSE * raw else ""
    )


def says_something(case: Case) -> Finding:
    """Does it answer anything but the 0 that it began with?"""
    (t,) = case.at(0.5)
    answer = case.ask(case.diffusion.q_sample(case.x0, t, case.eps), t, case.labels)
    size = mean_square(answer) ** 0.5
    fault = "hardly trained, or an average that is too slow: it still answers 0, as at the start"
    return Finding("answer", f"{size:.2f} on average at t = {t}", fault if size < ASLEEP else "")


def time(case: Case) -> Finding | None:
    """Does the answer depend on the time that the network is told?"""
    if getattr(getattr(case.module, "config", None), "time", True) is False:
        return None
    early, half, late = case.at(0.9, 0.5, 0.1)
    xt = case.diffusion.q_sample(case.x0, half, case.eps)
    a, b = (case.ask(xt, t, case.labels) for t in (early, late))
    off = (mean_square(a - b) / max(mean_square(a), 1e-12)) ** 0.5
    fault = "time never passed: the network cannot know how much noise there is"
    return Finding(
        "time", f"answers change by {off:.1%} from t = {early} to {late}", fault if off < SAME else ""
    )


def reach(case: Case) -> Finding:
    """At little noise, does the guess have the range of the images?"""
    (t,) = case.at(0.9)
    xt = case.diffusion.q_sample(case.x0, t, case.eps)
    x0_hat, _ = case.diffusion.interpret(case.ask(xt, t, case.labels), xt, t, case.denoiser.predicts)
    low, high = (
        float(x0_hat.double().flatten().kthvalue(max(1, round(q * x0_hat.numel()))).values)
        for q in (0.02, 0.98)
    )
    fault = ""
    if high - low < 0.2:
        fault = "trained on images divided by 255 twice: the guess is almost one color"
    elif low > -0.5:
        fault = "trained on images in [0, 1]: the guess is never dark"
    return Finding("guess", f"from {low:.2f} to {high:.2f} at t = {t}", fault)


def labels(case: Case) -> Finding | None:
    """Does the right label help, and is "no class" better than a wrong one?"""
    if case.labels is None:
        return None
    (t,) = case.at(0.05)
    right, none = case.loss(t, case.labels), case.loss(t, None)
    wrong = case.loss(t, (case.labels + 1) % case.classes)
    fault = ""
    if wrong < 1.02 * right:
        fault = "labels shuffled: the network takes no notice of them"
    elif none > wrong:
        fault = "labels never dropped: 'no class' was not learned, and guidance needs it"
    return Finding(
        "labels", f"loss {right:.3f} with the label, {none:.3f} without, {wrong:.3f} with a wrong one", fault
    )
