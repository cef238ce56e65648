"""A chapter shows the library's own source, in the page's colors."""

import pytest

from ddpm_lib.diffusion import GaussianDiffusion
from ddpm_lib.evaluate.editing import Inpaint
from ddpm_lib.plot.listing import javascript, source
from ddpm_lib.schedule import cosine_schedule


def test_a_method_is_shown_without_its_indent() -> None:
    listing = source(GaussianDiffusion.q_sample)
    assert listing.startswith("def q_sample(")
    assert listing.splitlines()[-1].startswith("    return ")
    compile("from __future__ import annotations\n" + listing, "listing", "exec")


def test_the_step_that_keeps_known_entries_is_as_narrow_as_the_page() -> None:
    widest = max(source(Inpaint).splitlines(), key=len)
    assert len(widest) <= 92, widest


def test_a_notebook_colors_it_as_python() -> None:
    markdown = source(cosine_schedule)._repr_markdown_()
    assert markdown.startswith("```python\ndef cosine_schedule(")
    assert markdown.endswith("\n```")


def test_a_block_of_javascript_ends_where_it_closes() -> None:
    method = javascript("layers.js", "concat(a, b) {")
    assert method.startswith("concat(a, b) {\n  const ")
    assert method.endswith("\n}")
    assert method.count("{") == method.count("}")
    two = javascript("sampler.js", "const qSample", "function reverseStep")
    assert two.splitlines()[0].endswith(";")
    assert two.splitlines()[1:3] == ["", "function reverseStep(alphaBar, xt, x0, t, s, eta, z) {"]
    assert two._repr_markdown_().startswith("```javascript\n")


def test_a_text_over_several_lines_ends_with_its_quote() -> None:
    outwards = javascript("winograd.js", "const OUTWARDS")
    assert len(outwards.splitlines()) == 5
    assert outwards.count("`") == 2
    assert outwards.endswith("`;")


def test_a_beginning_that_is_not_one_line_is_refused() -> None:
    with pytest.raises(ValueError, match=r"0 lines of unet.js begin with 'nothing'"):
        javascript("unet.js", "nothing")
