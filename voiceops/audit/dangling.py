"""References in live bodies to objects that are not there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from voiceops.audit.audited_account import AuditedAccount, LiveObject
from voiceops.audit.finding import AuditFinding
from voiceops.kinds.named_objects import NamedObject
from voiceops.kinds.registry import KINDS
from voiceops.model.values import format_path
from voiceops.model.wording import many

_STOCK = "a0000000-0000-4000-8000-"  # Vapi's own objects, which not every list shows


def dangling(account: AuditedAccount) -> Iterator[AuditFinding]:
    """One finding for each object that names something which is not there, with the first place of it.

    Ids that a provider gave (a pronunciation dictionary's) are not judged: they may be the provider's own.
    """
    names = _live_names(account)
    for found in account.objects:
        places: dict[tuple[str, str, str], list[NamedObject]] = {}
        for named in account.names[found.id]:
            if named.by == "id":
                there = named.value.startswith(_STOCK) or account.knows(named.kind, named.value)
            else:
                there = named.by != "name" or "Agent" in account.unread or named.value in names
            if not there:
                places.setdefault((named.kind, named.by, named.value), []).append(named)
        for (kind, by, value), same in places.items():
            yield _finding(account, found, kind, by, value, same)


def _finding(
    account: AuditedAccount, found: LiveObject, kind: str, by: str, value: str, same: list[NamedObject]
) -> AuditFinding:
    path = format_path(same[0].path)
    more = f" and {many(len(same) - 1, 'more place')}" if len(same) > 1 else ""
    missing = f"the {KINDS[kind].title} {value}" if by == "id" else f"an {KINDS[kind].title} called {value!r}"
    owner = account.owners.get(found.id)
    if found.id in account.outside:
        next_ = "It is external: tell whoever manages it."
    elif owner is None:
        next_ = f"Mend it at Vapi; or `voiceops pull --id {found.id}`, and mend its manifest."
    else:
        environment = f"-e {owner.environment} " if owner.environment != account.environment else ""
        next_ = f"`voiceops {environment}plan --target {owner.address}` shows whether an apply mends it."
    return account.about(
        "dangling",
        found,
        f"{path}{more} names {missing}, which does not exist",
        next_,
        grade=account.ours(found),
        path=path,
    )


def _live_names(account: AuditedAccount) -> set[str]:
    """What a transfer may call an assistant: those that are live, and those written into squads and tools."""
    found = {live.name for live in account.objects if live.kind.name == "Agent"}
    for one in account.objects:
        found.update(_inline_names(one.live))
    return found


def _inline_names(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        inline = value.get("assistant")
        if isinstance(inline, dict) and isinstance(inline.get("name"), str):
            yield inline["name"]
        for item in value.values():
            yield from _inline_names(item)
    elif isinstance(value, list):
        for item in value:
            yield from _inline_names(item)
