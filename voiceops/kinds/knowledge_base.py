"""KnowledgeBase: files that agents look things up in (`/v2/knowledge-base`); the files are attached one by one."""

from typing import Any

from voiceops.kinds.base import Attached, Kind
from voiceops.model.values import Path


def _files(body: dict[str, Any]) -> tuple[Path, ...]:
    """A new knowledge base is empty."""
    return (("files",),) if body.get("files") else ()


KIND = Kind(
    name="KnowledgeBase",
    type="vapi_knowledge_base",
    path="/v2/knowledge-base",
    title="knowledge base",
    later=_files,
    attached={"files": Attached("file", "fileId")},
)
