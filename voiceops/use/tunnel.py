"""A public address for a port of this machine, from a tunnel that is installed: cloudflared, or ngrok.

Knows how to start each and where it says its address; knows nothing of what is served.
"""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from urllib.error import URLError
from urllib.request import urlopen

from voiceops.errors import VoiceopsError

_CLOUDFLARED = re.compile(r"https://[a-z0-9-]+\.trycloudflare\.com")
_SECONDS = 30.0


def installed_tunnel() -> str:
    """The tunnel that is installed, or nothing."""
    return next((name for name in ("cloudflared", "ngrok") if shutil.which(name)), "")


@contextlib.contextmanager
def open_tunnel(name: str, port: int) -> Iterator[str]:
    """The public address for as long as the block runs. Raises VoiceopsError."""
    commands = {
        "cloudflared": ["cloudflared", "tunnel", "--no-autoupdate", "--url", f"http://127.0.0.1:{port}"],
        "ngrok": ["ngrok", "http", str(port), "--log", "stdout", "--log-format", "json"],
    }
    process = subprocess.Popen(commands[name], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        yield _cloudflared(process) if name == "cloudflared" else _ngrok(process)
    finally:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(10)
        if process.poll() is None:
            process.kill()
            process.wait()
        if process.stdout is not None:
            process.stdout.close()


def _cloudflared(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    said = ""
    until = time.monotonic() + _SECONDS
    while time.monotonic() < until and (line := process.stdout.readline()):
        said = line.strip()
        if found := _CLOUDFLARED.search(line):
            _drain(process)
            return found[0]
    raise VoiceopsError(f"cloudflared gave no address: {said[-200:]}", hint="Say where you are reached with --url.")


def _ngrok(process: subprocess.Popen[str]) -> str:
    _drain(process)
    until = time.monotonic() + _SECONDS
    while time.monotonic() < until and process.poll() is None:
        with (
            contextlib.suppress(URLError, OSError, ValueError, LookupError),
            urlopen("http://127.0.0.1:4040/api/tunnels", timeout=2) as answer,
        ):
            return str(json.load(answer)["tunnels"][0]["public_url"])
        time.sleep(0.2)
    raise VoiceopsError("ngrok gave no address", hint="Log in with `ngrok config add-authtoken`, or use --url.")


def _drain(process: subprocess.Popen[str]) -> None:
    """Read what it says on, so that it never waits for us."""
    stream = process.stdout
    assert stream is not None

    def read() -> None:
        with contextlib.suppress(ValueError, OSError):
            for _ in stream:
                pass

    threading.Thread(target=read, daemon=True).start()
