"""MathJax: one file, from the package sphinx-mathjax-offline."""

from __future__ import annotations

from importlib.metadata import files
from pathlib import Path

MATHJAX = "tex-svg-full.js"  # every TeX extension and the fonts, as paths, in one file: it loads nothing more


def mathjax_file() -> Path:
    """MathJax in one file, from the package sphinx-mathjax-offline."""
    for file in files("sphinx-mathjax-offline") or []:
        if file.name == MATHJAX:
            return Path(str(file.locate()))
    raise FileNotFoundError(
        f"sphinx-mathjax-offline holds no {MATHJAX}; run `make setup` to install it again."
    )
