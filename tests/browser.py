"""A headless Chromium, driven by its own protocol over a pipe: what a page does when it is used.

https://chromedevtools.github.io/devtools-protocol/
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import shutil
import subprocess
import sys
from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

_LAUNCH = """
import fcntl, os, sys
given, answers = (fcntl.fcntl(int(number), fcntl.F_DUPFD, 10) for number in sys.argv[1:3])
os.dup2(given, 3)
os.dup2(answers, 4)
os.execv(sys.argv[3], sys.argv[3:])
"""
"""The browser reads calls from descriptor 3 and answers on 4."""

_SECONDS = 120
"""What an answer may take: a busy machine starts a browser slowly."""


class Page:
    """One open page."""

    def __init__(self, write: int, read: int, session: str | None = None) -> None:
        self._write, self._read = write, read
        self._buffer = b""
        self._number = 0
        self.session = session
        self.events: list[dict[str, Any]] = []

    def call(self, method: str, **params: Any) -> Any:
        """Call a method, and return its result; what happened meanwhile is in `events`."""
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": params}
        if self.session is not None:
            message["sessionId"] = self.session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == self._number:
                assert "error" not in answer, answer
                return answer["result"]
            self.events.append(answer)

    def wait(self, event: str) -> None:
        """Wait for an event that may have happened already."""
        while not any(each.get("method") == event for each in self.events):
            self.events.append(self._next())

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._read], [], [], _SECONDS)
            assert ready, "the browser does not answer"
            data = os.read(self._read, 1 << 20)
            assert data, "the browser has ended"
            self._buffer += data
        message, _, self._buffer = self._buffer.partition(b"\0")
        answer: dict[str, Any] = json.loads(message)
        return answer

    def js(self, expression: str) -> Any:
        """Return the value of an expression on the page."""
        result = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    def key(self, name: str, text: str = "") -> None:
        """Press and release a key."""
        for kind in ("keyDown", "keyUp"):
            more = {"text": text} if text and kind == "keyDown" else {}
            self.call("Input.dispatchKeyEvent", type=kind, key=name, **more)

    def type(self, text: str) -> None:
        """Type text into what has the focus."""
        self.call("Input.insertText", text=text)

    def click(self, selector: str) -> None:
        """Click on the middle of the first element of a selector."""
        place = self.js(
            f"(() => {{ const e = document.querySelector({selector!r});"
            " e.scrollIntoView({block: 'center'}); const b = e.getBoundingClientRect();"
            " return [b.x + b.width / 2, b.y + b.height / 2]; })()"
        )
        for kind in ("mousePressed", "mouseReleased"):
            self.call(
                "Input.dispatchMouseEvent", type=kind, x=place[0], y=place[1], button="left",
                clickCount=1,
            )  # fmt: skip

    def screenshot(self) -> bytes:
        """Return what is seen, as PNG."""
        return b64decode(self.call("Page.captureScreenshot")["data"])

    @property
    def complaints(self) -> list[str]:
        """What the console says: errors, warnings, violations of the page's policy.

        Not what the browser notes of itself at the level `info`: that a field already had the
        focus when the page's `autofocus` came is a matter of how fast somebody clicked.
        """
        return [
            json.dumps(each["params"])
            for each in self.events
            if each.get("method")
            in {"Log.entryAdded", "Runtime.exceptionThrown", "Runtime.consoleAPICalled"}
            and each["params"].get("entry", {}).get("level") not in {"info", "verbose"}
        ]

    @property
    def requests(self) -> list[str]:
        """Addresses the page asked for."""
        return [
            each["params"]["request"]["url"]
            for each in self.events
            if each.get("method") == "Network.requestWillBeSent"
        ]


@contextlib.contextmanager
def opened(file: Path, *, width: int = 1280, height: int = 900) -> Iterator[Page]:
    """Open a file in a browser of that size. Skips where there is none."""
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        pytest.skip("allowance:chromium is not installed")
    to_read, write = os.pipe()
    read, to_write = os.pipe()
    process = subprocess.Popen(
        [
            sys.executable, "-c", _LAUNCH, str(to_read), str(to_write), browser,
            "--headless=new", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe",
            "--no-first-run", f"--user-data-dir={file.parent / 'browser'}", "about:blank",
        ],
        pass_fds=(to_read, to_write), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    os.close(to_read)
    os.close(to_write)
    try:
        root = Page(write, read)
        target = root.call("Target.createTarget", url="about:blank")["targetId"]
        session = root.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        page = Page(write, read, session)
        for domain in ("Page", "Runtime", "Log", "Network"):
            page.call(f"{domain}.enable")
        page.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1,
            mobile=False,
        )  # fmt: skip
        page.call("Page.navigate", url=file.as_uri())
        page.wait("Page.loadEventFired")
        yield page
    finally:
        process.kill()
        process.wait()
        os.close(write)
        os.close(read)
