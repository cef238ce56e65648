"""3 x 3 convolutions by Winograd's algorithm: a quarter of the multiplications, all of them in large matrix products.

A tile of 4 x 4 outputs reads 6 x 6 inputs, and takes 144 multiplications for each pair of an input and an output
feature map. As A^T [(G w G^T) * (B^T x B)] A, with * by element, it takes 36 (Lavin and Gray 2016, F(4 x 4, 3 x 3)).
For each of the 36 places the sum over input maps is a matrix product. The transforms around it are products too, of
kron(B^T, B^T) with all tiles as columns. They are made per map and not per pair of maps, so wide layers gain and narrow
ones lose.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

# Pixels of a tile's side: written, read
OUT, IN = 4, 6
# Tiles times feature maps at once: 36 numbers for each are 3 MB, which a processor's cache holds
TOGETHER = 20_000


def _table(*rows: list[int]) -> Tensor:
    return torch.tensor(rows, dtype=torch.float64)


BT = _table(
    [4, 0, -5, 0, 1, 0],
    [0, -4, -4, 1, 1, 0],
    [0, 4, -4, -1, 1, 0],
    [0, -2, -1, 2, 1, 0],
    [0, 2, -1, -2, 1, 0],
    [0, 4, 0, -5, 0, 1],
)
G = _table([6, 0, 0], [-4, -4, -4], [-4, 4, -4], [1, 2, 4], [1, -2, 4], [0, 0, 24]) / 24
AT = _table([1, 1, 1, 1, 1, 0], [0, 1, -1, 2, -2, 0], [0, 1, 1, 4, 4, 0], [0, 1, -1, 8, -8, 1])
# Of the pixels of a tile (or of the filter) in a row
INPUT, FILTER, OUTPUT = (torch.kron(m, m) for m in (BT, G, AT))


def winograd_conv3x3(
    x: Float[Tensor, "b c_in h w"], weight: Float[Tensor, "c_out c_in 3 3"], bias: Float[Tensor, " c_out"]
) -> Float[Tensor, "b c_out h w"]:
    """conv2d(x, weight, bias, padding=1) and its gradients, but for rounding: 1e-5 of the largest value in float32.

    Book: eq-winograd (Lavin and Gray 2016).

    The result lies in memory as channels_last. For the gradient the transformed input is kept,
    2.25 times the size of x, or up to 3 times where height and width are no multiples of 4.
    """
    keep = torch.is_grad_enabled() and weight.requires_grad
    out: Tensor = _Winograd.apply(x, weight, bias, keep)  # type: ignore[no-untyped-call]
    return out


class WinogradConv2d(nn.Conv2d):
    """A 3 x 3 convolution with padding 1 that computes by Winograd's algorithm, where that serves."""

    def forward(self, x: Float[Tensor, "b c_in h w"]) -> Float[Tensor, "b c_out h w"]:
        """Same height and width."""
        if self.bias is None or not _serves(x):
            return super().forward(x)
        return winograd_conv3x3(x, self.weight, self.bias)


def use_winograd(network: nn.Module, channels: int) -> None:
    """Swap in Winograd's algorithm where a layer reads and writes at least `channels` feature maps; 0 swaps all out.

    A layer changes its class and nothing else, so weights, their names and hooks stay. The algorithm serves on a CPU
    outside autocast; elsewhere, and in a network that is compiled or exported, such a layer is a plain convolution.
    """
    for layer, width in _layers(network):
        layer.__class__ = WinogradConv2d if 0 < channels <= width else nn.Conv2d


def winograd_widths(network: nn.Module) -> list[int]:
    """For each layer that could use it, the fewer of the feature maps that it reads and writes."""
    return [width for _, width in _layers(network)]


def _layers(network: nn.Module) -> Iterator[tuple[nn.Conv2d, int]]:
    """The 3 x 3 convolutions with a bias, stride 1 and padding 1, and their widths."""
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d) and type(layer) in (nn.Conv2d, WinogradConv2d):
            shape = (layer.kernel_size, layer.stride, layer.padding, layer.dilation, layer.groups)
            if layer.bias is not None and shape == ((3, 3), (1, 1), (1, 1), (1, 1), 1):
                yield layer, min(layer.in_channels, layer.out_channels)


def _serves(x: Tensor) -> bool:
    exported = torch.onnx.is_in_onnx_export() or torch.compiler.is_compiling()
    return x.device.type == "cpu" and not torch.is_autocast_enabled("cpu") and not exported


