"""The page of equations, written before the book is built: every numbered formula, what computes it, what tests it."""

from __future__ import annotations

from pathlib import Path

from tools.equations import ROOT, Equation, Incomplete, chapters, collect, counts
from tools.notebook import read, source

PAGE = "book/equations"  # as _toc.yml names it
ALGORITHMS = r"""## Both algorithms

**Algorithm 1, training** {eq}`eq-l-simple`. Again and again:

1. take an image $x_0$ from the data, a time $t$ evenly from $1, \dots, T$, and noise $\epsilon \sim \mathcal N(0, I)$;
2. make $x_t = \sqrt{\bar\alpha_t}\, x_0 + \sqrt{1 - \bar\alpha_t}\, \epsilon$ {eq}`eq-closed-form`;
3. take a gradient step on $\lVert \epsilon - \epsilon_\theta(x_t, t) \rVert^2$.

**Algorithm 2, sampling** {eq}`eq-algorithm-2`. Begin with $x_T \sim \mathcal N(0, I)$. For $t = T, \dots, 1$:

1. draw $z \sim \mathcal N(0, I)$, or take $z = 0$ if $t = 1$;
2. find $\mu = (x_t - b\, \epsilon_\theta(x_t, t)) / \sqrt{\alpha_t}$, $b = (1 - \alpha_t) / \sqrt{1 - \bar\alpha_t}$;
3. add noise: $x_{t-1} = \mu + \sigma_t\, z$.

The image is $x_0$. In `ddpm_lib` the two are `train` and `sample`."""


def page(equations: list[Equation], root: Path = ROOT) -> str:
    """All formulas, chapter by chapter (MyST Markdown)."""
    parts = [
        "# The equations",
        "Every numbered equation of the book on one page. Its number leads to the place where it is derived. Below "
        "it stand the function of `ddpm_lib` that computes it, the test that fails when the two disagree, and its "
        "number in the papers. The page is made from the chapters, the docstrings and the tests when the book is "
        f"built, and the build fails when one of them is missing. There are {counts(equations)}.",
    ]
    if {"eq-l-simple", "eq-closed-form", "eq-algorithm-2"} <= {equation.label for equation in equations}:
        parts.append(ALGORITHMS)
    for chapter in chapters(root):
        rows = [equation for equation in equations if equation.chapter == chapter]
        if rows:
            parts.append(f"## [{_title(root / f'{chapter}.ipynb')}]({Path(chapter).name}.ipynb)")
            parts += [_entry(equation) for equation in rows]
    return "\n\n".join(parts) + "\n"


def _entry(equation: Equation) -> str:
    functions = ", ".join(f"`{name}` in `{Path(file).name}`" for file, name in equation.functions)
    tests = ", ".join(f"`{name}` in `{Path(file).name}`" for file, name in equation.tests)
    papers = "; ".join(equation.papers)
    source = f"<br>In the papers: {papers}." if papers else ""
    return f"""::::{{container}} equation
{{eq}}`{equation.label}` **{equation.name}**

$$
{equation.formula}
$$

Computed by {functions}.<br>Tested by {tests}.{source}
::::"""


def _title(path: Path) -> str:
    return source(read(path)["cells"][0]).splitlines()[0].removeprefix("# ")


def write(root: Path = ROOT) -> Path:
    """Write book/equations.md; raise Incomplete, with every reason, when something is missing."""
    equations, problems = collect(root)
    if problems:
        raise Incomplete("The table of equations is not complete:\n  " + "\n  ".join(problems))
    target = root / f"{PAGE}.md"
    text = page(equations, root)
    if not target.is_file() or target.read_text(encoding="utf-8") != text:
        target.write_text(text, encoding="utf-8")
    return target
