"""As much of GitHub's and GitLab's API as the pipelines use, over real sockets: what is written can be read again.

https://docs.github.com/rest and https://docs.gitlab.com/api; shapes cut down to the fields that a client may rely on.
"""

from __future__ import annotations

import io
import json
import re
import threading
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

TOKEN = "forge-t0ken"
# Who writes with that token, in both forges' words; and somebody else.
OURS = {"user": {"login": "github-actions[bot]", "type": "Bot"}, "author": {"id": 5}, "system": False}
STRANGER = {"user": {"login": "mallory", "type": "User"}, "author": {"id": 666}, "system": False}


@dataclass(slots=True)
class Forge:
    """One repository with merge request 7. `plans` are the artifacts' contents by environment and commit."""

    url: str = ""
    storage: str = ""  # another host, where downloads lead
    comments: list[dict[str, Any]] = field(default_factory=list)
    issues: list[dict[str, Any]] = field(default_factory=list)
    plans: dict[tuple[str, str], bytes] = field(default_factory=dict)
    signatures: dict[bytes, bytes] = field(default_factory=dict)  # by the plan that is signed
    merged: dict[str, str] = field(default_factory=dict)  # commit on the main branch → head of its merge request
    # What is changed in what the forge says of a run, a merge request, or a user: `{"run": {"event": "push"}}`.
    said: dict[str, dict[str, Any]] = field(default_factory=dict)
    permission: str = "write"  # of whoever started the runs; GitLab: "write" is a developer
    stray: list[dict[str, Any]] = field(default_factory=list)  # artifacts of the same name, made by others
    closed: tuple[str, ...] = ()  # ends of paths that answer 403
    requests: list[tuple[str, str]] = field(default_factory=list)
    leaked: list[str] = field(default_factory=list)  # tokens that reached the storage

    @property
    def open_issues(self) -> list[dict[str, Any]]:
        return [issue for issue in self.issues if issue["state"] in ("open", "opened")]

    def answer(self, method: str, path: str, query: dict[str, str], body: Any) -> Any:
        for wanted, pattern, handler in _ROUTES:
            if wanted == method and (match := re.fullmatch(pattern, path)):
                return handler(self, match, query, body)
        raise LookupError(path)


def _page(items: list[Any], query: dict[str, str]) -> list[Any]:
    size, page = int(query.get("per_page", 30)), int(query.get("page", 1))
    return items[(page - 1) * size : page * size]


def _list_comments(forge: Forge, match: re.Match[str], query: dict[str, str], body: Any) -> Any:
    return _page(forge.comments, query)


def _add_comment(forge: Forge, match: re.Match[str], query: dict[str, str], body: Any) -> Any:
    forge.comments.append({"id": len(forge.comments) + 100, "body": body["body"], **OURS})
    return forge.comments[-1]


def _edit_comment(forge: Forge, match: re.Match[str], query: dict[str, str], body: Any) -> Any:
    found = next(c for c in forge.comments if c["id"] == int(match[1]))
    found["body"] = body["body"]
    return found


def _list_issues(forge: Forge, match: re.Match[str], query: dict[str, str], body: Any) -> Any:
    return _page([i for i in forge.open_issues if query["labels"] in i["labels"]], query)


def _add_issue(forge: Forge, match: re.Match[str], query: dict[str, str], body: Any) -> Any:
    number = len(forge.issues) + 1
    state = "opened" if "description" in body else "open"
    held = {"body": None, "description": None} | body | {"number": number, "iid": number, "state": state}
    forge.issues.append(held | OURS)
    return forge.issues[-1]


def _edit_issue(forge: Forge, match: re.Match[str], query: dict[str, str], body: Any) -> Any:
    found = next(i for i in forge.issues if i["number"] == int(match[1]))
    found.update(body)
    if body.get("state_event") == "close":
        found["state"] = "closed"
    return found


def _pulls(forge: Forge, match: re.Match[str], query: dict[str, str], body: Any) -> Any:
    head = forge.merged.get(match[1])
    if not head or query.get("page", "1") != "1":
        return []
    here = {"full_name": "acme/voice"}
    pull = {
        "number": 7,
        "head": {"sha": head, "repo": here},
        "base": {"ref": "main"},
        "merged_at": "2026-06-01T00:00:00Z",
        "merge_commit_sha": match[1],
    }
    return [pull | forge.said.get("merge", {})]


