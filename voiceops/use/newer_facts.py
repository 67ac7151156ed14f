"""Take newer facts about Vapi's API over into a project: from the vendor's OpenAPI document, or from its client."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from voiceops.errors import InvalidProject, VoiceopsError
from voiceops.kinds.own_facts import FILE, NoFacts, own_facts
from voiceops.kinds.schema import Facts, embedded, using
from voiceops.manifest.problems import Problems
from voiceops.manifest.project import read_facts
from voiceops.scaffold.editor_schemas import MANIFEST_SCHEMA, write_schemas
from voiceops.use.load_project import root_of
from voiceops.vendor_facts.client_package import is_client, read_client
from voiceops.vendor_facts.compare_facts import FactChange, compare_facts
from voiceops.vendor_facts.facts_text import render
from voiceops.vendor_facts.from_client import over
from voiceops.vendor_facts.from_openapi import build
from voiceops.vendor_facts.notes import Note
from voiceops.vendor_facts.openapi_file import read_openapi
from voiceops.whole_file import write_whole


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaUpdate:
    """What an update found, and where it put it.

    `compared_with`: the project's own facts that were there, or voiceops's. `written`: the file was made or changed.
    """

    path: Path
    source: dict[str, str]
    compared_with: Literal["project", "voiceops"]
    changes: tuple[FactChange, ...]
    notes: tuple[Note, ...]
    kinds: int
    types: int
    written: bool
    unchanged: bool


def update_schema(
    file: Path | str, folder: Path | str = ".", out: Path | None = None, *, dry_run: bool = False
) -> SchemaUpdate:
    """Make the project's own facts from `file`: an OpenAPI document, or the client as a wheel, an archive or a folder.

    They go to vapi-schema.json beside voiceops.yaml, or to `out`; `dry_run` writes nothing. Raises VoiceopsError where
    the file is neither, or what it says can't be used, and InvalidProject where there is no project.
    """
    source, root = Path(file), root_of(Path(folder))
    before, is_ours = _before(root)
    if is_client(source):
        client = read_client(source)
        facts, notes = over(before, client)
        told = {"kind": "client", "name": source.resolve().name}
        if client.version:
            told["version"] = client.version
    else:
        facts, notes = build(read_openapi(source))
        del facts["elsewhere"]  # where people put keys is not the vendor's to say
        told = {"kind": "openapi", "name": source.name, "sha256": hashlib.sha256(source.read_bytes()).hexdigest()}
    text = render(_headed(facts, told))
    try:
        after = own_facts(text.encode())
    except NoFacts as problem:
        raise VoiceopsError(f"what {source} says can't be used as facts: {problem}") from None
    path = root / FILE if out is None else out
    unchanged = _text_of(path) == text
    if not (dry_run or unchanged):
        _put(path, text, root, after)
    return SchemaUpdate(
        path=path,
        source=told,
        compared_with="voiceops" if is_ours else "project",
        changes=tuple(compare_facts(before, after)),
        notes=tuple(notes),
        kinds=len(after.roots),
        types=len(facts["types"]),
        written=not (dry_run or unchanged),
        unchanged=unchanged,
    )


def _before(root: Path) -> tuple[Facts, bool]:
    """The facts that count so far, and whether they are voiceops's; a file that can't be used, or that older repairs
    were laid over, counts as none."""
    problems = Problems()
    try:
        found = read_facts(root, problems)
    except InvalidProject:
        found = None
    return (embedded(), True) if found is None or problems.all else (found, False)


def _headed(facts: dict[str, Any], source: dict[str, str]) -> dict[str, Any]:
    """With where they are from, before what they say."""
    return {"format": facts["format"], "rules": facts["rules"], "source": source} | {
        key: value for key, value in facts.items() if key not in ("format", "rules")
    }


def _text_of(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None


def _put(path: Path, text: str, root: Path, after: Facts) -> None:
    """Write the facts, and anew what editors read of them, where that is there."""
    try:
        write_whole(path, text.encode())
        if path == root / FILE and (root / MANIFEST_SCHEMA).exists():
            with using(after):
                write_schemas(root)
    except OSError as error:
        raise VoiceopsError(f"{path} can't be written: {error.strerror}") from None
