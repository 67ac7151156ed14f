"""What a caller of a line gets now, told from what both vendors show; never from what the manifest says. Pure.

`status` and `doctor` both ask here, so that there is one truth. The manifest only says who is meant: where somebody
else answers, or nobody does, that is a reason, with what puts it right.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from voiceops.engine.lines.agent_reached import AgentHealth, agent_health, squad_health, title_of
from voiceops.engine.lines.meant import Meant
from voiceops.engine.lines.number_route import number_reasons, picks_up
from voiceops.engine.lines.reasons import Reason
from voiceops.model.live import Snapshot

APPLY = "`voiceops apply` puts it back."
PHONE = "vapi_phone_number"


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What both vendors and the runtime show. `addresses` are the managed objects by live id."""

    snapshot: Snapshot
    addresses: Mapping[str, str] = field(default_factory=dict)
    account_status: str = "active"  # of the Twilio account; empty: not told
    runtime: str = "not asked"  # ready | not ready | not asked
    runtime_url: str = ""
    vapi_url: str = ""
    today: str = ""  # YYYY-MM-DD, in UTC


@dataclass(frozen=True, slots=True)
class LiveRoute:
    """`answers`: vapi, runtime, other or nobody picks up; `who` says on whose behalf. No reasons: all is as meant."""

    answers: str
    who: str
    reasons: tuple[Reason, ...] = ()
    notes: tuple[str, ...] = ()


def live_route(meant: Meant, seen: Seen) -> LiveRoute:
    """Who answers a line, and every reason why that is not who is meant."""
    phone, number = _phone(meant, seen), number_of(meant, seen)
    at_vapi = _AtVapi(meant, seen, phone)
    reasons = list(_account_reasons(meant, seen))
    answers, who = "vapi", ""
    if meant.provider == "twilio":
        reasons += number_reasons(meant, number, seen.vapi_url)
        answers, who = picks_up(meant, number, seen.vapi_url)
    reasons += at_vapi.reasons()
    if answers == "vapi":
        answers, who = at_vapi.answers()
    elif answers == "runtime":
        who = meant.target or "the runtime"
    reasons += _runtime_reasons(meant, seen, phone, number)
    return LiveRoute(answers, who, tuple(dict.fromkeys(reasons)), tuple(at_vapi.notes()))


def number_of(meant: Meant, seen: Seen) -> dict[str, Any] | None:
    """The Twilio account's number of a line."""
    numbers = seen.snapshot.all("twilio_phone_number").values()
    return next((item for item in numbers if meant.number and item.get("phone_number") == meant.number), None)


def _phone(meant: Meant, seen: Seen) -> dict[str, Any] | None:
    """The Vapi number of a line: the state's, else any of the same number."""
    phones = seen.snapshot.all(PHONE)
    if meant.phone_id in phones:
        return phones[meant.phone_id]
    wanted = meant.number.lower()
    same = (p for p in phones.values() if wanted and wanted in (_text(p, "number"), _text(p, "sipUri").lower()))
    return next(same, None)


def _account_reasons(meant: Meant, seen: Seen) -> Iterator[Reason]:
    if meant.provider == "twilio" and seen.account_status not in ("active", ""):
        yield Reason(
            "account-status",
            f"the Twilio account {meant.account} is {seen.account_status}: its numbers take and make no calls",
            "Settle it in Twilio's console, or with Twilio's support.",
        )


def _runtime_reasons(
    meant: Meant, seen: Seen, phone: dict[str, Any] | None, number: dict[str, Any] | None
) -> Iterator[Reason]:
    """A runtime that is needed and not ready, with who takes the calls instead."""
    if seen.runtime != "not ready":
        return
    instead = ""
    if meant.answer == "runtime":
        url = (number or {}).get("voice_fallback_url") or ""
        instead = f": Twilio sends callers to the fallback {url}" if url else ": callers hear an error"
    elif not meant.target:
        forwarded = _fallback(phone)
        instead = f": callers are forwarded to {forwarded}" if forwarded else ": the call is refused"
    else:
        instead = ": its tools fail"
    yield Reason(
        "runtime-not-ready",
        f"the runtime at {seen.runtime_url} does not answer{instead}",
        "Start it (`voiceops serve`), or look at its log; `voiceops doctor` says more.",
    )