def _artifacts(forge: Forge, match: re.Match[str], query: dict[str, str], body: Any) -> Any:
    names = [f"voiceops-plan-{environment}-{sha}" for environment, sha in forge.plans]
    found = [
        {"id": index, "name": name, "expired": False, "workflow_run": {"id": index}}
        for index, name in enumerate(names)
        if name == query["name"]
    ]
    found = [
        *({k: v for k, v in a.items() if k not in ("content", "run")} for a in forge.stray),
        *(artifact | forge.said.get("artifact", {}) for artifact in found),
    ]
    return {"total_count": len(found), "artifacts": found}


def _run(forge: Forge, match: re.Match[str], query: dict[str, str], body: Any) -> Any:
    index, here = int(match[1]), {"full_name": "acme/voice"}
    strays = {artifact["workflow_run"]["id"]: artifact.get("run", {}) for artifact in forge.stray}
    sha = next((sha for at, (_, sha) in enumerate(forge.plans) if at == index), "0" * 40)
    run = {
        "id": index,
        "head_sha": sha,
        "event": "pull_request",
        "path": ".github/workflows/voiceops.yml",
        "repository": here,
        "head_repository": here,
        "triggering_actor": {"login": "ann", "type": "User"},
    }
    return run | (strays[index] if index in strays else forge.said.get("run", {}))


def _permission(forge: Forge, match: re.Match[str], query: dict[str, str], body: Any) -> Any:
    if match[1] != "ann":
        raise LookupError(match[1])
    return {"permission": forge.permission}


def _zip(forge: Forge, match: re.Match[str], query: dict[str, str], body: Any) -> Any:
    return Redirect(f"{forge.storage}/blob/{match[1]}")


def _merge_requests(forge: Forge, match: re.Match[str], query: dict[str, str], body: Any) -> Any:
    head = forge.merged.get(match[1])
    if not head or query.get("page", "1") != "1":
        return []
    merge = {
        "iid": 7,
        "sha": head,
        "state": "merged",
        "target_branch": "main",
        "merge_commit_sha": match[1],
        "squash_commit_sha": None,
        "source_project_id": 42,
        "target_project_id": 42,
    }
    return [merge | forge.said.get("merge", {})]


def _pipelines(forge: Forge, match: re.Match[str], query: dict[str, str], body: Any) -> Any:
    return [{"id": 11, "sha": "0" * 40}, {"id": 12, "sha": next(iter(forge.merged.values()))}]


def _pipeline(forge: Forge, match: re.Match[str], query: dict[str, str], body: Any) -> Any:
    return {
        "id": 12,
        "project_id": 42,
        "sha": next(iter(forge.merged.values())),
        "ref": "refs/merge-requests/7/head",
        "source": "merge_request_event",
        "user": {"id": 8, "username": "ann"},
    } | forge.said.get("run", {})


def _me(forge: Forge, match: re.Match[str], query: dict[str, str], body: Any) -> Any:
    return {"id": OURS["author"]["id"], "username": "project_42_bot"}  # type: ignore[index]


def _member(forge: Forge, match: re.Match[str], query: dict[str, str], body: Any) -> Any:
    if match[1] != "8":
        raise LookupError(match[1])
    return {"id": 8, "access_level": {"write": 30, "read": 20}[forge.permission]}


def _jobs(forge: Forge, match: re.Match[str], query: dict[str, str], body: Any) -> Any:
    head = next(iter(forge.merged.values()))
    return [{"id": index, "name": f"plan {env}"} for index, (env, sha) in enumerate(forge.plans) if sha == head]


def _artifact(forge: Forge, match: re.Match[str], query: dict[str, str], body: Any) -> Any:
    if match[2] and not forge.signatures:
        raise LookupError(match[0])
    return Redirect(f"{forge.storage}/raw/{match[1]}{match[2] or ''}")


