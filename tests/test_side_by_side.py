"""Tasks side by side: two at once, each heard, what it prints kept, and a death noticed."""

import os
import time
from pathlib import Path
from typing import Any

from tools.side_by_side import Say, run


def waits_for_the_other(path: Path, say: Say) -> None:
    path.touch()
    say("begin", os.environ["OMP_NUM_THREADS"])
    other = path.with_name({"one": "two", "two": "one"}.get(path.name, path.name))
    while not other.exists():
        time.sleep(0.05)
    print("said by", path.name, flush=True)
    say("end")


def dies(path: Path, say: Say) -> None:
    if path.name == "two":
        print("its last words", flush=True)
        os._exit(9)
    say("end")


def test_two_run_at_once_and_are_heard(tmp_path: Path) -> None:
    heard: list[tuple[str, Any]] = []
    paths = [tmp_path / name for name in ("one", "two", "three")]
    printed = run(waits_for_the_other, paths, lambda path, *words: heard.append((path.name, words[0])), 2)
    assert printed == {path: f"said by {path.name}\n" for path in paths}
    for name in ("one", "two", "three"):
        assert [what for who, what in heard if who == name] == ["begin", "end"]
    assert heard.index(("three", "begin")) > min(heard.index((name, "end")) for name in ("one", "two"))


def test_one_that_dies_is_noticed_and_the_others_run(tmp_path: Path) -> None:
    ended: list[str] = []
    paths = [tmp_path / name for name in ("one", "two", "three")]
    printed = run(dies, paths, lambda path, *words: ended.append(path.name), 2)
    assert sorted(ended) == ["one", "three"]
    assert printed[tmp_path / "two"] == "its last words\n"
