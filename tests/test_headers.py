"""What a checkpoint says of itself, changed in every way: it is read, or refused in one sentence, in little memory."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors import safe_open
from safetensors.torch import load_file, save

from ddpm_lib.models.storage import CheckpointError
from ddpm_lib.models.trained import load_trained
from ddpm_lib.train.checkpoint import load_checkpoint
from tests.damage import FEW, damaged
from tests.helpers import unchecked
from tests.saved_run import saved
from tests.test_hostile import MEMORY, largest

FEWER = settings(FEW, max_examples=50)


@cache
def whole() -> tuple[bytes, dict[str, Any], dict[str, str]]:
    """A run's file, its configuration, and what else its header holds."""
    with TemporaryDirectory() as folder:
        _, path = saved(Path(folder))
        with safe_open(path, framework="pt") as file:
            rest = file.metadata()
        return path.read_bytes(), json.loads(rest.pop("config")), rest


def with_header(config: object) -> bytes:
    """The file with another configuration, a text as it is."""
    raw, _, rest = whole()
    with TemporaryDirectory() as folder:
        path = Path(folder) / "x.safetensors"
        path.write_bytes(raw)
        text = config if isinstance(config, str) else json.dumps(config)
        return save(load_file(path), {**rest, "config": text})


def read(raw: bytes) -> str:
    """Load it both ways; the sentence that refuses it, or nothing. Its folder stays as it was."""
    with TemporaryDirectory() as folder, unchecked():
        path = Path(folder) / "checkpoint.safetensors"
        path.write_bytes(raw)
        said = []
        for load in (load_trained, load_checkpoint):
            try:
                checkpoint = load(path)
                getattr(checkpoint, "resume", checkpoint.network)()
            except CheckpointError as error:
                said.append(str(error))
        assert [file.name for file in Path(folder).iterdir()] == [path.name]
        assert path.read_bytes() == raw
    for sentence in said:
        assert sentence.isprintable()
        assert len(sentence) < 1000
    return " ".join(said)


@cache
def warm_up() -> None:
    """What is imported for the first file is not that file's doing."""
    read(whole()[0])


def changed(*way: Any, value: object) -> dict[str, Any]:
    """The configuration with one value, at the end of `way`, replaced."""
    config: Any = json.loads(json.dumps(whole()[1]))
    inner = config
    for step in way[:-1]:
        inner = inner[step]
    inner[way[-1]] = value
    return config


BAD = [
    (("model", 1, "base"), "32"),
    (("model", 1, "base"), -4),
    (("model", 1, "base"), 10**9),
    (("model", 1, "base"), 0),
    (("model", 1, "mults"), []),
    (("model", 1, "mults"), [0]),
    (("model", 1, "channels"), 0),
    (("model", 1, "base"), 0),
    (("model", 1, "heads"), 0),
    (("model", 1, "mults"), [1] * 10_000),
    (("model", 1, "blocks"), 10**6),
    (("model", 1, "activation"), "cube"),
    (("model", 1, "predicts"), "y"),
    (("about", "shape"), None),
    (("about", "shape"), [1, 10**9, 10**9]),
    (("about", "shape"), [-1, 8, 8]),
    (("step",), "5"),
    (("step",), -5),
    (("step",), 10**400),
    (("seconds",), None),
    (("train", "batch"), 0),
    (("train", "lr"), "fast"),
    (("train", "betas"), [0.9]),
    (("schedule",), ["linear", 1]),
]


@pytest.mark.filterwarnings("error")  # torch warns of networks without feature maps: none is built
@pytest.mark.parametrize(
    ("way", "value"), BAD, ids=[f"{'.'.join(map(str, way))}={str(value)[:20]}" for way, value in BAD]
)
def test_a_value_that_cannot_be_is_refused(way: tuple[Any, ...], value: object) -> None:
    raw = with_header(changed(*way, value=value))
    warm_up()
    before = largest()
    assert read(raw)
    assert largest() - before < MEMORY


def test_json_that_is_200_000_deep_is_refused() -> None:
    for text in ("[" * 200_000, '{"model":' * 200_000):
        assert read(with_header(text))


def test_the_file_as_it_was_is_read() -> None:
    assert read(whole()[0]) == ""
    assert read(with_header(whole()[1])) == ""


def test_a_file_cut_at_any_length_is_refused() -> None:
    raw = whole()[0]
    for length in [*range(24), *range(24, len(raw) - 1, len(raw) // 40), len(raw) - 1]:
        assert read(raw[:length]), length


def leaves(value: Any, way: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The ways to every value in a configuration."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in inner:
        yield (*way, key)
        yield from leaves(each, (*way, key))


ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 3),
    st.integers(),
    st.floats(),
    st.sampled_from([10**30, -(10**9), "", "\x1b[31m", "</script>", [], {}, [[]], [1, 2, 3]]),
    st.text(max_size=5),
)


@FEWER
@given(st.data())
def test_any_value_in_the_place_of_another(data: st.DataObject) -> None:
    way = data.draw(st.sampled_from(list(leaves(whole()[1]))))
    raw = with_header(changed(*way, value=data.draw(ODD)))
    warm_up()
    before = largest()
    read(raw)
    assert largest() - before < MEMORY


@FEWER
@given(damaged(st.builds(lambda: whole()[0])))
def test_damaged_files(raw: bytes) -> None:
    warm_up()
    before = largest()
    read(raw)
    assert largest() - before < MEMORY
