"""The house rules of the package, read from its source: which way imports run, no pickle, short files."""

from __future__ import annotations

import ast
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "ddpm_lib"
FILES = sorted(PACKAGE.rglob("*.py"))
TREES = {file: ast.parse(file.read_text(encoding="utf-8")) for file in FILES}

# schedule -> diffusion -> {loss, sampling} -> gradient -> train -> ...: what each part of the core may import of ours.
CORE = {
    "schedule": set(),
    "models": set(),
    "ema": set(),
    "fetch": set(),
    "toys": set(),
    "gaussian": set(),
    "chain": {"schedule", "gaussian"},
    "photos": set(),
    "data": {"fetch", "photos"},
    "stream": {"data", "photos"},
    "diffusion": {"schedule", "models"},
    "bound": {"schedule", "gaussian", "chain", "diffusion", "models"},
    "loss": {"schedule", "diffusion", "models"},
    "sampling": {"diffusion", "models"},
    "engine": {"models"},
    "fast": set(),
    "gradient": {"diffusion", "loss", "engine", "models"},
    "train": {"diffusion", "loss", "gradient", "ema", "engine", "fast", "models"},
    "checkpoint": {"schedule", "diffusion", "models", "train"},
    "presets": {"schedule", "models", "train"},
    "formats": {"models", "checkpoint"},
    "cost": {"models"},
}
FRONT = {
    "plot",
    "exercises",
    "widgets",
    "cli",
    "__main__",
}  # what a reader meets; the library needs none of it


def part(file):
    """The part of the package that a file belongs to: its module, or its folder."""
    return file.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports(file):
    """Full names of the modules that a file imports anywhere, in functions too."""
    for node in ast.walk(TREES[file]):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file} imports relatively"
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names if node.module == "ddpm_lib")


def parts_imported(file):
    """Other parts of ddpm_lib that a file imports."""
    ours = {name.split(".")[1] for name in imports(file) if name.startswith("ddpm_lib.")}
    return {name for name in ours if (PACKAGE / name).is_dir() or (PACKAGE / f"{name}.py").is_file()} - {
        part(file)
    }


def test_every_file_of_the_core_is_there():
    assert set(CORE) <= {part(file) for file in FILES}


@pytest.mark.parametrize(
    "file", [f for f in FILES if part(f) in CORE], ids=lambda f: str(f.relative_to(PACKAGE))
)
def test_the_core_imports_one_way(file):
    assert parts_imported(file) <= CORE[part(file)]


def test_there_is_no_circle_of_imports():
    graph = {}
    for file in FILES:
        graph.setdefault(part(file), set()).update(parts_imported(file))
    assert len(list(TopologicalSorter(graph).static_order())) == len(graph)


def test_the_library_imports_nothing_that_a_reader_looks_at():
    for file in FILES:
        if part(file) not in FRONT:
            assert not parts_imported(file) & FRONT, file
    for name in ("plot", "exercises", "widgets"):
        others = {part(file) for file in FILES if name in parts_imported(file)}
        assert others <= {"__main__", "cli"}, name


def test_models_import_torch_alone():
    allowed = {"torch", "jaxtyping", "ddpm_lib", *sys.stdlib_module_names}
    for file in (PACKAGE / "models").glob("*.py"):
        assert {name.split(".")[0] for name in imports(file)} <= allowed, file
        assert parts_imported(file) == set(), file


@pytest.mark.parametrize("file", FILES, ids=lambda f: str(f.relative_to(PACKAGE)))
def test_no_pickle_anywhere(file):
    unsafe = {"pickle", "cPickle", "_pickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}
    assert not {name.split(".")[0] for name in imports(file)} & unsafe
    for node in ast.walk(TREES[file]):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            assert (node.value.id, node.attr) not in {("torch", "load"), ("torch", "save"), ("np", "save")}
        if isinstance(node, ast.keyword):
            assert node.arg != "allow_pickle"


@pytest.mark.parametrize("file", FILES, ids=lambda f: str(f.relative_to(PACKAGE)))
def test_a_file_is_short_and_says_what_it_is(file):
    assert len(file.read_text(encoding="utf-8").splitlines()) <= 250
    assert ast.get_docstring(TREES[file])


@pytest.mark.parametrize(
    ("module", "unwanted"),
    [
        ("ddpm_lib", ["torch", "numpy", "matplotlib"]),
        ("ddpm_lib.sampling", ["matplotlib", "anywidget", "PIL", "ddpm_lib.train"]),
        ("ddpm_lib.models", ["matplotlib", "ddpm_lib.schedule", "ddpm_lib.diffusion"]),
        ("ddpm_lib.checkpoint", ["matplotlib", "anywidget", "IPython"]),
        ("ddpm_lib.__main__", ["onnx", "onnxruntime", "diffusers", "accelerate", "webdataset"]),
        ("ddpm_lib.formats.onnx_file", ["onnx", "onnxruntime", "diffusers", "matplotlib"]),
        ("ddpm_lib.formats.pipeline_folder", ["onnx", "onnxruntime", "diffusers", "matplotlib"]),
    ],
)
def test_importing_a_part_does_not_drag_in_the_rest(module, unwanted):
    # In a fresh interpreter: this one has imported everything already.
    code = f"import sys, {module}; print([name for name in {unwanted!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
