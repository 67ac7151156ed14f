"""Whom a call reaches, as it is live: does it exist, is it run as configured, which version do callers get. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from voiceops.engine.lines.reasons import Reason
from voiceops.engine.lines.traffic_split import retirements, shares_in_words, split_of
from voiceops.model.live import Snapshot

AGENT, SQUAD, TOOL = "vapi_assistant", "vapi_squad", "vapi_tool"
_APPLY = "`voiceops apply` puts it back."


@dataclass(frozen=True, slots=True)
class AgentHealth:
    """How an assistant or a squad is; `notes` are good to know and nothing is wrong."""

    title: str
    exists: bool
    reasons: tuple[Reason, ...] = ()
    notes: tuple[str, ...] = ()


def title_of(live: Mapping[str, Any] | None, id_: str, addresses: Mapping[str, str], kind: str) -> str:
    """The address of a managed object; else what people know it by."""
    if id_ in addresses:
        return addresses[id_]
    name = (live or {}).get("name")
    return f"{kind} {name} ({id_}, not managed here)" if isinstance(name, str) else f"{kind} {id_}"


def agent_health(id_: str, snapshot: Snapshot, addresses: Mapping[str, str], today: str) -> AgentHealth:
    """How an assistant is."""
    live = snapshot.get(AGENT, id_)
    title = title_of(live, id_, addresses, "assistant")
    if live is None:
        return AgentHealth(title, False, (Reason("target-gone", f"{title} does not exist any more", _fix(title)),))
    reasons = list(_tools(title, live, snapshot))
    notes: list[str] = []
    _note_retirements(title, live, today, reasons, notes)
    split = split_of(snapshot.allocations, id_)
    newest = live.get("latestVersion")
    if split is not None:
        told = f"callers of {title} get {shares_in_words(split)}, by a traffic split"
        reached = dict(split.shares).get(str(newest), 0.0)
        if newest and not reached:
            reasons.append(
                Reason(
                    "old-version",
                    f"{told}; nobody gets {newest}, the newest",
                    "Give it a share at Vapi, or end the split there (follow-latest).",
                )
            )
        else:
            notes.append(told)
    return AgentHealth(title, True, tuple(reasons), tuple(notes))


def _note_retirements(title: str, live: Mapping[str, Any], today: str, reasons: list[Reason], notes: list[str]) -> None:
    """A model that is retired is a reason, one that is going to be a note."""
    for retirement in retirements(live):
        text = f"{title}: {retirement.words(today)}"
        if retirement.date <= today:
            reasons.append(Reason("model-retired", text, retirement.hint))
        else:
            notes.append(text)


def squad_health(id_: str, snapshot: Snapshot, addresses: Mapping[str, str], today: str) -> AgentHealth:
    """How a squad is, and each of its members."""
    live = snapshot.get(SQUAD, id_)
    title = title_of(live, id_, addresses, "squad")
    if live is None:
        return AgentHealth(title, False, (Reason("target-gone", f"{title} does not exist any more", _fix(title)),))
    members = live.get("members")
    members = [member for member in members if isinstance(member, dict)] if isinstance(members, list) else []
    reasons: list[Reason] = []
    notes: list[str] = []
    if not members:
        reasons.append(Reason("squad-empty", f"{title} has no members", _fix(title)))
    _note_retirements(title, live, today, reasons, notes)
    for member in members:
        health = _member(member, snapshot, addresses, today)
        if health is None:
            reasons.append(Reason("member-empty", f"{title} has a member without an assistant", _fix(title)))
            continue
        if not health.exists:
            text = f"{title} has a member that does not exist any more: {health.title}"
            reasons.append(Reason("member-gone", text, _fix(title)))
            continue
        reasons += health.reasons
        notes += health.notes
        pinned, newest = member.get("assistantVersion"), _newest(member, snapshot)
        if pinned and newest and pinned != newest:
            notes.append(f"{title} pins {health.title} to {pinned}; the newest is {newest}")
    return AgentHealth(title, True, tuple(reasons), tuple(notes))


def _member(
    member: Mapping[str, Any], snapshot: Snapshot, addresses: Mapping[str, str], today: str
) -> AgentHealth | None:
    id_ = member.get("assistantId")
    if isinstance(id_, str) and id_:
        return agent_health(id_, snapshot, addresses, today)
    inline = member.get("assistant")
    return AgentHealth("an inline assistant", True) if isinstance(inline, dict) else None


def _newest(member: Mapping[str, Any], snapshot: Snapshot) -> Any:
    return (snapshot.get(AGENT, str(member.get("assistantId"))) or {}).get("latestVersion")


def _tools(title: str, live: Mapping[str, Any], snapshot: Snapshot) -> Iterator[Reason]:
    """Tools that an agent names and Vapi does not have."""
    known = snapshot.objects.get(TOOL)
    model = live.get("model")
    if known is None or not isinstance(model, dict):
        return
    ids = [id_ for id_ in (model.get("toolIds") if isinstance(model.get("toolIds"), list) else None) or () if id_]
    refs = model.get("toolRefs")
    ids += [ref.get("toolId") for ref in (refs if isinstance(refs, list) else ()) if isinstance(ref, dict)]
    for id_ in dict.fromkeys(id_ for id_ in ids if isinstance(id_, str)):
        if id_ not in known:
            yield Reason("tool-gone", f"{title} names a tool that does not exist any more: {id_}", _fix(title))


def _fix(title: str) -> str:
    return _APPLY if "/" in title.partition(" ")[0] else "Look at it at Vapi, or `voiceops apply`."
