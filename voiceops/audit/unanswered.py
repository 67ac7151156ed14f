"""Phone numbers that nobody answers, as `status` sees them."""

from __future__ import annotations

from collections.abc import Iterator

from voiceops.audit.audited_account import AuditedAccount, AuditedLine
from voiceops.audit.finding import AuditFinding
from voiceops.engine.lines.twilio_number import settings, shadow
from voiceops.kinds.registry import KINDS
from voiceops.kinds.twilio import TWILIO_DEMO, TWILIO_TYPE


def unanswered(account: AuditedAccount) -> Iterator[AuditFinding]:
    """Lines on which a caller hears nobody; and, as a note, Twilio numbers that are rented and lead nowhere."""
    for line in account.lines:
        if line.answers == "nobody" and not line.meant and line.id not in account.outside:
            yield _line(account, line)
    known = {line.number for line in account.lines} | {name for kind, name in account.waiting if kind == "Phone"}
    for id_, number in sorted(account.snapshot.all(TWILIO_TYPE).items()):
        if str(number.get("phone_number")) not in known and id_ not in account.owners and _leads_nowhere(number):
            yield AuditFinding(
                code="unanswered",
                kind="TwilioNumber",
                grade="note",
                id=id_,
                name=str(number.get("phone_number") or ""),
                what="Twilio has nobody for its calls, and Vapi does not know it",
                next="Write a Phone with this number, or give it back to Twilio.",
            )


def _line(account: AuditedAccount, line: AuditedLine) -> AuditFinding:
    owner = account.owners.get(line.id)
    first = line.reasons[0] if line.reasons else None
    silence = "Name its agent or squad, or say answer: none in its manifest if it only calls out."
    if first is None or (first.code == "unbound" and owner is None):
        what, next_ = "nobody answers it: it has no agent, squad or server", silence
    else:
        what, next_ = f"nobody answers it: {first.text}", first.fix
    if owner is None and first is not None and next_.startswith("`voiceops"):
        next_ = f"Mend it at the vendor; or `voiceops pull --id {line.id}`, and mend its manifest."
    return AuditFinding(
        code="unanswered",
        kind=KINDS["Phone"].name,
        what=what,
        next=next_,
        id=line.id,
        name=line.number,
        address=line.address or (owner.address if owner is not None else ""),
        environment=owner.environment if owner is not None else account.environment if line.address else "",
    )


def _leads_nowhere(number: dict[str, object]) -> bool:
    """No voice URL, or Twilio's own sample; nothing else that takes its calls."""
    if (shadowed := shadow(number)) is not None:
        return shadowed.startswith("nobody")
    url = settings(number)["voice_url"]
    return not url or url.startswith(TWILIO_DEMO)
