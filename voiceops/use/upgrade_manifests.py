"""Upgrade: old fields of manifests, defaults and patches rewritten to their successors, in the files. No network.

The files are written together or not at all, and what comes out must mean the same: in every environment that can be
read, each body is compared with what it was, field by field. Where that fails, the files are put back.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from voiceops.errors import Diagnostic, InvalidProject, Mark, VoiceopsError
from voiceops.manifest.documents import files as files_of
from voiceops.manifest.files import FileProblem, display, inside
from voiceops.manifest.files import load as load_text
from voiceops.manifest.problems import Problems
from voiceops.manifest.project import PROJECT_FILE, environments_of
from voiceops.manifest.strict_yaml import read_documents
from voiceops.model.address import kind_of, name_of
from voiceops.model.graph import Graph
from voiceops.model.located import Map, Seq
from voiceops.model.values import Ref, Secret, map_leaves
from voiceops.upgrade.file_upgrade import FileUpgrade, upgraded
from voiceops.upgrade.known_manifests import KnownManifests, known_manifests
from voiceops.upgrade.modern_body import modern
from voiceops.use.load_project import load, root_of
from voiceops.use.process_context import ProcessContext

_YAML = (".yaml", ".yml", ".json")


@dataclass(frozen=True, slots=True, kw_only=True)
class Upgraded:
    """What was found in the files. `written`: they are rewritten; `compared`: the environments whose bodies were."""

    files: tuple[FileUpgrade, ...]
    written: bool = False
    compared: tuple[str, ...] = ()
    not_compared: tuple[Diagnostic, ...] = ()

    @property
    def changed(self) -> tuple[FileUpgrade, ...]:
        """The files that something is rewritten in."""
        return tuple(file for file in self.files if file.changed)

    def to_data(self) -> dict[str, Any]:
        """As `upgrade --format json` has it."""
        return {
            "written": self.written,
            "files": [file.to_data() for file in self.files if file.rewritten or file.left],
            "compared": list(self.compared),
            "notCompared": [found.summary for found in self.not_compared],
        }


def upgrade(
    folder: Path | str = ".",
    files: Sequence[Path | str] = (),
    *,
    write: bool = False,
    context: ProcessContext | None = None,
) -> Upgraded:
    """Rewrite old fields in these files, or in all of the project's. Without `write` nothing is written.

    A file is named from where the process stands, or from the project's folder. Raises InvalidProject where a file
    can't be read, VoiceopsError where one can't be written or the manifests would mean something else: then all files
    are as they were.
    """
    context = context or ProcessContext()
    root = root_of(Path(folder))
    problems = Problems()
    everything = _project_files(root, problems)
    texts = _read(root, everything, problems if not files else Problems())
    chosen = _named(root, files, problems) if files else everything
    if files:
        texts |= _read(root, [path for path in chosen if path not in texts], problems)
    known = _known(root, texts)
    found = []
    for path in chosen:
        if path in texts:
            try:
                found.append(upgraded(texts[path], display(root, path), known))
            except InvalidProject as error:
                problems.extend(error.diagnostics)
    problems.raise_errors()
    result = Upgraded(files=tuple(found))
    if not write or not result.changed:
        return result
    return _written(root, result, known, context)


def _project_files(root: Path, problems: Problems) -> list[Path]:
    """The project's manifests, voiceops.yaml itself and its environments' files. Raises InvalidProject."""
    project = root / PROJECT_FILE
    found = _map_of(root, project)
    patterns = found.get("manifests", ["agents"])
    patterns = tuple(map(str, patterns)) if isinstance(patterns, Seq | list) else (str(patterns),)
    manifests = files_of(root, patterns, problems, "manifests")
    environments = sorted((root / "environments").glob("*.yaml"))
    return list(dict.fromkeys([project, *(path for path in environments if path.is_file()), *manifests]))


def _map_of(root: Path, path: Path) -> Map:
    try:
        documents = read_documents(load_text(root, path), display(root, path))
    except FileProblem as problem:
        raise InvalidProject([Diagnostic(code="file", summary=str(problem), mark=Mark(path.name, 1, 1))]) from None
    return documents[0][0] if documents and isinstance(documents[0][0], Map) else Map()


def _read(root: Path, paths: Iterable[Path], problems: Problems) -> dict[Path, str]:
    found = {}
    for path in paths:
        try:
            found[path] = load_text(root, path)
        except FileProblem as problem:
            problems.error("file", str(problem), Mark(display(root, path), 1, 1))
    return found


def _named(root: Path, files: Sequence[Path | str], problems: Problems) -> list[Path]:
    """The files that were named, as real paths in the project."""
    found: dict[Path, None] = {}
    for name in files:
        try:
            real = inside(root, _from_here(root, Path(name)))
            if not real.exists():
                raise FileProblem(f"there is no file {name}")
            if real.is_dir():
                raise FileProblem(f"{name} is a folder: name its files, or none for all of the project's")
            if real.suffix.lower() not in _YAML:
                raise FileProblem(f"{name} is no YAML file")
            found[real] = None
        except FileProblem as problem:
            problems.error("file", str(problem), None)
    return list(found)


def _from_here(root: Path, path: Path) -> Path:
    """A file as it was named: from where the process stands if it is the project's, else from the project's folder."""
    here = path.absolute()
    return here if path.is_absolute() or (here.exists() and here.resolve().is_relative_to(root)) else root / path


def _known(root: Path, texts: Mapping[Path, str]) -> KnownManifests:
    documents: list[Any] = []
    for path, text in texts.items():
        try:
            found = read_documents(text, display(root, path)) if "Tool" in text or "Credential" in text else []
        except InvalidProject:
            continue
        documents += [value for value, _ in found]
    return known_manifests(documents)


def _written(root: Path, result: Upgraded, known: KnownManifests, context: ProcessContext) -> Upgraded:
    """Write the files, and compare what the project means. Raises VoiceopsError, after the files were put back."""
    names = environments_of(root, Problems())
    before = {name: _graph(root, name, context) for name in names}
    replace_files(root, [(file.file, file.before, file.after) for file in result.changed])
    try:
        for name, graph in before.items():
            if isinstance(graph, Graph):
                after = _graph(root, name, context)
                _compare(graph, after, known)
    except BaseException:
        replace_files(root, [(file.file, file.after, file.before) for file in result.changed])
        raise
    return Upgraded(
        files=result.files,
        written=True,
        compared=tuple(name for name, graph in before.items() if isinstance(graph, Graph)),
        not_compared=tuple(graph for graph in before.values() if isinstance(graph, Diagnostic)),
    )


def _graph(root: Path, environment: str, context: ProcessContext) -> Graph | Diagnostic:
    """What the manifests mean in an environment; where they can't be read there, why."""
    try:
        return load(root, environment, context).graph
    except InvalidProject as error:
        worst = next((found for found in error.diagnostics if found.severity == "error"), error.diagnostics[0])
        return replace(worst, summary=f"{environment}: {worst.summary}")


