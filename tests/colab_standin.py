"""A stand-in for Colab: a fresh environment that holds what Colab has, and nothing of the course.

Torch and the like are links to the ones beside this interpreter, so that they are not downloaded again; ipywidgets is
the version that Colab has kept, from PyPI. As in Colab, `google.colab` is imported before a notebook begins.
"""

import json
import os
import re
import subprocess
import venv
from importlib.metadata import Distribution, distribution, distributions
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from packaging.requirements import Requirement

from tools.kernel import CELL_LIMIT, START_LIMIT

LINKED = ("ipykernel", "matplotlib", "numpy", "pillow", "pip", "safetensors", "torch", "tqdm", "traitlets")
COLABS = (
    "ipywidgets==7.7.1",
    "ipython_genutils==0.2.0",
    "jupyterlab_widgets==1.1.11",
    "widgetsnbextension==3.6.10",
)


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def with_requirements(names: tuple[str, ...]) -> list[Distribution]:
    """These distributions of this interpreter's, and all that they need."""
    found: dict[str, Distribution] = {}
    wanted = list(names)
    while wanted:
        name = canonical(wanted.pop())
        if name not in found:
            found[name] = distribution(name)
            needs = [Requirement(line) for line in found[name].requires or []]
            wanted += [
                need.name for need in needs if need.marker is None or need.marker.evaluate({"extra": ""})
            ]
    return list(found.values())


class StandIn:
    """An environment in `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        venv.create(folder, with_pip=False)
        self.python = folder / "bin" / "python"
        self.environ = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
        self.site = Path(self.run("-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip())
        for each in with_requirements(LINKED):
            for top in {file.parts[0] for file in each.files or []} - {"..", "__pycache__"}:
                if not (self.site / top).exists():
                    (self.site / top).symlink_to(Path(str(each.locate_file(top))))
        self.run("-m", "pip", "install", "--quiet", "--no-deps", *COLABS)
        # The last of these asks for Jupyter's server, with which a kernel has nothing to do: its name is enough.
        (self.site / "notebook-6.5.7.dist-info").mkdir()
        named = "Metadata-Version: 2.1\nName: notebook\nVersion: 6.5.7\n"
        (self.site / "notebook-6.5.7.dist-info" / "METADATA").write_text(named)
        (self.site / "google" / "colab").mkdir(parents=True)
        (self.site / "google" / "colab" / "__init__.py").touch()
        (self.site / "colab.pth").write_text("import google.colab\n")
        spec = {"argv": [str(self.python), "-m", "ipykernel_launcher", "-f", "{connection_file}"]}
        spec |= {"display_name": "colab", "language": "python", "env": {"PYTHONPATH": ""}}  # type: ignore[dict-item]
        (folder / "share" / "jupyter" / "kernels" / "colab").mkdir(parents=True)
        (folder / "share" / "jupyter" / "kernels" / "colab" / "kernel.json").write_text(json.dumps(spec))

    def run(self, *arguments: str) -> str:
        """What this environment's Python prints."""
        command = [str(self.python), *arguments]
        done = subprocess.run(
            command, cwd=self.folder, env=self.environ, check=True, stdout=subprocess.PIPE, text=True
        )
        return done.stdout

    def installed(self) -> dict[str, str]:
        """The version of everything that is installed here."""
        return {canonical(each.name): each.version for each in distributions(path=[str(self.site)])}

    def would_install(self, requirement: str) -> set[str]:
        """The names that pip would install or replace."""
        options = ("--quiet", "--dry-run", "--report", "-", requirement)
        report: dict[str, Any] = json.loads(self.run("-m", "pip", "install", *options))
        return {canonical(each["metadata"]["name"]) for each in report["install"]}

    def execute(self, notebook: Any, folder: Path, allow_errors: bool = False) -> Any:
        """The notebook's outputs, from a new kernel that starts in `folder`."""
        client = NotebookClient(
            nbformat.reads(json.dumps(notebook), as_version=4),
            kernel_name="colab",
            timeout=CELL_LIMIT,
            startup_timeout=START_LIMIT,
            allow_errors=allow_errors,
            resources={"metadata": {"path": str(folder)}},
        )
        return client.execute()
