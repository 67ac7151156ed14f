"""Models that are going to be retired: the notices that assistants and squads carry about what they use."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from voiceops.sandbox.account import World
from voiceops.sandbox.store import Body

DEPRECATIONS = "sandbox:deprecation"
_SLOTS = ("model", "transcriber", "voice")


def notices(world: World, body: Body) -> list[Body]:
    """What Vapi answers as `modelDeprecations` of one assistant or squad."""
    known = {(row["provider"], row["model"]): row for row in world.store.bodies(DEPRECATIONS)}
    if not known:
        return []
    found = []
    for slot, part in _slots(body):
        row = known.get((part.get("provider"), part.get("model")))
        if row is not None:
            replacement = row.get("replacementModel")
            found.append(
                {
                    "slot": slot,
                    **{key: row[key] for key in ("provider", "model", "deprecationDate", "retirementDate")},
                    "replacementStatus": "available" if replacement else "manual-action-required",
                    **({"replacementModel": replacement} if replacement else {}),
                }
            )
    return found


def _slots(body: Body) -> Iterator[tuple[str, Body]]:
    yield from _of_agent("", body)
    members = body.get("members")
    for index, member in enumerate(members if isinstance(members, list) else ()):
        for key in ("assistantOverrides", "assistant"):
            if isinstance(member, dict) and isinstance(member.get(key), dict):
                yield from _of_agent(f"members[{index}].{key}.", member[key])


def _of_agent(prefix: str, body: Body) -> Iterator[tuple[str, Body]]:
    for slot in _SLOTS:
        part: Any = body.get(slot)
        if isinstance(part, dict):
            yield prefix + slot, part
    model = body.get("model")
    more = model.get("fallbackModels") if isinstance(model, dict) else None
    for index, item in enumerate(more if isinstance(more, list) else ()):
        # A bare name is a model of the same provider.
        part = item if isinstance(item, dict) else {"provider": model.get("provider") if model else None, "model": item}
        yield f"{prefix}model.fallbackModels[{index}]", part
