"""What is counted of a runtime's work: the names of its figures, and where each comes from.

Labels are known words: a type, a tool, a reason. What comes from outside and is not known is `(other)`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from voiceops.runtime.observe.metrics import Counter, Histogram, Metrics
from voiceops.runtime.observe.observer import Observer
from voiceops.runtime.vapi_messages import KNOWN_TYPES

TOOL_CALLS = "voiceops_tool_calls_total"
OLDER_SECRET = "voiceops_older_secret_total"
_OUTCOMES = ("ok", "failed", "timeout", "busy", "misused", "missing", "lost", "repeated")
_DESCRIBED = (
    ("voiceops_messages_total", "counter", "Vapi's messages by type and outcome."),
    ("voiceops_message_seconds", "histogram", "Time from a message's arrival to its answer."),
    (TOOL_CALLS, "counter", "Tool calls by tool and outcome."),
    ("voiceops_tool_seconds", "histogram", "Time from a tool call's arrival to its result."),
    ("voiceops_auth_failures_total", "counter", "Requests that were not the vendor's, by reason."),
    (OLDER_SECRET, "counter", "Messages of Vapi's that were signed with the secret before."),
    ("voiceops_connections_ended_total", "counter", "Connections and requests that broke a bound, by which."),
    ("voiceops_answers_total", "counter", "Answers to requests that Vapi waits for."),
    ("voiceops_calls_total", "counter", "Calls of lines that the runtime answers."),
    ("voiceops_events_processed_total", "counter", "Stored messages that handlers worked on."),
    ("voiceops_event_lag_seconds", "histogram", "Time from a message's arrival to the end of its handlers."),
)


class MetricsObserver(Observer):
    """Counts into `metrics`. What every message needs is looked up once and kept."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._messages: dict[tuple[str, str], tuple[Counter, Histogram]] = {}
        self._outcomes: dict[tuple[str, str], Counter] = {}
        self._seconds: dict[str, Histogram] = {}
        for name, kind, text in _DESCRIBED:
            metrics.describe(name, kind, text)
        self._older_secret = metrics.counter(OLDER_SECRET)

    def serves(self, tools: Iterable[str]) -> None:
        """Each tool's figures are there from the start, with zeros."""
        for tool in tools:
            self._seconds[tool] = self._metrics.histogram("voiceops_tool_seconds", tool=tool)
            for outcome in _OUTCOMES:
                self._outcomes[tool, outcome] = self._metrics.counter(TOOL_CALLS, tool=tool, outcome=outcome)

    def message_ended(self, kind: str, outcome: str, seconds: float) -> None:
        bound = self._messages.get((kind, outcome))
        if bound is None:
            # Types come from outside: only those that Vapi is known to send become labels.
            shown = kind if kind in KNOWN_TYPES else "(other)"
            counter = self._metrics.counter("voiceops_messages_total", type=shown, outcome=outcome)
            bound = counter, self._metrics.histogram("voiceops_message_seconds", type=shown)
            if shown == kind:
                self._messages[kind, outcome] = bound
        bound[0].value += 1
        bound[1].observe(seconds)

    def message_counted(self, kind: str, outcome: str) -> None:
        self._metrics.counter("voiceops_messages_total", type=kind, outcome=outcome).add()

    def tool_ended(self, name: str, outcome: str, detail: str, seconds: float, call: str, tool_call: str) -> None:
        self._outcomes[name, outcome].value += 1
        self._seconds[name].observe(seconds)

    def tool_counted(self, name: str, outcome: str) -> None:
        self._outcomes[name, outcome].add()

    def answer_ended(self, kind: str, outcome: str, call: str, detail: str) -> None:
        self._metrics.counter("voiceops_answers_total", type=kind, outcome=outcome).add()

    def line_ended(self, address: str, outcome: str, call_sid: str, seconds: float, detail: str) -> None:
        self._metrics.counter("voiceops_calls_total", line=address, outcome=outcome).add()

    def event_ended(self, kind: str, outcome: str, id_: int, seconds: float, detail: str) -> None:
        self._metrics.counter("voiceops_events_processed_total", type=kind, outcome=outcome).add()
        self._metrics.histogram("voiceops_event_lag_seconds").observe(seconds)

    def refused(self, vendor: str, reason: str, **said: Any) -> None:
        self._metrics.counter("voiceops_auth_failures_total", vendor=vendor, reason=reason).add()

    def older_secret_used(self) -> None:
        self._older_secret.value += 1

    def connection_ended(self, reason: str, **said: Any) -> None:
        self._metrics.counter("voiceops_connections_ended_total", reason=reason).add()
