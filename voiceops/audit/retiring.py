"""Models that Vapi is going to stop running as configured, and agents whose newest version gets no calls."""

from __future__ import annotations

from collections.abc import Iterator

from voiceops.audit.audited_account import AuditedAccount
from voiceops.audit.finding import AuditFinding
from voiceops.engine.lines.traffic_split import retirements, shares_in_words, split_of


def retiring(account: AuditedAccount) -> Iterator[AuditFinding]:
    """One finding for each notice that an object carries (`modelDeprecations`)."""
    for found in account.objects:
        for notice in retirements(found.live):
            owner = account.owners.get(found.id)
            elsewhere = owner is not None and owner.environment != account.environment
            command = f"voiceops {f'-e {owner.environment} ' if owner and elsewhere else ''}upgrade --models"
            next_ = f"{notice.hint} `{command}` estimates what that changes." if owner is not None else notice.hint
            words = notice.words(account.today)
            yield account.about("retiring", found, words, next_, grade=account.ours(found), path=notice.slot)


def splits(account: AuditedAccount) -> Iterator[AuditFinding]:
    """Agents whose callers are split between versions; a finding where nobody gets the newest."""
    for found in account.objects:
        split = split_of(account.snapshot.allocations, found.id) if found.kind.name == "Agent" else None
        if split is None:
            continue
        newest = str(found.live.get("latestVersion") or "")
        starved = bool(newest) and not dict(split.shares).get(newest)
        what = f"callers get {shares_in_words(split)}, by a traffic split"
        if starved:
            what += f"; nobody gets {newest}, the newest"
        next_ = "Give it a share at Vapi, or end the split there (follow-latest)." if starved else ""
        yield account.about("traffic-split", found, what, next_, grade="finding" if starved else "note")
