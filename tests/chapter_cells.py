"""The cells of a chapter that read a measurement, run on another measurement than the one that they describe.

Asserts are left out: they hold what the chapter says of its own figures. What is found is a figure that is read under
another name than it is written, a table with a row too few, a picture that is not there.
"""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

READERS = ("measured", "samples")


class _NoAsserts(ast.NodeTransformer):
    def visit_Assert(self, node: ast.Assert) -> ast.Pass:
        return ast.copy_location(ast.Pass(), node)


def reading(notebook: Path, names: set[str]) -> dict[str, str]:
    """{id: source} of the cells that read one of those measurements, that build on one that does, and what they need.

    A cell that trains takes minutes, and is left out.
    """
    trees = {
        cell["id"]: ast.parse("".join(cell["source"]))
        for cell in json.loads(notebook.read_text(encoding="utf-8"))["cells"]
        if cell["cell_type"] == "code"
        and cell["id"] != "colab-setup"
        and not cell["id"].endswith(("-try", "-solution"))
    }
    maker: dict[str, str] = {}  # the last cell so far that made a name
    needs: dict[str, set[str]] = {}
    chosen: set[str] = set()
    results: set[str] = set()  # names that hold a measurement, or what was made of one
    for key, tree in trees.items():
        needs[key] = {maker[name] for name in _used(tree) - _made(tree) if name in maker}
        if (names & _read(tree) or results & _used(tree)) and "train" not in _used(tree):
            chosen.add(key)
        for line in tree.body:
            shown = names & _read(line) or results & _used(line)
            results = (
                results | _made(line) if shown and isinstance(line, ast.Assign) else results - _made(line)
            )
        maker |= dict.fromkeys(_made(tree), key)
    for key in reversed(trees):
        if key in chosen:
            chosen |= needs[key]
    return {key: ast.unparse(_NoAsserts().visit(tree)) for key, tree in trees.items() if key in chosen}


def _read(tree: ast.AST) -> set[str]:
    """The measurements that a cell reads by name."""
    calls = [
        node for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    ]
    first = [call.args[0] for call in calls if call.func.id in READERS and call.args]  # type: ignore[attr-defined]
    return {str(each.value) for each in first if isinstance(each, ast.Constant)}


def _made(tree: ast.AST) -> set[str]:
    """The names that a cell defines."""
    made = {
        node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            made.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            made |= {(alias.asname or alias.name).split(".")[0] for alias in node.names}
    return made


def _used(tree: ast.AST) -> set[str]:
    """The names that a cell reads."""
    return {
        node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
    }


RUN = """
import json, sys, traceback
space = {"__name__": "__main__"}
for key, source in json.load(sys.stdin).items():
    try:
        exec(compile(source, key, "exec"), space)
    except Exception:
        sys.exit(f"The cell {key} fails: {traceback.format_exc()[-1500:]}")
"""


def run(cells: dict[str, str], course: Path, book: Path) -> None:
    """Run them in the folder of the book with another copy of `ddpm_lib`; AssertionError with the cell that fails."""
    done = subprocess.run(
        [sys.executable, "-c", RUN],
        input=json.dumps(cells),
        cwd=book,
        env={**os.environ, "PYTHONPATH": str(course), "OMP_NUM_THREADS": "1", "MPLBACKEND": "agg"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-3000:]
