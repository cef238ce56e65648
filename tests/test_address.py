"""Where the course lives: derived from its remote, or said; any address that git clones from."""

import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml

from tools.address import Address, find_address, parse_address, parse_remote
from tools.colab import OUT, ROOT
from tools.launchers import GROUP, add_launchers
from tools.sphinx_course import COLAB_BRANCH, repository


@pytest.mark.parametrize(
    ("remote", "url"),
    [
        ("https://github.com/someone/course.git", "https://github.com/someone/course"),
        ("https://github.com/someone/course", "https://github.com/someone/course"),
        ("https://someone:token@github.com/someone/course.git\n", "https://github.com/someone/course"),
        ("git@github.com:someone/course.git", "https://github.com/someone/course"),
        ("ssh://git@github.com/someone/course.git", "https://github.com/someone/course"),
        ("ssh://git@example.org:2222/group/sub/course.git/", "https://example.org/group/sub/course"),
        ("https://git.example.org:8443/group/course.git", "https://git.example.org:8443/group/course"),
        ("http://git.example.org:3000/group/course", "http://git.example.org:3000/group/course"),
        ("", None),
        ("/srv/git/course.git", None),
        ("../course", None),
        ("C:/Users/someone/course", None),
        ("file:///srv/git/course.git", None),
        ("https://github.com/", None),
    ],
)
def test_a_remote_becomes_an_https_address_without_secrets(remote: str, url: str | None) -> None:
    assert parse_remote(remote) == url


def test_the_ci_repository_comes_before_the_remote(tmp_path: Path) -> None:
    environ = {"GITHUB_REPOSITORY": "fork/course", "GITHUB_SHA": "abc123"}
    assert find_address(tmp_path, environ) == Address("https://github.com/fork/course", "abc123")
    elsewhere = {"GITHUB_REPOSITORY": "fork/course", "GITHUB_SERVER_URL": "https://git.example.org"}
    assert find_address(tmp_path, elsewhere) == Address("https://git.example.org/fork/course", "main")


def test_the_remote_gives_the_address_and_its_absence_none(tmp_path: Path) -> None:
    assert find_address(tmp_path, {}) is None
    subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True)
    assert find_address(tmp_path, {}) is None
    subprocess.run(
        ["git", "-C", str(tmp_path), "remote", "add", "origin", "git@github.com:a/b.git"], check=True
    )
    address = find_address(tmp_path, {})
    assert address == Address("https://github.com/a/b", "main")
    assert address.on_github
    assert address.requirement == "git+https://github.com/a/b@main"


@pytest.mark.parametrize(
    ("said", "requirement"),
    [
        ("https://git.example.org/a/b", "git+https://git.example.org/a/b@main"),
        ("https://github.com/a/b.git@v1", "git+https://github.com/a/b@v1"),
        ("https://git.example.org:8443/a/b.git@v1", "git+https://git.example.org:8443/a/b.git@v1"),
        ("https://git.example.org/a/b@topic/one", "git+https://git.example.org/a/b@topic/one"),
        ("git+https://someone@git.example.org/a/b", "git+https://someone@git.example.org/a/b@main"),
        ("ssh://git@example.org:2222/a/b.git@0a1b2c", "git+ssh://git@example.org:2222/a/b.git@0a1b2c"),
        ("git@example.org:a/b.git", "git+ssh://git@example.org/a/b.git@main"),
        ("git@example.org:a/b.git@v1", "git+ssh://git@example.org/a/b.git@v1"),
        ("example.org:a/b", "git+ssh://example.org/a/b@main"),
        ("/srv/git/course.git", "git+file:///srv/git/course.git@main"),
        ("file:///srv/git/course.git@v1", "git+file:///srv/git/course.git@v1"),
    ],
)
def test_any_address_that_git_takes_can_be_said(said: str, requirement: str, tmp_path: Path) -> None:
    assert parse_address(said).requirement == requirement
    environ = {"COURSE_ADDRESS": said, "GITHUB_REPOSITORY": "fork/course"}
    assert find_address(tmp_path, environ) == parse_address(said)


