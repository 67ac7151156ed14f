"""A call that there was as a conversation to have again: what the caller said, and what the agent did after it. Pure.

What was said comes from the store of calls, so that nothing is replayed that is not kept. What tools were asked and
what they answered is not kept there: it comes beside it, out of Vapi's own record of the call.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from voiceops.calls.record import CallRecord, Spoken, ToolUse, ToolValues
from voiceops.model.values import JSON

_ENDED_BY_AGENT = "assistant-ended-call"
_FORWARDED = "assistant-forwarded-call"
END_CALL, TRANSFER, HANDOFF = "endCall", "transferCall", "handoff"


@dataclass(frozen=True, slots=True)
class Used:
    """A tool as it was called in the call. `answer` is None where nobody answered."""

    name: str
    arguments: Mapping[str, JSON] = field(default_factory=dict)
    answer: str | None = None
    loose: bool = False  # its arguments are not known: only that it was called counts
    to: str | None = None  # who took over: an agent's key, "" where nobody did; None: it is not known


@dataclass(frozen=True, slots=True)
class AgentTurn:
    """All that the agent said and called until the caller spoke again."""

    said: str = ""
    used: tuple[Used, ...] = ()
    by: str = ""  # who was the last to speak in it: an agent's key; empty where it is not known


@dataclass(frozen=True, slots=True)
class Exchange:
    """A turn of the caller, and the agent's answer to it."""

    caller: str
    answer: AgentTurn


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """A call to have again. `opening` is what the agent did before the caller said a word."""

    call: str
    opening: AgentTurn
    exchanges: tuple[Exchange, ...]
    reason: str = ""  # how it ended
    variables: Mapping[str, JSON] = field(default_factory=dict)  # what stood for `{{name}}` in its prompts

    @property
    def answered(self) -> tuple[Exchange, ...]:
        """The exchanges without what the caller said last, if nobody answered it any more: what an agent would have
        done then is not on record."""
        last = self.exchanges[-1].answer if self.exchanges else None
        return self.exchanges[:-1] if last is not None and not last.said and not last.used else self.exchanges

    @property
    def tools(self) -> int:
        """How many tools were called."""
        return len(self.opening.used) + sum(len(exchange.answer.used) for exchange in self.exchanges)


def left_out(call: CallRecord, *, needs_values: bool, has_values: bool) -> str:
    """Why a call can't be replayed, as a phrase that ends `N calls: …`; empty where it can.

    `needs_values`: it can only be replayed with what Vapi's own record of it says; `has_values`: that is there.
    """
    callers = [turn for turn in call.turns if turn.role == "caller"]
    if call.status != "ended" and call.ended_at is None and not call.reason:
        return "still under way"
    if not callers:
        return "the caller said nothing"
    if not any(turn.text.strip() for turn in callers):
        return "what was said is not kept (privacy.transcripts, or VOICEOPS_REDACT of the runtime)"
    if needs_values and not has_values:
        return "Vapi has no record of it any more, and its tools' answers are not kept here"
    return ""


def conversation_of(
    call: CallRecord,
    values: Mapping[str, ToolValues],
    variables: Mapping[str, JSON] | None = None,
    *,
    keys: Mapping[str, str] | None = None,
    hands_on: Callable[[str], bool] = lambda tool: False,
) -> Conversation:
    """The call as a conversation. `values`: what its tools were asked and answered, by the tool call's id; `keys`: of
    agents by their live ids, as they were then; `hands_on`: is it a tool by which another agent takes over?
    """
    exchanges: list[Exchange] = []
    opening, answer = AgentTurn(), AgentTurn()
    caller: str | None = None
    fresh = False  # the caller's last words have not been answered yet: what follows them belongs to the same turn

    def close() -> None:
        nonlocal opening
        if caller is None:
            opening = answer
        else:
            exchanges.append(Exchange(caller, answer))

    for item in _handed_on(_in_order(call, values), keys or {}, hands_on, call.assistant_id):
        if isinstance(item, Used):
            answer, fresh = replace(answer, used=(*answer.used, item)), False
        elif item.role == "caller":
            if not item.text.strip():
                continue
            if fresh and caller is not None:
                caller = f"{caller} {item.text.strip()}"
                continue
            close()
            caller, answer, fresh = item.text.strip(), AgentTurn(), True
        elif item.text.strip():
            said = f"{answer.said} {item.text.strip()}".strip()
            answer, fresh = replace(answer, said=said, by=_key(item, keys or {}) or answer.by), False
    answer = _with_its_end(call, answer)
    close()
    return Conversation(
        call=call.id,
        opening=opening,
        exchanges=tuple(exchanges),
        reason=call.reason,
        variables=variables or {},
    )


def _used(tool: ToolUse, values: Mapping[str, ToolValues]) -> Used:
    found = values.get(tool.id)
    if found is None:
        return Used(tool.name, loose=True)
    return Used(tool.name, found.arguments or {}, found.answer, loose=found.arguments is None)


def _key(turn: Spoken, keys: Mapping[str, str]) -> str:
    return keys.get(turn.agent, turn.agent)


def _handed_on(
    items: Sequence[Spoken | Used], keys: Mapping[str, str], hands_on: Callable[[str], bool], first: str
) -> list[Spoken | Used]:
    """The same, with who took over after which tool: another agent speaks. Where no tool tells of it, one is put in.
    `first`: the live id of who took the call."""
    found: list[Spoken | Used] = []
    speaker = keys.get(first, first)
    handing: int | None = None  # the place of the latest tool that may have changed who speaks
    for item in items:
        if isinstance(item, Used):
            handing = len(found) if hands_on(item.name) else handing
        elif item.role == "agent" and (key := _key(item, keys)):
            changed = bool(speaker or handing is not None) and key != speaker
            tool = found[handing] if handing is not None else None
            if handing is not None and isinstance(tool, Used):
                found[handing] = replace(tool, to=key if changed else "")
            elif changed:
                found.append(Used(HANDOFF, {"destination": key}, loose=True, to=key))
            speaker, handing = key, None if changed else handing
        found.append(item)
    return found


def _with_its_end(call: CallRecord, answer: AgentTurn) -> AgentTurn:
    """Some records tell that the agent hung up or transferred only by the reason: then the tool is put in its place."""
    for reason, name in ((_ENDED_BY_AGENT, END_CALL), (_FORWARDED, TRANSFER)):
        if call.reason == reason and not any(plain(tool.name).startswith(plain(name)) for tool in call.tools):
            return replace(answer, used=(*answer.used, Used(name, loose=True)))
    return answer


def _in_order(call: CallRecord, values: Mapping[str, ToolValues]) -> list[Spoken | Used]:
    """By time; what has none keeps its place behind what came before it."""
    timed: list[tuple[float, Spoken | ToolUse]] = [*_timed(call.turns), *_timed(call.tools)]
    ordered = [item for _, item in sorted(timed, key=lambda pair: pair[0])]
    return [_used(item, values) if isinstance(item, ToolUse) else item for item in ordered]


def _timed(items: Iterable[Spoken | ToolUse]) -> Iterator[tuple[float, Spoken | ToolUse]]:
    last = 0.0
    for item in items:
        last = max(last, item.at) if item.at is not None else last
        yield last, item


def plain(name: str) -> str:
    """A tool's name as it is compared: `endCall` and Vapi's `end_call_tool` are one."""
    word = "".join(character for character in name.casefold() if character.isalnum())
    return word.removesuffix("tool") or word
