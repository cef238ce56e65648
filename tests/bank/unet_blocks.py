"""Answers to the exercises of the chapter on the U-Net: its attention, its activation and its growth."""

import math

import torch
import torch.nn.functional as F
from torch import nn

from tests.bank import Answers, Bank


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


BANK: Bank = {
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
            (lambda q, k, v: (q @ k.T / q.shape[1] ** 0.5).exp() @ v, "divide each row"),
            (lambda q, k, v: (q @ k.T / v.shape[1] ** 0.5).softmax(1) @ v, "not a value's"),
            (lambda q, k, v: attend(q, k, k)[:, : v.shape[1]], "does not change with `v`"),
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
}
