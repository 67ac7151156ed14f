"""Made-up calls for reports and dashboards: as Vapi's list shows them, of the agents, lines and tools that are here.

The same seed makes the same calls. A scenario says what goes wrong, and when: at the newest fifth of the time.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from voiceops.sandbox.account import iso

SCENARIOS = {
    "steady": "nothing changes",
    "regression": "the newest version of every agent answers worse: 70 % good calls instead of 90 %, and slower",
    "slow-tool": "one tool takes seconds, and fails every third time",
    "outage": "the model's provider is down for a while",
}
_NEWEST = 0.8  # of the time; what comes after is the newest version's
_DOWN = (0.9, 0.93)
_ENDS = (
    ("customer-ended-call", 62),
    ("assistant-ended-call", 22),
    ("assistant-forwarded-call", 7),
    ("silence-timed-out", 5),
    ("exceeded-max-duration", 1),
    ("voicemail", 2),
    ("pipeline-error-openai-llm-failed", 1),
)
_SAID = (
    ("Where is my order?", "Let me look that up for you."),
    ("My number is one two three four.", "Thank you. It is on its way and comes tomorrow."),
    ("Can I send it back?", "Of course. You have thirty days, and the label is in the parcel."),
    ("What are your opening hours?", "We are open from nine to six, Monday to Saturday."),
    ("Can you write that to me?", "Gladly. Which address may I use?"),
    ("No, that was all.", "Then have a good day. Goodbye."),
)


@dataclass(frozen=True, slots=True)
class MadeUp:
    """What the calls are made of: assistants, phone numbers and function names, as the account has them."""

    org: str
    assistants: Sequence[Mapping[str, Any]]
    phones: Sequence[Mapping[str, Any]]
    tools: Mapping[str, Sequence[str]]  # function names by an assistant's id


def made_calls(of: MadeUp, n: int, scenario: str, *, now: float, days: float, seed: int) -> Iterator[dict[str, Any]]:
    """So many calls, spread over so many days before now, the oldest first. Raises ValueError: no assistant is there,
    or there is no such scenario."""
    if scenario not in SCENARIOS:
        raise ValueError(f"there is no scenario {scenario!r}; there are {', '.join(SCENARIOS)}")
    if not of.assistants:
        raise ValueError("there is no assistant whose calls these could be")
    rng = random.Random(seed)
    for share in sorted(rng.random() for _ in range(n)):
        yield _call(of, rng, scenario, now - (1 - share) * days * 86_400, share)


def _call(of: MadeUp, rng: random.Random, scenario: str, at: float, share: float) -> dict[str, Any]:
    assistant = rng.choice(of.assistants)
    phone = _line(of.phones, assistant, rng)
    newest = share >= _NEWEST
    worse = scenario == "regression" and newest
    reason = rng.choices([name for name, _ in _ENDS], [weight for _, weight in _ENDS])[0]
    if scenario == "outage" and _DOWN[0] <= share < _DOWN[1]:
        reason = "pipeline-error-openai-llm-failed"
    broken = "error" in reason
    messages, waits = _conversation(
        rng, list(of.tools.get(str(assistant["id"]), ())), slow=scenario == "slow-tool" and newest, worse=worse,
        turns=1 if broken else rng.randint(2, len(_SAID)),
    )  # fmt: skip
    seconds = messages[-1]["secondsFromStart"] + rng.uniform(2, 8)
    costs = _costs(rng, seconds)
    good = not broken and rng.random() < (0.7 if worse else 0.9)
    id_ = str(uuid.UUID(int=rng.getrandbits(128), version=4))
    body: dict[str, Any] = {
        "id": id_,
        "orgId": of.org,
        "type": "inboundPhoneCall" if phone else "webCall",
        "status": "ended",
        "createdAt": iso(at - 1),
        "updatedAt": iso(at + seconds + 3),
        "startedAt": iso(at),
        "endedAt": iso(at + seconds),
        "endedReason": reason,
        "assistantId": assistant["id"],
        "assistantVersion": "v2" if newest else "v1",
        "cost": round(sum(item["cost"] for item in costs), 4),
        "costs": costs,
        "artifact": {
            "messages": messages,
            "performanceMetrics": {
                "turnLatencies": [{"turnLatency": ms} for ms in waits],
                "numAssistantInterrupted": rng.choice((0, 0, 1, 2)),
            },
        },
        "analysis": {} if broken else {"successEvaluation": str(good).lower(), "summary": "A caller asked for help."},
    }
    if phone:
        body |= {"phoneNumberId": phone["id"], "customer": {"number": f"+1415555{rng.randint(0, 9999):04}"}}
    if reason == "assistant-forwarded-call":
        body["destination"] = {"type": "number", "number": "+14155550199"}
    return body


def _line(
    phones: Sequence[Mapping[str, Any]], assistant: Mapping[str, Any], rng: random.Random
) -> Mapping[str, Any] | None:
    """A number that reaches the assistant, else any; none where there is none."""
    own = [phone for phone in phones if phone.get("assistantId") == assistant["id"]]
    return rng.choice(own or list(phones)) if phones else None


def _conversation(
    rng: random.Random, tools: Sequence[str], *, slow: bool, worse: bool, turns: int
) -> tuple[list[dict[str, Any]], list[float]]:
    """What was said, with the tools between, and how long the caller waited for each answer (milliseconds)."""
    at = 0.3
    found: list[dict[str, Any]] = [_message("bot", "Hello, how can I help you today?", at, 2.0)]
    waits: list[float] = []
    for asked, answered in _SAID[:turns]:
        at += rng.uniform(2.5, 5)
        found.append(_message("user", asked, at, 2.0))
        at += 2.0
        used = rng.choice(tools) if tools and rng.random() < 0.45 else ""
        if used:
            id_ = f"call_{rng.getrandbits(64):016x}"
            is_slow = slow and used == tools[0]
            took = rng.uniform(2.5, 6) if is_slow else rng.lognormvariate(-1.4, 0.5)
            result = "Error: the service did not answer" if rng.random() < (0.33 if is_slow else 0.02) else "done"
            found.append(
                {
                    "role": "tool_calls",
                    "secondsFromStart": round(at, 3),
                    "toolCalls": [{"id": id_, "type": "function", "function": {"name": used, "arguments": "{}"}}],
                }
            )
            at += took
            found.append(
                {
                    "role": "tool_call_result",
                    "toolCallId": id_,
                    "name": used,
                    "result": result,
                    "secondsFromStart": round(at, 3),
                }
            )
        waited = rng.lognormvariate(6.75, 0.3) * (1.4 if worse else 1.0)
        waits.append(round(waited, 1))
        at += waited / 1000
        found.append(_message("bot", answered, at, 3.0))
        at += 3.0
    return found, waits


def _message(role: str, text: str, at: float, seconds: float) -> dict[str, Any]:
    return {"role": role, "message": text, "secondsFromStart": round(at, 3), "duration": seconds * 1000}


def _costs(rng: random.Random, seconds: float) -> list[dict[str, Any]]:
    minutes = seconds / 60
    a_minute = {"transport": 0.014, "transcriber": 0.01, "model": 0.02, "voice": 0.04, "vapi": 0.05}
    return [
        {"type": kind, "minutes": round(minutes, 4), "cost": round(cost * minutes * rng.uniform(0.9, 1.1), 5)}
        for kind, cost in a_minute.items()
    ]
