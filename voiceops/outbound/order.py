"""One call as it is sent to Vapi, and the mark by which it is found again. Pure.

`CreateCallDTO`, https://docs.vapi.ai/api-reference/calls/create: it has no metadata, so the mark stands in the call's
name, which is "just for your own reference".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

from voiceops.model.instants import to_millisecond
from voiceops.outbound.calling_hours import Opening

_NOT_BEGUN = "call.start.error"
_NAME = 40  # characters that Vapi takes


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who calls: an assistant or a squad, on a line; live ids, and what they are called in the manifests."""

    agent: str  # address
    agent_id: str
    line: str  # address
    line_id: str
    number: str = ""  # the line's, where it has one

    @property
    def squad(self) -> bool:
        """Is it a squad that calls?"""
        return self.agent.startswith("Squad/")


@dataclass(frozen=True, slots=True, kw_only=True)
class CallOrder:
    """Whom to call, and what the agent is told."""

    number: str
    name: str = ""
    variables: Mapping[str, str] = field(default_factory=dict)


def mark_of(environment: str, batch: str, number: str) -> str:
    """The same for the same person and batch, on every machine; only Vapi gets it, who has the number itself."""
    text = "\0".join((environment, batch, number))
    return blake2b(text.encode(), digest_size=12, person=b"voiceops-calling").hexdigest()


def person_in(environment: str, batch: str, number: str) -> str:
    """Who a claim is about: the store keeps a digest of this, and nobody gets it."""
    return f"{environment} {batch} {number}"


def call_body(order: CallOrder, caller: Caller, batch: str, mark: str, later: Opening | None) -> dict[str, Any]:
    """The body of `POST /call`; `later`: not before, and not after."""
    words = "squad" if caller.squad else "assistant"
    body: dict[str, Any] = {
        "name": f"{batch.encode('ascii', 'replace').decode()[: _NAME - len(mark) - 1]} {mark}".strip(),
        f"{words}Id": caller.agent_id,
        "phoneNumberId": caller.line_id,
        "customer": {"number": order.number} | ({"name": order.name} if order.name else {}),
    }
    if order.variables:
        body[f"{words}Overrides"] = {"variableValues": dict(order.variables)}
    if later is not None:
        body["schedulePlan"] = {"earliestAt": to_millisecond(later.start), "latestAt": to_millisecond(later.end)}
    return body


def rang(call: Mapping[str, Any]) -> bool:
    """May this call have reached anybody? One that could not begin has not."""
    return not str(call.get("endedReason") or "").startswith(_NOT_BEGUN)


def has_no_slot(call: Mapping[str, Any]) -> bool:
    """Could it not begin because the account has as many calls under way as it may have?"""
    return not rang(call) and "concurrency-limit" in str(call["endedReason"])


def mark_in(call: Mapping[str, Any]) -> str:
    """The mark of a call that `call_body` gave it; of a call that is not ours something else, or nothing."""
    name = call.get("name")
    return name.rpartition(" ")[2] if isinstance(name, str) else ""


def goes_to(call: Mapping[str, Any], number: str) -> bool:
    """Does this call go to that number, whoever made it?"""
    customer = call.get("customer")
    return isinstance(customer, Mapping) and customer.get("number") == number
