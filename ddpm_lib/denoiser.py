"""What the library asks of a network, and the names of the shapes that all of its mathematics shares."""

from __future__ import annotations

from typing import Any, Literal, Protocol, runtime_checkable

from jaxtyping import Float, Int
from torch import Tensor

# b images (b, c, h, w), or b points (b, d); checked while the tests run
X = Float[Tensor, "b *shape"]
# Of one of them: whole numbers, or tensors of one while a network is traced for ONNX
Shape = tuple[Any, ...]
# One time for all of them, or one for each
Times = Int[Tensor, " b"]
Time = int | Times
# Their classes
Labels = Int[Tensor, " b"]
# A coefficient per image, shaped to broadcast against the images
Factor = Float[Tensor, "..."]

Predicts = Literal["eps", "x0", "v"]


@runtime_checkable  # so that the tests can check it
class Denoiser(Protocol):
    """An output for (x_t, t, y), shaped like x_t, and the name of the quantity that it predicts."""

    @property
    def predicts(self) -> Predicts:
        """ "eps", "x0" or "v"."""
        ...

    def __call__(self, xt: X, t: Times, y: Labels | None = None) -> X: ...
