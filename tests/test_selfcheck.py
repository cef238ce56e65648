"""In *Check yourself* the length of an answer does not give it away, over the whole book."""

import html
import re
from pathlib import Path

import nbformat

BOOK = Path(__file__).resolve().parent.parent / "book"
QUESTION = re.compile(r"^\*\*\d+\. ", re.MULTILINE)
ANSWER = re.compile(r'<details class="self-check"><summary>([^\n]+)</summary>\n\n(Right\.|No:)', re.DOTALL)


def questions() -> list[tuple[str, int, list[int]]]:
    """(where, length of the right answer, lengths of the wrong ones) of every question."""
    found = []
    for path in sorted(BOOK.glob("*.ipynb")):
        cells = nbformat.read(path, as_version=nbformat.NO_CONVERT).cells
        for cell in cells:
            for number, question in enumerate(QUESTION.split(cell.source)[1:], start=1):
                answers = [
                    (len(html.unescape(re.sub(r"<[^>]+>", "", text))), start)
                    for text, start in ANSWER.findall(question)
                ]
                right = [length for length, start in answers if start == "Right."]
                if right:
                    wrong = [length for length, start in answers if start != "Right."]
                    found.append((f"{path.stem} {number}", right[0], wrong))
    return found


def test_the_longest_answer_is_right_no_more_often_than_by_chance() -> None:
    found = questions()
    longest = [where for where, right, wrong in found if right > max(wrong)]
    assert len(found) >= 30
    assert len(longest) <= 0.4 * len(found), (
        f"The right answer is the longest in {longest}: shorten it there."
    )
