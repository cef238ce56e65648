"""`check_shape` says of a network, without running it, which examples it reads: exactly those that its layers take."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ddpm_lib.models import DiTConfig, MLPConfig, NetworkConfig, ResNetConfig, UNetConfig, WordsConfig, build
from tests.configs import MODERN, SMALL, WIDE, times
from tests.damage import FEW
from tests.helpers import unchecked

PHRASES = WordsConfig(("a one", "a seven"), channels=2, base=8, heads=2)
NETWORKS = [SMALL, MODERN, replace(SMALL, mults=(1, 1, 1)), ResNetConfig(), WIDE, PHRASES]
NETWORKS += [DiTConfig(channels=2, width=8, patch=patch, blocks=1, heads=2) for patch in (1, 2)]
SHAPES = [(c, h, w) for c in (1, 2) for h, w in product((1, 4, 6, 7, 8), repeat=2)]


def runs(network: torch.nn.Module, shape: tuple[int, ...]) -> bool:
    """Whether the layers themselves take an example of this shape."""
    with pytest.MonkeyPatch.context() as patch, unchecked(), torch.no_grad():
        patch.setattr(type(network), "check_shape", lambda self, shape: None)
        try:
            return network(torch.zeros(1, *shape), times(1)).shape == (1, *shape)
        except (RuntimeError, ValueError):
            return False


def reads(network: torch.nn.Module, shape: tuple[int, ...]) -> bool:
    """Whether the network says so."""
    try:
        network.check_shape(shape)  # type: ignore[operator]
    except ValueError:
        return False
    return True


@pytest.mark.parametrize("config", NETWORKS, ids=lambda config: type(config).__name__)
def test_a_network_reads_what_its_layers_take(config: NetworkConfig) -> None:
    network = build(config).eval()
    told = {shape: reads(network, shape) for shape in SHAPES}
    assert told == {shape: runs(network, shape) for shape in SHAPES}
    assert set(told.values()) == {True, False}
    assert not any(reads(network, shape) for shape in ((), (config.channels,), (1, 1, 8, 8)))  # type: ignore[union-attr]


def test_an_mlp_reads_points() -> None:
    network = build(MLPConfig(dim=3, width=8))
    for shape in ((3,), (2,), (), (3, 1), (1, 3)):
        assert reads(network, shape) == (shape == (3,))
    assert runs(network, (3,))


SIZES, FEWER = st.integers(1, 9), st.integers(0, 2)


def configs(cls: type[NetworkConfig], **fields: st.SearchStrategy) -> st.SearchStrategy:
    """A configuration's class, and what it is made of."""
    return st.tuples(st.just(cls), st.fixed_dictionaries(fields))


@settings(FEW, max_examples=60)
@given(
    configs(
        UNetConfig,
        base=SIZES,
        mults=st.sampled_from([(1,), (1, 2), (3, 1)]),
        blocks=FEWER,
        heads=SIZES,
        groups=FEWER,
        attention=st.sampled_from([(), (0,), (1,)]),
        fold=st.integers(1, 2),
    )
    | configs(
        DiTConfig,
        channels=SIZES,
        patch=st.integers(1, 2),
        width=st.integers(0, 16),
        blocks=FEWER,
        heads=SIZES,
    )
    | configs(ResNetConfig, width=SIZES, blocks=st.integers(0, 16), dilate=st.booleans(), time=st.booleans())
    | configs(WordsConfig, phrases=st.just(("one",)), base=SIZES, blocks=FEWER, heads=SIZES, groups=FEWER)
)
def test_a_network_that_can_be_built_can_run(drawn: tuple[type[UNetConfig], dict[str, Any]]) -> None:
    config = drawn[0](**drawn[1])
    try:
        network = build(config).eval()
    except ValueError:
        return
    assert runs(network, (config.channels, 4, 4))
