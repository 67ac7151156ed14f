"""A manifest that names a file to upload: its path becomes the facts about its bytes.

The graph holds the SHA-256 and the size; the bytes are read again when they are sent.
"""

from __future__ import annotations

import hashlib
import json

from voiceops.kinds.file import MAX_BYTES, MAX_METADATA, file_name
from voiceops.manifest.documents import Document
from voiceops.manifest.files import FileProblem, load_bytes
from voiceops.manifest.problems import Problems
from voiceops.manifest.project import Project
from voiceops.model.located import Map, plain


def shape_upload(project: Project, document: Document, spec: Map, problems: Problems) -> tuple[Map, str]:
    """The body that stands for the file, and where its bytes are (empty: that was a problem)."""
    given, name = spec.get("path"), spec.get("name")
    if not (isinstance(given, str) and isinstance(name, str)):
        return spec, ""  # said already
    body = spec.clone()
    _, mark = body.take("path")
    path = document.folder / given
    try:
        content = load_bytes(project.root, path, MAX_BYTES)
    except FileProblem as problem:
        problems.error("file", str(problem), mark, address=document.address)
        return spec, ""
    if len(json.dumps(plain(body.get("metadata"), {}), default=str)) > MAX_METADATA:
        problems.error(
            "schema-range",
            f"metadata must be at most {MAX_METADATA} characters as JSON",
            body.marks["metadata"],
            address=document.address,
        )
    body.put("originalName", file_name(name, given), mark)
    body.put("sha256", hashlib.sha256(content).hexdigest(), mark)
    body.put("bytes", len(content), mark)
    return body, str(path.resolve())