@dataclass(frozen=True, slots=True)
class _AtVapi:
    """One line's half at Vapi."""

    meant: Meant
    seen: Seen
    phone: dict[str, Any] | None

    @property
    def bound(self) -> tuple[str, str]:
        """What the number is bound to: the key and the id."""
        for key in ("assistantId", "squadId", "workflowId"):
            if value := _text(self.phone or {}, key):
                return key, value
        return "", ""

    @property
    def health(self) -> AgentHealth | None:
        """How whom calls reach is: the number's target, or the agent that the runtime names."""
        key, id_ = self.bound
        if not id_ and self.meant.answer == "runtime":
            key = "squadId" if self.meant.target.startswith("Squad/") else "assistantId"
            id_ = self.meant.target_id
        if not id_ or key == "workflowId":
            return None
        look = squad_health if key == "squadId" else agent_health
        return look(id_, self.seen.snapshot, self.seen.addresses, self.seen.today)

    def answers(self) -> tuple[str, str]:
        if self.phone is None:
            return "nobody", "nobody"
        key, id_ = self.bound
        health = self.health
        if key == "workflowId":
            return "other", f"workflow {id_}"
        if health is not None:
            return ("vapi", health.title) if health.exists else ("nobody", f"nobody ({health.title} is gone)")
        if server := server_of(self.phone):
            return "vapi", f"asks {server}" if server != self.meant.server_url else "asks the runtime"
        if hooked := _ringing_hook(self.phone):
            return hooked
        forwarded = _fallback(self.phone)
        return ("other", f"forwarded to {forwarded}") if forwarded else ("nobody", "nobody")

    def reasons(self) -> Iterator[Reason]:
        meant, phone = self.meant, self.phone
        if phone is None:
            yield Reason("vapi-missing", f"Vapi has no number {meant.number or meant.phone_id}: {_lost(meant)}", APPLY)
            return
        yield from self._state()
        if meant.answer == "runtime":
            yield from self._beside_the_runtime()
        elif meant.answer == "none":
            yield from self._outgoing()
        elif meant.target:
            yield from self._target()
        else:
            yield from self._asks()
        if self.health is not None:
            yield from self.health.reasons

    def notes(self) -> Iterator[str]:
        if self.health is not None:
            yield from self.health.notes
        if forwarded := _fallback(self.phone):
            yield f"fallback: {forwarded}"

    def _state(self) -> Iterator[Reason]:
        """What is wrong with the number itself."""
        phone, meant = self.phone or {}, self.meant
        status = _text(phone, "status")
        if status == "blocked":
            yield Reason(
                "vapi-blocked", "Vapi has blocked the number: it takes no calls", "Ask Vapi's support why, and for it."
            )
        elif status == "activating":
            yield Reason("vapi-activating", "Vapi is still activating the number", "Wait a moment, and look again.")
        if meant.phone_id and phone.get("id") != meant.phone_id:
            yield Reason(
                "vapi-other-object",
                f"the Vapi number {meant.phone_id} is gone; {meant.number} is another one now ({phone.get('id')})",
                f"`voiceops state rm {meant.address}`, then `voiceops import {meant.address} {phone.get('id')}`; "
                "or delete that one at Vapi, and apply.",
            )
        account = _text(phone, "twilioAccountSid")
        if meant.provider == "twilio" and meant.account and account and account != meant.account:
            yield Reason(
                "wrong-account",
                f"Vapi has imported the number with the Twilio account {account}, and it is in {meant.account}",
                "`voiceops apply` writes the right one.",
            )
        number = _text(phone, "number")
        if meant.number.startswith("+") and number and number != meant.number:
            yield Reason("wrong-number", f"the Vapi number is {number} now, not {meant.number}", APPLY)
        gone = _text(phone, "credentialId")
        known = self.seen.snapshot.objects.get("vapi_credential")
        if gone and known is not None and gone not in known:
            yield Reason("credential-gone", f"its credential {gone} does not exist any more: the trunk is cut", APPLY)

    def _target(self) -> Iterator[Reason]:
        meant = self.meant
        key, id_ = self.bound
        if not id_:
            yield self._unbound()
        elif meant.target_id and id_ != meant.target_id:
            health = self.health
            who = health.title if health is not None else f"workflow {id_}"
            yield Reason("other-target", f"calls go to {who}, not to {meant.target}", APPLY)
        elif key == "workflowId":
            yield Reason("other-target", f"calls go to the workflow {id_}, which Vapi no longer runs", APPLY)
        if meant.server_url and (server := server_of(self.phone or {})) != meant.server_url:
            yield Reason("other-server", f"its events go to {server or 'no address'}, not to {meant.server_url}", APPLY)

    def _asks(self) -> Iterator[Reason]:
        """Nobody is bound, as is meant: Vapi asks a server for every call."""
        meant = self.meant
        _, id_ = self.bound
        if id_:
            health = self.health
            who = health.title if health is not None else f"workflow {id_}"
            yield Reason("other-target", f"calls go to {who}, though {meant.server_url} is to be asked", APPLY)
        server = server_of(self.phone or {})
        if not server and not id_:
            yield self._unbound()
        elif server != meant.server_url:
            yield Reason(
                "other-server", f"Vapi asks {server or 'nobody'} for every call, not {meant.server_url}", APPLY
            )

    def _beside_the_runtime(self) -> Iterator[Reason]:
        """A number that the runtime answers is bound to nothing, or two would answer."""
        _, id_ = self.bound
        if id_:
            health = self.health
            who = health.title if health is not None else f"workflow {id_}"
            yield Reason("double-answer", f"the Vapi number is bound to {who}, though the runtime answers", APPLY)

    def _outgoing(self) -> Iterator[Reason]:
        _, id_ = self.bound
        if id_:
            health = self.health
            who = health.title if health is not None else f"workflow {id_}"
            yield Reason("other-target", f"calls go to {who}, though the line only calls out", APPLY)

    def _unbound(self) -> Reason:
        forwarded, server = _fallback(self.phone), server_of(self.phone or {})
        if server and self.meant.target:
            what = f"Vapi asks {server} for every call"
        elif hooked := _ringing_hook(self.phone):
            what = f"callers get {hooked[1]}"
        elif forwarded:
            what = f"callers are forwarded to {forwarded}"
        else:
            what = "the call is refused"
        return Reason("unbound", f"the Vapi number has no agent, squad{'' if server else ' or server'}: {what}", APPLY)