class _Winograd(torch.autograd.Function):
    """Forward and backward pass, a few images at a time."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, keep: bool) -> Tensor:
        tiles = _Tiles(x, weight)
        u = tiles.of_filter(weight)
        out = x.new_empty(len(x), tiles.rows * OUT, tiles.columns * OUT, len(weight))
        kept = []
        for some in tiles.few_images():
            v = tiles.of_input(x[some])
            y = tiles.split(out[some])
            y.copy_((tiles.output @ torch.bmm(v, u).flatten(1)).view_as(y)).add_(bias)
            kept += [v] if keep else []
        ctx.tiles = tiles
        ctx.save_for_backward(weight, *kept)
        return out[:, : tiles.h, : tiles.w].contiguous().permute(0, 3, 1, 2)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, Tensor | None, Tensor, None]:
        weight, *kept = ctx.saved_tensors
        tiles: _Tiles = ctx.tiles
        u = tiles.of_filter(weight)
        du = torch.zeros_like(u)
        dx = grad.new_empty(len(grad), tiles.h, tiles.w, weight.shape[1])
        for i, some in enumerate(tiles.few_images()):
            dm = tiles.of_output_gradient(grad[some])
            if kept:
                torch.baddbmm(
                    du, kept[i].transpose(1, 2), dm, out=du
                )  # in place, and torch's counter knows it
            if ctx.needs_input_grad[0]:
                dx[some] = tiles.input_gradient(torch.bmm(dm, u.transpose(1, 2)))
        dw = tiles.filter_gradient(du) if kept else None
        return dx.permute(0, 3, 1, 2) if ctx.needs_input_grad[0] else None, dw, grad.sum((0, 2, 3)), None


class _Tiles:
    """The tiles of images of one size: cut out, transformed, and put together again.

    Inside, images are (b, h, w, c), and transformed tiles (36, b * rows * columns, c).
    """

    def __init__(self, x: Tensor, weight: Tensor) -> None:
        (self.b, c, self.h, self.w), c_out = x.shape, len(weight)
        self.rows, self.columns = -(-self.h // OUT), -(-self.w // OUT)
        self.images = max(1, TOGETHER // (self.rows * self.columns * max(c, c_out)))  # at once
        self.input, self.filter, self.output = (m.to(x) for m in (INPUT, FILTER, OUTPUT))

    def few_images(self) -> Iterator[slice]:
        """Slices of the batch."""
        return (slice(i, i + self.images) for i in range(0, self.b, self.images))

    def split(self, out: Tensor) -> Tensor:
        """The 4 x 4 tiles that whole images consist of, as a view: (4, 4, b, rows, columns, c)."""
        return out.view(-1, self.rows, OUT, self.columns, OUT, out.shape[-1]).permute(2, 4, 0, 1, 3, 5)

    def overlapping(self, padded: Tensor) -> Tensor:
        """The 6 x 6 tiles, four pixels apart, as a view: (6, 6, b, rows, columns, c)."""
        image, down, right, one = padded.stride()
        size = (IN, IN, len(padded), self.rows, self.columns, padded.shape[-1])
        return padded.as_strided(size, (down, right, image, OUT * down, OUT * right, one))

    def padded(self, like: Tensor, b: int, c: int) -> Tensor:
        """Room for b images of whole tiles and a border of one pixel, all zeros."""
        return like.new_zeros(b, self.rows * OUT + 2, self.columns * OUT + 2, c)

    def of_filter(self, weight: Tensor) -> Tensor:
        """G w G^T of every filter: (36, c_in, c_out)."""
        c_out, c_in = weight.shape[:2]
        return (self.filter @ weight.permute(2, 3, 1, 0).reshape(9, -1)).view(IN * IN, c_in, c_out)

    def filter_gradient(self, du: Tensor) -> Tensor:
        """G^T du G of every filter: (c_out, c_in, 3, 3)."""
        return (self.filter.t() @ du.flatten(1)).view(3, 3, *du.shape[1:]).permute(3, 2, 0, 1)

    def of_input(self, x: Tensor) -> Tensor:
        """B^T x B of every tile of (b, c_in, h, w)."""
        padded = self.padded(x, len(x), x.shape[1])
        padded[:, 1 : self.h + 1, 1 : self.w + 1] = x.permute(0, 2, 3, 1)
        columns = self.overlapping(padded).reshape(IN * IN, -1)
        return (self.input @ columns).view(IN * IN, -1, x.shape[1])

    def of_output_gradient(self, grad: Tensor) -> Tensor:
        """A g A^T of every tile of (b, c_out, h, w)."""
        whole = grad.permute(0, 2, 3, 1)
        if self.h % OUT or self.w % OUT:
            whole = grad.new_zeros(len(grad), self.rows * OUT, self.columns * OUT, grad.shape[1])
            whole[:, : self.h, : self.w] = grad.permute(0, 2, 3, 1)
        columns = self.split(whole.contiguous()).reshape(OUT * OUT, -1)
        return (self.output.t() @ columns).view(IN * IN, -1, grad.shape[1])

    def input_gradient(self, dv: Tensor) -> Tensor:
        """B dv B^T of every tile, added up where tiles overlap: (b, h, w, c_in)."""
        padded = self.padded(dv, dv.shape[1] // (self.rows * self.columns), dv.shape[2])
        into = self.overlapping(padded)
        tiles = (self.input.t() @ dv.flatten(1)).view_as(into)
        for down in (slice(0, OUT), slice(OUT, IN)):  # a tile's own rows, and those it shares with the next
            for right in (slice(0, OUT), slice(OUT, IN)):
                into[down, right] += tiles[down, right]
        return padded[:, 1 : self.h + 1, 1 : self.w + 1]
