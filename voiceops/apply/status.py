"""How the phone lines of an environment stand right now: one row a line. Reads, writes nothing."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

from voiceops.apply.run import Job, plan
from voiceops.model.address import is_twilio_side, owner_of
from voiceops.model.plan import Plan
from voiceops.net.identity import HEADERS
from voiceops.providers.shapes import maps_of
from voiceops.state.ledger import Ledger

_READY_TIMEOUT = 5.0  # seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line. `off` says in words what is wrong; empty when nothing is."""

    address: str
    number: str
    answers: str  # vapi | runtime
    target: str
    revision: int
    pending: int
    drift: tuple[str, ...]
    runtime: str  # ready | not ready | not asked
    last_call: str
    off: tuple[str, ...]

    def to_data(self) -> dict[str, Any]:
        return {
            "address": self.address,
            "number": self.number,
            "answers": self.answers,
            "target": self.target,
            "revision": self.revision,
            "pending": self.pending,
            "drift": list(self.drift),
            "runtime": self.runtime,
            "lastCall": self.last_call,
            "off": list(self.off),
        }


async def status(job: Job, runtime_url: str | None) -> list[Row]:
    """Every line of the manifests and of the state, in the order of addresses. Raises ProviderError."""
    found = await plan(job)
    ledger = await Ledger.open(job.store, job.graph.project, job.graph.environment)
    lines = sorted(a for a in found.numbers if a in job.graph.resources or a in ledger.state.entries)
    answers = {a: _answers(job, a) for a in lines}
    needs_runtime = [a for a in lines if _needs_runtime(job, found, a)]
    ready, calls = await asyncio.gather(
        _ready(runtime_url) if runtime_url and needs_runtime else _nothing(), _last_calls(job)
    )
    rows = []
    for address in lines:
        entry = ledger.state.entries.get(address)
        touching = [c for c in found.changes if owner_of(c.address) == address or address in c.affects]
        drifted = tuple(d.address for d in found.drift if any(c.address == d.address for c in touching))
        runtime = ready if address in needs_runtime else "not asked"
        off = [f"{a} was edited or deleted live" for a in drifted]
        if entry is None:
            off.append("was never applied")
        if runtime == "not ready":
            off.append(f"the runtime at {runtime_url} does not answer")
        off += [d.summary for d in found.diagnostics if d.severity == "error" and owner_of(d.address) == address]
        rows.append(
            Row(
                address=address,
                number=found.numbers[address] if found.numbers[address] != address else "",
                answers=answers[address][0],
                target=answers[address][1],
                revision=ledger.state.in_force or ledger.state.revision,
                pending=sum(c.matters for c in touching),
                drift=drifted,
                runtime=runtime,
                last_call=calls.get(entry.id, "") if entry else "",
                off=tuple(off),
            )
        )
    return rows


def _answers(job: Job, address: str) -> tuple[str, str]:
    """Who answers a line: Vapi or the runtime, and on whose behalf."""
    resource = job.graph.resources.get(address)
    if resource is None:
        return "", "(no manifest)"
    if resource.routes:
        return "runtime", resource.routes[0]
    named = [resource.body.get(key) for key in ("assistantId", "squadId")]
    target = next((getattr(value, "address", value) for value in named if value), "")
    return "vapi", str(target) or "asks the runtime"


def _needs_runtime(job: Job, found: Plan, address: str) -> bool:
    """Does the line, or anything that it reaches, call the project's own runtime?"""
    reached = {c.address for c in found.changes if address in c.affects and not is_twilio_side(c.address)}
    return "Credential/runtime" in reached or _answers(job, address)[0] == "runtime"


async def _nothing() -> str:
    return "not asked"


async def _ready(url: str) -> str:
    import httpx

    from voiceops.net.receiving import ask

    try:
        async with httpx.AsyncClient(timeout=_READY_TIMEOUT, headers=HEADERS) as client:
            return (
                "ready"
                if (await ask(client, "GET", f"{url}/readyz", patience=_READY_TIMEOUT)).status_code == 200
                else "not ready"
            )
    except httpx.HTTPError:
        return "not ready"


async def _last_calls(job: Job) -> dict[str, str]:
    """When each Vapi number was last called, as far as Vapi's newest calls tell."""
    answer = await job.accounts.vapi.api.call("GET", "/call", params={"limit": 100})
    found: dict[str, str] = {}
    for call in maps_of(answer.data):
        number, at = call.get("phoneNumberId"), str(call.get("startedAt") or call.get("createdAt") or "")
        if isinstance(number, str) and at > found.get(number, ""):
            found[number] = at
    return found
