"""The GPU run, rehearsed: every piece, from start to installation, and the plan."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from ddpm_lib.train.presets import LADDER, PRESETS
from tests import chapter_cells, rehearsal
from tools.gpu import outbox
from tools.gpu import plan as plan_module


@pytest.mark.slow
def test_a_machine_with_six_packages_and_no_network_does_every_piece_and_what_it_did_can_be_installed(
    tmp_path: Path,
) -> None:
    python, course = rehearsal.environment(tmp_path / "env"), rehearsal.course(tmp_path / "course")
    out = tmp_path / "out"
    said = rehearsal.run(python, course, "--tiny", "--minutes", "60", "--out", str(out))
    for name in ("diffusers", "denoising_diffusion_pytorch"):
        assert f"not measured: {name} is not installed" in said
    files = list(out.iterdir())
    assert len(files) <= outbox.MOST_FILES
    assert all(path.is_file() and path.stat().st_size < outbox.MOST_BYTES for path in files)
    assert {"unet-1-of-2.safetensors", "unet-2-of-2.safetensors"} <= {path.name for path in files}

    again = rehearsal.run(python, course, "--tiny", "--minutes", "60", "--out", str(out))
    assert "==>" not in again  # all was done before

    for _ in range(2):  # it can be repeated
        assert "unet" in rehearsal.run(python, course, "--install", str(out))
    measured, weights = (course / "ddpm_lib" / "assets" / name for name in ("measured", "weights"))
    rows = json.loads((measured / "ladder.json").read_text())["rows"]
    assert {row["rung"] for row in rows} == {"black paper", "real digits", *LADDER}
    assert all(row["minutes"] > 0 for row in rows if row["rung"] in LADDER)  # however short
    tables = ("ablate", "ablate-eps", "bridge", "gpu-speed", "predict", "flow_matching", "where")
    assert json.loads((measured / "predict.json").read_text())["steps"] == 1
    assert {f"{table}.json" for table in tables} <= {p.name for p in measured.iterdir()}
    for name in ("unet", "modern-unet-cond"):
        card = (weights / f"{name}.md").read_text()
        assert "| Frechet distance |" in card
        assert (weights / f"{name}.png").is_file()
    assert "all 24 steps of DDPM" in (weights / "unet.md").read_text()
    assert not (weights / "unet.safetensors").exists()  # the old one, in one file
    code = "import ddpm_lib; c = ddpm_lib.load('unet'); print(c.step, sum(p.numel() for p in c.network().parameters()))"
    loaded = rehearsal.call(python, course, "-c", code)
    assert loaded.split()[0] == "4"

    # and the chapters can read it
    measurements = {"ladder", "gpu-speed", "bridge", "ablate", "ablate-eps"}
    book = rehearsal.ROOT / "book"
    for name, count in (("experiment", 15), ("unet", 4), ("scale", 6)):
        cells = chapter_cells.reading(book / f"{name}.ipynb", measurements)
        assert len(cells) >= count
        chapter_cells.run(cells, course, book)

    raw = bytearray((out / "unet-1-of-2.safetensors").read_bytes())
    raw[-1] ^= 1
    (out / "unet-1-of-2.safetensors").write_bytes(raw)
    said = rehearsal.run(python, course, "--install", str(out), status=2)
    assert "unet-1-of-2.safetensors does not have its checksum: bring it again" in said


def test_every_piece_has_a_name_and_a_cost_and_the_networks_are_trained_before_they_are_measured() -> None:
    pieces = plan_module.plan()
    names = [piece.name for piece in pieces]
    assert len(names) == len(set(names))
    assert all(0 < piece.minutes < 5 for piece in pieces)
    for name in ("unet", "modern-unet-cond"):
        assert names.index(f"train {name}") < names.index(f"card of {name}")
    assert names[0] == "train unet"
    assert set(LADDER) == {name.removeprefix("ladder: ") for name in names if name.startswith("ladder: ")}
    assert set(LADDER) <= set(PRESETS)
    *others, widest = (PRESETS[name].train for name in LADDER)
    assert len(set(others)) == 1  # the rungs differ in their networks alone ...
    assert (
        replace(widest, lr=others[0].lr, clip=others[0].clip) == others[0]
    )  # ... and the last in its step as well
    assert len({(PRESETS[name].schedule, PRESETS[name].T) for name in LADDER}) == 1
