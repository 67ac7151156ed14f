"""The JSON Schemas of a project's files, from the facts that it works with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from voiceops.errors import VoiceopsError
from voiceops.kinds.json_schema import manifest_schema, project_schema
from voiceops.kinds.registry import ALL
from voiceops.kinds.schema import using
from voiceops.manifest.problems import Problems, did_you_mean
from voiceops.manifest.project import read_facts
from voiceops.scaffold.editor_schemas import write_schemas
from voiceops.use.load_project import facts_at, root_of


def json_schema(kind: str | None = None, folder: Path | str = ".") -> dict[str, Any]:
    """The JSON Schema of a kind's manifest, or of voiceops.yaml (None), by the facts of the project in `folder`.

    Raises VoiceopsError where there is no such kind.
    """
    if kind is None:
        return project_schema()
    if kind not in ALL:
        raise VoiceopsError(f"there is no kind {kind!r}", hint=did_you_mean(kind, ALL) or f"Kinds: {', '.join(ALL)}.")
    with using(facts_at(Path(folder))):
        return manifest_schema(kind)


def write_editor_schemas(folder: Path | str = ".") -> list[Path]:
    """Write what editors read into .voiceops/ of the project; where it is. Raises InvalidProject, OSError."""
    root = root_of(Path(folder))
    with using(read_facts(root, Problems())):
        return write_schemas(root)
