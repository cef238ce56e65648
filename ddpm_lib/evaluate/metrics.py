"""How good are the samples: Frechet distance on the digit classifier's features, classes, and the loss by t."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Float64, Int
from torch import Tensor

from ddpm_lib.denoiser import Denoiser
from ddpm_lib.diffusion import GaussianDiffusion
from ddpm_lib.evaluate.classifier import digit_classifier, in_batches
from ddpm_lib.sampling import Noise


def frechet_distance(a: Float[Tensor, "n d"], b: Float[Tensor, "m d"]) -> float:
    """|mean_a - mean_b|^2 + tr(C_a + C_b - 2 (C_a C_b)^(1/2)) between Gaussians fitted to two sets of features.

    Book: eq-frechet (Heusel et al. 2017, eq. 6).

    The formula of the FID. It falls with the number of samples: compare only
    distances taken with the same n.
    """
    if min(len(a), len(b)) <= a.shape[1]:
        raise ValueError(
            f"{min(len(a), len(b))} samples do not span {a.shape[1]} features: take more samples than features."
        )
    mean_a, cov_a = _moments(a)
    mean_b, cov_b = _moments(b)
    values, vectors = torch.linalg.eigh(cov_a)
    root_a = vectors * values.clamp(min=0).sqrt() @ vectors.T
    cross = torch.linalg.eigvalsh(root_a @ cov_b @ root_a).clamp(min=0).sqrt().sum()
    return float((mean_a - mean_b).square().sum() + cov_a.trace() + cov_b.trace() - 2 * cross)


def distance_and_error(
    a: Float[Tensor, "n d"], b: Float[Tensor, "m d"], groups: int = 10
) -> tuple[float, float]:
    """The distance, and its standard deviation from one draw of `a` to another, by leaving out each group once.

    Such a jackknife never tells too little on average (Efron and Stein 1981), but near the floor about twice too much.
    The groups are neighbors in `a`, which is to be in no order but that of its draw.
    """
    parts = a.tensor_split(groups)
    without = [torch.cat([*parts[:i], *parts[i + 1 :]]) for i in range(groups)]
    each = torch.tensor([frechet_distance(rest, b) for rest in without], dtype=torch.float64)
    return frechet_distance(a, b), float((groups - 1) ** 0.5 * each.std(correction=0))


def _moments(features: Float[Tensor, "n d"]) -> tuple[Float64[Tensor, " d"], Float64[Tensor, "d d"]]:
    x = features.double()
    return x.mean(0), torch.cov(x.T).reshape(x.shape[1], x.shape[1])


def digit_distance(a: Float[Tensor, "n 1 28 28"], b: Float[Tensor, "m 1 28 28"]) -> float:
    """Frechet distance between two sets of digits, on the course's own classifier. Not comparable with an FID."""
    features = digit_classifier().features
    return frechet_distance(in_batches(features, a), in_batches(features, b))


def spread_within(features: Float[Tensor, "n d"], y: Int[Tensor, " n"]) -> float:
    """The mean distance of two different images of one class, over all classes: how much variety a class has."""
    distances = [torch.pdist(features[y == label].double()) for label in y.unique()]
    return float(torch.cat(distances).mean())


def recall(real: Float[Tensor, "n d"], drawn: Float[Tensor, "m d"], k: int = 3) -> float:
    """The share of real images that lie among the drawn ones: nearer to one of them than its own k-th neighbor.

    Book: eq-recall (Kynkäänniemi et al. 2019, eq. 1 and 2).

    It grows with the number of drawn images: compare only at the same m.
    """
    radius = torch.cdist(drawn, drawn).kthvalue(k + 1, dim=1).values  # the nearest of all is the image itself
    return float((torch.cdist(real, drawn) <= radius).any(dim=1).double().mean())


@dataclass(frozen=True)
class Classes:
    """What the digit classifier makes of some images."""

    confidence: float  # mean probability of the likeliest class; 1.0 even for noise, so worth nothing alone
    entropy: float  # of the histogram of classes, in bits; 3.32 = log2(10) when all come equally often
    agreement: float | None  # share of images named as the class that was asked for
    histogram: tuple[int, ...]  # images named 0, 1, ... 9


def digit_classes(x: Float[Tensor, "n 1 28 28"], y: Int[Tensor, " n"] | None = None) -> Classes:
    """Name every image; `y` is the class that was asked for, where one was."""
    confidence, named = in_batches(digit_classifier(), x).softmax(dim=1).max(dim=1)
    histogram = torch.bincount(named, minlength=10)
    share = histogram.double() / len(x)
    entropy = -torch.special.xlogy(share, share).sum() / torch.log(torch.tensor(2.0))
    agreement = None if y is None else float((named == y.cpu()).float().mean())
    return Classes(float(confidence.mean()), float(entropy), agreement, tuple(histogram.tolist()))


def loss_by_t(
    denoiser: Denoiser,
    diffusion: GaussianDiffusion,
    x0: Float[Tensor, "n c h w"],
    ts: Sequence[int],
    y: Int[Tensor, " n"] | None = None,
    seed: int = 0,
) -> Iterator[tuple[int, float]]:
    """(t, mean squared error of eps_hat per pixel) on the images x0: comparable whatever the network predicts."""
    eps = Noise(range(seed, seed + len(x0)), x0.shape[1:], x0.device)()
    for t in ts:
        total = 0.0
        for i in range(0, len(x0), 64):
            some = slice(i, i + 64)
            with torch.inference_mode():
                xt = diffusion.q_sample(x0[some], t, eps[some])
                labels = None if y is None else y[some]
                _, eps_hat = diffusion.denoise(denoiser, xt, t, y=labels, clip=False)
                total += float((eps_hat - eps[some]).square().double().sum())
        yield t, total / x0.numel()
