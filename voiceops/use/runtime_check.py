"""Does the runtime that answers serve what the manifests say? What `plan` asks beside its work, and never waits for.

A plain thread and not a task: a name that doesn't resolve blocks a thread for as long as the system likes, and the
loop would wait for its own at the end.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import Future
from concurrent.futures import TimeoutError as TooLate
from dataclasses import dataclass, field
from typing import Any

from voiceops.errors import Diagnostic
from voiceops.model.hosts import ALLOWED_HOSTS
from voiceops.net.trust import trust
from voiceops.net.user_agent import HEADERS
from voiceops.runtime.spec import RuntimeSpec

TOKEN = "VOICEOPS_DASHBOARD_TOKEN"
_SECONDS = 2.0  # for everything: name, connection, answer
_MOST = 5_000_000  # bytes of an answer
_SHOWN = 20  # tools that differ, and are listed one by one
_DOWN = frozenset({502, 503, 504})  # a proxy's word for: nobody is there
_REFUSES = frozenset({401, 403})


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of asking: `data` when the runtime said what it serves; else `silent` or `refused` or `strange`."""

    data: Mapping[str, Any] = field(default_factory=dict)
    silent: str = ""  # nobody answered, and why
    refused: bool = False  # it answers, but not to this token
    strange: str = ""  # an answer, but not a runtime's
    foreign: bool = False  # it was not asked: the token may not go there


@dataclass(frozen=True, slots=True)
class Asked:
    """A question under way."""

    url: str
    until: float  # of the monotonic clock
    _answer: Future[Answer]

    def answer(self) -> Answer:
        """What was answered, or would have come too late."""
        try:
            return self._answer.result(max(0.0, self.until - time.monotonic()))
        except TooLate:
            return Answer(silent=f"no answer within {_SECONDS:g} s")


def ask(url: str, token: str, *, allowed: bool = True) -> Asked:
    """Begin to ask the runtime at `url` what it serves, where it may be sent the token; raises nothing."""
    asked = Asked(url, time.monotonic() + _SECONDS, Future())
    if not allowed:
        asked._answer.set_result(Answer(foreign=True))
        return asked

    def work() -> None:
        try:
            answer = _ask(asked, token)
        except Exception as error:  # whatever a stranger at that address does, the plan goes on
            answer = Answer(silent=type(error).__name__)
        asked._answer.set_result(answer)

    threading.Thread(target=work, name="voiceops-runtime", daemon=True).start()
    return asked


def _ask(asked: Asked, token: str) -> Answer:
    import httpx

    # A redirect is not followed: the token is for this address alone.
    headers = {"authorization": f"Bearer {token}", "accept": "application/json", **HEADERS}
    body = bytearray()
    with (
        httpx.Client(timeout=_SECONDS, verify=trust(asked.url)) as client,
        client.stream("GET", f"{asked.url}/readyz", headers=headers) as answer,
    ):
        for chunk in answer.iter_bytes():
            body += chunk
            if len(body) > _MOST:
                return Answer(strange="its answer is too long")
            if time.monotonic() > asked.until:
                return Answer(silent="its answer came too slowly")
    return read(answer.status_code, bytes(body))


def read(status: int, body: bytes) -> Answer:
    """What an HTTP answer to `/readyz` means."""
    import json

    if status in _REFUSES:
        return Answer(refused=True)
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        data = None
    if not isinstance(data, dict) or "status" not in data:
        return Answer(silent=f"HTTP {status}") if status in _DOWN else Answer(strange=f"HTTP {status}")
    if "tools" not in data:  # to everybody else it says how it is, and nothing more
        return Answer(refused=True)
    tools = data["tools"]
    if not isinstance(tools, list) or not all(_is_tool(tool) for tool in tools):
        return Answer(strange="its tools can't be read")
    return Answer(data=data)


def _is_tool(tool: object) -> bool:
    return isinstance(tool, dict) and all(isinstance(tool.get(key), str) for key in ("name", "address", "schema"))


def judged(answer: Answer, url: str, spec: RuntimeSpec) -> list[Diagnostic]:
    """Warnings for what the runtime at `url` serves otherwise than `spec`; none where it is silent."""
    if answer.silent:
        return []
    if answer.foreign:
        return [
            Diagnostic(
                code="runtime-unasked",
                severity="warning",
                summary=f"the runtime at {url} was not asked which tools it serves: {TOKEN} is not sent there",
                hint=f"It goes to this machine, and to hosts in {ALLOWED_HOSTS} of the process's environment.",
            )
        ]
    if answer.refused:
        return [
            Diagnostic(
                code="runtime-token",
                severity="warning",
                summary=f"the runtime at {url} does not accept {TOKEN}: its tools were not compared",
                hint=f"Give both the same {TOKEN}; a runtime that was started without one accepts none.",
            )
        ]
    if answer.strange:
        return [
            Diagnostic(
                code="runtime-answer",
                severity="warning",
                summary=f"what answers at {url}/readyz is no runtime of this version: {answer.strange}",
                hint="Check runtime.url.",
            )
        ]
    project, environment = _clean(answer.data.get("project")), _clean(answer.data.get("environment"))
    if project != spec.project:
        return [_elsewhere(f"the runtime at {url} serves another project: {project}")]
    found = []
    if environment != spec.environment:
        there = f"the environment {environment}, and this plan is for {spec.environment}"
        found.append(_elsewhere(f"the runtime at {url} serves {there}"))
    listed = list(_tools(answer.data, spec))
    found += listed[:_SHOWN]
    if len(listed) > _SHOWN:
        found.append(_differs(f"{len(listed) - _SHOWN} more tools differ from the running runtime's"))
    return found


def _elsewhere(summary: str) -> Diagnostic:
    return Diagnostic(
        code="runtime-environment",
        severity="warning",
        summary=summary,
        hint="Check runtime.url of this environment, and VOICEOPS_ENV where the runtime is started.",
    )


def _tools(data: Mapping[str, Any], spec: RuntimeSpec) -> Iterable[Diagnostic]:
    revision = data.get("revision")
    who = "the running runtime" + (f" (revision {revision})" if type(revision) is int else "")
    there = {(tool["address"], tool["name"]): tool["schema"] for tool in data["tools"]}
    here = {(tool.address, tool.name): tool.schema_hash for tool in spec.tools}
    for key in sorted({*here, *there}):
        address, name = map(_clean, key)
        if key not in there:
            hint = "Start the runtime from these manifests first: until then a call of the tool fails."
            yield _differs(f"{who} does not know {name}", address, hint)
        elif key not in here:
            hint = "It was started from other manifests: older ones, or newer."
            yield _differs(f"{who} serves {name}, which these manifests don't have", address, hint)
        elif here[key] != there[key]:
            hint = "Start the runtime from these manifests first: until then it refuses arguments that don't fit."
            yield _differs(f"{who} knows {name} with other parameters", address, hint)


def _differs(summary: str, address: str = "", hint: str = "") -> Diagnostic:
    return Diagnostic(code="runtime-tool", severity="warning", summary=summary, address=address, hint=hint)


def _clean(text: object) -> str:
    """A stranger's text in one line: nothing in it moves a terminal's cursor or hides behind another character."""
    if not isinstance(text, str) or not text:
        return "(none)"
    return "".join(letter if letter.isprintable() else "\ufffd" for letter in text[:100])
