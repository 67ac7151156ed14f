"""Arguments that may take long to check, checked in a process of their own, which is ended when it takes too long.

jsonschema-rs keeps the interpreter's lock while it works: in a thread a long check would stop the event loop as well.
So what `Arguments.cost` does not know to be short goes to one of a few child processes, which hold no secret and know
nothing but schemas and arguments. `python -m voiceops.runtime.handlers.argument_checker` is such a child.
"""

from __future__ import annotations

import contextlib
import os
import select
import struct
import subprocess
import sys
import threading
import time
from typing import IO, Any

import msgspec

SECONDS = 3.0  # for one check
_PROCESSES = 2
_KEPT = ("PATH", "PYTHONPATH", "PYTHONHOME", "SYSTEMROOT", "LD_LIBRARY_PATH", "VIRTUAL_ENV")
_SIZES = struct.Struct("!II")


class Checker:
    """The children, begun when they are needed. `check` is for threads; it waits."""

    def __init__(self) -> None:
        self._places = threading.BoundedSemaphore(_PROCESSES)
        self._lock = threading.Lock()
        self._idle: list[subprocess.Popen[bytes]] = []
        self._closed = False

    def check(self, schema: bytes, arguments: bytes, until: float) -> tuple[dict[str, Any] | None, str]:
        """The arguments for the handler; or None, and what is wrong. Raises TimeoutError, OSError."""
        if not self._places.acquire(timeout=max(0.0, until - time.monotonic())):
            raise TimeoutError
        try:
            child = self._child()
            try:
                wrong, found = _ask(child, schema, arguments, min(until, time.monotonic() + SECONDS))
            except BaseException:
                _end(child)
                raise
            with self._lock:
                if not self._closed:
                    self._idle.append(child)
                    child = None  # type: ignore[assignment]
            if child is not None:
                _end(child)
        finally:
            self._places.release()
        return (None, wrong) if wrong else (msgspec.json.decode(found, type=dict[str, Any]), "")

    def close(self) -> None:
        """End the children that have nothing to do; the others end after their check."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for child in idle:
            _end(child)

    def _child(self) -> subprocess.Popen[bytes]:
        with self._lock:
            while self._idle:
                child = self._idle.pop()
                if child.poll() is None:
                    return child
                _end(child)
        return subprocess.Popen(
            [sys.executable, "-P", "-m", "voiceops.runtime.handlers.argument_checker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={name: os.environ[name] for name in _KEPT if name in os.environ},
            close_fds=True,
        )


def _ask(child: subprocess.Popen[bytes], schema: bytes, arguments: bytes, until: float) -> tuple[str, bytes]:
    assert child.stdin is not None
    assert child.stdout is not None
    child.stdin.write(_SIZES.pack(len(schema), len(arguments)) + schema + arguments)
    child.stdin.flush()
    wrong, found = _SIZES.unpack(_read(child.stdout, _SIZES.size, until))
    return _read(child.stdout, wrong, until).decode(), _read(child.stdout, found, until)


def _read(pipe: IO[bytes], size: int, until: float) -> bytes:
    """So many bytes, if they come in time. Raises TimeoutError, and EOFError where the child has ended."""
    parts = bytearray()
    while len(parts) < size:
        left = until - time.monotonic()
        if left <= 0 or not select.select([pipe], [], [], left)[0]:
            raise TimeoutError
        part = os.read(pipe.fileno(), size - len(parts))
        if not part:
            raise EOFError
        parts += part
    return bytes(parts)


def _end(child: subprocess.Popen[bytes]) -> None:
    child.kill()
    for pipe in (child.stdin, child.stdout):
        if pipe is not None:
            with contextlib.suppress(OSError):
                pipe.close()
    child.wait()


def main() -> None:
    """A child: answers until its parent goes away."""
    from voiceops.runtime.handlers.arguments import Arguments
    from voiceops.runtime.vapi_messages import arguments_of

    with contextlib.suppress(OSError):
        os.nice(5)  # calls are answered first
    known: dict[bytes, Arguments] = {}
    source, sink = sys.stdin.buffer, sys.stdout.buffer
    while len(head := source.read(_SIZES.size)) == _SIZES.size:
        first, second = _SIZES.unpack(head)
        text, raw = source.read(first), source.read(second)
        schema = known.get(text)
        if schema is None:
            schema = known[text] = Arguments(msgspec.json.decode(text))
        found = b""
        try:
            arguments = arguments_of(raw)
            wrong = schema.check(arguments)
            found = b"" if wrong else msgspec.json.encode(arguments)
        except RecursionError:
            wrong = "the arguments are nested too deeply"
        except ValueError as error:
            wrong = str(error)
        said = wrong.encode("utf-8", "replace")
        sink.write(_SIZES.pack(len(said), len(found)) + said + found)
        sink.flush()


if __name__ == "__main__":
    main()
