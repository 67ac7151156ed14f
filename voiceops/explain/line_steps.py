"""Who answers a phone line, step by step, as both vendors show it now. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from voiceops.engine.lines.line_route import PHONE, server_of
from voiceops.engine.lines.twilio_number import settings, shadow
from voiceops.kinds.twilio import TWILIO_DEMO, TWILIO_TYPE, is_vapis
from voiceops.model.live import Snapshot
from voiceops.model.wording import some_of

_AGENT, _SQUAD, _TOOL = "vapi_assistant", "vapi_squad", "vapi_tool"
_MOST_NAMED = 6


def line_steps(
    snapshot: Snapshot, phone_id: str, number: str, addresses: Mapping[str, str], *, vapi_url: str, runtime_url: str
) -> Iterator[str]:
    """One sentence a step, from the caller on. `addresses` are the managed objects by live id."""
    phone = _phone(snapshot, phone_id, number)
    number = number or str((phone or {}).get("number") or (phone or {}).get("sipUri") or "")
    yield from _at_twilio(snapshot, number, phone, vapi_url, runtime_url)
    if phone is None:
        yield "Vapi has no such number"
        return
    names = _Names(snapshot, addresses)
    yield from _at_vapi(phone, names, runtime_url)


def _phone(snapshot: Snapshot, phone_id: str, number: str) -> dict[str, Any] | None:
    phones = snapshot.all(PHONE)
    if phone_id in phones:
        return phones[phone_id]
    wanted = number.casefold()
    same = (p for p in phones.values() if wanted and wanted in (p.get("number"), str(p.get("sipUri") or "").casefold()))
    return next(same, None)


def _at_twilio(
    snapshot: Snapshot, number: str, phone: Mapping[str, Any] | None, vapi_url: str, runtime_url: str
) -> Iterator[str]:
    live = next((n for n in snapshot.all(TWILIO_TYPE).values() if n.get("phone_number") == number), None)
    if live is None:
        if phone is not None and phone.get("provider") == "twilio":
            yield f"Twilio: {number} is in no account that was read"
        return
    found = settings(live)
    if shadowed := shadow(live):
        yield f"Twilio: {number} ({live.get('sid')}) is answered by {shadowed}; its voice URL is not called"
        return
    url = found["voice_url"].partition("?")[0]
    if not url:
        whose = "has no voice URL"
    elif runtime_url and url.startswith(runtime_url):
        whose = f"calls the runtime: {url}"
    elif is_vapis(url, vapi_url):
        whose = f"hands the call to Vapi: {url}"
    elif url.startswith(TWILIO_DEMO):
        whose = f"plays Twilio's demo: {url}"
    else:
        whose = f"calls somebody else's address: {url}"
    fallback = found["voice_fallback_url"].partition("?")[0]
    yield f"Twilio: {number} ({live.get('sid')}) {whose}" + (f"; if that fails, {fallback}" if fallback else "")


class _Names:
    """How live objects are called: by their manifests, else by their live names."""

    def __init__(self, snapshot: Snapshot, addresses: Mapping[str, str]) -> None:
        self.snapshot = snapshot
        self._addresses = addresses

    def of(self, type_: str, id_: str, word: str) -> str:
        if id_ in self._addresses:
            return f"{self._addresses[id_]} ({id_})"
        live = self.snapshot.get(type_, id_)
        if live is None:
            return f"the {word} {id_}, which does not exist"
        return f"the {word} '{live.get('name') or ''}' ({id_}), not managed here"


def _at_vapi(phone: Mapping[str, Any], names: _Names, runtime_url: str) -> Iterator[str]:
    start = f"Vapi: the number {phone.get('id')}"
    agent, squad, server = phone.get("assistantId"), phone.get("squadId"), server_of(phone)
    if isinstance(agent, str) and agent:
        yield f"{start} gives the call to {names.of(_AGENT, agent, 'assistant')}"
        yield from _agent(names, agent, runtime_url)
    elif isinstance(squad, str) and squad:
        yield f"{start} gives the call to {names.of(_SQUAD, squad, 'squad')}"
        yield from _squad(names, squad, runtime_url)
    elif server:
        runtime = " (the runtime)" if runtime_url and server.startswith(runtime_url) else ""
        yield f"{start} asks {server}{runtime} who answers"
    else:
        yield f"{start} is bound to no agent, squad or server"
    fallback = phone.get("fallbackDestination")
    if isinstance(fallback, dict) and (to := fallback.get("number") or fallback.get("sipUri")):
        yield f"Vapi: where nobody answers, the call goes to {to}"


def _squad(names: _Names, id_: str, runtime_url: str) -> Iterator[str]:
    live = names.snapshot.get(_SQUAD, id_) or {}
    members = live.get("members")
    listed = [member for member in members if isinstance(member, dict)] if isinstance(members, list) else []
    for position, member in enumerate(listed[:_MOST_NAMED]):
        word = "first speaks" if position == 0 else "it can hand over to"
        agent = member.get("assistantId")
        if isinstance(agent, str) and agent:
            yield f"{word} {names.of(_AGENT, agent, 'assistant')}"
            if position == 0:
                yield from _agent(names, agent, runtime_url)
        elif isinstance(member.get("assistant"), dict):
            yield f"{word} an inline assistant '{member['assistant'].get('name') or ''}'"


def _agent(names: _Names, id_: str, runtime_url: str) -> Iterator[str]:
    live = names.snapshot.get(_AGENT, id_)
    if live is None:
        return
    found = live.get("model")
    model: Mapping[str, Any] = found if isinstance(found, dict) else {}
    version = f", version {live['latestVersion']}" if live.get("latestVersion") else ""
    yield f"it speaks with {model.get('provider') or '?'} {model.get('model') or '?'}{version}"
    ids = [one for one in model.get("toolIds") or () if isinstance(one, str)]
    asks = [one for one in ids if _asks(names.snapshot.get(_TOOL, one), runtime_url)]
    if asks:
        told = [names.of(_TOOL, one, "tool").partition(" (")[0] for one in asks]
        yield f"the runtime answers its tools: {some_of(told, _MOST_NAMED)}"


def _asks(tool: Mapping[str, Any] | None, runtime_url: str) -> bool:
    return bool(tool is not None and runtime_url and server_of(tool).startswith(runtime_url))
