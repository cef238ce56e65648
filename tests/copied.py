"""The plain copies of the notebooks, made once."""

import re

from tools.equations import ROOT
from tools.notebook import Notebook, source
from tools.plain.copies import copies
from tools.plain.places import Course

SITE = "https://someone.github.io/course"
COPIES = {"lab": copies(Course(ROOT)), "colab": copies(Course(ROOT, SITE))}
LINK = re.compile(r"\]\(([^()\s]+)\)")


def text(notebook: Notebook) -> str:
    return "\n\n".join(source(cell) for cell in notebook["cells"] if cell["cell_type"] == "markdown")
