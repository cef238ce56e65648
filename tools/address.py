"""Where this copy of the course lives: derived, never written down, so that a fork edits nothing."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

# https://host(:port)/owner/repo(.git), ssh://git@host(:port)/owner/repo(.git), git@host:owner/repo(.git)
_URL = re.compile(
    r"^(?P<scheme>https?|ssh|git)://(?:[^@/]+@)?(?P<host>[^/:]+)(?P<port>:\d+)?/(?P<path>.+?)(?:\.git)?/?$"
)
_SCP = re.compile(r"^(?:[^@/]+@)?(?P<host>[^/:@]+\.[^/:@]+):(?!//)(?P<path>.+?)(?:\.git)?/?$")
# What a person writes: the first @ may belong to a user, one in the path begins a branch
_SAID = re.compile(r"(?:git\+)?((?:\w+://[^/]*|[^/:]+(?=:))?[^@]*)(?:@(.+))?", re.DOTALL)
_GITHUB = re.compile(r"https://github\.com/(?P<owner>[^/]+)/(?P<name>[^/]+)")


@dataclass(frozen=True)
class Address:
    """A repository, wherever git reaches it."""

    url: str  # https://host/owner/repo, or any other that git clones from
    ref: str  # the commit or branch whose ddpm_lib the notebooks install
    pages: str | None = None  # where the book is published; None: GitHub's usual place, if it is there

    @property
    def requirement(self) -> str:
        """What pip installs."""
        return f"git+{self.url}@{self.ref}"

    @property
    def on_github(self) -> bool:
        """Whether Colab can open the repository's notebooks."""
        return self.url.startswith("https://github.com/")

    @property
    def site(self) -> str | None:
        """The address of the published book; None where it is not known."""
        if self.pages or not (found := _GITHUB.fullmatch(self.url)):
            return self.pages
        owner, name = found["owner"].lower(), found["name"]
        own = name.lower() == f"{owner}.github.io"  # its pages lie at the root
        return f"https://{owner}.github.io" + ("" if own else f"/{name}")


def parse_address(text: str, pages: str | None = None) -> Address:
    """What a person writes: any address that git clones from, `@` and a branch, tag or commit after it (else `main`).

    A path becomes file://, and git@host:path, which pip does not take, ssh://.
    """
    url, ref = _SAID.fullmatch(text.strip()).groups()  # type: ignore[union-attr]  # it fits any text
    if "://" not in url:
        user_host, colon, path = url.partition(":")
        url = f"ssh://{user_host}/{path}" if colon and "/" not in user_host else Path(url).resolve().as_uri()
    if url.startswith("https://github.com/"):
        url = parse_remote(url) or url  # as GitHub's own pages write it
    return Address(url, ref or "main", pages)


def parse_remote(remote: str) -> str | None:
    """The web address of a git remote; None for a local path or anything else without a host."""
    remote = remote.strip()
    match = _URL.match(remote) or _SCP.match(remote)
    if match is None or "/" not in match["path"].strip("/"):
        return None
    groups = match.groupdict()
    # A web server's port is part of its address; that of ssh says nothing of the web's.
    web = (groups.get("scheme") or "").startswith("http")
    host = f"{match['host'].lower()}{(groups.get('port') or '') if web else ''}"
    scheme = groups["scheme"] if web and groups["port"] else "https"
    return f"{scheme}://{host}/{match['path'].strip('/')}"


def _origin(root: Path) -> str:
    command = ["git", "-C", str(root), "config", "--get", "remote.origin.url"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout
    except FileNotFoundError:  # no git here: a downloaded archive
        return ""


def find_address(root: Path, environ: Mapping[str, str] = os.environ) -> Address | None:
    """The course's address: COURSE_ADDRESS, else the CI's repository name, else the remote `origin`, else None.

    In GitHub Actions the commit being published is the one that Colab installs, so that a chapter and its
    library always match; elsewhere it is the branch `main`. COURSE_PAGES says where the book is published, if that is
    not where GitHub puts it.
    """
    pages = environ.get("COURSE_PAGES", "").strip().rstrip("/") or None
    if said := environ.get("COURSE_ADDRESS", "").strip():
        return parse_address(said, pages)
    repository = environ.get("GITHUB_REPOSITORY", "").strip("/ ")
    if repository:
        server = environ.get("GITHUB_SERVER_URL", "").rstrip("/") or "https://github.com"
        return Address(f"{server}/{repository}", environ.get("GITHUB_SHA") or "main", pages)
    url = parse_remote(_origin(root))
    return Address(url, "main", pages) if url else None
