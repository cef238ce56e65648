"""What the tests of every chapter's graders share."""

import sys
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
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


def grader_tests(
    right: Mapping[str, object], values: AbstractSet[str], wrong: Sequence[tuple[str, object, str]]
) -> type:
    """The tests of a chapter's graders, as a class to be bound to a name that begins with Test.

    `right` answers by grader; `values` are the graders of a number, the others grade a function; `wrong` are
    (grader, answer, words of the verdict).
    """

    class Graders:
        @pytest.mark.parametrize("name", right)
        def test_the_right_answer_passes(self, name: str) -> None:
            verdict = getattr(exercises, name)(right[name])
            assert verdict, verdict
            assert repr(verdict).startswith("Right. ")

        @pytest.mark.parametrize(("name", "answer", "words"), wrong)
        def test_a_mistake_is_named(self, name: str, answer: object, words: str) -> None:
            verdict = getattr(exercises, name)(answer)
            assert not verdict
            assert words in verdict.message

        @pytest.mark.parametrize("name", right)
        def test_every_mistake_that_a_grader_knows_gets_its_own_message(
            self, name: str, monkeypatch: pytest.MonkeyPatch
        ) -> None:
            assert_each_mistake_is_told_apart(name, right[name], monkeypatch)

        @pytest.mark.parametrize("name", sorted(set(right) - values))
        def test_an_attempt_with_dots_is_open_and_not_wrong(self, name: str) -> None:
            assert "no answer yet" in getattr(exercises, name)(lambda *_: ...).message

        if values:

            @pytest.mark.parametrize("name", sorted(values))
            @pytest.mark.parametrize("answer", [None, ..., (..., ...)], ids=["none", "dots", "two dots"])
            def test_an_open_answer_is_not_marked_wrong(self, name: str, answer: object) -> None:
                assert "no answer yet" in getattr(exercises, name)(answer).message

    return Graders
