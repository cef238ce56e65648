"""Make sure that there is a Firefox for the page tests, where that can be done: as root on Debian or Ubuntu.

python -m tools.firefox
"""

from __future__ import annotations

import sys

from tests.firefox import find_firefox
from tools.chromium import install_package


def main() -> int:
    """Never fails: without a Firefox its tests are skipped, and say so."""
    # Debian's name, then Ubuntu's
    for package in ("firefox-esr", "firefox"):
        if not find_firefox():
            install_package(package)
    print(f"Firefox: {find_firefox() or 'none was found, and its tests are skipped'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
