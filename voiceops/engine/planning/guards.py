"""Safety rules over a finished list of changes: what must not happen, however it was asked for."""

from __future__ import annotations

from collections.abc import Iterable

from voiceops.engine.options import Safety
from voiceops.errors import Diagnostic, Mark
from voiceops.model.plan import DELETE, UPDATE, Change
from voiceops.model.state import State


def guard(changes: Iterable[Change], state: State, safety: Safety, *, force: bool) -> list[Diagnostic]:
    """Every rule that the changes break. `force` passes the share of deletes, never protection."""
    found = []
    destroyed = [change for change in changes if is_destroyed(change)]
    for change in destroyed:
        entry = state.entries.get(change.previous_address or change.address)
        if entry is not None and entry.protected:
            found.append(
                Diagnostic(
                    code="protected",
                    address=change.address,
                    mark=Mark(change.file, change.line, 1) if change.file else None,
                    summary="is protected (preventDestroy) and would be deleted",
                    hint="Set lifecycle.preventDestroy: false, apply that, then delete it.",
                )
            )
    managed = len(state.entries)
    share = 100 * len(destroyed) / managed if managed else 0
    if not force and len(destroyed) >= safety.max_destroy_minimum and share > safety.max_destroy_percent:
        found.append(
            Diagnostic(
                code="destroy-limit",
                summary=f"{len(destroyed)} of {managed} managed objects would be deleted or replaced ({share:.0f} %); "
                f"safety.maxDestroyPercent allows {safety.max_destroy_percent:g} %",
                hint="Check the plan; if it is meant, apply with --force.",
            )
        )
    return found


def is_destroyed(change: Change) -> bool:
    """Does the live object go away, or stop being what it was for its callers?"""
    return (
        change.actions == DELETE or change.is_replacement or (change.actions == UPDATE and change.reason == "unbound")
    )
