"""Downloads from a server on this machine: whole, cut short and resumed, wrong, and absent."""

from __future__ import annotations

import gzip
import hashlib
import re
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import numpy as np
import pytest

from ddpm_lib.data import fashion_mnist
from ddpm_lib.data import fetch as fetching
from ddpm_lib.data.fetch import FetchError, cache_folder, fashion_folder, fetch, usual_places

BODY = bytes(range(256)) * 2000
MD5 = hashlib.md5(BODY).hexdigest()


class Server(HTTPServer):
    """Files by name; it remembers the Range of each request and can misbehave."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.files, self.ranges = {"file.gz": BODY}, []
        self.cut = 0  # bytes after which the connection is closed, once; 0 is never
        self.ignore_range = self.garbage = False

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}/"


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        server = self.server
        asked = self.headers.get("Range")
        server.ranges.append(asked)
        if server.garbage:
            self.wfile.write(b"this is not HTTP\r\n\r\n")
            return
        body = server.files.get(self.path[1:])
        if body is None:
            self.send_error(404)
            return
        start = int(re.fullmatch(r"bytes=(\d+)-", asked)[1]) if asked and not server.ignore_range else 0
        if start >= len(body):
            self.send_error(416)
            return
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(body) - start))
        self.end_headers()
        cut, server.cut = server.cut, 0
        self.wfile.write(body[start : start + cut] if cut else body[start:])

    def log_message(self, *args):
        pass


@pytest.fixture
def server():
    server = Server()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_file_is_fetched_once_and_no_part_is_left(server, tmp_path):
    path = tmp_path / "deep" / "file.gz"
    for _ in range(2):
        assert fetch(server.url + "file.gz", path, MD5) == path
    assert path.read_bytes() == BODY
    assert server.ranges == [None]
    assert [p.name for p in path.parent.iterdir()] == ["file.gz"]


def test_a_download_that_was_cut_goes_on_where_it_stopped(server, tmp_path):
    path = tmp_path / "file.gz"
    server.cut = 100_000
    with pytest.raises(FetchError, match=r"Could not download .*412000 bytes early.*the download resumes"):
        fetch(server.url + "file.gz", path, MD5)
    assert not path.exists()
    assert (tmp_path / "file.gz.part").read_bytes() == BODY[:100_000]
    fetch(server.url + "file.gz", path, MD5)
    assert server.ranges == [None, "bytes=100000-"]
    assert path.read_bytes() == BODY


def test_a_part_that_is_whole_already_is_taken(server, tmp_path):
    (tmp_path / "file.gz.part").write_bytes(BODY)
    assert fetch(server.url + "file.gz", tmp_path / "file.gz", MD5).read_bytes() == BODY


def test_a_server_that_ignores_the_range_gives_the_whole_file(server, tmp_path):
    (tmp_path / "file.gz.part").write_bytes(b"stale" * 10)
    server.ignore_range = True
    assert fetch(server.url + "file.gz", tmp_path / "file.gz", MD5).read_bytes() == BODY


def test_a_wrong_checksum_throws_the_file_away(server, tmp_path):
    with pytest.raises(FetchError, match="came with the wrong checksum and was thrown away: try again"):
        fetch(server.url + "file.gz", tmp_path / "file.gz", "0" * 32)
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_part_is_thrown_away_and_the_next_try_works(server, tmp_path):
    (tmp_path / "file.gz.part").write_bytes(b"x" * 1000)
    with pytest.raises(FetchError, match="wrong checksum"):
        fetch(server.url + "file.gz", tmp_path / "file.gz", MD5)
    assert fetch(server.url + "file.gz", tmp_path / "file.gz", MD5).read_bytes() == BODY


@pytest.mark.parametrize("trouble", ["offline", "missing", "garbage"])
def test_no_connection_and_no_file_are_one_sentence_with_the_way_out(server, tmp_path, trouble):
    url = {"offline": "http://127.0.0.1:1/", "missing": server.url + "no/", "garbage": server.url}[trouble]
    server.garbage = trouble == "garbage"
    with pytest.raises(FetchError) as caught:
        fetch(url + "file.gz", tmp_path / "file.gz", MD5)
    sentence = str(caught.value)
    assert re.match(
        r"Could not download http.* check the connection .* or put the file at .*by hand\.$", sentence
    )
    assert "\n" not in sentence


def test_the_cache_is_where_the_environment_says(monkeypatch, tmp_path):
    monkeypatch.setenv("DDPM_DATA", str(tmp_path))
    assert cache_folder() == tmp_path
    assert usual_places()[0] == tmp_path / "fashion-mnist"
    monkeypatch.delenv("DDPM_DATA")
    assert cache_folder().parts[-2:] == (".cache", "ddpm_lib")


def test_the_first_usual_place_that_holds_all_files_is_taken(monkeypatch, tmp_path):
    places = [tmp_path / name for name in ("none", "half", "whole", "also")]
    monkeypatch.setattr(fetching, "usual_places", lambda: places)
    for place, names in ((places[1], "a"), (places[2], "ab"), (places[3], "ab")):
        place.mkdir()
        for name in names:
            (place / f"{name}.gz").touch()
    assert fashion_folder(["a", "b"]) == places[2]


def test_fashion_mnist_is_fetched_into_the_cache_and_then_read_from_there(monkeypatch, tmp_path, server):
    images, labels = np.arange(3 * 784, dtype=np.uint8), np.array([9, 0, 4], np.uint8)
    head = b"\x00\x00\x08"
    server.files = {
        "t10k-images-idx3-ubyte.gz": gzip.compress(
            head + b"\x03" + np.array([3, 28, 28], ">i4").tobytes() + images.tobytes()
        ),
        "t10k-labels-idx1-ubyte.gz": gzip.compress(
            head + b"\x01" + np.array([3], ">i4").tobytes() + labels.tobytes()
        ),
    }
    monkeypatch.setattr(fetching, "FASHION_URL", server.url)
    sums = {name: hashlib.md5(body).hexdigest() for name, body in server.files.items()}
    monkeypatch.setattr(fetching, "FASHION_MD5", sums)
    monkeypatch.setattr(fetching, "usual_places", lambda: [tmp_path / "cache"])
    for _ in range(2):
        fashion = fashion_mnist(train=False)
        assert fashion.y.tolist() == [9, 0, 4]
        assert fashion.pixels.flatten().tolist() == images.tolist()
    assert len(server.ranges) == 2


def test_a_cache_that_cannot_be_written_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(FetchError, match=r"Not a directory.* name a folder with room in DDPM_DATA"):
        fetch("http://127.0.0.1:9/x.gz", tmp_path / "file" / "deep" / "x.gz", "")
