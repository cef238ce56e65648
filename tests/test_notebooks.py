"""What every chapter's file keeps to, checked without running it (`make notebooks` runs it)."""

import ast
import re
from collections import Counter

import nbformat
import yaml

from tests.chapters import NAMES, NOTEBOOKS, ROOT, Cell, code_cells, markdown
from tests.chapters import notebook as notebook
from tools.colab import CELL, TAGS, is_setup
from tools.equations_page import PAGE


def python(cell: Cell) -> str:
    """A cell's Python, IPython's own lines (%magic, !shell, help?) left blank."""
    return "\n".join(
        "" if re.match(r"\s*[%!]|.*\?\s*$", line) else line
        for line in ("" if cell.source.startswith("%%") else cell.source).splitlines()
    )


def definitions(body: list[ast.stmt]) -> list[str]:
    """The public functions and classes that these statements define."""
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    return [node.name for node in body if isinstance(node, kinds) and not node.name.startswith("_")]


def library_names() -> set[str]:
    """What a chapter can import: the functions and classes of ddpm_lib, and the methods of the diffusion."""
    apart = {"cli", "exercises", "widgets"}
    paths = [path for path in (ROOT / "ddpm_lib").rglob("*.py") if not apart & set(path.parts)]
    bodies = [ast.parse(path.read_text(encoding="utf-8")).body for path in paths]
    classes = [node for body in bodies for node in body if isinstance(node, ast.ClassDef)]
    bodies += [node.body for node in classes if node.name == "GaussianDiffusion"]
    return {name for body in bodies for name in definitions(body)} - {"main"}


def leads_up(cell: Cell) -> bool:
    """Whether a cell may define what the library has: a derivation, an exercise's attempt or its solution."""
    return "derivation" in cell.metadata.get("tags", []) or bool(re.search(r"-ex\d*-|solution", cell.id))


def toc_files() -> list[str]:
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    chapters = [chapter for part in toc.get("parts", [toc]) for chapter in part["chapters"]]
    nested = [section for chapter in chapters for section in chapter.get("sections", [])]
    return [toc["root"], *(entry["file"] for entry in chapters + nested)]


def test_the_table_of_contents_and_the_folder_agree() -> None:
    listed = toc_files()
    assert len(listed) == len(set(listed)), f"_toc.yml lists a chapter twice: {listed}"
    missing = [
        file for file in listed if file != PAGE and not list(ROOT.glob(f"{file}.*"))
    ]  # PAGE is generated
    assert not missing, f"_toc.yml lists chapters that do not exist: {missing}"
    unlisted = [name for name in NAMES if name.removesuffix(".ipynb") not in listed]
    assert not unlisted, f"These notebooks are in no table of contents, so no reader finds them: {unlisted}"


def test_is_a_valid_notebook(notebook: Cell) -> None:
    nbformat.validate(notebook)
    assert (notebook.nbformat, notebook.nbformat_minor) >= (4, 5), (
        "Save it as nbformat 4.5: older ones have no ids."
    )
    identifiers = [cell.id for cell in notebook.cells]
    assert len(identifiers) == len(set(identifiers)), "Two cells share an id."
    assert notebook.metadata.kernelspec.name == "python3", (
        "The kernel must be python3, which every machine has."
    )


def test_stores_no_outputs(notebook: Cell) -> None:
    ran = [cell.id for cell in code_cells(notebook) if cell.outputs or cell.execution_count is not None]
    assert not ran, f"Strip the outputs (nbstripout): the book makes them anew. Cells: {ran}"


def test_begins_with_one_title(notebook: Cell) -> None:
    text = re.sub(r"```.*?```|~~~.*?~~~", "", markdown(notebook), flags=re.DOTALL)
    titles = re.findall(r"^# .+", text, flags=re.MULTILINE)
    assert len(titles) == 1, f"A chapter has one title; this one has {titles}."
    assert notebook.cells[0].source.splitlines()[0] == titles[0] or titles[0] in notebook.cells[0].source, (
        "The first cell must hold the title."
    )


def test_first_code_cell_is_the_set_up_cell(notebook: Cell) -> None:
    first = code_cells(notebook)[0]
    assert first.source == CELL, (
        "The set-up cell differs from tools/colab.py; run `python -m tools.colab --sync`."
    )
    assert first.metadata.get("tags") == TAGS, "Its tags differ; run `python -m tools.colab --sync`."
    assert sum(is_setup(cell) for cell in code_cells(notebook)) == 1, "There must be one set-up cell."


def test_installs_nothing_elsewhere(notebook: Cell) -> None:
    install = re.compile(r"\b(pip|conda|uv|apt(-get)?)\b[\s\"',]+install\b")
    cells = [cell.id for cell in code_cells(notebook)[1:] if install.search(cell.source)]
    assert not cells, f"Only the set-up cell installs anything. Cells: {cells}"


def test_no_cell_ends_in_a_semicolon(notebook: Cell) -> None:
    cells = [cell.id for cell in code_cells(notebook) if cell.source.rstrip().endswith(";")]
    assert not cells, (
        f"nbval runs these differently from Jupyter; write `_ = ...` instead of `...;`. Cells: {cells}"
    )


def test_code_parses_and_no_cell_is_empty(notebook: Cell) -> None:
    for cell in notebook.cells:
        assert cell.source.strip(), f"The cell {cell.id} is empty."
    for cell in code_cells(notebook):
        ast.parse(python(cell), filename=cell.id)


def test_every_image_in_the_text_has_an_alternative(notebook: Cell) -> None:
    text = markdown(notebook)
    bare = re.findall(r"!\[\s*\]\([^)]*\)", text)
    bare += [tag for tag in re.findall(r"<img\b[^>]*>", text) if not re.search(r"\balt=\"[^\"]+\"", tag)]
    blocks = re.findall(r"(?:```|:::)\{(?:figure|image)\}.*?(?:```|:::)", text, flags=re.DOTALL)
    bare += [block for block in blocks if not re.search(r"^:alt: \S", block, flags=re.MULTILINE)]
    assert not bare, f"Say in words what these pictures show: {bare}"


def test_a_notebook_defines_nothing_twice() -> None:
    """What ddpm_lib defines is imported, save where a chapter leads up to it."""
    library, here, again = library_names(), Counter[str](), []
    assert {"q_sample", "linear_schedule", "GaussianDiffusion"} <= library
    for path, name in zip(NOTEBOOKS, NAMES, strict=True):
        for cell in code_cells(nbformat.read(path, as_version=nbformat.NO_CONVERT)):
            if leads_up(cell):
                continue
            defined = definitions(ast.parse(python(cell)).body)
            here.update(set(defined))
            again += [f"{name}, cell {cell.id}: {word}" for word in defined if word in library]
    assert not again, f"ddpm_lib has these: import them, or tag the cell `derivation`: {again}"
    twice = [word for word, count in here.items() if count > 1]
    assert not twice, f"Defined in more than one cell; move them into ddpm_lib: {twice}"
