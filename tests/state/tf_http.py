"""A strict server of Terraform's HTTP state protocol, in the plain flavour and in GitLab's.

It refuses what a lenient one would let pass: a write under a lock that is not held, a serial that was there before (as
GitLab does), a wrong Content-MD5, an unlock under another id.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import threading
import time
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

LOGIN = ("ops", "pass/word")


@dataclass
class Kept:
    """One state's versions by serial, and its lock."""

    versions: dict[int, bytes] = field(default_factory=dict)
    lock: dict[str, Any] | None = None


class TerraformServer:
    """Listens on loopback until `stop`; `states` and `requests` are there to be looked at."""

    def __init__(self, port: int = 0) -> None:
        self.states: dict[str, Kept] = {}
        self.requests: list[tuple[str, str, dict[str, str]]] = []
        self.forgets_locks = False  # a server that gives every lock to everybody
        self.locked = threading.Event()  # a lock was given
        self.lock_pause = 0.0  # seconds between locking and saying so
        self.fail_after: int | None = None  # so many writes are taken, then everything is answered with a 503
        self.lose_answers = 0  # so many writes are executed and answered with a 502
        gitlab = "/api/v4/projects/{project}/terraform/state/{name}"
        routes = [
            Route(gitlab + "/lock", self._gitlab_lock, methods=["POST", "DELETE"]),
            Route(gitlab, self._state, methods=["GET", "POST", "DELETE"]),
            Route("/{name:path}", self._state, methods=["GET", "POST", "DELETE"]),
            Route("/{name:path}", self._lock, methods=["LOCK", "UNLOCK"]),
        ]
        config = uvicorn.Config(
            Starlette(routes=routes), host="127.0.0.1", port=port, log_level="error", lifespan="off"
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, daemon=True)
        self._thread.start()
        while not self._server.started:
            time.sleep(0.01)
        self.port: int = self._server.servers[0].sockets[0].getsockname()[1]

    def stop(self) -> None:
        self._server.should_exit = True
        self._server.force_exit = True
        self._thread.join()

    def url(self, name: str, *, login: tuple[str, str] = LOGIN) -> str:
        user, password = (part.replace("/", "%2F") for part in login)
        return f"http://{user}:{password}@127.0.0.1:{self.port}/{name}"

    def document(self, name: str) -> dict[str, Any]:
        kept = self.states[name]
        found: dict[str, Any] = json.loads(kept.versions[max(kept.versions)])
        return found

    def _refusal(self, request: Request) -> Response | None:
        self.requests.append((request.method, request.path_params["name"], dict(request.query_params)))
        if self.fail_after is not None:
            self.fail_after -= request.method == "POST"
            if self.fail_after < 0:
                return Response(status_code=503)
        given = request.headers.get("authorization", "")
        wanted = "Basic " + base64.b64encode(":".join(LOGIN).encode()).decode()
        return None if given == wanted else Response(status_code=401)

    def _kept(self, request: Request) -> Kept:
        return self.states.setdefault(request.path_params["name"], Kept())

    async def _state(self, request: Request) -> Response:
        if refusal := self._refusal(request):
            return refusal
        kept, content = self._kept(request), await request.body()
        if request.method == "GET":
            if not kept.versions:
                return Response(status_code=404 if "project" not in request.path_params else 204)
            newest = kept.versions[max(kept.versions)]
            return Response(newest, headers={"content-md5": base64.b64encode(hashlib.md5(newest).digest()).decode()})
        if (kept.lock or {}).get("ID") != request.query_params.get("ID") and not self.forgets_locks:
            return JSONResponse(kept.lock or {}, status_code=423)
        if request.method == "DELETE":
            kept.versions.clear()
            return Response()
        digest = base64.b64encode(hashlib.md5(content).digest()).decode()
        if request.headers.get("content-md5", digest) != digest:
            return Response(status_code=400)
        serial = json.loads(content)["serial"]
        if serial in kept.versions:
            return Response(status_code=422)
        kept.versions[serial] = content
        if self.lose_answers:
            self.lose_answers -= 1
            return Response("<html>Bad Gateway</html>", status_code=502)
        return Response()

    async def _lock(self, request: Request) -> Response:
        if refusal := self._refusal(request):
            return refusal
        answer = self._locked(self._kept(request), json.loads(await request.body()), request.method == "LOCK", 423)
        await asyncio.sleep(self.lock_pause if request.method == "LOCK" else 0)
        return answer

    async def _gitlab_lock(self, request: Request) -> Response:
        """As lib/api/terraform/state.rb: a conflict names the holder by id, user and time, and echoes the rest."""
        if refusal := self._refusal(request):
            return refusal
        info = json.loads(await request.body())
        if request.method == "POST":
            assert set(info) == {"ID", "Operation", "Info", "Who", "Version", "Created", "Path"}
            assert all(isinstance(value, str) for value in info.values())
            info["Who"] = LOGIN[0]
        return self._locked(self._kept(request), info, request.method == "POST", 409)

    def _locked(self, kept: Kept, info: dict[str, Any], take: bool, conflict: int) -> Response:
        if take:
            if kept.lock is None or self.forgets_locks:
                kept.lock = info
                self.locked.set()
                return JSONResponse(info)
            return JSONResponse(kept.lock, status_code=conflict)
        if kept.lock is None or kept.lock["ID"] != info.get("ID"):
            return JSONResponse(kept.lock or {}, status_code=conflict)
        kept.lock = None
        return Response()
