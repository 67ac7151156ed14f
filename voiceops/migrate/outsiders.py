"""Agents that a folder names by their live name, and that no file of it describes: somebody else manages them.

Where such a name means one live agent it gets a manifest that says which one it is. Pure: what is live is given.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from voiceops.adopt.found import Found
from voiceops.migrate.manifest_names import manifest_names
from voiceops.migrate.migration import Migration

_BY_NAME = frozenset({"assistantName", "entryAssistantName"})
_WHY = "Somebody else manages it: no file of the folder is its own"


def unknown_names(migration: Migration) -> set[str]:
    """The live names of agents that no object here has, neither as its own nor inside a squad."""
    named, known = set[str](), set[str]()
    for account in migration.accounts:
        for one in account.found:
            if one.kind == "Agent":
                known.add(one.named())
            for key, name in _names(one.body):
                (named if key in _BY_NAME else known).add(name)
    return named - known


def _names(value: Any) -> Iterator[tuple[str, str]]:
    """Agents that are named, and names of agents that stand in place."""
    if isinstance(value, list):
        for item in value:
            yield from _names(item)
    if not isinstance(value, dict):
        return
    for key, item in value.items():
        if key in _BY_NAME and isinstance(item, str):
            yield key, item
        elif key == "assistant" and isinstance(item, dict) and isinstance(item.get("name"), str):
            yield key, item["name"]
        yield from _names(item)


def with_outsiders(migration: Migration, live: Mapping[str, Mapping[str, Sequence[str]]]) -> Migration:
    """The migration with a manifest for each name that means one agent in every account.

    `live`: the ids of the agents of each name, by account.
    """
    accounts = migration.accounts
    wanted = [
        name
        for name in sorted(unknown_names(migration))
        if all(len(live.get(account.name, {}).get(name, ())) == 1 for account in accounts)
    ]
    taken = {("Agent", one.wanted): "" for one in accounts[0].found if one.kind == "Agent" and one.wanted}
    names = manifest_names(taken | {("Agent", name): "" for name in wanted})
    result = []
    for account in accounts:
        found, variables = list(account.found), dict(account.variables)
        for name in wanted:
            ids = [live[other.name][name][0] for other in accounts]
            id_ = live[account.name][name][0]
            manifest = names["Agent", name]
            if len(set(ids)) > 1:
                variables[f"agent-{manifest}"] = id_
                id_ = f"${{var:agent-{manifest}}}"
            found.append(Found(kind="Agent", body={"name": name}, id=id_, wanted=manifest, outside=_WHY))
        result.append(replace(account, found=tuple(found), variables=variables))
    return replace(migration, accounts=tuple(result))
