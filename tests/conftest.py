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
from tests.widget_page import page as page  # noqa: E402
from tests.widget_page import show as show  # noqa: E402
from tests.widget_page import tab as tab  # noqa: E402

# Files by their beginnings, the longest first. `make unit` gives a worker one file at a time (--dist loadscope), so
# that what a file starts is started once; with the long ones first, the workers end together.
LONG = (
    "test_gpu",
    "test_diagnose",
    "test_processes",
    "test_book",
    "test_generator_network",
    "test_web",
    "test_widget",
    "test_generator",
    "test_exercises_bank",
    "test_cli",
    "test_package",
    "test_stream",
    "test_headers",
    "test_fast",
)


def pytest_runtest_setup() -> None:
    """A test's first calls are checked."""
    check_again()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_teardown(nextitem: pytest.Item | None) -> None:
    """The browser runs on if the next test asks for it."""
    kept.wanted = "browser" in getattr(nextitem, "fixturenames", ())


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long files first, then those without a browser and those with one; otherwise the order stays."""
    browsing = {item.path for item in items if "browser" in getattr(item, "fixturenames", ())}

    def place(item: pytest.Item) -> tuple[int, bool]:
        long = (i for i, name in enumerate(LONG) if item.path.stem.startswith(name))
        return next(long, len(LONG)), item.path in browsing

    items.sort(key=place)


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
