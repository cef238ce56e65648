"""What the library asks of a network."""

from __future__ import annotations

from typing import Literal, Protocol, runtime_checkable

from jaxtyping import Float, Int
from torch import Tensor

Predicts = Literal["eps", "x0", "v"]


@runtime_checkable  # so that the tests can check it
class Denoiser(Protocol):
    """An output for (x_t, t, y), shaped like x_t, and the name of the quantity that it predicts."""

    @property
    def predicts(self) -> Predicts:
        """ "eps", "x0" or "v"."""
        ...

    def __call__(
        self, xt: Float[Tensor, "b *shape"], t: Int[Tensor, " b"], y: Int[Tensor, " b"] | None = None
    ) -> Float[Tensor, "b *shape"]: ...
