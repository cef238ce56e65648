"""The floor of a distance: real digits, drawn as a network's are."""

from __future__ import annotations

import json

import pytest
import torch

from ddpm_lib.assets import weights
from ddpm_lib.data import ASSETS, mnist
from ddpm_lib.evaluate.classifier import digit_classifier, in_batches
from ddpm_lib.evaluate.floor import real_floor, real_sets
from ddpm_lib.evaluate.generate import class_labels
from ddpm_lib.evaluate.metrics import distance_and_error, frechet_distance

KNOWN = torch.tensor([0, 1, 2] * 40 + [0] * 30)


@pytest.mark.parametrize("labels", [None, torch.arange(20) % 3, torch.tensor([2, 2, 0, 1, 2] * 4)])
def test_no_digit_is_in_two_sets_and_each_set_has_the_classes_that_were_asked_for(labels) -> None:
    sets = list(real_sets(KNOWN, 20, labels, sets=3))
    assert [len(places) for places in sets] == [20, 20, 20]
    assert len(torch.cat(sets).unique()) == 60
    assert not any(torch.equal(places, places.sort().values) for places in sets)  # shuffled
    if labels is not None:
        assert all(torch.equal(KNOWN[places], labels) for places in sets)


def test_there_are_as_many_sets_as_digits_allow_and_one_at_least() -> None:
    assert [len(places) for places in real_sets(KNOWN, 60)] == [60, 60]
    assert [len(places) for places in real_sets(KNOWN, 400)] == [150]
    twos = torch.full((30,), 2)
    assert [len(places) for places in real_sets(KNOWN, 30, twos)] == [30]
    assert [len(places) for places in real_sets(KNOWN, 60, torch.full((60,), 2))] == [
        40
    ]  # all that there are


def test_classes_in_turn_halve_the_floor_of_few_digits() -> None:
    free, even = real_floor(256, sets=4), real_floor(256, class_labels(256, 10), sets=4)
    assert (free.sets, even.sets) == (4, 4)
    assert 0.3 < even.mean / free.mean < 0.75
    assert 0 < even.spread < 0.2 * even.mean


@pytest.fixture(scope="module")
def features() -> tuple[torch.Tensor, torch.Tensor]:
    """Those of all training digits and of all test digits, once."""
    read = digit_classifier().features
    return in_batches(read, mnist().x0()), in_batches(read, mnist(train=False).x0())


def test_one_set_has_the_spread_of_a_jackknife(monkeypatch: pytest.MonkeyPatch, features) -> None:
    known, test = features
    few = mnist().head(400)
    monkeypatch.setattr("ddpm_lib.evaluate.floor.mnist", lambda train=True: few if train else mnist(train))
    found = real_floor(256)
    (places,) = real_sets(few.y, 256)
    assert found.sets == 1
    assert found.mean == pytest.approx(frechet_distance(known[places], test), rel=1e-3)
    assert found.spread == pytest.approx(distance_and_error(known[places], test)[1], rel=1e-2)
    few = mnist().head(250)
    for n in (150, 140, 130):  # what is left of the fewest still spans the features
        assert real_floor(n).sets == 1
        assert real_floor(n).spread > 0


def test_the_cards_and_the_measured_tables_have_the_floor_of_their_own_classes(features) -> None:
    known, test = features
    y = mnist().y
    assert y is not None

    def floor(n: int, labels: torch.Tensor | None, sets: int) -> float:
        each = [frechet_distance(known[places], test) for places in real_sets(y, n, labels, sets)]
        assert len(each) == sets
        return sum(each) / sets

    in_turn = {told: floor(2048, class_labels(2048, 10) if told else None, 10) for told in (True, False)}
    for name in weights.shipped():
        card = weights.card(name)
        told = "classes 10" in card["Network"]
        assert float(card["of real training digits"]) == pytest.approx(in_turn[told], rel=2e-3), name
    first = floor(1024, y[:1024], 20)  # the classes of the first training digits
    stored = {"steps": first, "guidance": first, "flow_matching": floor(1024, class_labels(1024, 10), 10)}
    for name, expected in stored.items():
        result = json.loads((ASSETS / "measured" / f"{name}.json").read_text(encoding="utf-8"))
        assert result["samples"] == 1024
        assert result["floor"]["mean"] == pytest.approx(expected, abs=0.01), name
