"""The questions of the book: answers of like length, and no verdict on what nobody has answered."""

import re
from pathlib import Path
from statistics import mean

import nbformat
import pytest

from tests.chapters import ANSWER, NAMES, NOTEBOOKS, QUESTION, code_cells, markdown

STARTS = ("Right.", "No:")  # of what stands under an answer


def test_the_right_answer_is_seldom_the_longest() -> None:
    """A reader must not learn to pick the longest of three: at most one right answer in three is."""
    longest, right, wrong = [], [], []
    for path in NOTEBOOKS:
        here = []
        text = markdown(nbformat.read(path, as_version=nbformat.NO_CONVERT))
        section = text.partition("## Check yourself")[2].partition("\n## ")[0]
        for question in QUESTION.split(section)[1:]:
            answers = sorted(ANSWER.findall(question), key=lambda answer: len(answer[0]))
            here.append(answers[-1][1] == "Right.")
            lengths = {
                start: [len(words) for words, begins, _ in answers if begins == start] for start in STARTS
            }
            right.append(mean(lengths["Right."]))
            wrong.append(mean(lengths["No:"]))
        assert sum(here) <= len(here) / 2, f"{path.stem}: too often the right answer is the longest"
        longest += here
    assert len(longest) > 40
    assert sum(longest) <= len(longest) / 3
    assert mean(right) <= mean(wrong)  # nor are right answers longer on average


@pytest.mark.parametrize("path", NOTEBOOKS, ids=NAMES)
def test_what_a_reader_has_not_answered_is_not_judged_in_the_book(path: Path) -> None:
    notebook = nbformat.read(path, as_version=nbformat.NO_CONVERT)
    tries = [cell for cell in code_cells(notebook) if re.search(r"-ex\d+-try$", cell.id)]
    judged = [cell.id for cell in tries if "remove-output" not in cell.metadata.get("tags", [])]
    assert not judged, f"Tag these attempts `remove-output`: {judged}"
