"""A package index on loopback by somebody who took the names: newer versions, and one with the right version."""

from __future__ import annotations

import io
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

OFFERED = [("voiceops", "99.0"), ("voiceops-iac", "99.0"), ("voiceops-iac", "0.1.0")]


@dataclass(slots=True)
class Hostile:
    """Where it is, and the paths that it was asked for."""

    url: str = ""
    asked: list[str] = field(default_factory=list)


def _wheel(name: str, version: str) -> bytes:
    stem = f"{name.replace('-', '_')}-{version}"
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("voiceops/__init__.py", "raise SystemExit('somebody else runs')\n")
        archive.writestr(f"{stem}.dist-info/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        archive.writestr(f"{stem}.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{stem}.dist-info/RECORD", "")
    return packed.getvalue()


@contextmanager
def hostile_index() -> Iterator[Hostile]:
    made = Hostile()
    files = {f"{n.replace('-', '_')}-{v}-py3-none-any.whl": _wheel(n, v) for n, v in OFFERED}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            made.asked.append(self.path)
            parts = [part for part in self.path.split("/") if part]
            content: bytes | None = None
            if len(parts) == 2 and parts[0] == "simple":
                stems = [name for name in files if name.startswith(parts[1].replace("-", "_") + "-")]
                content = "".join(f'<a href="/files/{name}">{name}</a>\n' for name in stems).encode() or None
            elif len(parts) == 2 and parts[0] == "files":
                content = files.get(parts[1])
            self.send_response(404 if content is None else 200)
            self.send_header("content-type", "text/html" if parts[:1] == ["simple"] else "application/zip")
            self.send_header("content-length", str(len(content or b"")))
            self.end_headers()
            self.wfile.write(content or b"")

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    made.url = f"http://127.0.0.1:{server.server_address[1]}/simple"
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()
