"""What the tests of every chapter's graders share."""

import sys
from typing import Any

import pytest

from ddpm_lib import exercises
from ddpm_lib.exercises import Mistake, Verdict


def assert_each_mistake_is_told_apart(
    name: str, right: object, monkeypatch: pytest.MonkeyPatch, least: int = 3
) -> None:
    """Every mistake that the grader knows gets its own message: none hides behind another, or behind the right one."""
    known: list[tuple[object, str]] = []

    def record(answer: object, truth: object, mistakes: list[Any], *rest: Any) -> Verdict:
        known.extend((m.wrong, m.message) if isinstance(m, Mistake) else m for m in mistakes)
        return Verdict(True, "recorded")

    check = getattr(exercises, name)
    with monkeypatch.context() as patched:
        for function in ("grade", "grade_value"):
            patched.setattr(sys.modules[check.__module__], function, record, raising=False)
        check(right)
    assert len(known) >= least
    for wrong, message in known:
        verdict = check(wrong)
        assert not verdict
        assert verdict.message == message
