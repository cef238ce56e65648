"""The network that answers variances, and its table: what it says at first, and what each row costs."""

import json
from pathlib import Path

import pytest
import torch

from benchmarks import spread, variances
from ddpm_lib.models import UNet
from tests.helpers import close, normal


def untrained() -> UNet:
    torch.manual_seed(0)
    return UNet(spread.SMALL).eval()


@torch.inference_mode()
def test_at_first_it_says_the_middle_of_the_papers_two_for_every_pixel() -> None:
    judge, xt = variances.Judge(2), normal(2, *variances.SHAPE).float()
    said = judge.options({7: untrained()}, xt, xt.clamp(-1, 1), 300, 250)
    beta, small, learned = (said[kind] for kind in (*variances.TABLES[:2], ("learned", 7)))
    close(learned, (beta * small).sqrt().expand_as(xt), 1e-6)
    assert set(said) == {*variances.TABLES, ("learned", 7), ("learned, last too", 7)}


def test_the_table_has_a_row_for_every_variance_and_seed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[torch.Tensor] = []
    monkeypatch.setattr(variances, "distance", lambda x: drawn.append(x) or 1.0)
    out = tmp_path / "variances.json"
    size = {"steps": "1", "seeds": "2", "digits": "3", "samples": "4", "save": str(tmp_path), "out": str(out)}
    small = [word for name, value in size.items() for word in (f"--{name}", value)]
    variances.main([*small, "--counts", "5", "--drawn", "2"])
    variances.main([*small, "--counts", "2", "--drawn"])  # what is left out stays
    found = json.loads(out.read_text())
    row = {(r["steps"], r["variance"], r.get("seed")): r for r in found["rows"]}
    assert len(row) == len(found["rows"]) == 2 * (4 + 2 * 2)
    for count in (2, 5):
        tables = [row[count, name, None] for name, _ in variances.TABLES]
        assert tables[0]["last"] == tables[1]["last"] > tables[2]["last"] == tables[3]["last"]
        for seed in (0, 1):  # the two differ in the last step alone
            one, too = row[count, "learned", seed], row[count, "learned, last too", seed]
            assert one["last"] == tables[2]["last"] != too["last"]
            assert one["bits"] - one["last"] == pytest.approx(too["bits"] - too["last"], abs=0.0021)
    assert [(r["variance"], r.get("seed")) for r in found["pictures"]] == [
        *variances.TABLES[:3],
        ("learned", 0),
        ("learned", 1),
    ]
    assert all(x.shape == (4, 1, 28, 28) for x in drawn)
    assert not torch.equal(drawn[0], drawn[1])
