"""Further slips in the exercises on the U-Net."""

import math

import torch
import torch.nn.functional as F

from tests.bank import More
from tests.bank.unet import Look
from tests.bank.unet_blocks import Grow, bend
from tests.bank.unet_time import NO_TIME, WHOLE, embed, mean


def look(layout="", axis=-1, scale=None, skip=True):
    class L(Look):
        def forward(self, x):
            b, c, h, w = x.shape
            d = c // self.heads
            qkv = self.qkv(x)
            if layout == "first":
                qkv = qkv.reshape(b, self.heads, 3, d, -1).transpose(1, 2)
            elif layout == "last":
                qkv = qkv.reshape(b, 3, d, self.heads, -1).transpose(2, 3)
            q, k, v = qkv.reshape(b, 3, self.heads, d, -1).unbind(1)
            s = (q.transpose(-1, -2) @ k / (scale(d, c, h * w) if scale else d**0.5)).softmax(axis)
            f = v @ s.transpose(-1, -2)
            if layout == "last":
                f = f.transpose(1, 2)
            return x * skip + f.reshape(x.shape)

    return L


class Swapped(Look):
    def forward(self, x):
        q, k, v = self.split(x)
        s = (k.transpose(-1, -2) @ q / q.shape[2] ** 0.5).softmax(-1)
        return x + (v @ s.transpose(-1, -2)).reshape(x.shape)


class NoT(Look):
    def forward(self, x):
        q, k, v = self.split(x)
        s = (q.transpose(-1, -2) @ k / q.shape[2] ** 0.5).softmax(-1)
        return x + (v @ s).reshape(x.shape)


class Heads1(Look):
    def forward(self, x):
        b, c, h, w = x.shape
        q, k, v = self.qkv(x).reshape(b, 3, c, h * w).unbind(1)
        s = (q.transpose(1, 2) @ k / self.heads**0.5).softmax(-1)
        return x + (v @ s.transpose(1, 2)).reshape(x.shape)


class Over(Look):
    def forward(self, x):
        q, k, v = self.split(x)
        s = (q @ k.transpose(-1, -2) / q.shape[2] ** 0.5).softmax(-1)
        return x + (s @ v).reshape(x.shape)


def sm(s, v, axis=-1):
    return s.softmax(axis) @ v


def grow(forward):
    return type("Grow", (Grow,), {"forward": forward})


MORE: More = {
    "check_middle": [
        ((512, 4, 4), "Of the first: That is twice what"),
        ((256, 16), "The answer should be 3 numbers in"),
        ((256, 32, 32), "Right: the first"),
        ((256, 16, 16), "Of the second: That is the square"),
        ((256, 8, 4), "Of the second: That is twice what"),
    ],
    "check_conv_cost": [
        (lambda c, s, level: 3 * (c * s) ** 2, "Right up to the factor 1 /"),
        (lambda c, s, level: 9 * (c * s) ** 2 * 2**level, "Both sides of the picture are halved"),
        (lambda c, s, level: 9 * c**2 * s, "Right but for a factor `s` that"),
        (lambda c, s, level: 9 * (c * 2**level) ** 2 * s**2, "The sides shrink: there are fewer pixels"),
        (lambda c, s, level: 9 * c * s**2 * 4**level, "Both counts of channels double"),
    ],
    "check_time_embedding": [
        (
            lambda t, dim: torch.cat(
                [(t[:, None] * torch.arange(dim // 2)).cos(), (t[:, None] * torch.arange(dim // 2)).sin()], 1
            ),
            "The frequencies are powers",
        ),
        (lambda t, dim: embed(t, dim)[:, : dim // 2], "Your function's result has shape (6, 4)"),
        (
            lambda t, dim: torch.cat(
                [
                    (t[:, None] * 10_000 ** (-torch.arange(dim // 2) / (dim // 2 - 1))).cos(),
                    (t[:, None] * 10_000 ** (-torch.arange(dim // 2) / (dim // 2 - 1))).sin(),
                ],
                1,
            ),
            "The exponent is -i / (dim /",
        ),
        (
            lambda t, dim: torch.cat(
                [
                    (t[:, None] * 1_000 ** (-torch.arange(dim // 2) / (dim // 2))).cos(),
                    (t[:, None] * 1_000 ** (-torch.arange(dim // 2) / (dim // 2))).sin(),
                ],
                1,
            ),
            "Of its 48 entries 20 are right",
        ),
        (lambda t, dim: embed(t / 500, dim), "Of its 48 entries 12 are right"),
    ],
    "check_similarity": [
        (lambda d, w: (d * w).cos(), "Your function's result has shape (16,), but"),
        (lambda d, w: (d + w).cos().sum(), "The angle of a frequency grows with"),
        (lambda d, w: ((d * w).cos() * (d * w).sin()).sum(), "cos a cos b + sin a"),
        (lambda d, w: (d * w).cos().prod(), "An inner product adds the frequencies' parts"),
        (lambda d, w: len(w) * torch.ones(()), "Your result does not change with `d`"),
    ],
    "check_bend": [
        (
            bend(lambda self, x: x + self.conv2(F.leaky_relu(self.conv1(F.leaky_relu(x, 0.2)), 0.2)) * 2),
            "The correction is added once, not twice",
        ),
        (
            bend(
                lambda self, x: (
                    x + F.leaky_relu(self.conv2(F.leaky_relu(self.conv1(F.leaky_relu(x, 0.2)), 0.2)), 0.2)
                )
            ),
            "There are two activations, each before a",
        ),
        (
            bend(lambda self, x: x + self.conv2(F.silu(self.conv1(F.silu(x))))),
            "The activation is the leaky ReLU, and",
        ),
        (
            bend(lambda self, x: x + self.conv1(F.leaky_relu(self.conv1(F.leaky_relu(x, 0.2)), 0.2))),
            "conv1 is called twice, and conv2 never",
        ),
        (bend(lambda self, x: x + self.conv2(self.conv1(x))), "There are two activations, one before each"),
    ],
    "check_grow": [
        (
            grow(lambda self, x: F.interpolate(self.conv(x), scale_factor=4.0)),
            "Your function's result has shape (2, 6",
        ),
        (
            grow(lambda self, x: self.conv(F.interpolate(x, scale_factor=2.0, mode="bicubic"))),
            "The doubling repeats pixels here, and does",
        ),
        (
            grow(lambda self, x: self.conv(self.conv(F.interpolate(x, scale_factor=2.0)))),
            "The convolution is called once, not twice",
        ),
        (grow(lambda self, x: self.conv(F.pixel_shuffle(x, 2))), "Your function raised RuntimeError"),
        (
            grow(lambda self, x: F.leaky_relu(self.conv(F.interpolate(x, scale_factor=2.0)), 0.2)),
            "Of its 1152 entries 574 are right",
        ),
    ],
    "check_time_factor": [
        (WHOLE, "That is the distance of the whole"),
        (100 * NO_TIME / WHOLE, "That is in percent"),
        (math.log(NO_TIME / WHOLE), "That is the logarithm of the factor"),
        (WHOLE / NO_TIME, "That is the other way round"),
        (mean("no skips") / WHOLE, "That is for the row 'no skips'"),
    ],
}