def _lost(meant: Meant) -> str:
    if meant.answer == "runtime":
        return "the runtime can't connect its calls"
    return "it makes no calls" if meant.answer == "none" else "its calls are refused"


def server_of(phone: Mapping[str, Any]) -> str:
    """The address that Vapi asks, or tells events of, for a number."""
    server = phone.get("server")
    return (_text(server, "url") if isinstance(server, dict) else "") or _text(phone, "serverUrl")


def _ringing_hook(phone: Mapping[str, Any] | None) -> tuple[str, str] | None:
    """Who answers by a hook that every ringing call meets: a transfer, or a text that is said."""
    hooks = (phone or {}).get("hooks")
    for hook in hooks if isinstance(hooks, list) else ():
        if not isinstance(hook, dict) or hook.get("on") != "call.ringing" or hook.get("filters"):
            continue
        actions = hook.get("do")
        for action in actions if isinstance(actions, list) else ():
            to = action.get("destination") if isinstance(action, dict) else None
            if isinstance(to, dict) and (whom := _text(to, "number") or _text(to, "sipUri")):
                return "other", f"forwarded to {whom} by a hook"
            if isinstance(action, dict) and action.get("type") == "say":
                return "vapi", "a text that a hook says"
    return None


def _fallback(phone: Mapping[str, Any] | None) -> str:
    """Where Vapi sends callers whom nobody answers."""
    found = (phone or {}).get("fallbackDestination")
    return (_text(found, "number") or _text(found, "sipUri")) if isinstance(found, dict) else ""


def _text(body: Mapping[str, Any], key: str) -> str:
    value = body.get(key)
    return value if isinstance(value, str) else ""


__all__ = ["LiveRoute", "Meant", "Reason", "Seen", "live_route", "number_of", "server_of", "title_of"]
