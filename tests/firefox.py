"""A real Firefox for the page tests, driven over Marionette, the protocol that every Firefox speaks by itself.

Playwright drives a Firefox of its own making, and Selenium a helper program; neither comes with Debian. Marionette is
JSON over a socket: `length:[0, number, command, arguments]` there, `length:[1, number, error, result]` back.
"""

from __future__ import annotations

import json
import re
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

NAMES = ("firefox-esr", "firefox")
PLACES = (Path("/Applications/Firefox.app/Contents/MacOS/firefox"),)
KEYS = {"Enter": "\ue007", "End": "\ue010", "Home": "\ue011", "ArrowRight": "\ue014"}
# A button by its widget and its first words.
BUTTON = """return [...document.querySelectorAll(arguments[0] + " button")]
  .find((button) => button.textContent.trim().startsWith(arguments[1]))"""
START = 120.0  # seconds that a busy machine may take to start it
# Nothing in it talks to the network by itself; and it says on which port it listens.
PREFERENCES = {
    "marionette.port": 0,
    "app.normandy.enabled": False,
    "app.update.disabledForTesting": True,
    "browser.region.network.url": "",
    "browser.safebrowsing.malware.enabled": False,
    "browser.safebrowsing.phishing.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "browser.startup.page": 0,
    "devtools.console.stdout.content": True,  # what a page says to the console
    "datareporting.policy.dataSubmissionEnabled": False,
    "extensions.getAddons.cache.enabled": False,
    "extensions.update.enabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "services.settings.server": "data:,",
    "toolkit.telemetry.server": "",
}


def find_firefox() -> str | None:
    """The path of a Firefox, or None."""
    found = (path for name in NAMES if (path := shutil.which(name)))
    return next(found, None) or next((str(place) for place in PLACES if place.is_file()), None)


class Firefox:
    """One window of one Firefox."""

    def __init__(self, connection: socket.socket, output: Path) -> None:
        self.connection, self.output, self.number, self.rest, self.read = connection, output, 0, b"", 0
        self._receive()  # its greeting
        self.send("WebDriver:NewSession", pageLoadStrategy="normal")
        self.send("WebDriver:SetTimeouts", script=300_000, pageLoad=300_000)

    def send(self, command: str, **arguments: object) -> Any:
        """The result of a command; RuntimeError with Firefox's words where it is refused."""
        self.number += 1
        message = json.dumps([0, self.number, command, arguments]).encode()
        self.connection.sendall(str(len(message)).encode() + b":" + message)
        _, number, error, result = self._receive()
        assert number == self.number
        if error:
            raise RuntimeError(f"{command}: {error.get('error')}: {error.get('message')}")
        return result

    def _receive(self) -> Any:
        while b":" not in self.rest:
            self._more()
        length, self.rest = self.rest.split(b":", 1)
        while len(self.rest) < int(length):
            self._more()
        message, self.rest = self.rest[: int(length)], self.rest[int(length) :]
        return json.loads(message)

    def _more(self) -> None:
        part = self.connection.recv(1 << 16)
        if not part:
            raise RuntimeError("Firefox has closed the connection.")
        self.rest += part

    def open(self, address: str) -> None:
        """Go to a page and wait until it is loaded."""
        self.send("WebDriver:Navigate", url=address)

    def run(self, script: str, *arguments: object) -> Any:
        """What the body of a function returns in the page."""
        return self.send("WebDriver:ExecuteScript", script=script, args=list(arguments))["value"]

    def wait(self, condition: str, *arguments: object, seconds: float = 300.0) -> Any:
        """Evaluate an expression in the page until it is true, and return it; AssertionError after `seconds`."""
        end = time.monotonic() + seconds
        while not (value := self.run(f"return {condition}", *arguments)):
            assert time.monotonic() < end, f"Not true after {seconds:.0f} s: {condition}"
            time.sleep(0.1)
        return value

    def press(self, element: dict[str, str], key: str) -> None:
        """Press one of KEYS on an element, as `run` returns it."""
        (reference,) = element.values()
        self.send("WebDriver:ElementSendKeys", id=reference, text=KEYS[key])

    def complaints(self) -> list[str]:
        """What pages did wrong since the last call, and what they said to the console in error or warning."""
        self.send("Marionette:SetContext", value="chrome")
        try:
            wrong = [error for error in self.run(ERRORS) if HALF_READ not in error]
        finally:
            self.send("Marionette:SetContext", value="content")
        said = self.output.read_bytes()[self.read :]
        self.read += len(said)
        lines = said.decode(errors="replace").splitlines()
        return wrong + [line for line in lines if SAID.match(line)]


# Firefox's own modules begin with their name and a colon.
SAID = re.compile(r"console\.(error|warn|assert): (?!(?!\w*Error)[A-Z]\w+: )")
# It says so of a formula of which it has read only the half so far, too: the tests count the children themselves.
HALF_READ = "Invalid markup: Incorrect number of children"
# Where a page's scripts failed; Firefox's own modules are none of its business.
ERRORS = """
const wrong = Services.console.getMessageArray()
  .filter((m) => m instanceof Ci.nsIScriptError && !(m.flags & Ci.nsIScriptError.warningFlag))
  .filter((m) => /^(file|http|blob|data):/.test(m.sourceName))
  .map((m) => `${m.sourceName}:${m.lineNumber}: ${m.errorMessage}`);
Services.console.reset();
return wrong;
"""


@contextmanager
def firefox(path: str) -> Iterator[Firefox]:
    """Start a Firefox without a window on the screen, with a profile of its own; end it afterwards."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        profile = Path(folder)
        lines = [
            f"user_pref({json.dumps(name)}, {json.dumps(value)});" for name, value in PREFERENCES.items()
        ]
        (profile / "user.js").write_text("\n".join(lines), encoding="utf-8")
        # the last lets `complaints` read the console
        command = [path, "--headless", "--marionette", "--no-remote", "--profile", folder]
        command.append("--remote-allow-system-access")
        with (profile / "output.txt").open("wb") as output:
            process = subprocess.Popen(command, stdout=output, stderr=subprocess.DEVNULL)
        try:
            with socket.create_connection(("127.0.0.1", _port(process, profile))) as connection:
                connection.settimeout(600)
                yield Firefox(connection, profile / "output.txt")
        finally:
            process.terminate()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()


def _port(process: subprocess.Popen[bytes], profile: Path) -> int:
    """Where it listens: it writes that down once it does."""
    file, end = profile / "MarionetteActivePort", time.monotonic() + START
    while not (file.is_file() and (port := file.read_text().strip())):
        if process.poll() is not None or time.monotonic() > end:
            raise RuntimeError("Firefox did not start.")
        time.sleep(0.1)
    return int(port)
