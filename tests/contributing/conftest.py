"""A checkout of one's own, in which a contributor's steps are taken."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.bench import REPOSITORY

_NEEDED = ("voiceops", "schema", "templates", "scripts", "tests/support", "docs")


@dataclass(frozen=True, slots=True)
class Checkout:
    """A copy of the repository, as far as one needs it to try something."""

    folder: Path

    def write(self, name: str, text: str) -> None:
        """A file that was not there before."""
        path = self.folder / name
        assert not path.exists(), name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def edit(self, name: str, old: str, new: str) -> None:
        path = self.folder / name
        text = path.read_text(encoding="utf-8")
        assert text.count(old) == 1, f"{old!r} in {name}"
        path.write_text(text.replace(old, new), encoding="utf-8")

    def python(self, *arguments: str, code: int | None = 0, environ: Mapping[str, str] | None = None) -> str:
        """Python with this checkout's voiceops and scripts: what it printed, errors included."""
        paths = os.pathsep.join(str(path) for path in (self.folder, self.folder / "scripts", self.folder / "tests"))
        ran = subprocess.run(
            [sys.executable, *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=self.folder,
            env={**os.environ, **(environ or {}), "PYTHONPATH": paths},
            stdin=subprocess.DEVNULL,
            timeout=120,
        )
        assert code is None or ran.returncode == code, ran.stdout
        return ran.stdout


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    folder = tmp_path / "checkout"
    for name in _NEEDED:
        shutil.copytree(REPOSITORY / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "golden"))
    (folder / "tests" / "__init__.py").write_text("")
    return Checkout(folder)
