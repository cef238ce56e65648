"""Every array's shape and type is checked while the tests run: ddpm_lib is imported under jaxtyping's hook."""

import pytest
import torch
from hypothesis import settings

from tests.checked import check_again, install

install("ddpm_lib", "beartype.beartype")

# The tests' tensors are tiny: a second thread costs them more than it gives, most of all on a busy machine.
torch.set_num_threads(1)

# A busy machine is slow, and not wrong.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")

from tests.browser import browser as browser  # noqa: E402  (fixtures; after the hook, for they import ddpm_lib)
from tests.browser import kept  # noqa: E402
from tests.generator_page import opened as opened  # noqa: E402
from tests.order import KEY, Kept, by_length  # noqa: E402
from tests.widget_page import page as page  # noqa: E402
from tests.widget_page import show as show  # noqa: E402
from tests.widget_page import tab as tab  # noqa: E402


def pytest_configure(config: pytest.Config) -> None:
    """What a test takes is kept for the next run."""
    cache = getattr(config, "cache", None)
    if cache is not None and not hasattr(config, "workerinput"):
        config.pluginmanager.register(Kept(cache))


def pytest_runtest_setup() -> None:
    """A test's first calls are checked."""
    check_again()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_teardown(nextitem: pytest.Item | None) -> None:
    """The browser runs on if the next test asks for it."""
    kept.wanted = "browser" in getattr(nextitem, "fixturenames", ())


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Long files first."""
    cache = getattr(config, "cache", None)  # -p no:cacheprovider leaves none
    took = {} if cache is None else cache.get(KEY, {})
    items.sort(key=by_length(items, took))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What the chapters weigh, where the page tests weighed them; workers cannot print."""
    reports = terminalreporter.getreports("passed") + terminalreporter.getreports("failed")
    rows = [value for report in reports for key, value in report.user_properties if key == "weight"]
    if rows:
        head = f"{'kB':<28}{'html':>9}{'pictures':>11}{'in all':>9}{'html compressed':>18}"
        terminalreporter.write_line(f"\n{head}")
    for path, html, compressed, pictures in rows:
        sizes = f"{html / 1e3:>9.0f}{pictures / 1e3:>11.0f}{(html + pictures) / 1e3:>9.0f}"
        terminalreporter.write_line(f"{path:<28}{sizes}{compressed / 1e3:>18.0f}")
