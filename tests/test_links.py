"""The weekly check of outside links: what it finds in the text, and what it says of an address."""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from tools.links import ROOT, addresses, answer, report, trimmed


class Answers(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(int(self.path.strip("/")))
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("no_proxy", "*")
    with HTTPServer(("127.0.0.1", 0), Answers) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def test_addresses_are_found_in_text_notebooks_and_bibliography(tmp_path: Path) -> None:
    (tmp_path / "book").mkdir()
    (tmp_path / "README.md").write_text(
        "See [this](https://a.org/x_(y)), https://b.org/z#part. And http://localhost:1."
    )
    cells = [
        {"cell_type": "markdown", "source": ["<https://a.org/x_(y)>"]},
        {"cell_type": "code", "source": ["'https://code.org'"]},
    ]
    (tmp_path / "book" / "one.ipynb").write_text(json.dumps({"cells": cells}))
    (tmp_path / "book" / "references.bib").write_text("eprint = {2006.11239},\n doi = {10.1/2},\n")
    assert addresses(tmp_path) == {
        "https://a.org/x_(y)": ["README.md", "one.ipynb"],
        "https://b.org/z": ["README.md"],
        "https://arxiv.org/abs/2006.11239": ["references.bib"],
        "https://doi.org/10.1/2": ["references.bib"],
    }


def test_the_book_names_addresses_that_are_whole() -> None:
    named = addresses(ROOT)
    assert "https://arxiv.org/abs/2006.11239" in named
    assert [address for address in named if trimmed(address) != address or "..." in address] == []


def test_an_address_answers_or_says_what_is_wrong(site: str) -> None:
    assert [answer(f"{site}/{code}") for code in (200, 403, 429)] == [None] * 3
    assert answer(f"{site}/404") == "404 Not Found"
    assert "refused" in str(answer("http://127.0.0.1:9/"))


def test_the_report_lists_what_died() -> None:
    said = report({"https://a.org": ["one.ipynb"], "https://b.org": ["two.md"]}, [None, "404 Not Found"])
    assert said.splitlines()[0] == "2 addresses, 1 without an answer"
    assert "| https://b.org | two.md | 404 Not Found |" in said
    assert "a.org" not in said