@pytest.mark.parametrize(
    ("url", "said", "site"),
    [
        ("https://github.com/Someone/course", None, "https://someone.github.io/course"),
        ("https://github.com/someone/someone.github.io", None, "https://someone.github.io"),
        ("https://git.example.org/a/b", None, None),
        ("https://git.example.org/a/b", "https://course.example.org", "https://course.example.org"),
        ("https://github.com/someone/course", "https://course.example.org", "https://course.example.org"),
    ],
)
def test_the_published_book_is_where_github_puts_it_or_where_it_is_said_to_be(
    url: str, said: str | None, site: str | None
) -> None:
    assert Address(url, "main", said).site == site
    environ = {"COURSE_ADDRESS": url, **({"COURSE_PAGES": f"{said}/"} if said else {})}
    address = find_address(Path("/nowhere"), environ)
    assert address is not None
    assert address.site == site


@pytest.mark.parametrize(("address", "opens"), [("https://github.com/a/b", True), ("/srv/git/course", False)])
def test_the_button_of_a_page_opens_the_plain_copy_on_its_branch(
    address: str, opens: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("COURSE_ADDRESS", address)
    options: dict[str, object] = {}
    repository(SimpleNamespace(srcdir=tmp_path), SimpleNamespace(html_theme_options=options))  # type: ignore[arg-type]
    assert ("launch_buttons" in options) == opens
    assert options.get("repository_branch") == (COLAB_BRANCH if opens else None)
    # The workflow pushes to it what `make html` wrote, from the run that made the pages.
    jobs = yaml.safe_load((ROOT / ".github" / "workflows" / "book.yml").read_text(encoding="utf-8"))["jobs"]
    made, kept = jobs["build"]["steps"][2], jobs["build"]["steps"][-1]
    fetch, push = jobs["colab"]["steps"]
    assert made["run"].startswith("make html")
    assert kept["with"]["name"] == fetch["with"]["name"]
    assert ROOT / kept["with"]["path"] == ROOT / fetch["with"]["path"] == OUT
    assert ROOT / push["working-directory"] == OUT
    assert push["run"].split()[-1] == COLAB_BRANCH


@pytest.mark.parametrize(
    ("address", "offered"), [("https://github.com/a/b", True), ("/srv/git/course", False)]
)
def test_beside_colab_a_page_opens_in_kaggle_and_in_a_codespace(
    address: str, offered: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("COURSE_ADDRESS", address)
    config: Any = SimpleNamespace(html_theme_options={})
    app: Any = SimpleNamespace(srcdir=tmp_path, config=config)
    repository(app, config)
    theirs = {"label": GROUP, "buttons": [{"text": "Colab"}]}
    context = {"header_buttons": [{"label": "download-buttons", "buttons": []}, theirs]}
    add_launchers(app, "book/loss", "page.html", context, None)
    texts = [button["text"] for button in theirs["buttons"]]
    assert texts == (["Colab", "Kaggle", "Codespaces"] if offered else ["Colab"])
    if offered:
        _, kaggle, codespace = (button.get("url") for button in theirs["buttons"])  # type: ignore[attr-defined]
        assert kaggle.endswith(f"welcome?src=https://github.com/a/b/blob/{COLAB_BRANCH}/book/loss.ipynb")
        assert codespace == "https://codespaces.new/a/b"
    markdown = {"header_buttons": []}  # a page that is no notebook has no such group
    add_launchers(app, "book/teaching", "page.html", markdown, None)
    assert markdown == {"header_buttons": []}


def test_git_clones_from_the_address_of_a_folder(tmp_path: Path) -> None:
    """What pip would do with it."""
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@example.org", "-C", str(tmp_path / "course")]
    subprocess.run(
        ["git", "init", "--quiet", "--initial-branch", "main", str(tmp_path / "course")], check=True
    )
    subprocess.run([*git, "commit", "--quiet", "--allow-empty", "--message", "One"], check=True)
    address = parse_address(str(tmp_path / "course"))
    clone = ["git", "clone", "--quiet", "--branch", address.ref, address.url, str(tmp_path / "clone")]
    subprocess.run(clone, check=True)
    assert (tmp_path / "clone" / ".git").is_dir()
