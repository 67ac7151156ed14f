"""Phone numbers at Vapi that no manifest has: who answers them, told from what is live alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from voiceops.audit.audited_account import AuditedLine
from voiceops.engine.lines.line_route import PHONE, Meant, Seen, live_route, server_of
from voiceops.kinds.twilio import TWILIO_TYPE


def strange_lines(seen: Seen, known: Iterable[str], account: str) -> Iterator[AuditedLine]:
    """Each number but the `known` ones (by live id). `account` is the Twilio account that was read, if one was."""
    skipped = frozenset(known)
    for id_, live in sorted(seen.snapshot.all(PHONE).items()):
        if id_ in skipped:
            continue
        route = live_route(_as_it_is(id_, live, seen, account), seen)
        number = str(live.get("number") or live.get("sipUri") or live.get("name") or "")
        yield AuditedLine(id=id_, number=number, answers=route.answers, reasons=route.reasons)


def _as_it_is(id_: str, live: Mapping[str, Any], seen: Seen, account: str) -> Meant:
    """A line that is meant to be just what it is."""
    number = str(live.get("number") or live.get("sipUri") or "")
    provider = str(live.get("provider") or "")
    here = any(item.get("phone_number") == number for item in seen.snapshot.all(TWILIO_TYPE).values())
    if provider == "twilio" and not here and (not account or live.get("twilioAccountSid") not in (None, account)):
        provider = ""  # it is in a Twilio account that nobody asked
    target = str(live.get("assistantId") or live.get("squadId") or "")
    return Meant(
        address=f"Phone {number}",
        provider=provider,
        number=number,
        answer="vapi",
        target=target,
        target_id=target,
        server_url=server_of(live),
        phone_id=id_,
        account=account,
    )
