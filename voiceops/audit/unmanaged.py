"""Live objects that no manifest manages."""

from __future__ import annotations

from collections.abc import Iterator

from voiceops.audit.audited_account import AuditedAccount
from voiceops.audit.finding import AuditFinding


def unmanaged(account: AuditedAccount) -> Iterator[AuditFinding]:
    """Each with the command that takes it in: where a manifest waits for it, it is bound to that one."""
    for found in account.unmanaged():
        address = account.waiting.get((found.kind.name, found.name), "")
        next_ = f"voiceops import {address} {found.id}" if address else f"voiceops pull --id {found.id}"
        what = f"in no state of this project; {address} has its name" if address else "in no state of this project"
        yield account.about("unmanaged", found, what, f"`{next_}`")
