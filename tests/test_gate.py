"""The stages of `make test`: in order, side by side where a plus says so, and none after one that failed."""

import sys
from pathlib import Path

import pytest

from tools import gate

# A `make` whose stages note that they ran; left and right each wait until the other has begun.
MAKE = f"""#!{sys.executable}
import pathlib, sys, time
stage, here = sys.argv[-1], pathlib.Path(__file__).parent
(here / stage).touch()
other = {{"left": "right", "right": "left"}}.get(stage, stage)
for _ in range(600):
    if (here / other).exists():
        break
    time.sleep(0.1)
else:
    sys.exit("it is alone")
print("said by", stage, flush=True)
sys.exit(stage == "broken")
"""


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "make"
    path.write_text(MAKE)
    path.chmod(0o755)
    monkeypatch.setenv("MAKE", str(path))
    return path


def test_stages_joined_by_a_plus_run_side_by_side(make: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert gate.main(["first", "left+right"]) == 0
    said = capfd.readouterr().out
    assert "=== [2/2] left and right ===" in said
    for stage in ("first", "left", "right"):
        assert said.count(f"said by {stage}\n") == 1
        assert f"=== {stage}: passed in " in said
    assert said.endswith("make test: every stage passed\n")


@pytest.mark.parametrize("step", ["broken", "fine+broken"])
def test_the_first_failure_is_the_last_step(make: Path, capfd: pytest.CaptureFixture[str], step: str) -> None:
    assert gate.main([step, "never"]) == 1
    said = capfd.readouterr().out
    assert not (make.parent / "never").exists()
    assert "said by broken\n" in said
    assert "=== broken: FAILED in " in said
    assert said.endswith("make test: broken failed; `make broken` runs it alone\n")
