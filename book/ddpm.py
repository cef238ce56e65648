"""Denoising diffusion (Ho, Jain and Abbeel 2020) on one screen, with torch and numpy alone.

    python ddpm.py --data FOLDER    # of train-images-idx3-ubyte or its .gz; not needed beside ddpm_lib

trains a network and writes grid.png, 64 digits, and walk.png, 16 walks from noise to a digit. Images are
(b, 1, h, w) in [-1, 1]; t = 0 is the image, t = T the noise. In parentheses: the book's equations.
"""

import argparse
import gzip
import math
import zlib
from functools import partial
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn


class Diffusion:
    """The forward process and its posterior: nothing here is learned."""

    def __init__(self, T):
        beta = torch.linspace(1e-4, 0.02, T, dtype=torch.float64) * 1000 / T  # eq-linear (1.9)
        self.T, self.beta = T, F.pad(beta, (1, 0))  # beta[0] = 0: the image itself
        self.alpha_bar = (1 - self.beta).cumprod(0)  # eq-alpha-bar (1.5)

    def q_sample(self, x0, t, eps):
        ab = self.alpha_bar[t.cpu()].reshape(-1, 1, 1, 1)
        return ab.sqrt().to(x0) * x0 + (1 - ab).sqrt().to(x0) * eps  # eq-closed-form (1.6)

    def posterior(self, x0, xt, t):
        """Mean, variance of q(x_{t-1} | x_t, x_0): eq-posterior-mean (2.2), eq-posterior-variance (2.3)."""
        beta, ab, ab_before = self.beta[t], self.alpha_bar[t], self.alpha_bar[t - 1]
        mean = (ab_before.sqrt() * beta * x0 + (1 - beta).sqrt() * (1 - ab_before) * xt) / (1 - ab)
        return mean, (1 - ab_before) / (1 - ab) * beta


def zero(layer):
    """Let a layer begin at 0, so that it adds nothing at first."""
    for parameter in layer.parameters():
        nn.init.zeros_(parameter)
    return layer


act, conv = nn.LeakyReLU(0.2), partial(nn.Conv2d, kernel_size=3, padding=1)


class ResNet(nn.ModuleList):
    """The one that fails: a single channel, a view of 17 x 17 pixels, and no idea of the time."""

    def __init__(self):
        super().__init__(nn.Sequential(act, conv(1, 1), act, conv(1, 1)) for _ in range(4))

    def forward(self, x, t):
        for block in self:
            x = x + block(x)  # eq-resnet-block (5.1)
        return x


class Block(nn.Module):
    def __init__(self, c, d, time):
        super().__init__()
        self.conv1, self.time, self.conv2 = conv(c, d), nn.Linear(time, d), zero(conv(d, d))
        self.skip = nn.Identity() if c == d else nn.Conv2d(c, d, 1)

    def forward(self, x, emb):
        h = self.conv1(act(x)) + self.time(act(emb))[:, :, None, None]
        return self.skip(x) + self.conv2(act(h))  # eq-unet-block (6.2), without norm


