"""The book's own Sphinx extension.

Mathematics without a network, this repository's address, the page of equations, numbered figures, light pages,
a quiet console, the network that the pages run and the digits that one of them trains on.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.errors import ExtensionError
from sphinx.highlighting import PygmentsBridge

from ddpm_lib.assets.weights import load_weights
from ddpm_lib.web.page_script import write_page_script
from ddpm_lib.widgets.digits.digits import URL as DIGITS_URL
from ddpm_lib.widgets.digits.images import digits_script
from ddpm_lib.widgets.generator.offered import NETWORKS
from tools import figures
from tools.address import find_address
from tools.equations import Incomplete
from tools.equations_page import write as write_equations
from tools.highlight import LightFormatter
from tools.launchers import add_launchers
from tools.page_math import add_math
from tools.page_networks import move_networks
from tools.page_rules import mend_pages
from tools.search import SearchWithoutAccents
from tools.teaching import declared

HOSTS = ("https://github.com/", "https://gitlab.com/", "https://bitbucket.org/")  # the theme knows these
COLAB_BRANCH = "colab"  # where the `book` workflow pushes the notebooks that Colab opens

SCRIPTS = ("scrolling.js", "contents.js")  # the pages' own, in book/assets

WIDGET_STATE = "application/vnd.jupyter.widget-state+json"

# The theme writes an empty mode into the page and then complains of it. A reader who has chosen none gets the
# system's; without JavaScript the page stays light.
THEME_MODE = """
(function (root) {
  root.mode = root.mode || "auto";
  if (root.theme !== "dark" && root.theme !== "light")
    root.theme = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
})(document.documentElement.dataset);
"""


def repository(app: Sphinx, config: Config) -> None:
    """Point the repository and Colab buttons at this copy of the course, or leave them out."""
    options: dict[str, Any] = config.html_theme_options
    options.pop("launch_buttons", None)
    address = find_address(Path(app.srcdir))
    known = address is not None and address.url.startswith(HOSTS)
    options["repository_url"] = address.url if address and known else ""
    options["use_repository_button"] = known
    if address is not None and address.on_github:
        options["repository_branch"] = COLAB_BRANCH
        options["launch_buttons"] = {"colab_url": "https://colab.research.google.com"}


def no_widget_state(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: object) -> None:
    """Drop the widgets' saved state from the page: their HTML carries its own, and no widget library is loaded."""
    scripts = context.get("script_files", [])
    scripts[:] = [file for file in scripts if getattr(file, "attributes", {}).get("type") != WIDGET_STATE]


def page_of_equations(app: Sphinx, config: Config) -> None:
    """Write book/equations.md before the sources are looked for; a gap in it ends the build."""
    try:
        write_equations()
    except Incomplete as error:
        raise ExtensionError(str(error)) from error


def network_for_pages(app: Sphinx, exception: Exception | None) -> None:
    """Write the files that a page loads when a reader presses Generate (the shipped weights) or Train (digits)."""
    if exception is None and app.builder.format == "html":
        for network in NETWORKS:
            path = Path(app.outdir) / network["url"]
            path.parent.mkdir(parents=True, exist_ok=True)
            write_page_script(path, load_weights(network["name"]))
        (Path(app.outdir) / DIGITS_URL).write_text(digits_script(), encoding="utf-8")


def networks_of_a_page(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: object
) -> None:
    """Move the networks that a chapter trained out of its page."""
    if "body" in context:
        context["body"] = move_networks(context["body"], Path(app.outdir))


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_config_value("comments_config", {}, "")  # Jupyter Book sets it for an extension that we leave out
    PygmentsBridge.html_formatter = LightFormatter
    app.add_search_language(SearchWithoutAccents)
    app.setup_extension(figures.__name__)
    app.connect("config-inited", page_of_equations)
    add_math(app)
    app.connect("source-read", declared)
    app.connect("config-inited", repository, priority=400)  # before the theme reads its options
    app.connect("html-page-context", no_widget_state, priority=900)  # after myst-nb has added it
    app.connect("html-page-context", add_launchers, priority=600)  # after the theme's own, at 501
    app.connect("html-page-context", networks_of_a_page)
    app.connect("build-finished", network_for_pages)
    app.connect("build-finished", mend_pages)
    app.add_js_file(None, body=THEME_MODE, priority=100)
    for script in SCRIPTS:
        app.add_js_file(script, loading_method="defer")
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
