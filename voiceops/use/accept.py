"""Edits made in the dashboard, written back into the files that the manifests are made of.

Each edit is made at the place that the field's source points at: the manifest, a part, `defaults`, an environment's
patch, or the text file behind `${file:…}`. Then the project is read again, and what came out must differ in the edited
fields only; otherwise the files are put back. So nothing is taken over by accident, whoever shares a value.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import Any

from voiceops.engine.fields.equality import same
from voiceops.engine.review.compare_graphs import compare
from voiceops.errors import Diagnostic, InvalidProject, Mark
from voiceops.kinds.twilio import TWILIO_SETTINGS
from voiceops.manifest.files import FileProblem, display, inside, load
from voiceops.manifest.yaml_edit import CannotEdit, find, raw, replaced, value_at
from voiceops.model.address import name_of
from voiceops.model.graph import Graph, Resource
from voiceops.model.plan import Drift, FieldChange
from voiceops.model.state import State
from voiceops.model.values import (
    ABSENT,
    JSON,
    Fingerprint,
    Path,
    Ref,
    Secret,
    Template,
    format_path,
    get_path,
    leaves,
    map_leaves,
)
from voiceops.whole_file import write_whole

_FILE = re.compile(r"\$\{file:([^{}]+)\}\Z")
# A field of the body, and the manifest's keys that may stand for it.
_KEYS: dict[str, tuple[str, ...]] = {
    "content": ("content", "systemPrompt"),
    "toolIds": ("toolIds", "tools"),
    "assistantId": ("assistantId", "agent", "assistant"),
    "squadId": ("squadId", "squad"),
} | {theirs: (theirs, ours) for ours, theirs in TWILIO_SETTINGS.items()}


@dataclass(frozen=True, slots=True)
class Taken:
    """A field whose live value stands in the files now."""

    address: str
    path: Path
    file: str
    line: int
    value: JSON

    def to_data(self) -> dict[str, Any]:
        """As JSON has it."""
        return {
            "address": self.address,
            "path": format_path(self.path),
            "file": self.file,
            "line": self.line,
            "value": self.value,
        }


@dataclass(slots=True)
class Accepted:
    """What was written back and what could not be; `graph` is the project as it reads now."""

    graph: Graph
    taken: list[Taken] = field(default_factory=list)
    refused: list[Diagnostic] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Edit:
    """One place in one file, with every drifted field that comes from it."""

    file: FilePath
    mark: Mark
    text: str  # the file as it is to be
    fields: tuple[tuple[Resource, FieldChange], ...]


class _Refusal(Exception):
    """Why one field can't be taken over, and what to do instead."""

    def __init__(self, summary: str, hint: str = "") -> None:
        super().__init__(summary)
        self.hint = hint


def accept(root: FilePath, graph: Graph, state: State, drift: Iterable[Drift], read: Callable[[], Graph]) -> Accepted:
    """Write edits back, one place after another. `read` reads the project again; it may raise InvalidProject."""
    result = Accepted(graph)
    names = {entry.id: name_of(entry.address) for entry in state.entries.values()}
    ids = {entry.address: entry.id for entry in state.entries.values()}
    for found in _by_place(root, drift, result):
        # Every edit moves the lines below it: places are taken from the project as it reads now.
        group = tuple((result.graph.resources[resource.address], change) for resource, change in found)
        address, change = group[0][0].address, group[0][1]
        try:
            edit = _edit(root, group, names)
            result.graph = _made(root, result.graph, edit, ids, read)
        except (_Refusal, CannotEdit, FileProblem) as error:
            result.refused.append(_refused(address, change, str(error), getattr(error, "hint", "")))
            continue
        result.taken += [
            Taken(resource.address, f.path, display(root, edit.file), edit.mark.line, f.after) for resource, f in group
        ]
    return result


def _by_place(
    root: FilePath, drift: Iterable[Drift], result: Accepted
) -> list[tuple[tuple[Resource, FieldChange], ...]]:
    """The fields that can be looked for, those of one place together; the others are refused here."""
    places: dict[Any, list[tuple[Resource, FieldChange]]] = {}
    for found in drift:
        resource = result.graph.resources.get(found.address)
        if found.deleted or resource is None:
            result.refused.append(
                Diagnostic(
                    code="accept",
                    address=found.address,
                    summary="was deleted outside of voiceops" if found.deleted else "is in no manifest any more",
                    hint="Take its manifest out if that is meant; apply makes it again." if found.deleted else "",
                )
            )
            continue
        for change in found.fields:
            places.setdefault(_place(root, resource, change), []).append((resource, change))
    return [tuple(group) for group in places.values()]


def _place(root: FilePath, resource: Resource, change: FieldChange) -> Hashable:
    """Equal for fields that come from the same key, or from the same text file."""
    mark = resource.sources.get(change.path)
    if mark is None:
        return (resource.address, change.path)
    try:
        text = load(root, root / mark.file)
        if found := _FILE.match(raw(find(text, mark, _keys(change.path))) or ""):
            return (_folder(root, resource, mark) / found[1]).resolve()
    except (CannotEdit, FileProblem):
        pass
    return (mark.file, mark.line, mark.column, change.path[-1])


def _keys(path: Path) -> tuple[str, ...]:
    last = path[-1]
    return () if isinstance(last, int) else _KEYS.get(last, (last,))


