"""A chapter shows the library's own source, in the page's colours."""

from ddpm_lib.diffusion import GaussianDiffusion
from ddpm_lib.listing import source
from ddpm_lib.schedule import cosine_schedule


def test_a_method_is_shown_without_its_indent() -> None:
    listing = source(GaussianDiffusion.q_sample)
    assert listing.startswith("def q_sample(")
    assert listing.splitlines()[-1].startswith("    return ")
    compile("from __future__ import annotations\n" + listing, "listing", "exec")


def test_a_notebook_colours_it_as_python() -> None:
    markdown = source(cosine_schedule)._repr_markdown_()
    assert markdown.startswith("```python\ndef cosine_schedule(")
    assert markdown.endswith("\n```")
