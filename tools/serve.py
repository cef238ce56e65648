"""Serve the built book on this machine alone, on the first free port from 8000 up.

python -m tools.serve
"""

from __future__ import annotations

import sys
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HTML = ROOT / "_build" / "html"


class Quiet(SimpleHTTPRequestHandler):
    """A file server that does not write a line for every request."""

    def log_message(self, format: str, *args: object) -> None:
        pass


class Server(ThreadingHTTPServer):
    """A server that refuses a port another program already answers on."""

    allow_reuse_address = False
    daemon_threads = True


def server(directory: Path, first_port: int = 8000, tries: int = 100) -> Server:
    """A server for `directory`, bound to the first free port from `first_port` up (0: any free port)."""
    handler = partial(Quiet, directory=str(directory))
    for port in range(first_port, first_port + tries):
        try:
            return Server(("127.0.0.1", port), handler)
        except OSError:
            continue
    raise OSError(
        f"No port from {first_port} to {first_port + tries - 1} is free; stop a server and try again."
    )


def main() -> int:
    if not (HTML / "index.html").is_file():
        print("There is no built book to serve; run `make html` first.")
        return 1
    with server(HTML) as running:
        print(
            f"==> the book is at http://127.0.0.1:{running.server_address[1]}/ (Ctrl-C stops it)", flush=True
        )
        try:
            running.serve_forever()
        except KeyboardInterrupt:
            print()
    return 0


if __name__ == "__main__":
    sys.exit(main())
