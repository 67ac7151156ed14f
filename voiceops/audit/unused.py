"""Live objects that nothing live refers to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from voiceops.audit.audited_account import AuditedAccount, LiveObject
from voiceops.audit.finding import AuditFinding, Grade

# Credentials that work only where something names them. All others serve the whole organization.
_NAMED_CREDENTIALS = frozenset({"byo-sip-trunk", "custom-credential", "telnyx", "vonage", "webhook"})


@dataclass(frozen=True, slots=True)
class _Rule:
    """Who would use an object of a kind, in words and as kinds (none: any), and how grave it is if nobody does."""

    told: str
    by: tuple[str, ...] = ()
    grade: Grade = "finding"


_CALLS = ("Phone", "Squad", "Agent", "Tool")
# Whoever is called or tested from outside of Vapi's lists (evals, suites, lines) is never unused.
_RULES = {
    "Agent": _Rule("no line, squad or agent refers to it: only outgoing and web calls can reach it", _CALLS, "note"),
    "Squad": _Rule("no line or agent refers to it: only outgoing and web calls can reach it", _CALLS, "note"),
    "Tool": _Rule("no agent, squad or hook uses it"),
    "Credential": _Rule("no server, tool or number uses it"),
    "StructuredOutput": _Rule("no agent and no scorecard uses it"),
    "Scorecard": _Rule("no agent uses it"),
    "File": _Rule("no knowledge base and no tool reads it"),
    "KnowledgeBase": _Rule("no agent has its tool"),
    "Dictionary": _Rule("no voice uses it"),
    "Personality": _Rule("no simulation uses it", ("Simulation",)),
    "Scenario": _Rule("no simulation uses it", ("Simulation",)),
    "Simulation": _Rule("no suite runs it", ("SimulationSuite",), "note"),
}


def unused(account: AuditedAccount) -> Iterator[AuditFinding]:
    """Objects of kinds that are there for others, and no other names. A kind whose users could not be read is left
    out."""
    for found in account.objects:
        rule = _RULES.get(found.kind.name)
        if rule is None or found.id in account.outside or _is_used(account, found, rule) or account.unread:
            continue
        if rule.grade == "note" and account.is_in_a_preview(found):
            continue  # it has no lines
        yield account.about("unused", found, rule.told, _next(account, found, rule), grade=rule.grade)


def _is_used(account: AuditedAccount, found: LiveObject, rule: _Rule) -> bool:
    if account.used_by(found.id, *rule.by) or found.id in account.routed:
        return True
    if found.kind.name == "Credential":
        return str(found.live.get("provider")) not in _NAMED_CREDENTIALS
    # Outputs and scorecards may be linked from their own side.
    return bool(found.kind.agent_list) and any(
        named.kind == "Agent" and account.knows("Agent", named.value) for named in account.names[found.id]
    )


def _next(account: AuditedAccount, found: LiveObject, rule: _Rule) -> str:
    if rule.grade == "note":
        return "Leave it, if that is what it is for."
    owner = account.owners.get(found.id)
    if owner is None:
        return "Delete it at Vapi, unless code of yours names it."
    return f"Take {owner.address} out of the manifests, or use it."
