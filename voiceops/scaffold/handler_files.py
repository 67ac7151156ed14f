"""Handlers that a project's tools name and its files lack: written, or said with the stub to add.

Only files that are missing are written; one that is there is somebody's work.
"""

from __future__ import annotations

import keyword
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from voiceops.errors import Diagnostic, InvalidProject, Mark, VoiceopsError
from voiceops.manifest.handlers import read_module
from voiceops.manifest.problems import Problems
from voiceops.manifest.project import Project
from voiceops.model.graph import Graph
from voiceops.runtime.spec import RuntimeSpec
from voiceops.scaffold.stubs import module_of, stub_of, tools_by_module


class MissingHandlers(Problems):
    """Problems of a project, with missing handlers set aside in `handlers`, for who can write them."""

    def __init__(self) -> None:
        super().__init__()
        self.handlers: list[Diagnostic] = []

    def add(self, diagnostic: Diagnostic) -> None:
        """Keep the problem, in one of the two lists."""
        if diagnostic.code == "handler" and "is no handler" not in diagnostic.summary:
            self.handlers.append(diagnostic)
        else:
            super().add(diagnostic)


def write_handler_files(
    project: Project, graph: Graph, spec: RuntimeSpec, missing: Sequence[Diagnostic], *, stubs: bool
) -> list[str]:
    """With `stubs`, write the files whose handlers are missing; their names.

    Raises InvalidProject where handlers stay missing, with the stub of each function that a file lacks, and
    VoiceopsError where a file can't be written.
    """
    folder = project.root / project.handlers
    written: list[str] = []
    # Instances of one manifest have one handler, and tools may share one: it is missing once.
    lacking: dict[str, Diagnostic] = {}
    for diagnostic in missing:
        resource = graph.resources.get(diagnostic.address)
        lacking.setdefault((resource.handler if resource else None) or diagnostic.address, diagnostic)
    wrong = _unmendable(project, lacking)
    for module, tools in tools_by_module(spec).items():
        found = [(tool, lacking.pop(tool.handler)) for tool in tools if tool.handler and tool.handler in lacking]
        if not found:
            continue
        path = _module_file(folder, module)
        name = f"{project.handlers}/{path.relative_to(folder).as_posix()}"
        if stubs and not path.exists():
            _write(path, name, module_of(tools))
            written.append(name)
            continue
        advice = f"Add this to {name}" if path.exists() else f"Run again with --stubs, or write {name}"
        wrong += [replace(diagnostic, hint=f"{advice}:\n\n{stub_of(tool)}") for tool, diagnostic in found]
    # Handlers of lines and agents have no schema to make a stub of.
    wrong += lacking.values()
    if wrong:
        raise InvalidProject(sorted(wrong, key=lambda d: d.mark or Mark("", 0, 0)))
    return written


def _write(path: Path, name: str, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise VoiceopsError(f"{name} can't be written: {error.strerror}") from None


def _module_file(folder: Path, module: str) -> Path:
    base = folder.joinpath(*module.split("."))
    return base / "__init__.py" if base.is_dir() else base.with_suffix(".py")


def _unmendable(project: Project, lacking: dict[str, Diagnostic]) -> list[Diagnostic]:
    """What no stub mends: files that are no Python, names that no function can have. Taken out of `lacking`."""
    files: dict[Path, Diagnostic] = {}
    names: list[Diagnostic] = []
    for handler in list(lacking):
        module, _, function = handler.partition(":")
        path = _module_file(project.root / project.handlers, module)
        if error := _syntax_error(path):
            diagnostic = lacking.pop(handler)
            mark = Mark(path.relative_to(project.root).as_posix(), error.lineno or 1, max(1, error.offset or 1))
            files.setdefault(path, replace(diagnostic, summary=f"not valid Python: {error.msg}", mark=mark, hint=""))
        elif keyword.iskeyword(function):
            hint = "Python has this word for itself: name another function."
            names.append(replace(lacking.pop(handler), hint=hint))
    return [*files.values(), *names]


def _syntax_error(path: Path) -> SyntaxError | None:
    try:
        read_module(path.read_text(encoding="utf-8-sig"))
    except SyntaxError as error:
        return error
    except (OSError, UnicodeDecodeError):  # said by the check of handlers
        return None
    return None