Handler = Callable[[Forge, re.Match[str], dict[str, str], Any], Any]
_HUB, _LAB = "/repos/acme/voice", "/projects/42"
_ROUTES: list[tuple[str, str, Handler]] = [
    ("GET", f"{_HUB}/issues/7/comments", _list_comments),
    ("POST", f"{_HUB}/issues/7/comments", _add_comment),
    ("PATCH", f"{_HUB}/issues/comments/(\\d+)", _edit_comment),
    ("GET", f"{_HUB}/issues", _list_issues),
    ("POST", f"{_HUB}/issues", _add_issue),
    ("PATCH", f"{_HUB}/issues/(\\d+)", _edit_issue),
    ("GET", f"{_HUB}/commits/(\\w+)/pulls", _pulls),
    ("GET", f"{_HUB}/actions/artifacts", _artifacts),
    ("GET", f"{_HUB}/actions/artifacts/(\\d+)/zip", _zip),
    ("GET", f"{_HUB}/actions/runs/(\\d+)", _run),
    ("GET", f"{_HUB}/collaborators/([\\w%-]+)/permission", _permission),
    ("GET", "/user", _me),
    ("GET", f"{_LAB}/members/all/(\\d+)", _member),
    ("GET", f"{_LAB}/pipelines/12", _pipeline),
    ("GET", f"{_LAB}/merge_requests/7/notes", _list_comments),
    ("POST", f"{_LAB}/merge_requests/7/notes", _add_comment),
    ("PUT", f"{_LAB}/merge_requests/7/notes/(\\d+)", _edit_comment),
    ("GET", f"{_LAB}/issues", _list_issues),
    ("POST", f"{_LAB}/issues", _add_issue),
    ("PUT", f"{_LAB}/issues/(\\d+)", _edit_issue),
    ("GET", f"{_LAB}/repository/commits/(\\w+)/merge_requests", _merge_requests),
    ("GET", f"{_LAB}/merge_requests/7/pipelines", _pipelines),
    ("GET", f"{_LAB}/pipelines/12/jobs", _jobs),
    ("GET", f"{_LAB}/jobs/(\\d+)/artifacts/\\.voiceops/plan\\.json(\\.sig)?", _artifact),
]


@dataclass(frozen=True, slots=True)
class Redirect:
    to: str


class _Api(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    forge: Forge

    def _handle(self) -> None:
        split = urlsplit(self.path)
        size = int(self.headers.get("content-length") or 0)
        body = json.loads(self.rfile.read(size)) if size else None
        given = self.headers.get("authorization") or f"Bearer {self.headers.get('private-token')}"
        self.forge.requests.append((self.command, split.path))
        if given != f"Bearer {TOKEN}":
            return self._send(401, b'{"message": "Bad credentials"}')
        if split.path.endswith(self.forge.closed):
            return self._send(403, b'{"message": "Resource not accessible by integration"}')
        query = {key: values[0] for key, values in parse_qs(split.query).items()}
        try:
            found = self.forge.answer(self.command, split.path, query, body)
        except LookupError:
            return self._send(404, b'{"message": "Not Found"}')
        if isinstance(found, Redirect):
            return self._send(302, b"", location=found.to)
        return self._send(200, json.dumps(found).encode())

    def _send(self, status: int, content: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_PUT = do_PATCH = _handle

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""


class _Storage(_Api):
    def _handle(self) -> None:
        for name in ("authorization", "private-token"):
            if self.headers.get(name):
                self.forge.leaked.append(name)
        index = int(self.path.rpartition("/")[2].removesuffix(".sig"))
        strays = {artifact["id"]: artifact["content"] for artifact in self.forge.stray}
        content = strays[index] if index in strays else list(self.forge.plans.values())[index]
        if self.path.startswith("/blob/"):
            packed = io.BytesIO()
            with zipfile.ZipFile(packed, "w") as archive:
                archive.writestr("plan.json", content)
                if content in self.forge.signatures:
                    archive.writestr("plan.json.sig", self.forge.signatures[content])
            content = packed.getvalue()
        elif self.path.endswith(".sig"):
            content = self.forge.signatures[content]
        self._send(200, content)

    do_GET = _handle


@contextmanager
def forge() -> Iterator[Forge]:
    """A repository on a forge of its own."""
    made = Forge()
    servers = []
    for handler, name in ((_Api, "url"), (_Storage, "storage")):
        server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (handler,), {"forge": made}))
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        setattr(made, name, f"http://127.0.0.1:{server.server_address[1]}")
        servers.append(server)
    try:
        yield made
    finally:
        for server in servers:
            server.shutdown()
            server.server_close()
