"""A real headless Chromium over its debugging protocol: what it logs, what it requests, and what a page says."""

from __future__ import annotations

import base64
import fcntl
import json
import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import websocket

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_DEADLINE = 90.0


def find_chromium() -> str:
    """The browser's path; Debian's is installed where there is none and we may. Fails the test otherwise."""
    with Path(tempfile.gettempdir(), "voiceops-chromium.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # one of the test processes installs, the others wait
        if (found := _installed()) is None and os.geteuid() == 0 and shutil.which("apt-get"):
            environ = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
            subprocess.run(["apt-get", "update", "-qq"], env=environ, check=False, capture_output=True)
            install = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium"]
            subprocess.run(install, env=environ, check=False, capture_output=True)
            found = _installed()
    if found is None:
        pytest.fail("these tests need Chromium: install it (Debian: apt-get install chromium)")
    return found


def _installed() -> str | None:
    return next((path for name in _NAMES if (path := shutil.which(name))), None)


class Page:
    """One tab. `logged` holds console messages, exceptions and violations, `requested` every address asked for."""

    def __init__(self, connection: websocket.WebSocket, session: str) -> None:
        self._connection = connection
        self._session = session
        self._next = 0
        self._events: list[dict[str, Any]] = []
        self.logged: list[str] = []
        self.requested: list[str] = []
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.send(f"{domain}.enable")

    def send(self, method: str, **params: Any) -> dict[str, Any]:
        self._next += 1
        self._connection.send(
            json.dumps({"id": self._next, "method": method, "params": params, "sessionId": self._session})
        )
        while True:
            message = self._receive()
            if message.get("id") == self._next:
                assert "error" not in message, message["error"]
                result: dict[str, Any] = message["result"]
                return result

    def _receive(self) -> dict[str, Any]:
        message: dict[str, Any] = json.loads(self._connection.recv())
        params = message.get("params", {})
        match message.get("method"):
            case "Runtime.consoleAPICalled":
                self.logged.append(f"console.{params['type']}: {params['args']}")
            case "Runtime.exceptionThrown":
                self.logged.append(f"exception: {params['exceptionDetails']}")
            case "Log.entryAdded":
                self.logged.append(f"{params['entry']['level']}: {params['entry']['text']}")
            case "Network.requestWillBeSent":
                self.requested.append(params["request"]["url"])
        if "method" in message:
            self._events.append(message)
        return message

    def open(self, path: Path, *, scripts: bool = True) -> float:
        """Load a file; the seconds until it is laid out and its script, where there is one, has run."""
        self._events.clear()
        started = time.monotonic()
        self.send("Page.navigate", url=path.as_uri())
        while not any(event["method"] == "Page.loadEventFired" for event in self._events):
            assert time.monotonic() - started < _DEADLINE, "the page did not load"
            self._receive()
        if scripts:
            self.run("new Promise(done => requestAnimationFrame(() => setTimeout(done, 0)))")
        return time.monotonic() - started

    def run(self, expression: str) -> Any:
        """The value of a JavaScript expression, awaited."""
        answer = self.send("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def press(self, key: str) -> None:
        text = key if len(key) == 1 else {"Enter": "\r"}.get(key, "")
        self.send("Input.dispatchKeyEvent", type="keyDown", key=key, text=text, windowsVirtualKeyCode=_code(key))
        self.send("Input.dispatchKeyEvent", type="keyUp", key=key, windowsVirtualKeyCode=_code(key))

    def resize(self, width: int, height: int = 900) -> None:
        self.send(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600
        )

    def dark(self) -> None:
        features = [{"name": "prefers-color-scheme", "value": "dark"}]
        self.send("Emulation.setEmulatedMedia", features=features)

    def screenshot(self) -> bytes:
        return base64.b64decode(self.send("Page.captureScreenshot", format="png")["data"])


def _code(key: str) -> int:
    return {"Enter": 13, "Escape": 27, "Tab": 9, "/": 191}.get(key, ord(key.upper()[0]))


@contextmanager
def browser(profile: Path) -> Iterator[Page]:
    """A browser of its own with one empty tab."""
    command = [
        find_chromium(),
        "--headless=new",
        "--no-sandbox",  # the tests run as root on build machines
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--remote-debugging-port=0",
        f"--user-data-dir={profile}",
        "about:blank",
    ]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    assert process.stderr is not None
    try:
        connection = websocket.create_connection(_address(process), suppress_origin=True, timeout=_DEADLINE)
        try:
            yield Page(connection, _session(connection))
        finally:
            connection.close()
    finally:
        process.terminate()
        process.wait()
        process.stderr.close()


def _address(process: subprocess.Popen[str]) -> str:
    assert process.stderr is not None
    for line in process.stderr:
        if match := re.search(r"DevTools listening on (ws://\S+)", line):
            return match[1]
    raise AssertionError("Chromium ended before it listened")


def _session(connection: websocket.WebSocket) -> str:
    answers: dict[int, dict[str, Any]] = {}

    def ask(number: int, method: str, **params: Any) -> dict[str, Any]:
        connection.send(json.dumps({"id": number, "method": method, "params": params}))
        while number not in answers:
            message = json.loads(connection.recv())
            if "id" in message:
                answers[message["id"]] = message
        result: dict[str, Any] = answers[number]["result"]
        return result

    target = ask(-1, "Target.createTarget", url="about:blank")["targetId"]
    return str(ask(-2, "Target.attachToTarget", targetId=target, flatten=True)["sessionId"])
