"""File: a document that tools and knowledge bases read (`/file`).

The bytes are tracked by their SHA-256, which the API doesn't show; other bytes are another file.
"""

from pathlib import PurePosixPath
from typing import Any

from voiceops.kinds.base import Kind, Upload
from voiceops.model.values import Path

# The vendor publishes no limit. What is larger than this is no text for an agent to read.
MAX_BYTES = 100 * 1024 * 1024
MAX_METADATA = 4096  # characters, as JSON


def file_name(name: str, path: str) -> str:
    """The name under which a file is uploaded: its live name with the ending that tells its format."""
    suffix = PurePosixPath(path).suffix
    return name if name.endswith(suffix) else name + suffix


def _renamed(body: dict[str, Any]) -> tuple[Path, ...]:
    """An upload is named after its file: another name takes an update."""
    return (("name",),) if body.get("name") != body.get("originalName") else ()


KIND = Kind(
    name="File",
    type="vapi_file",
    path="/file",
    title="file",
    immutable=frozenset({"sha256", "bytes", "purpose", "metadata"}),
    create_only=frozenset({"originalName"}),
    patch_omits=frozenset({"sha256", "bytes", "purpose", "metadata", "originalName"}),
    later=_renamed,
    unseen=frozenset({"sha256"}),
    upload=Upload(name="originalName", digest="sha256", fields=("purpose", "metadata")),
    pending=frozenset({"processing"}),
    failed=frozenset({"failed"}),
)
