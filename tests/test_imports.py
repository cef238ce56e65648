"""The house rules of the package, read from its source: which way imports run, no pickle, short files."""

from __future__ import annotations

import ast
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "ddpm_lib"
FILES = sorted(PACKAGE.rglob("*.py"))
TREES = {file: ast.parse(file.read_text(encoding="utf-8")) for file in FILES}

# The story, in reading order: each module may import those before it, and torch.
STORY = (
    "gaussian",
    "schedule",
    "chain",
    "denoiser",
    "diffusion",
    "loss",
    "bound",
    "seeds",
    "sampling",
    "flow",
    "guidance",
)
# What goes on from there, in reading order: each may import the story, and those before it.
FURTHER = ("names", "precondition", "variances", "likelihood", "distill")
# Which other rooms (folders) a room's modules may import; "story" stands for the modules above.
ROOMS = {
    "story": set(),
    "further": {"story"},
    "models": {"story"},
    "data": set(),
    "train": {"story", "further", "models"},
    "evaluate": {"story", "models", "data"},
    "assets": {"models", "data"},
    "formats": {"story", "models"},
    "web": {"story", "models"},
    "plot": {"story"},
    "exercises": {"story", "models", "evaluate", "assets"},
    "widgets": {"story", "models", "data", "evaluate", "assets", "web", "plot"},
    "cli": {"story", "models", "data", "train", "evaluate", "assets", "formats", "web"},
    "__init__": {"assets", "models"},
    "__main__": {"cli", "models", "data", "train"},
}
ROOTS = {"__init__", "__main__", *STORY}  # all modules that lie in ddpm_lib/ itself


def module(file):
    """The parts of a file's name below the package, such as ("train", "machine", "probe")."""
    return file.relative_to(PACKAGE).with_suffix("").parts


def room(name):
    """The room that a module of the package lies in, by the first part of its name."""
    return "story" if name in STORY else name


def imports(file):
    """Full names of the modules that a file imports anywhere, in functions too."""
    for node in ast.walk(TREES[file]):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file} imports relatively"
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names if node.module == "ddpm_lib")


def ours(file):
    """What a file imports of ddpm_lib: the first part of each module's name."""
    found = {name.split(".")[1] for name in imports(file) if name.startswith("ddpm_lib.")}
    return {name for name in found if (PACKAGE / name).is_dir() or (PACKAGE / f"{name}.py").is_file()}


def foreign(file):
    """What a file imports that does not come with Python, by the first parts of the names."""
    return {each.split(".")[0] for each in imports(file)} - set(sys.stdlib_module_names)


def test_the_root_holds_the_story_and_nothing_else():
    assert {file.stem for file in PACKAGE.glob("*.py")} == ROOTS
    assert {path.name for path in PACKAGE.iterdir() if path.is_dir()} - {"__pycache__"} == set(ROOMS) - {
        "story",
        "__init__",
        "__main__",
    }


@pytest.mark.parametrize("file", FILES, ids=lambda f: str(f.relative_to(PACKAGE)))
def test_imports_run_one_way_between_the_rooms(file):
    own = room(module(file)[0])
    assert {room(name) for name in ours(file)} - {own} <= ROOMS[own]


@pytest.mark.parametrize("name", STORY)
def test_the_story_imports_only_what_comes_before_and_torch(name):
    file = PACKAGE / f"{name}.py"
    assert ours(file) <= set(STORY[: STORY.index(name)])
    assert foreign(file) <= {"torch", "jaxtyping", "ddpm_lib"}


@pytest.mark.parametrize("name", FURTHER)
def test_what_goes_further_imports_the_story_and_what_comes_before(name):
    file = PACKAGE / "further" / f"{name}.py"
    inner = {each.split(".")[2] for each in imports(file) if each.startswith("ddpm_lib.further.")}
    assert inner <= set(FURTHER[: FURTHER.index(name)])
    assert foreign(file) <= {"torch", "jaxtyping", "ddpm_lib"}


def test_the_room_beyond_the_story_has_an_order():
    assert {file.stem for file in (PACKAGE / "further").glob("*.py")} == {"__init__", *FURTHER}


def test_the_rooms_have_an_order():
    assert list(TopologicalSorter(ROOMS).static_order())  # raises CycleError where two rooms need each other


def test_models_import_torch_and_no_other_library():
    allowed = {"torch", "jaxtyping", "safetensors", "ddpm_lib", *sys.stdlib_module_names}
    for file in (PACKAGE / "models").glob("*.py"):
        assert {name.split(".")[0] for name in imports(file)} <= allowed, file


@pytest.mark.parametrize("file", FILES, ids=lambda f: str(f.relative_to(PACKAGE)))
def test_no_pickle_anywhere(file):
    unsafe = {"pickle", "cPickle", "_pickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}
    assert not {name.split(".")[0] for name in imports(file)} & unsafe
    for node in ast.walk(TREES[file]):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            assert (node.value.id, node.attr) not in {("torch", "load"), ("torch", "save"), ("np", "save")}
        if isinstance(node, ast.keyword):
            assert node.arg != "allow_pickle"


LONGEST = 200  # lines; of tests, tools and benchmarks too
SOURCES = sorted(path for end in ("py", "js", "css") for path in PACKAGE.rglob(f"*.{end}"))


@pytest.mark.parametrize("file", SOURCES, ids=lambda f: str(f.relative_to(PACKAGE)))
def test_a_file_is_short_and_says_what_it_is(file):
    text = file.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= LONGEST
    if file.suffix == ".py":
        assert ast.get_docstring(TREES[file])
    if file.suffix == ".js":
        assert text.lstrip().removeprefix('"use strict";').lstrip().startswith(("//", "/*"))


def test_tests_tools_and_benchmarks_are_short_and_say_what_they_are():
    files = [
        file for folder in ("tests", "tools", "benchmarks") for file in sorted((ROOT / folder).rglob("*.py"))
    ]
    texts = {file.relative_to(ROOT).as_posix(): file.read_text(encoding="utf-8") for file in files}
    assert {name: len(text.splitlines()) for name, text in texts.items() if text.count("\n") > LONGEST} == {}
    assert [name for name, text in texts.items() if text and not ast.get_docstring(ast.parse(text))] == []
