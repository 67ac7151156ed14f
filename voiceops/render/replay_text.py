"""A replay for people: which calls would have ended otherwise, and the first turn that differs, side by side. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest

from voiceops.model.safe_text import flowed, one_line
from voiceops.model.wording import many
from voiceops.render.call_list import date
from voiceops.render.fitting import WIDTH, columns, in_columns
from voiceops.render.style import PLAIN, Style
from voiceops.testing.replay.conversation import AgentTurn
from voiceops.testing.replay.differences import called
from voiceops.testing.replay.replayed import Replay, ReplayCost, ReplayedCall

_INDENT = "    "
_HALF = (WIDTH - len(_INDENT) - 3) // 2
_MOST_LINES = 12  # of one side
_MOST_CALLS = 20  # that are shown side by side


def render_cost(cost: ReplayCost) -> str:
    """What a replay probably costs, in one sentence."""
    assumed = f" (not in the table: {', '.join(map(one_line, cost.assumed))})" if cost.assumed else ""
    return (
        f"{many(cost.calls, 'call')} to replay: about {many(cost.chats, 'chat')}, "
        f"{_thousands(cost.tokens_in)} tokens in and {_thousands(cost.tokens_out)} out, "
        f"{_money(cost.money, cost.currency)}{assumed}."
    )


def render_replay(replay: Replay, style: Style = PLAIN) -> str:
    """The calls that would have ended otherwise with their first turn that differs, then the others counted."""
    blocks = ["\n".join(_call(call, style)) for call in replay.otherwise[:_MOST_CALLS]]
    if (more := len(replay.otherwise) - _MOST_CALLS) > 0:
        blocks.append(f"And {many(more, 'more call')}; --format json has them all.")
    return "\n\n".join([*blocks, "\n".join(_sums(replay, style))])


def render_recorded(written: Sequence[str], there: Sequence[str], left_out: Mapping[str, int], replaced: int) -> str:
    """What a recording wrote, and what it did not."""
    lines = [f"+ {one_line(path)}" for path in written]
    lines += [f"· {one_line(path)} is there already" for path in there]
    lines += [f"· {row}" for row in left_out_rows(left_out)]
    if written:
        also = f" {many(replaced, 'value')} (numbers, addresses, keys, names) became made-up ones." if replaced else ""
        lines.append(
            f"{many(len(written), 'file')} written.{also} Read them before they are kept: other names are as said."
        )
    return "\n".join(lines or ["Nothing was written."])


def left_out_rows(left_out: Mapping[str, int]) -> list[str]:
    """How many calls were left out, by the reason, the most first."""
    return [
        f"{many(n, 'call')} left out: {one_line(why)}"
        for why, n in sorted(left_out.items(), key=lambda item: (-item[1], item[0]))
    ]


def _call(call: ReplayedCall, style: Style) -> Iterator[str]:
    played = call.shown
    assert played is not None
    first = played.differences[0]
    when = (date(call.began) or "").replace("T", " ").removesuffix("Z")
    agents = ", ".join(call.result.case.agents)
    head = " · ".join(part for part in (call.conversation.call, agents, when) if part)
    sign = style("✗", "red") if call.verdict == "failed" else style("~", "yellow")
    yield f"{sign} {one_line(head)}"
    if call.verdict == "flaky":
        bad = sum(bool(one.differences) for one in call.played)
        yield f"{_INDENT}in {bad} of {len(call.played)} rounds"
    for difference in played.differences:
        where = f"turn {difference.turn}" if difference.turn else "before the first turn"
        yield f"{_INDENT}{where}: {style(one_line(difference.text), 'bold')}"
    if call.result.case.agent_at:
        yield f"{_INDENT}the agent: {one_line(call.result.case.agent_at)}"
    caller, then, now = call.at(first.turn)
    if caller:
        lines = in_columns(f"caller: {flowed(caller)}", WIDTH, _INDENT, _INDENT + "  ")
        yield from [*lines[:_MOST_LINES], f"{_INDENT}  …"] if len(lines) > _MOST_LINES else lines
    yield f"{_INDENT}{style('was'.ljust(_HALF), 'dim')} │ {style('is', 'dim')}"
    for left, right in zip_longest(_side(then), _side(now), fillvalue=""):
        yield f"{_INDENT}{left}{' ' * (_HALF - columns(left))} │ {right}".rstrip()


def _side(answer: AgentTurn) -> list[str]:
    """What the agent did at a turn, in lines of half a page."""
    lines: list[str] = []
    for used in answer.used:
        lines += _half(called(used.name, used.arguments), "  ")
        if used.answer:
            lines += _half(f"→ {used.answer}", "  ", "  ")
    lines += _half(answer.said) if answer.said else []
    return ([*lines[:_MOST_LINES], "…"] if len(lines) > _MOST_LINES else lines) or ["(nothing)"]


def _half(text: str, rest: str = "", first: str = "") -> list[str]:
    return in_columns(flowed(text), _HALF, first, rest)


def _sums(replay: Replay, style: Style) -> Iterator[str]:
    known = [call for call in replay.calls if call.verdict != "not run"]
    otherwise = len(replay.otherwise)
    for call in replay.calls:
        if call.verdict == "not run":
            reason = next((one.error for one in call.played if one.error), "")
            yield f"{style('!', 'yellow')} {one_line(call.conversation.call)} could not be replayed: {one_line(reason)}"
    yield from (f"{style('·', 'dim')} {row}" for row in left_out_rows(replay.left_out))
    same = [call for call in known if not any(one.differences for one in call.played)]
    reworded = [call for call in same if call.shown and call.shown.said]
    if same:
        words = f", {len(reworded)} of them in other words" if reworded else ""
        yield f"{style('✓', 'green')} {many(len(same), 'call')} would have ended as they did{words}"
    spent = f", ${replay.cost:.2f}" if replay.cost is not None else ""
    counted = f"{otherwise} of {many(len(known), 'call')} would have ended otherwise"
    counted = counted if known else "no call was replayed to its end"
    verdict = style(counted, "red" if otherwise else "green", "bold")
    yield f"{verdict} ({many(replay.chats, 'chat')}{spent}, {replay.report.seconds:.0f} s)."


def _thousands(tokens: int) -> str:
    return f"{tokens:,}" if tokens < 10_000 else f"{tokens // 1000:,},000"


def _money(money: float, currency: str) -> str:
    return f"${money:.2f}" if currency == "USD" else f"{money:.2f} {one_line(currency)}"
