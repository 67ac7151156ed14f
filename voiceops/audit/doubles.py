"""Live objects of one kind that have one name: people, and references by name, can't tell them apart."""

from __future__ import annotations

from collections.abc import Iterator

from voiceops.audit.audited_account import AuditedAccount, LiveObject
from voiceops.audit.finding import AuditFinding, Grade
from voiceops.model.wording import some_of

_MOST_NAMED = 5


def doubles(account: AuditedAccount) -> Iterator[AuditFinding]:
    """One finding for each name. Where every one of them is managed, and none is named by its name, it is a note."""
    groups: dict[tuple[str, str], list[LiveObject]] = {}
    for found in account.objects:
        if found.name and not account.is_in_a_preview(found):  # models call a tool the same there
            groups.setdefault((found.kind.name, _spelled(found)), []).append(found)
    called = {named.value for names in account.names.values() for named in names if named.by == "name"}
    for group in groups.values():
        if len(group) > 1:
            yield _double(account, group, called)


def _spelled(found: LiveObject) -> str:
    caseless = any(found.live.get(key) == found.name for key in found.kind.caseless)
    return found.name.casefold() if caseless else found.name


def _double(account: AuditedAccount, group: list[LiveObject], called: set[str]) -> AuditFinding:
    first = group[0]
    # Who was there first stands first; ids don't tell.
    group = sorted(group, key=lambda found: (str(found.live.get("createdAt") or ""), found.id))
    told = [f"{found.id} ({_who(account, found)})" for found in group]
    strangers = [found for found in group if found.id not in account.owners and found.id not in account.outside]
    by_name = first.kind.name == "Agent" and first.name in called
    what = f"{len(group)} live objects have this name: {some_of(told, _MOST_NAMED)}"
    if by_name:
        what += "; a transfer names it by this name, and may reach any of them"
    grade: Grade = "finding" if strangers or by_name or first.kind.unique else "note"
    unused = next((found for found in reversed(strangers) if not account.users.get(found.id)), None)
    if unused is not None:
        next_ = f"Nothing refers to {unused.id}: delete it at Vapi if it is a leftover; or give each a name of its own."
    elif strangers:
        next_ = "Give each a name of its own at Vapi, or take them in: `voiceops pull` names them apart."
    else:
        next_ = "Give each a name of its own: `naming:` in an environment's file, or spec.name."
    return account.about("double", group[0], what, next_, grade=grade)


def _who(account: AuditedAccount, found: LiveObject) -> str:
    owner = account.owners.get(found.id)
    if owner is None:
        return "external" if found.id in account.outside else "not managed"
    return owner.address if owner.environment == account.environment else f"{owner.address} of {owner.environment}"