class Attention(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.qkv, self.out = nn.Conv2d(c, 3 * c, 1), zero(nn.Conv2d(c, c, 1))

    def forward(self, x):
        b, c, h, w = x.shape
        q, k, v = self.qkv(x).reshape(b, 3, 4, c // 4, h * w).transpose(3, 4).unbind(1)
        mixed = F.scaled_dot_product_attention(q, k, v)  # eq-attention (6.3): (b, 4 heads, h * w, c / 4)
        return x + self.out(mixed.transpose(2, 3).reshape(b, c, h, w))


class Stage(nn.Sequential):
    def forward(self, x, emb):
        for layer in self:
            x = layer(x, emb) if isinstance(layer, Block) else layer(x)
        return x


class UNet(nn.Module):
    """The one that works: down to coarse pixels and up again, each stage with a skip to its mirror image."""

    def __init__(self, base=32, mults=(1, 2), blocks=1, fold=2):
        super().__init__()
        self.base, self.fold, time, widths = base, fold, 4 * base, [base * mult for mult in mults]
        self.time = nn.Sequential(nn.Linear(base, time), act, nn.Linear(time, time))
        self.first, self.down = conv(fold**2, base), nn.ModuleList()
        c, skips = base, [base]  # channels here, and those that the way up will read
        for level, width in enumerate(widths):
            if level:
                self.down.append(Stage(conv(c, c, stride=2)))
                skips.append(c)
            for _ in range(blocks):
                self.down.append(Stage(Block(c, width, time)))
                skips.append(c := width)
        self.middle, self.up = Stage(Block(c, c, time), Attention(c), Block(c, c, time)), nn.ModuleList()
        for level, width in reversed([*enumerate(widths)]):
            for _ in range(blocks + 1):
                self.up.append(Stage(Block(c + skips.pop(), c := width, time)))
            if level:
                self.up[-1].extend([nn.Upsample(scale_factor=2), conv(c, c)])
        self.last = zero(conv(c, fold**2))

    def forward(self, x, t):
        n = self.base // 2
        angle = t[:, None] * torch.exp(-math.log(10_000) * (torch.arange(n, device=t.device) / n))
        emb = self.time(torch.cat([angle.cos(), angle.sin()], dim=1))  # eq-time-embedding (6.1)
        skips = [h := self.first(F.pixel_unshuffle(x, self.fold))]  # fold x fold pixels become channels
        for stage in self.down:
            skips.append(h := stage(h, emb))
        h = self.middle(h, emb)
        for stage in self.up:
            h = stage(torch.cat([h, skips.pop()], dim=1), emb)
        return F.pixel_shuffle(self.last(act(h)), self.fold)


NETWORKS = {"resnet": ResNet, "small": UNet, "classic": partial(UNet, 96, (1, 2, 2), blocks=2, fold=1)}


def loss(network, diffusion, x0, t, eps):
    return F.mse_loss(network(diffusion.q_sample(x0, t, eps), t), eps)  # eq-l-simple (3.8)


def train(network, diffusion, images, steps, batch, lr):
    optimizer = torch.optim.Adam(network.parameters(), lr)  # and Algorithm 1
    for step in range(1, steps + 1):
        x0 = images[torch.randint(len(images), (batch,))] / 127.5 - 1  # eq-pixels (1)
        t = torch.randint(1, diffusion.T + 1, (batch,), device=x0.device)
        value = loss(network, diffusion, x0, t, torch.randn_like(x0))
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
        if step % 100 == 0 or step == steps:
            print(f"step {step:,} of {steps:,}: loss {value.item():.4f}", flush=True)


@torch.no_grad()
def sample(network, diffusion, draw):
    """Algorithm 2, eq-algorithm-2 (4.1): x_T, ..., x_1, x_0, where draw() is fresh noise."""
    yield (x := draw())
    for t in range(diffusion.T, 0, -1):
        ab, eps = diffusion.alpha_bar[t], network(x, torch.full((len(x),), t, device=x.device))
        x0 = (x - (1 - ab).sqrt() * eps) / ab.sqrt()  # eq-x0-from-eps (2.6)
        mean, variance = diffusion.posterior(x0.clamp(-1, 1), x, t)  # eq-clip (2.10)
        yield (x := mean + variance.sqrt() * draw())  # eq-reverse (2.8); the variance is 0 at t = 1


def read_mnist(folder):
    """(n, 1, h, w) bytes from the idx file in a folder, or from ddpm_lib."""
    if not folder:
        from ddpm_lib.data import mnist

        return mnist().pixels
    path = min(Path(folder).glob("train-images*"))
    raw = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    n, h, w = np.frombuffer(raw, ">u4", 3, offset=4)
    return torch.tensor(np.frombuffer(raw, np.uint8, offset=16).reshape(n, 1, h, w))


def write_png(path, images, columns):
    """Images (n, 1, h, w), so many to a row, as a gray PNG."""
    (n, _, h, w), pixels = images.shape, ((images.clamp(-1, 1) + 1) * 127.5).round().byte().cpu().numpy()
    rows = pixels.reshape(n // columns, columns, h, w).swapaxes(1, 2).reshape(-1, columns * w)
    head = np.array([columns * w, len(rows)], ">u4").tobytes() + bytes([8, 0, 0, 0, 0])
    body = zlib.compress(np.pad(rows, ((0, 0), (1, 0))).tobytes())  # a row begins with its filter: 0 is none
    file = b"\x89PNG\r\n\x1a\n"
    for chunk in b"IHDR" + head, b"IDAT" + body, b"IEND":
        file += (len(chunk) - 4).to_bytes(4, "big") + chunk + zlib.crc32(chunk).to_bytes(4, "big")
    Path(path).write_bytes(file)


def main():
    parser, device = argparse.ArgumentParser(), "cuda" if torch.cuda.is_available() else "cpu"
    options = {"data": "", "network": "small", "T": 500, "steps": 9_370, "batch": 64, "lr": 5e-4}
    for key, value in options.items():
        parser.add_argument(f"--{key}", type=type(value), default=value)
    a = parser.parse_args()
    network, diffusion, images = NETWORKS[a.network]().to(device), Diffusion(a.T), read_mnist(a.data)
    train(network, diffusion, images.to(device), a.steps, a.batch, a.lr)
    walk = list(sample(network, diffusion, lambda: torch.randn(64, *images.shape[1:], device=device)))
    write_png("grid.png", walk[-1], 8)
    walk = [walk[round(i * a.T / 15)][:16] for i in range(16)]  # 16 digits at 16 times from T to 0
    write_png("walk.png", torch.stack(walk, dim=1).flatten(0, 1), 16)


if __name__ == "__main__":
    main()
