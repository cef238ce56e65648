"""What a chapter does for its reader: it asks and answers, has exercises, names its folds and ends in time."""

import re

import nbformat
import pytest

from tests.chapters import ANSWER, QUESTION, ROOT, Cell, code_cells, markdown
from tests.chapters import notebook as notebook


@pytest.mark.parametrize("name", ["train_now", "unet"])
def test_a_long_training_has_a_budget_of_time_as_well(name: str) -> None:
    """On a slow machine it must end all the same, and say what came of it."""
    cells = code_cells(nbformat.read(ROOT / "book" / f"{name}.ipynb", as_version=nbformat.NO_CONVERT))
    code = "\n".join(cell.source for cell in cells)
    assert code.count("seconds=CHAPTER_SECONDS") == code.count("replace(preset.train") == 1
    assert "Time was up" in code


DERIVING = [
    "forward",
    "posterior",
    "loss",
    "sampling",
    "resnet",
    "quality",
    "guidance",
    "clinic",
    "one_idea",
    "probability_flow",
    "predict",
    "few_steps",
    "where",
]  # the chapters that a reader is examined on


@pytest.mark.parametrize("name", [*DERIVING, "engineering", "javascript"])
def test_a_chapter_asks_and_answers(name: str) -> None:
    text = markdown(nbformat.read(ROOT / "book" / f"{name}.ipynb", as_version=nbformat.NO_CONVERT))
    section = text.split("## Check yourself", 1)[1].split("\n## ", 1)[0]
    questions = QUESTION.split(section)[1:]
    assert len(questions) >= 4
    for question in questions:
        answers = ANSWER.findall(question)
        assert len(answers) == question.count("<details") >= 3, (
            f"An answer is not of the usual form: {question}"
        )
        assert [start for _, start, _ in answers].count("Right.") == 1, f"Not one right answer: {question}"
        assert all("$" not in summary for summary, _, _ in answers), f"A summary shows no $: {question}"


@pytest.mark.parametrize("name", [*DERIVING, "editing", "javascript"])
def test_a_chapter_has_graded_exercises_with_hints_and_solutions(name: str) -> None:
    notebook = nbformat.read(ROOT / "book" / f"{name}.ipynb", as_version=nbformat.NO_CONVERT)
    cells = {cell.id: cell for cell in notebook.cells}
    tasks = [re.sub("-try$", "", key) for key in cells if re.search(r"-ex\d+-try$", key)]
    assert len(tasks) >= 5
    for task in tasks:
        graders = re.findall(r"exercises\.(check_\w+)", cells[f"{task}-try"].source)
        assert graders, f"{task} is not graded."
        assert graders[0] in cells[f"{task}-solution"].source, f"{task}: its solution is not graded."
        assert "hide-cell" in cells[f"{task}-solution"].metadata.tags, f"{task}: its solution is not folded."
        assert "<summary>Hint</summary>" in cells[task].source, f"{task} has no hint."


# How a fold of code is named: by what it does, or as what a reader looks for; its words are shown as they are.
FOLD = re.compile(
    r"Code(?: and table)?: [^`$]+|Show the solution|Show the answer|Show the nearest training images[^`$]*"
)


def test_a_fold_of_code_says_what_is_in_it(notebook: Cell) -> None:
    folded = [
        c for c in code_cells(notebook) if {"hide-input", "hide-cell"} & set(c.metadata.get("tags", []))
    ]
    names = {c.id: c.metadata.get("mystnb", {}).get("code_prompt_show", "the theme's words") for c in folded}
    assert {name: words for name, words in names.items() if not FOLD.fullmatch(words)} == {}