def _compare(before: Graph, after: Graph | Diagnostic, known: KnownManifests) -> None:
    """Raises VoiceopsError where the manifests mean something else."""
    if isinstance(after, Diagnostic):
        where = f" ({after.mark.place})" if after.mark else ""
        raise _refused(f"the manifests would not hold it: {after.summary}{where}")
    for address in sorted(before.resources.keys() | after.resources.keys()):
        old, new = before.resources.get(address), after.resources.get(address)
        if old is None or new is None:
            raise _refused(f"{address} would {'come' if old is None else 'go'}")
        if _meaning(address, old.body, known) != _meaning(address, new.body, known):
            keys = sorted(_differing(_meaning(address, old.body, known), _meaning(address, new.body, known)))
            raise _refused(f"{address} would mean something else in {', '.join(keys)}")


def _meaning(address: str, body: Mapping[str, Any], known: KnownManifests) -> Any:
    try:
        return modern(kind_of(address), map_leaves(dict(body), _as_written), known)
    except VoiceopsError:
        return dict(body)  # another vendor's, which has no old fields


def _as_written(leaf: Any) -> Any:
    """References to tools and credentials, and secrets, as manifests write them."""
    if isinstance(leaf, Ref) and leaf.attribute == "id" and kind_of(leaf.address) in ("Tool", "Credential"):
        return name_of(leaf.address)
    if isinstance(leaf, Secret) and len(leaf.names) == 1 and not any(leaf.parts):
        return f"${{secret:{leaf.names[0]}}}"
    return leaf


def _differing(one: Mapping[str, Any], other: Mapping[str, Any]) -> set[str]:
    return {key for key in one.keys() | other.keys() if one.get(key) != other.get(key)}


def _refused(summary: str) -> VoiceopsError:
    return VoiceopsError(
        f"nothing was written: {summary}",
        hint="A default, a patch or a part sets the successor, too. Name the FILEs that can go without it.",
    )


def replace_files(root: Path, texts: Sequence[tuple[str, str, str]]) -> None:
    """Write several files, all of them or none: each by its name, with its text before and after. Raises VoiceopsError
    where one can't be written, or is no longer what it was."""
    ready: list[tuple[Path, Path, bytes]] = []
    try:
        for file, before, after in texts:
            path = inside(root, root / file)
            old = path.read_bytes()
            mark_of_order = b"\xef\xbb\xbf" if old.startswith(b"\xef\xbb\xbf") else b""
            if old != mark_of_order + before.encode():
                raise VoiceopsError(f"{file} was changed meanwhile: nothing was written", hint="Run it again.")
            mode = path.stat().st_mode
            if not mode & 0o222 or not os.access(path, os.W_OK):
                raise VoiceopsError(
                    f"{file} is read-only: nothing was written", hint="Make it writable, or leave it out."
                )
            beside = path.with_name(f".{path.name}.upgrade")
            ready.append((path, beside, old))
            beside.write_bytes(mark_of_order + after.encode())
            beside.chmod(mode & 0o7777)
        moved: list[tuple[Path, bytes]] = []
        try:
            for path, beside, old in ready:
                beside.replace(path)
                moved.append((path, old))
        except OSError:
            for path, old in moved:
                path.write_bytes(old)
            raise
    except OSError as error:
        name = Path(str(error.filename or root)).name.removesuffix(".upgrade").removeprefix(".")
        raise VoiceopsError(f"{name} can't be written: {error.strerror}; nothing was") from None
    except FileProblem as problem:
        raise VoiceopsError(f"{problem}: nothing was written") from None
    finally:
        for _, beside, _ in ready:
            beside.unlink(missing_ok=True)
