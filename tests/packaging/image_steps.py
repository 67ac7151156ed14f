"""A Dockerfile's steps, done in folders and virtual environments of this machine: COPY as .dockerignore lets it, RUN in
a shell, CMD as it stands. What needs root (apt-get, users, owners) is left out.
"""

from __future__ import annotations

import fnmatch
import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

# Absolute paths of an image, which lie below the stage's folder here.
_PLACES = re.compile(r"(?<![\w./-])/(app|wheels|src|project|var/lib/apt/lists)\b")
_AS_ROOT = ("apt-get", "useradd", "chown")


@dataclass(slots=True)
class Stage:
    """One stage: a folder for its root, a Python of its own, and where it stands."""

    root: Path
    environ: dict[str, str]
    folder: Path = field(init=False)
    command: list[str] = field(default_factory=list)
    entry: list[str] = field(default_factory=list)
    ran: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.folder = self.root
        subprocess.run([sys.executable, "-m", "venv", str(self.root / "venv")], check=True)
        stubs = self.root / "stubs"
        stubs.mkdir()
        for name in _AS_ROOT:
            (stubs / name).write_text("#!/bin/sh\n")
            (stubs / name).chmod(0o755)
        path = os.pathsep.join([str(self.root / "venv/bin"), str(stubs), os.environ["PATH"]])
        self.environ = self.environ | {"PATH": path, "GIT_CONFIG_SYSTEM": str(self.root / "gitconfig")}

    def place(self, text: str) -> str:
        return _PLACES.sub(lambda match: f"{self.root}/{match[1]}", text)

    def run(self, text: str) -> None:
        text = self.place(text)
        ran = subprocess.run(
            ["sh", "-ec", text], cwd=self.folder, env=self.environ, capture_output=True, text=True, timeout=600
        )
        assert ran.returncode == 0, f"RUN {text}\n{ran.stdout}\n{ran.stderr}"
        self.ran.append(text)


def built(context: Path, folder: Path, environ: dict[str, str]) -> Stage:
    """The last stage of the context's Dockerfile, after all its steps."""
    stages: list[tuple[str, Stage]] = []
    for word, rest in instructions((context / "Dockerfile").read_text(encoding="utf-8")):
        if word == "FROM":
            name = rest.split()[2] if " AS " in rest else ""
            root = folder / f"stage{len(stages)}"
            root.mkdir(parents=True)
            stages.append((name, Stage(root, environ)))
            continue
        stage = stages[-1][1]
        if word == "WORKDIR":
            stage.folder = Path(stage.place(rest))
            stage.folder.mkdir(parents=True, exist_ok=True)
        elif word == "COPY":
            _copy(stage, rest, context, dict(stages))
        elif word == "RUN":
            stage.run(rest)
        elif word == "CMD":
            stage.command = json.loads(rest)
        elif word == "ENTRYPOINT":
            stage.entry = json.loads(rest)
        else:
            assert word in ("USER", "EXPOSE", "HEALTHCHECK"), word
    return stages[-1][1]


def instructions(text: str) -> list[tuple[str, str]]:
    """Each instruction's word and what follows it, in order."""
    text = re.sub(r"^#.*\n", "", text, flags=re.MULTILINE).replace("\\\n", " ")
    return [(word, rest.strip()) for word, _, rest in (line.partition(" ") for line in text.splitlines() if line)]


def _copy(stage: Stage, rest: str, context: Path, stages: dict[str, Stage]) -> None:
    *sources, target = rest.split()
    to = Path(stage.place(target)) if target.startswith("/") else stage.folder / target
    if sources[0].startswith("--from="):
        other = stages[sources.pop(0).partition("=")[2]]
        for source in sources:
            shutil.copytree(other.place(source), to, dirs_exist_ok=True)
        return
    let = _let_in(context)
    for source in sources:
        found = [context] if source == "." else sorted(context.glob(source))
        assert found, f"COPY {source}: nothing there"
        for path in found:
            inside = [path] if path.is_file() else [p for p in path.rglob("*") if p.is_file()]
            for file in inside:
                name = file.relative_to(context).as_posix()
                if not let(name):
                    assert path.is_dir(), f".dockerignore keeps {name} out"
                    continue
                folder_copied = path.is_dir()
                goal = to / file.relative_to(path) if folder_copied else (to / file.name if _is_folder(target) else to)
                goal.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(file, goal)


def _is_folder(target: str) -> bool:
    return target.endswith("/") or target == "."


def _let_in(context: Path):  # type: ignore[no-untyped-def]
    """What the context's .dockerignore lets in: the last rule that fits a path, or a folder above it, counts."""
    path = context / ".dockerignore"
    rules = path.read_text(encoding="utf-8").split() if path.exists() else []

    def let(name: str) -> bool:
        above = ["/".join(name.split("/")[: depth + 1]) for depth in range(name.count("/") + 1)]
        allowed = True
        for rule in rules:
            pattern = rule.removeprefix("!")
            forms = [pattern, pattern.removeprefix("**/")]
            if any(fnmatch.fnmatch(part, form) for part in above for form in forms):
                allowed = rule.startswith("!")
        return allowed

    return let
