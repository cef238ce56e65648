"""Further slips in the exercises on the ResNet and on the experiment."""

import torch

from tests.bank import More
from tests.bank.experiment import EXCESS, FLOOR, LARGE, SMALL
from tests.bank.resnet import ALL, FACTOR, NONE
from tests.bank.unet import Look
from tests.bank.unet_blocks import Grow


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
    "check_view": [
        (26, "That is 1 more than what was"),
        (37, "Too wide: each convolution adds one pixel"),
        (7, "Too narrow: count the convolutions of six"),
        (6, "Too narrow: count the convolutions of six"),
        (28, "Too wide: each convolution adds one pixel"),
    ],
    "check_blocks_needed": [
        (6.75, "Too few: then the two far corners"),
        (56, "More than needed: fewer blocks reach from"),
        (9, "Too few: then the two far corners"),
        (784, "More than needed: fewer blocks reach from"),
        (12, "Too few: then the two far corners"),
    ],
    "check_residual": [
        (
            lambda x, w1, b1, w2, b2, conv, lrelu: lrelu(x) + conv(lrelu(conv(x, w1, b1)), w2, b2),
            "The activation belongs before the first convolution",
        ),
        (
            lambda x, w1, b1, w2, b2, conv, lrelu: x + conv(lrelu(conv(lrelu(x), w1, b1)), w1, b1),
            "Your result does not change with `w2`",
        ),
        (
            lambda x, w1, b1, w2, b2, conv, lrelu: x + conv(lrelu(conv(lrelu(x), w1, b2)), w2, b1),
            "It is what comes out with `b1`",
        ),
        (
            lambda x, w1, b1, w2, b2, conv, lrelu: x + conv(lrelu(conv(lrelu(x), w1, 0 * b1)), w2, 0 * b2),
            "Your result does not change with `b1`",
        ),
        (
            lambda x, w1, b1, w2, b2, conv, lrelu: x * conv(lrelu(conv(lrelu(x), w1, b1)), w2, b2),
            "The correction is added to x, not",
        ),
    ],
    "check_dilated_view": [
        (lambda n: 4 * 2**n, "Right up to a sum"),
        (lambda n: 1 + 2 * 2**n, "That is the last block alone"),
        (lambda n: 1 + 8 * (2**n - 1), "Count the blocks from k = 0"),
        (lambda n: (1 + 4 * (2**n - 1)) ** 2, "That is the square of what was"),
        (lambda n: 1 + 2 * n * (n + 1), "It is right for n = 1"),
    ],
    "check_add_time": [
        (lambda h, f: h + f.mean(1)[:, None, None, None], "Each feature map has a number of"),
        (lambda h, f: h + f.reshape(4, 2, 2, 1).repeat(1, 2, 2, 1), "Of its 256 entries 64 are right"),
        (lambda h, f: f[:, :, None, None].expand_as(h), "The axes are right"),
        (
            lambda h, f: torch.cat([h, f[:, :, None, None].expand_as(h)], 1),
            "Your function's result has shape (4, 8",
        ),
        (lambda h, f: h + f[None, :, None, :], "The features' first axis is that of"),
    ],
    "check_repair_factor": [
        (FACTOR**0.5, "That is the square root of what"),
        (NONE["loss"], "That is the loss of the first"),
        (ALL["loss"], "That is the loss with all three"),
        (1 - 1 / FACTOR, "That is how much less it is"),
        (FACTOR - 1, "That is the change"),
    ],
    "check_epoch_steps": [
        (93750, "Ten epochs are 600,000 pictures; 64 make"),
        (9376, "It is less: whole batches of one"),
        (60000, "That is the number of pictures of"),
        (600000 / 64, "60,000 is no multiple of 64"),
        (64, "It is more: whole batches of one"),
    ],
    "check_training_cost": [
        (lambda forward, pictures: 3 * forward / pictures, "Right but for a factor `pictures^2` that"),
        (lambda forward, pictures: 3 * pictures, "Your result does not change with `forward`"),
        (lambda forward, pictures: forward**3 * pictures, "Costs add up: three times `forward`, not"),
        (lambda forward, pictures: 5 * forward * pictures, "One product forward and two backward are"),
        (lambda forward, pictures: forward + 2 * forward * pictures, "The forward pass is run for each"),
    ],
    "check_seconds": [
        (lambda cost, peak, share: cost * share, "Your result does not change with `peak`"),
        (lambda cost, peak, share: peak / cost, "Your result does not change with `share`"),
        (lambda cost, peak, share: cost / (peak * share) / 60, "Right up to the factor 1 /"),
        (lambda cost, peak, share: cost * peak * share, "Divide: a faster machine takes fewer seconds"),
        (lambda cost, peak, share: cost / (peak + share), "The machine reaches only a share of"),
    ],
    "check_race": [
        (
            lambda a, b, distance: distance(a[: max(len(a), len(b))]) - distance(b[: max(len(a), len(b))]),
            "The two are measured on different numbers",
        ),
        (lambda a, b, distance: distance(a[:10]) / distance(b[:10]), "That is a ratio: the difference of"),
        (lambda a, b, distance: abs(distance(a[:10]) - distance(b[:10])), "Right but for an absolute value"),
        (
            lambda a, b, distance: distance(a) * len(a) - distance(b) * len(b),
            "Right up to the factor -122.2, which",
        ),
        (lambda a, b, distance: distance(a[:10]), "That is the distance of the first"),
    ],
    "check_excess": [
        (100 * EXCESS, "That is in percent"),
        (LARGE, "That is the large network's distance"),
        (SMALL, "That is the small network's distance"),
        (FLOOR, "That is the floor, which real digits"),
        ((LARGE - FLOOR) / SMALL, "Subtract the floor from both"),
    ],
    "check_widest_gap": [
        ("200", "The answer should be made of numbers"),
        (5, "There the ResNet's loss is the smaller"),
        (10, "There the factor is 0.76"),
        (20, "That is a tenth of what was"),
        (300, "That t is not in the table"),
    ],
}
