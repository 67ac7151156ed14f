"""Running commands and the sandbox as processes of their own, and measuring them."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

VOICEOPS = [sys.executable, "-m", "voiceops"]


@dataclass(frozen=True, slots=True)
class Run:
    """One command: wall seconds, CPU seconds of its own, peak memory in MB, what it printed."""

    seconds: float
    cpu: float
    megabytes: float
    output: str
    code: int


def run(command: list[str], environ: Mapping[str, str] | None = None, *, codes: tuple[int, ...] = (0,)) -> Run:
    """Run a command to its end. Raises SystemExit with its output when it fails."""
    with tempfile.TemporaryFile() as output:
        started = time.perf_counter()
        process = subprocess.Popen(
            command, stdout=output, stderr=subprocess.STDOUT, env={**os.environ, **(environ or {})}
        )
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        text = output.read().decode(errors="replace")
    if process.returncode not in codes:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}:\n{text[-2000:]}")
    return Run(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, text, process.returncode)


def best(command: list[str], environ: Mapping[str, str] | None = None, *, times: int = 3) -> Run:
    """The fastest of several runs: what the machine can do when nothing else disturbs it."""
    return min((run(command, environ) for _ in range(times)), key=lambda r: r.seconds)


@contextmanager
def sandbox(*arguments: str) -> Iterator[dict[str, str]]:
    """The sandbox as a process; yields the variables that point at it."""
    process = subprocess.Popen(
        [*VOICEOPS, "sandbox", "--port-vapi", "0", "--port-twilio", "0", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    environ: dict[str, str] = {}
    try:
        while "TWILIO_AUTH_TOKEN" not in environ:
            name, _, value = process.stdout.readline().strip().partition("=")
            environ[name] = value
        yield environ
    finally:
        process.terminate()
        process.wait(timeout=10)
        process.stdout.close()


def project_command(folder: Path, *arguments: str) -> list[str]:
    return [*VOICEOPS, "-C", str(folder), *arguments]
