"""Answers to the exercises of the chapter on the U-Net."""

import math

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from ddpm_lib.assets.measured import measured
from tests.bank import Answers, Bank


def mean(arm):
    found = [row["distance"] for row in measured("ablate")["rows"] if row["arm"] == arm]
    return sum(found) / len(found)


WHOLE, NO_TIME = mean("the whole"), mean("no time")


def embed(t, dim, over=2, sign=-1):
    angle = t[:, None] * 10_000 ** (sign * over * torch.arange(dim // 2) / dim)
    return torch.cat([angle.cos(), angle.sin()], dim=1)


def embed_by_loops(t, dim):
    w = [math.exp(-math.log(10_000) * i / (dim // 2)) for i in range(dim // 2)]
    return [[math.cos(x * a) for a in w] + [math.sin(x * a) for a in w] for x in t.tolist()]


def embed_by_outer(t, dim):
    angle = np.outer(t.numpy(), 1e4 ** -(np.arange(dim // 2) / (dim // 2)))
    return np.hstack([np.cos(angle), np.sin(angle)])


def rows_swapped(t, dim):
    angle, e = t[:, None] * 10_000 ** (-torch.arange(dim) / dim), torch.empty(len(t), dim)
    e[t % 2 == 0], e[t % 2 == 1] = angle[t % 2 == 0].sin(), angle[t % 2 == 1].cos()
    return e


def attend(q, k, v):
    return (q @ k.T / q.shape[1] ** 0.5).softmax(dim=1) @ v


def attend_by_exp(q, k, v):
    e = torch.einsum("id,jd->ij", q, k).div(math.sqrt(q.shape[-1])).exp()
    return (e / e.sum(1, keepdim=True)) @ v


class Bend(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x):
        return x + self.conv2(F.leaky_relu(self.conv1(F.leaky_relu(x, 0.2)), 0.2))


def bend(forward, base=Bend):
    return type("Bend", (base,), {"forward": forward})


class Grow(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x):
        return self.conv(F.interpolate(x, scale_factor=2.0))


class Look(nn.Module):
    def __init__(self, channels, heads):
        super().__init__()
        self.heads, self.qkv = heads, nn.Conv2d(channels, 3 * channels, 1)

    def split(self, x):
        return self.qkv(x).reshape(len(x), 3, self.heads, -1, x.shape[2] * x.shape[3]).unbind(1)

    def forward(self, x):
        q, k, v = (part.transpose(2, 3) for part in self.split(x))
        return x + F.scaled_dot_product_attention(q, k, v).transpose(2, 3).reshape(x.shape)


def look_by_einsum(self, x):
    q, k, v = self.split(x)
    scores = torch.einsum("bhdi,bhdj->bhij", q, k) / q.shape[2] ** 0.5
    return x + torch.einsum("bhij,bhdj->bhdi", scores.softmax(-1), v).reshape(x.shape)


def look_by_heads(self, x):
    parts = self.qkv(x).flatten(2).chunk(3, dim=1)
    found = []
    for q, k, v in zip(*(part.chunk(self.heads, dim=1) for part in parts), strict=True):
        scores = (q.transpose(1, 2) @ k / math.sqrt(q.shape[1])).softmax(-1)
        found.append(v @ scores.transpose(1, 2))
    return torch.cat(found, dim=1).reshape(x.shape) + x


def look_slip(heads=None, under=None, skip=True, axis=-1):
    def forward(self, x):
        self.heads = heads or self.heads
        q, k, v = self.split(x)
        scores = q.transpose(2, 3) @ k / (under or q.shape[2]) ** 0.5
        return skip * x + (v @ scores.softmax(axis).transpose(2, 3)).reshape(x.shape)

    return type("Look", (Look,), {"forward": forward})


BANK: Bank = {
    "check_middle": Answers(
        right=[(256, 4, 4), [256, 4, 4], torch.Size([256, 4, 4])],
        wrong=[
            ((1536, 4, 4), "count from the base"),
            ((256, 8, 8), "each halves the sides"),
            ((256, 2, 2), "not four"),
            ((64, 4, 4), "multiplier is 4"),
            ((4, 4, 256), "channels come first"),
            ((192, 4, 4), "last of the four"),
            ((640, 4, 4), "Right: the second and the third"),
        ],
    ),
    "check_conv_cost": Answers(
        right=[
            lambda c, s, level: 9 * (c * s) ** 2,
            lambda c, s, level: 3 * 3 * (c << level) ** 2 * (s >> level) ** 2,
            lambda c, s, level: float(torch.tensor([3.0, c, s]).double().prod() ** 2),
        ],
        wrong=[
            (lambda c, s, level: 9 * c * 2**level * (s / 2**level) ** 2, "*every* channel in"),
            (lambda c, s, level: (c * s) ** 2, "9 weights"),
            (lambda c, s, level: 18 * (c * s) ** 2, "FLOP"),
            (lambda c, s, level: 9 * c**2 * (s / 2**level) ** 2, "channels grow"),
            (lambda c, s, level: 9 * (c * 2**level) ** 2, "number of weights"),
            (lambda c, s, level: 9 * c * s * s, "c appears twice"),
        ],
    ),
    "check_time_embedding": Answers(
        right=[embed, embed_by_loops, embed_by_outer],
        wrong=[
            (rows_swapped, "rows were masked"),
            (lambda t, dim: embed(t, dim).roll(dim // 2, 1), "sines come first"),
            (lambda t, dim: embed(t, dim, over=1), "ends at 1/2"),
            (lambda t, dim: embed(t, dim, sign=1), "exponent is negative"),
            (lambda t, dim: embed(2 * math.pi * t, dim), "no 2 pi"),
            (
                lambda t, dim: embed(t, dim).reshape(-1, 2, dim // 2).transpose(1, 2).flatten(1),
                "alternate here",
            ),
        ],
    ),
    "check_similarity": Answers(
        right=[
            lambda d, w: (d * w).cos().sum(),
            lambda d, w: sum(math.cos(d * x) for x in w.tolist()),
            lambda d, w: (
                torch.cat([(3 * w).cos(), (3 * w).sin()])
                @ torch.cat([((3 + d) * w).cos(), ((3 + d) * w).sin()])
            ),
        ],
        wrong=[
            (lambda d, w: (d * w).sin().sum(), "most like itself"),
            (lambda d, w: (d * w).cos().mean(), "a sum"),
            (lambda d, w: ((d * w).cos() + (d * w).sin()).sum(), "is one cosine"),
            (lambda d, w: 2 * (d * w).cos().sum(), "one term together"),
            (lambda d, w: math.cos(d * w.sum()), "its own cosine"),
            (lambda d, w: (d * w).cos(), "sum"),
        ],
    ),
    "check_attention": Answers(
        right=[
            attend,
            attend_by_exp,
            lambda q, k, v: F.scaled_dot_product_attention(q[None], k[None], v[None])[0],
        ],
        wrong=[
            (lambda q, k, v: (q @ k.T).softmax(1) @ v, "not divided"),
            (lambda q, k, v: (q @ k.T / q.shape[1]).softmax(1) @ v, "*root*"),
            (lambda q, k, v: (q @ k.T / q.shape[1] ** 0.5).softmax(0) @ v, "wrong axis"),
            (lambda q, k, v: attend(k, q, v), "are swapped"),
            (lambda q, k, v: q @ k.T / q.shape[1] ** 0.5 @ v, "softmax is missing"),
            (lambda q, k, v: (q @ k.T / len(q) ** 0.5).softmax(1) @ v, "not of pixels"),
            (lambda q, k, v: (q @ k.T / q.shape[1] ** 0.5).softmax(1), "was expected"),
            (lambda q, k, v: (q @ k.T * q.shape[1] ** 0.5).softmax(1) @ v, "do not multiply"),
            (lambda q, k, v: attend(q, k, k)[:, :3], "does not change with `v`"),
        ],
    ),
    "check_bend": Answers(
        right=[
            Bend,
            bend(
                lambda self, x: (
                    self.conv2(
                        torch.where(self.conv1(torch.max(x, x / 5)) > 0, 1.0, 0.2)
                        * self.conv1(torch.max(x, x / 5))
                    )
                    + x
                )
            ),
            bend(
                lambda self, x: x.clone().add_(
                    self.conv2(nn.LeakyReLU(0.2)(self.conv1(nn.LeakyReLU(0.2)(x))))
                )
            ),
        ],
        wrong=[
            (bend(lambda self, x: x + self.conv2(F.leaky_relu(self.conv1(x), 0.2))), "no other line uses"),
            (bend(lambda self, x: x + self.conv2(self.conv1(F.leaky_relu(x, 0.2)))), "second activation"),
            (bend(lambda self, x: Bend.forward(self, x) - x), "adds its correction"),
            (bend(lambda self, x: Bend.forward(self, x) - x + F.leaky_relu(x, 0.2)), "not to its activation"),
            (bend(lambda self, x: x + self.conv2(F.relu(self.conv1(F.relu(x))))), "leaky"),
            (bend(lambda self, x: F.leaky_relu(Bend.forward(self, x), 0.2)), "After the sum"),
            (bend(lambda self, x: x + self.conv2(F.leaky_relu(self.conv1(F.leaky_relu(x))))), "0.01"),
            (
                bend(lambda self, x: x + self.conv1(F.leaky_relu(self.conv2(F.leaky_relu(x, 0.2)), 0.2))),
                "conv1 comes first",
            ),
        ],
    ),
    "check_grow": Answers(
        right=[
            Grow,
            type("Grow", (Grow,), {"forward": lambda self, x: self.conv(nn.Upsample(scale_factor=2)(x))}),
            type(
                "Grow", (Grow,), {"forward": lambda self, x: self.conv(torch.kron(x, torch.ones(2, 2).to(x)))}
            ),
        ],
        wrong=[
            (
                type("Grow", (Grow,), {"forward": lambda self, x: F.interpolate(x, scale_factor=2.0)}),
                "no gradient",
            ),
            (
                type(
                    "Grow",
                    (Grow,),
                    {"forward": lambda self, x: F.interpolate(self.conv(x), scale_factor=2.0)},
                ),
                "after the doubling",
            ),
            (
                type(
                    "Grow",
                    (Grow,),
                    {"forward": lambda self, x: self.conv(nn.Upsample(None, 2, "bilinear")(x))},
                ),
                "does not blend",
            ),
            (type("Grow", (Grow,), {"forward": lambda self, x: self.conv(x)}), "was expected"),
            (
                type("Grow", (Grow,), {"__init__": lambda self, channels: nn.Module.__init__(self)}),
                "conv.weight",
            ),
            (
                type("Grow", (Grow,), {"forward": lambda self, x: self.conv(x.repeat(1, 1, 2, 2))}),
                "each pixel",
            ),
            (
                type("Grow", (Grow,), {"forward": lambda self, x: Grow.forward(self, x).relu()}),
                "no activation",
            ),
            (
                type(
                    "Grow",
                    (Grow,),
                    {"forward": lambda self, x: Grow.forward(self, x) + nn.Upsample(scale_factor=2)(x)},
                ),
                "no sum",
            ),
        ],
    ),
    "check_look": Answers(
        right=[
            Look,
            type("Look", (Look,), {"forward": look_by_einsum}),
            type("Look", (Look,), {"forward": look_by_heads}),
        ],
        wrong=[
            (look_slip(heads=1), "Where is `self.heads`"),
            (look_slip(under=4), "the d under the root"),
            (look_slip(skip=False), "added to x"),
            (look_slip(axis=-2), "sum to 1"),
            (look_slip(under=1), "divided"),
            (look_slip(heads=1, under=2), "split them first"),
        ],
    ),
    "check_time_factor": Answers(
        right=[NO_TIME / WHOLE, round(NO_TIME / WHOLE, 2), torch.tensor(NO_TIME / WHOLE)],
        wrong=[
            (WHOLE / NO_TIME, "other way round"),
            (NO_TIME - WHOLE, "difference"),
            (NO_TIME, "divide by that of the whole"),
            (mean("rows for columns") / WHOLE, "mistaken embedding"),
            (mean("time only added") / WHOLE, "only added"),
            (NO_TIME / WHOLE - 1, "1 more"),
            (100 * NO_TIME / WHOLE, "in percent"),
        ],
    ),
}
