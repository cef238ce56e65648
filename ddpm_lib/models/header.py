"""What a file says of itself is not to be trusted: each value is held against its field before anything is built.

A network takes no more memory than its file: it is first built without memory (on torch's device "meta"), and its
tensors' shapes are compared with the file's.
"""

from __future__ import annotations

import math
import types
from collections.abc import Mapping
from dataclasses import fields
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

C = TypeVar("C")

MOST = 2**53  # of whole numbers: what JSON's readers agree on
WIDEST = 4096  # side of an image in pixels, as in data/pixels.py
LONGEST = 4096  # letters of a name
# What a number may be, by its field's name; others are from 0 to MOST.
LIMITS: dict[str, tuple[int | float, int | float]] = {
    **dict.fromkeys(("channels", "base", "latent", "heads", "dim"), (1, 2**16)),
    "width": (0, 2**16),  # of a ResNet: 0 is as many as the image has channels
    "mults": (1, 2**12),
    **dict.fromkeys(("blocks", "layers", "groups", "winograd"), (0, 2**12)),
    **dict.fromkeys(("attention",), (0, 15)),
    **dict.fromkeys(("fold", "patch"), (1, 2**6)),
    **dict.fromkeys(("steps", "batch", "every", "accumulate"), (1, MOST)),
    **dict.fromkeys(("warmup", "label_drop"), (0, 1)),
    **dict.fromkeys(("betas", "ema", "dropout"), (0, 1 - 2**-24)),
    "shape": (1, WIDEST),
    "scale": (2**-20, MOST),
    "seed": (-(2**63), 2**64 - 1),
}


def check_settings(config: Any, but: str = "") -> None:
    """Raise ValueError where a field of a configuration, `but` one, has another type or range than in a file."""
    hints = get_type_hints(type(config))
    for field in (each for each in fields(config) if each.name != but):
        value = getattr(config, field.name)
        value = value.item() if hasattr(value, "item") else value  # a number of NumPy's
        # An infinite learning rate is a number too: training says what comes of it.
        low, high = LIMITS.get(field.name, (0, math.inf))
        if not _fits(value, hints[field.name], low, high):
            choices = get_args(hints[field.name]) if get_origin(hints[field.name]) is Literal else ()
            expected = (
                f"choose {' or '.join(map(repr, choices))}"
                if choices
                else f"it goes from {low:g} to {high:g}"
            )
            raise ValueError(
                f"{type(config).__name__} cannot have {field.name} = {short(value)}: {expected}."
            )


class HeaderError(ValueError):
    """A value in a header that cannot be; the message names it."""


def checked(cls: type[C], values: object) -> C:
    """`cls(**values)`, a frozen configuration, each value of its field's own type and range. Raises HeaderError."""
    if not isinstance(values, Mapping):
        raise HeaderError(f"{cls.__name__} is no table of settings")
    hints = get_type_hints(cls)
    for name, value in values.items():
        if name not in {field.name for field in fields(cls)}:  # type: ignore[arg-type]
            raise HeaderError(f"{str(name)[:40]!r} is no setting of {cls.__name__}")
        if not _fits(value, hints[name], *LIMITS.get(name, (0, MOST))):
            raise HeaderError(f"{name} is {short(value)}")
    return cls(**{key: tuple(value) if isinstance(value, list) else value for key, value in values.items()})


def number(values: Mapping[str, Any], name: str, kind: type[int] | type[float]) -> Any:
    """A number of a header, from 0 on. Raises HeaderError."""
    if not _fits(values[name], kind, 0, MOST):
        raise HeaderError(f"{name} is {short(values[name])}")
    return kind(values[name])  # JavaScript writes 2 for 2.0


def text(value: object) -> str:
    """A name in a header. Raises HeaderError."""
    if not _fits(value, str, 0, 0):
        raise HeaderError(f"a name is {short(value)}")
    return str(value)


def short(value: object) -> str:
    """A value as it is named in an error: on one line, and never long."""
    shown = ascii(value) if not isinstance(value, int) or abs(value) < 10**30 else "a number of many digits"
    return shown if len(shown) <= 60 else f"{shown[:60]}..."


def _fits(value: object, hint: Any, low: int | float, high: int | float) -> bool:
    kind, inner = get_origin(hint), get_args(hint)
    if kind is Literal:
        return isinstance(value, str) and value in inner
    if kind in (Union, types.UnionType):
        return any(_fits(value, each, low, high) for each in inner)
    if kind is tuple:
        if not isinstance(value, (list, tuple)) or (inner[-1] is not ... and len(value) != len(inner)):
            return False
        return all(_fits(each, inner[0], low, high) for each in value)
    if hint is str:
        return isinstance(value, str) and len(value) <= LONGEST
    if hint is float:
        return type(value) in (int, float) and low <= value <= high  # type: ignore[operator]
    return type(value) is hint and (hint is not int or low <= value <= high)  # type: ignore[operator]


class _Unfilled(TorchFunctionMode):
    """New weights are left as they are: to fill them on "meta" would first import torch's compiler."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if getattr(func, "__module__", "") == "torch.nn.init":
            return kwargs["tensor"]
        return func(*args, **(kwargs or {}))


def outline(build: Any, config: Any, tensors: int) -> nn.Module:
    """The network of a configuration without memory. Raises HeaderError where no such network can be.

    It has no more layers than `tensors`, the number of those in its file.
    """
    layers = getattr(config, "blocks", 0) or getattr(config, "layers", 0)
    if max(layers, 1) * len(getattr(config, "mults", (1,))) > max(tensors, 1):
        raise HeaderError("its configuration has more layers than the file has tensors")
    try:
        with torch.device("meta"), _Unfilled():
            network: nn.Module = build(config).eval()
    except (MemoryError, ImportError):
        raise  # no fault of the file's
    except Exception as error:  # sizes that contradict each other make torch raise anything
        raise HeaderError(f"its configuration makes no network: {_one_line(error)}") from error
    return network


def check_tensors(found: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> str | None:
    """What keeps tensors of a file from being those that are wanted, in a few words; None where nothing does."""
    if missing := sorted(wanted.keys() - found.keys()):
        return f"{missing[0]} is missing"
    if surplus := sorted(found.keys() - wanted.keys()):
        return f"{short(surplus[0])} belongs to no layer"
    for name, tensor in found.items():
        if tensor.shape != wanted[name].shape:
            return f"{name} has the shape {tuple(tensor.shape)} and not {tuple(wanted[name].shape)}"
        if tensor.dtype not in (torch.float16, torch.bfloat16, torch.float32, torch.float64):
            return f"{name} holds {tensor.dtype}"
    return None


def check_image(network: Any, shape: tuple[int, ...]) -> None:
    """Raise HeaderError where the network cannot read an example of this shape.

    The network is asked, and not run: a sum on "meta" would first import torch's compiler, which takes seconds.
    """
    try:
        network.check_shape(shape)
    except ValueError as error:
        raise HeaderError(f"its network cannot read images of shape {shape}: {_one_line(error)}") from error


def _one_line(error: Exception) -> str:
    line = " ".join(str(error).split()).rstrip(".")
    return line if len(line) <= 160 else f"{line[:160]}..."
