"""A project from texts, and everything that `validate` says about it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from voiceops.errors import Diagnostic, InvalidProject
from voiceops.lints.run_lints import lint
from voiceops.manifest.compose import load_graph
from voiceops.manifest.problems import Problems
from voiceops.manifest.project import load_project

PROJECT = "version: 1\nproject: shop\n"


def write(folder: Path, files: Mapping[str, str]) -> None:
    for name, text in {"voiceops.yaml": PROJECT, **files}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    (folder / "agents").mkdir(exist_ok=True)


def validate(
    folder: Path, files: Mapping[str, str], environment: str | None = None, *, tracked: Iterable[str] = ()
) -> list[Diagnostic]:
    """Every diagnostic of the project: the manifests' errors, or warnings and lints."""
    write(folder, files)
    problems = Problems()
    try:
        project = load_project(folder, environment, {}, problems)
        graph = load_graph(project, {}, problems)
    except InvalidProject as error:
        return list(error.diagnostics)
    return lint(project, graph, problems.all, tracked=tracked)


def places(found: Iterable[Diagnostic]) -> list[tuple[str, str, int]]:
    """Code, file and line of each."""
    return [(d.code, d.mark.file, d.mark.line) if d.mark else (d.code, "", 0) for d in found]
