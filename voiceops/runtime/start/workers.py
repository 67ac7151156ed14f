"""Processes and sockets: one server, several workers, or one that starts anew when files change.

Knows uvicorn; knows nothing of what is served.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import socket
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import uvicorn
from uvicorn.supervisors.basereload import BaseReload
from uvicorn.supervisors.multiprocess import Multiprocess

from voiceops.errors import VoiceopsError
from voiceops.runtime.http.app import RuntimeApp
from voiceops.runtime.http.bounds import BOUNDS, Bounds, allow_files
from voiceops.runtime.http.protocol import protocol
from voiceops.runtime.http.served import served_in

BOOT = "VOICEOPS_BOOT"  # equal for the workers of one start; set here, for them
DRAIN = 25  # seconds that requests under way have at the end
_IGNORED = frozenset({".git", ".venv", "__pycache__", ".voiceops", "node_modules"})


def bind(host: str, port: int) -> socket.socket:
    """A listening socket. Raises VoiceopsError where that can't be."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((host, port))
        bound.listen(2048)
    except (OSError, OverflowError, TypeError) as error:  # a port that is none, a host that no name can be
        bound.close()
        why = "a port is a number from 0 to 65535" if isinstance(error, OverflowError) else error
        raise VoiceopsError(
            f"{host}:{port} can't be listened on: {getattr(error, 'strerror', None) or why}",
            hint="Choose another with --host or --port.",
        ) from None
    bound.setblocking(False)
    bound.set_inheritable(True)
    return bound


def address_of(bound: socket.socket) -> str:
    """Where a socket listens, as a URL that reaches it from this machine."""
    host, port = bound.getsockname()[:2]
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)
    return f"http://{shown}:{port}"


def serve(app: RuntimeApp, bound: socket.socket) -> None:
    """Serve in this process until SIGINT or SIGTERM, and let requests under way end.

    Raises VoiceopsError where the application does not start.
    """
    server = _Server(config_of(app, bounds=app.bounds))
    server.run(sockets=[bound])
    if not server.started:
        raise VoiceopsError("the runtime did not start", hint="Its log says why.")


def serve_workers(factory: str, bound: socket.socket, workers: int) -> None:
    """Serve with several processes; one that dies is replaced."""
    os.environ[BOOT] = secrets.token_hex(8)
    config = config_of(factory, factory=True, workers=workers)
    Multiprocess(config, sockets=[bound]).run()


def serve_reloading(factory: str, bound: socket.socket, watched: Iterable[Path]) -> None:
    """Serve with one process that is replaced when a file below `watched` changes."""
    config = config_of(factory, factory=True, reload_delay=0.4)
    _Reload(config, uvicorn.Server(config).run, [bound], list(watched)).run()


def config_of(app: Any, *, http: Any = None, bounds: Bounds = BOUNDS, **given: Any) -> uvicorn.Config:
    """uvicorn as the runtime needs it; `app` is one, or where one is found. `bounds` have to be the application's."""
    allow_files(bounds.connections)
    return uvicorn.Config(
        app,
        loop="auto",
        http=http or protocol(),
        ws="none",
        lifespan="on",
        interface="asgi3",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=bounds.idle_seconds,  # type: ignore[arg-type] # a loop takes any number
        timeout_graceful_shutdown=DRAIN,
        h11_max_incomplete_event_size=bounds.head_bytes,
        **given,
    )


class _Server(uvicorn.Server):
    """Says at once that it is not ready any more, and ends without passing the signal on to itself."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        with contextlib.suppress(KeyError, AttributeError):  # it has not started yet
            served_in(self.lifespan.state).parts.health.draining = True
        super().handle_exit(sig, frame)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        with super().capture_signals():
            yield
            self._captured_signals.clear()


class _Reload(BaseReload):
    def __init__(
        self,
        config: uvicorn.Config,
        target: Callable[[list[socket.socket] | None], None],
        sockets: list[socket.socket],
        watched: list[Path],
    ) -> None:
        super().__init__(config, target, sockets)
        self.reloader_name = "voiceops"
        self._watched = watched
        self._seen = self._times()

    def should_restart(self) -> list[Path] | None:
        self.pause()
        now = self._times()
        changed = [path for path in now.keys() | self._seen.keys() if now.get(path) != self._seen.get(path)]
        self._seen = now
        return sorted(changed) or None

    def _times(self) -> dict[Path, int]:
        found: dict[Path, int] = {}
        for root in self._watched:
            for folder, folders, files in os.walk(root):
                folders[:] = [name for name in folders if name not in _IGNORED]
                for name in files:
                    if name.endswith((".py", ".yaml", ".yml", ".md", ".txt", ".json")) or name == ".env":
                        path = Path(folder, name)
                        with contextlib.suppress(OSError):
                            found[path] = path.stat().st_mtime_ns
        return found
