"""A recipe of a page, followed: every file in it is written and every command run, in the order in which they stand."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from tests.support.bench import REPOSITORY, Bench

BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_CODE = re.compile(r"# exit (\d)")
_BIN = Path(sys.executable).parent


def page(name: str) -> str:
    """The text of docs/NAME."""
    return (REPOSITORY / "docs" / name).read_text(encoding="utf-8")


def recipe(text: str, heading: str) -> str:
    """What stands below a heading of the second degree."""
    found = re.search(rf"^## {heading}\n(.*?)(?=^## |\Z)", text, re.DOTALL | re.MULTILINE)
    assert found is not None
    return found[1]


def follow(
    made: Bench, text: str, environ: Mapping[str, str | None], look: Callable[[str, str], None] = lambda line, out: None
) -> int:
    """Do what the recipe says; `look` is called with each line that has run, and its output. Gives how many have.

    `environ` is set beside the bench's own variables; what is None there is not set.
    """
    ran = 0
    for language, block in BLOCK.findall(text):
        first, _, rest = block.partition("\n")
        if first.startswith("# file: "):
            made.write(first.removeprefix("# file: "), rest)
            continue
        assert language == "sh", f"a block that nobody runs: {first}"
        for line in block.splitlines():
            look(line, _run(made, line, environ))
            ran += 1
    return ran


def _run(made: Bench, line: str, environ: Mapping[str, str | None]) -> str:
    wanted = _CODE.search(line)
    given = {**made.environ, **environ, "PATH": f"{_BIN}{os.pathsep}{os.environ['PATH']}"}
    ran = subprocess.run(
        ["sh", "-c", line],
        cwd=made.folder,
        capture_output=True,
        text=True,
        env={name: value for name, value in given.items() if value is not None},
        stdin=subprocess.DEVNULL,
        timeout=120,
    )
    assert ran.returncode == int(wanted[1] if wanted else 0), f"{line}\n{ran.returncode}\n{ran.stdout}\n{ran.stderr}"
    assert "Traceback" not in ran.stderr
    return ran.stdout
