"""Commands in children that are forked from a process which has imported everything: quick, and free to be killed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).parent.parent.parent
KILLED = -9


class Forking:
    """A process of `module`, which answers each order (JSON, a line) with a line of JSON: see `answering`."""

    def __init__(self, module: str, environ: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=REPOSITORY,
            env=dict(environ),
        )

    def ask(self, order: Any) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(timeout=90)
        self._process.stdout.close()


def answering(work: Callable[[Any], Any]) -> None:
    """Answer orders until there are no more: what such a module's `main` is."""
    for line in sys.stdin:
        sys.stdout.write(json.dumps(work(json.loads(line))) + "\n")
        sys.stdout.flush()


def fork(output: str, work: Callable[[], int]) -> int:
    """Begin a child with nothing to read, whose output goes to a file; its process id."""
    pid = os.fork()
    if pid == 0:
        quiet = os.open(os.devnull, os.O_RDWR)
        os.dup2(quiet, 0)
        file = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(file, 1)
        os.dup2(file, 2)
        os._exit(work())
    return pid


def ended(pid: int) -> int:
    """Wait for a child: its exit code, or the signal that ended it, negative."""
    _, status = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(status)
