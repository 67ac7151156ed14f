"""KnowledgeBase: files that agents look things up in (`/v2/knowledge-base`); the files are attached one by one.

Vapi makes a tool that searches it, and deletes it with it: an agent is given that tool.
"""

from typing import Any

from voiceops.kinds.base import Attached, Kind
from voiceops.model.values import Path


def _files(body: dict[str, Any]) -> tuple[Path, ...]:
    """A new knowledge base is empty."""
    return (("files",),) if body.get("files") else ()


def _read(live: dict[str, Any]) -> dict[str, Any]:
    """Its own address shows each file with how far its indexing is; a body only names them."""
    files = live.get("files")
    if not isinstance(files, list):
        return live
    return live | {"files": sorted(str(f["fileId"]) if isinstance(f, dict) else str(f) for f in files)}


KIND = Kind(
    name="KnowledgeBase",
    type="vapi_knowledge_base",
    path="/v2/knowledge-base",
    title="knowledge base",
    after=("File",),
    later=_files,
    attached={"files": Attached("file", "fileId")},
    details=True,
    read=_read,
    attributes={"toolId": ()},
    stands_for={"Tool": "toolId"},
)