def _folder(root: FilePath, resource: Resource, mark: Mark) -> FilePath:
    """From where `${file:…}` is read: the manifest's folder, also for what its defaults and patches bring."""
    of_project = mark.file == "voiceops.yaml" or mark.file.startswith("environments/")
    return (root / (resource.mark.file if of_project else mark.file)).parent


def _edit(root: FilePath, group: tuple[tuple[Resource, FieldChange], ...], names: Mapping[str, str]) -> _Edit:
    """Raises _Refusal, CannotEdit, FileProblem."""
    resource, change = group[0]
    for other, found in group[1:]:
        if found.after != change.after:
            raise _Refusal(
                f"{other.address} has the same value from {other.source_of(found.path)}, and was edited otherwise",
                "Give each a value of its own first.",
            )
    if any(isinstance(leaf, (Secret, Fingerprint)) for _, leaf in (*leaves(change.before), *leaves(change.after))):
        raise _Refusal("it is a secret", "Change the secret itself where it is kept.")
    mark = resource.sources.get(change.path)
    if mark is None or not mark.file:
        raise _Refusal("no line of the manifests sets it by itself", f"Write it at {resource.mark} yourself.")
    text = load(root, root / mark.file)
    keys = _keys(change.path)
    place = find(text, mark, keys)
    written = raw(place)
    if written is not None and (found_file := _FILE.match(written)):
        path = inside(root, _folder(root, resource, mark) / found_file[1])
        if not isinstance(change.after, str):
            raise _Refusal("it is no text any more, and the manifest takes it from a file")
        return _Edit(path, mark, change.after, group)
    if written is not None and "${" in written.replace("$${", ""):
        raise _Refusal(f"the manifest makes it from {written[:60]}", "Change what it is made from yourself.")
    value = _as_written(change.after, names)
    if place.key is not None and place.key.value == "tools" and change.path[-1] in ("tools", "toolIds"):
        value = _tools(value_at(text, mark, item=False), value, change.path[-1] == "toolIds")
    return _Edit(root / mark.file, mark, replaced(text, mark, keys, value), group)


def _as_written(value: JSON, names: Mapping[str, str]) -> JSON:
    """Ids as the names that manifests use, texts so that nothing in them is substituted."""

    def leaf(item: JSON) -> JSON:
        if isinstance(item, str):
            return names.get(item, item.replace("${", "$${"))
        return None if item is ABSENT else item

    return map_leaves(value, leaf)


def _tools(held: JSON, new: JSON, by_id: bool) -> JSON:
    """`tools:` holds names and inline tools: only one sort of them was edited."""
    rest = [item for item in held or [] if isinstance(item, str) is not by_id]
    found = list(new or [])
    return [*found, *rest] if by_id else [*rest, *found]


def _made(root: FilePath, before: Graph, edit: _Edit, ids: Mapping[str, str], read: Callable[[], Graph]) -> Graph:
    """Write the file, read the project, and keep both if only the edited fields came out otherwise."""
    old = edit.file.read_bytes()
    mark_of_order = b"\xef\xbb\xbf" if old.startswith(b"\xef\xbb\xbf") else b""
    write_whole(edit.file, mark_of_order + edit.text.encode())
    try:
        graph = read()
        _check(before, graph, edit, ids)
    except BaseException as error:
        write_whole(edit.file, old)
        if isinstance(error, InvalidProject):
            first = error.diagnostics[0]
            raise _Refusal(f"the manifests would not hold it: {first.summary}", first.hint) from None
        raise
    return graph


def _check(before: Graph, after: Graph, edit: _Edit, ids: Mapping[str, str]) -> None:
    """Raises _Refusal where more or something else than the edited fields would change."""
    wanted = {(resource.address, found.path): found.after for resource, found in edit.fields}
    beside = sorted(
        {
            change.address
            for change in compare(before, after)
            if not change.fields or any(not _is_within(change.address, f.path, wanted) for f in change.fields)
        }
    )
    if beside:
        raise _Refusal(
            f"{edit.mark.place} also sets {', '.join(beside[:5])}" + (" and more" if len(beside) > 5 else ""),
            "Give this one a value of its own first: in its manifest, or as a patch of its environment.",
        )
    for (address, path), value in wanted.items():
        if not same(_with_ids(get_path(after.resources[address].body, path), ids), value):
            raise _Refusal("what the manifest says then is not what is live", "Write it yourself.")


def _is_within(address: str, path: Path, wanted: Mapping[tuple[str, Path], JSON]) -> bool:
    return any(address == a and (path[: len(p)] == p or p[: len(path)] == path) for a, p in wanted)


def _with_ids(value: JSON, ids: Mapping[str, str]) -> JSON:
    def leaf(item: JSON) -> JSON:
        if isinstance(item, Ref):
            return ids.get(item.address, item)
        return "".join(map(str, item.parts)) if isinstance(item, Template) else item

    return map_leaves(value, leaf)


def _refused(address: str, change: FieldChange, summary: str, hint: str) -> Diagnostic:
    return Diagnostic(
        code="accept",
        address=address,
        path=format_path(change.path),
        mark=Mark(change.file, change.line, 1, change.source) if change.file else None,
        summary=f"can't be taken over: {summary}",
        hint=hint,
    )
