"""Write the notebooks in plain Markdown, for JupyterLab and its like, to _build/plain.

python -m tools.plain
"""

from tools.equations import ROOT
from tools.plain.copies import write_all
from tools.plain.places import Course

written = write_all(Course(ROOT), ROOT / "_build" / "plain")
print(f"{len(written)} notebooks in plain Markdown: open {written[0].parent.relative_to(ROOT)} in JupyterLab")
