"""The last call of each line: by Vapi's newest calls, and by those that are kept here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from voiceops.calls.ended_reasons import is_failure
from voiceops.calls.from_vapi import call_of
from voiceops.calls.record import CallRecord
from voiceops.calls.store import CallFilter, CallStore
from voiceops.errors import VoiceopsError
from voiceops.model.instants import to_second
from voiceops.use.calls_database import calls_database
from voiceops.use.opened import Opened

_PATIENCE = 2.0  # seconds for others that write to the store: who asks how the lines stand does not wait for long


@dataclass(frozen=True, slots=True, kw_only=True)
class LastCall:
    """When it began, and how it ended: `reason` is empty while it runs, `ok` None where nobody knows.

    `at` is empty where there was none; `known` is false where that could not be asked.
    """

    at: str = ""
    reason: str = ""
    ok: bool | None = None
    known: bool = True

    @classmethod
    def of(cls, call: CallRecord) -> LastCall:
        """Of a call that is known."""
        ended = bool(call.reason) or call.ended_at is not None
        ok = not is_failure(call.reason) and call.success is not False
        return cls(at="" if call.began is None else to_second(call.began), reason=call.reason, ok=ok if ended else None)


UNKNOWN = LastCall(known=False)


def newest_told(items: Iterable[Any]) -> dict[str, LastCall]:
    """By the live id of each number, from a page of Vapi's list."""
    newest: dict[str, CallRecord] = {}
    for item in items:
        call = call_of(item)
        if call is None or not call.phone_id or call.simulated:
            continue
        known = newest.get(call.phone_id)
        if known is None or (call.began or 0.0) > (known.began or 0.0):
            newest[call.phone_id] = call
    return {phone: LastCall.of(call) for phone, call in newest.items()}


def newest_kept(opened: Opened, lines: Mapping[str, tuple[str, ...]]) -> tuple[dict[str, LastCall], str]:
    """From the store of calls, by the keys of `lines`, whose values are the names that a line may have there.

    Beside it why the store could not be read; empty where it could, and where there is none.
    """
    found: dict[str, LastCall] = {}
    try:
        with calls_database(opened, patience=_PATIENCE) as database:
            if database is None:
                return {}, ""
            store = CallStore(database)
            for line, names in lines.items():
                calls = [call for name in names if name for call in store.listed(CallFilter(phone=name), 1)]
                if calls:
                    found[line] = LastCall.of(max(calls, key=lambda call: call.began or 0.0))
    except VoiceopsError as error:
        return {}, error.summary
    except Exception as error:  # whatever is wrong with the store, the lines are told of
        return {}, f"{type(error).__name__}: {error}"
    return found, ""
