"""Where this copy of the course lives: derived, never written down, so that a fork edits nothing."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

# https://host/owner/repo(.git), ssh://git@host(:port)/owner/repo(.git), git@host:owner/repo(.git)
_URL = re.compile(r"^(?:https?|ssh|git)://(?:[^@/]+@)?(?P<host>[^/:]+)(?::\d+)?/(?P<path>.+?)(?:\.git)?/?$")
_SCP = re.compile(r"^(?:[^@/]+@)?(?P<host>[^/:@]+\.[^/:@]+):(?!//)(?P<path>.+?)(?:\.git)?/?$")


@dataclass(frozen=True)
class Address:
    """A repository on a public host."""

    url: str  # https://host/owner/repo
    ref: str  # the commit or branch whose ddpm_lib the notebooks install

    @property
    def requirement(self) -> str:
        """What pip installs."""
        return f"git+{self.url}@{self.ref}"

    @property
    def on_github(self) -> bool:
        """Whether Colab can open the repository's notebooks."""
        return self.url.startswith("https://github.com/")


def parse_remote(remote: str) -> str | None:
    """The https address of a git remote; None for a local path or anything else without a host."""
    remote = remote.strip()
    match = _URL.match(remote) or _SCP.match(remote)
    if match is None or "/" not in match["path"].strip("/"):
        return None
    return f"https://{match['host'].lower()}/{match['path'].strip('/')}"


def _origin(root: Path) -> str:
    command = ["git", "-C", str(root), "config", "--get", "remote.origin.url"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout
    except FileNotFoundError:  # no git here: a downloaded archive
        return ""


def find_address(root: Path, environ: Mapping[str, str] = os.environ) -> Address | None:
    """The course's address: the CI's repository name, else the remote `origin`, else None.

    In GitHub Actions the commit being published is the one that Colab installs, so that a chapter and its
    library always match; elsewhere it is the branch `main`.
    """
    repository = environ.get("GITHUB_REPOSITORY", "").strip("/ ")
    if repository:
        server = environ.get("GITHUB_SERVER_URL", "").rstrip("/") or "https://github.com"
        return Address(f"{server}/{repository}", environ.get("GITHUB_SHA") or "main")
    url = parse_remote(_origin(root))
    return Address(url, "main") if url else None
