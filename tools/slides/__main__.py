"""Look at every deck of the built book as a projector shows it: 1280 by 720, from the disk.

python -m tools.slides     the decks lie in _build/html/slides; exit code 1 where one has a fault
"""

from __future__ import annotations

import sys

from playwright.sync_api import sync_playwright

from tests.browser import launch
from tools.serve import HTML, ROOT
from tools.slides.look import faults
from tools.slides.write import write_slides


def main() -> int:
    decks = write_slides(HTML, ROOT / "_toc.yml")
    bad = 0
    with sync_playwright() as playwright:
        browser = launch(playwright)
        for path in decks:
            count, found = faults(browser, path)
            bad += len(found)
            print(f"{path.stem:<14} {count:>3} slides", *(f"\n    {each}" for each in found), flush=True)
        browser.close()
    print(f"==> the slides begin at {(HTML / 'slides' / 'index.html').relative_to(ROOT)}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
