"""Make sure that there is a Chromium for the page tests: find one, or install one.

python -m tools.chromium
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

from playwright.sync_api import sync_playwright

from tests.browser import ChromiumMissing, find_chromium


def found() -> str | None:
    """The path of a Chromium, the system's or Playwright's own; None where there is neither."""
    with sync_playwright() as playwright:
        try:
            return find_chromium(playwright)
        except ChromiumMissing:
            return None


def install_package(*names: str) -> None:
    """Install packages of Debian or Ubuntu, as root; nothing elsewhere."""
    if not (hasattr(os, "geteuid") and os.geteuid() == 0 and shutil.which("apt-get")):
        return
    print(f"==> installing the system's {names[0]} (about a minute) ...", flush=True)
    environ = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for arguments in (["update", "-qq"], ["install", "-y", "-qq", "--no-install-recommends", *names]):
        subprocess.run(["apt-get", *arguments], env=environ, check=False, stdin=subprocess.DEVNULL)


def install() -> None:
    """Install Chromium: the system's package as root on Debian or Ubuntu, Playwright's own build otherwise."""
    install_package("chromium", "fonts-dejavu-core")
    if found():
        return
    print("==> no Chromium found: installing Playwright's own (about a minute) ...", flush=True)
    subprocess.run(
        [sys.executable, "-m", "playwright", "install", "chromium"], check=False, stdin=subprocess.DEVNULL
    )


def main() -> int:
    if not found():
        install()
    path = found()
    if path is None:
        print("There is no Chromium and none could be installed: install one, then run `make pages` again.")
        return 1
    print(f"Chromium: {path}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
