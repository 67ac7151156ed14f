"""The JSON Schemas that editors complete a project's files from."""

from __future__ import annotations

import json
from pathlib import Path

from voiceops.kinds.json_schema import any_manifest_schema, project_schema

_FOLDER = ".voiceops"
MANIFEST_SCHEMA = f"{_FOLDER}/manifest.schema.json"


def write_schemas(root: Path) -> list[Path]:
    """Write them under `.voiceops/` of the project in that folder; where they are. Raises OSError."""
    folder = root / _FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, schema in (("voiceops", project_schema()), ("manifest", any_manifest_schema())):
        path = folder / f"{name}.schema.json"
        path.write_text(json.dumps(schema, separators=(",", ":"), ensure_ascii=False) + "\n", encoding="utf-8")
        written.append(path)
    return written
