"""Buttons beside Colab's: a page's notebook in Kaggle, and the whole course in a Codespace.

Both need a repository on GitHub; elsewhere a page has none of them. The theme makes Colab's button and knows neither
of these two.
"""

from __future__ import annotations

from typing import Any

from sphinx.application import Sphinx

GROUP = "launch-buttons"  # what the theme calls its own group
TOOLTIP = "Launch on"


def launchers(repository: str, branch: str, page: str) -> list[dict[str, str]]:
    """What the theme's template makes a button of, for the notebook `page` on `branch` of a repository on GitHub."""
    notebook = f"{repository}/blob/{branch}/{page}.ipynb"
    name = repository.removeprefix("https://github.com/")
    places = {
        "Kaggle": (f"https://kaggle.com/kernels/welcome?src={notebook}", "fab fa-kaggle"),
        "Codespaces": (f"https://codespaces.new/{name}", "fab fa-github"),
    }
    return [
        {"type": "link", "text": place, "tooltip": f"{TOOLTIP} {place}", "icon": icon, "url": url}
        for place, (url, icon) in places.items()
    ]


def add_launchers(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: object) -> None:
    """Put the buttons behind Colab's, on the pages where that one is."""
    options = app.config.html_theme_options  # as `repository` in sphinx_course.py has set them
    for group in context.get("header_buttons", []):
        if group.get("label") == GROUP and "launch_buttons" in options:
            group["buttons"] += launchers(options["repository_url"], options["repository_branch"], page)
