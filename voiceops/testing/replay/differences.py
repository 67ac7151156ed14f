"""When a call would have ended otherwise, and when something was only said otherwise. Pure; see docs/replay.md.

A call ends otherwise when other things are done in it: a tool that was called is not, one is called that was not, or
with other arguments, or in another order; the agent hangs up or hands the caller on earlier than it did. That the same
tool is called a turn earlier or later is none, and neither is other wording.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from voiceops.model.values import JSON
from voiceops.testing.replay.conversation import END_CALL, TRANSFER, AgentTurn, Conversation, Used, plain

ALIKE = 0.5  # of their words two sentences share: below it they say something else
_A_SENTENCE = 5  # words from which on an argument is prose, whose wording may differ
_WORDS = re.compile(r"\w+")
Sort = Literal["missing", "new", "arguments", "order", "ended"]


@dataclass(frozen=True, slots=True)
class Deviation:
    """Something that would have been otherwise. `turn` is the caller's, from 1; 0 is before the caller said a word.

    The text names tools and arguments, and holds nothing of what a caller said.
    """

    turn: int
    sort: Sort
    text: str


@dataclass(frozen=True, slots=True)
class _Recorded:
    turn: int
    used: Used


@dataclass(slots=True)
class Record:
    """What was called in a call, and how much of it has been called again."""

    open: list[_Recorded]
    _last: int = -1  # the latest turn of what was called again
    _loose: frozenset[str] = field(default_factory=frozenset)

    @classmethod
    def of(cls, conversation: Conversation, loose: frozenset[str] = frozenset()) -> Record:
        """Of a whole call. `loose`: tools whose arguments are not compared."""
        answers = [conversation.opening, *(exchange.answer for exchange in conversation.exchanges)]
        found = [_Recorded(turn, used) for turn, answer in enumerate(answers) for used in answer.used]
        return cls(found, _loose=loose)

    def answer(
        self, turn: int, name: str, arguments: Mapping[str, JSON], to: str = ""
    ) -> tuple[Used | None, Deviation | None]:
        """What the tool answered then, where it was called so, and what is otherwise about the call. `to`: the agent
        that it hands the caller on to, who counts there instead of the name and the arguments."""
        named = [e for e in self.open if (bool(to) and bool(e.used.to)) or plain(e.used.name) == plain(name)]
        if not named:
            return None, Deviation(turn, "new", f"calls {name}, which was not called (again)")
        found = self._same(named, plain(name), arguments, to)
        if found is None:
            self.open.remove(named[0])  # it is this one that is called otherwise, and not another that is missing
            if to and named[0].used.to:
                return None, Deviation(turn, "arguments", f"hands the caller on to {to}, was to {named[0].used.to}")
            other = ", ".join(_other(named[0].used.arguments, arguments))
            return None, Deviation(turn, "arguments", f"calls {name} with other arguments ({other})")
        self.open.remove(found)
        if found.turn < self._last and turn > found.turn:
            return found.used, Deviation(turn, "order", f"calls {name} after what came behind it")
        self._last = max(self._last, found.turn)
        if ends(name) and found.turn > turn:
            verb = "hangs up" if plain(name) == plain(END_CALL) else "hands the caller on"
            return found.used, Deviation(turn, "ended", f"{verb} at turn {turn}, was at turn {found.turn}")
        return found.used, None

    def _same(self, named: Sequence[_Recorded], name: str, arguments: Mapping[str, JSON], to: str) -> _Recorded | None:
        """The one that was called so: with these arguments rather than where arguments don't count."""
        if to and any(entry.used.to for entry in named):
            return next((entry for entry in named if entry.used.to == to), None)
        exact = (entry for entry in named if not entry.used.loose and same_arguments(entry.used.arguments, arguments))
        loose = (entry for entry in named if entry.used.loose or name in self._loose)
        return next(exact, None) or next(loose, None)

    def missing(self, until: int) -> list[Deviation]:
        """What was called up to this turn, and has not been called again."""
        return [Deviation(e.turn, "missing", _not_done(e.used)) for e in self.open if e.turn <= until]


def _not_done(used: Used) -> str:
    return f"does not hand the caller on to {used.to}" if used.to else f"does not call {used.name}"


def called(name: str, arguments: Mapping[str, JSON]) -> str:
    """A call of a tool in one line."""
    shown = json.dumps(dict(arguments), ensure_ascii=False, sort_keys=True) if arguments else ""
    return f"{name}({shown})"


def ends(name: str) -> bool:
    """Is the caller gone, or with somebody else, after this tool?"""
    return plain(name) in (plain(END_CALL), plain(TRANSFER)) or plain(name).startswith("handoff")


def _other(was: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    return [key for key in sorted({*was, *now}) if not same_arguments({key: was.get(key)}, {key: now.get(key)})]


def same_arguments(was: Any, now: Any) -> bool:
    """Equal but for how it is written: case, spaces and signs, a number as a text, other words of one sentence."""
    if isinstance(was, Mapping) and isinstance(now, Mapping):
        keys = {key for of in (was, now) for key, value in of.items() if value not in (None, "")}
        return all(same_arguments(was.get(key), now.get(key)) for key in keys)
    if isinstance(was, list) and isinstance(now, list):
        return len(was) == len(now) and all(same_arguments(a, b) for a, b in zip(was, now, strict=True))
    if isinstance(was, bool) or isinstance(now, bool):
        return str(was).casefold() == str(now).casefold()
    if (
        not (isinstance(was, str) and isinstance(now, str))
        and _figure(was) is not None
        and _figure(was) == _figure(now)
    ):
        return True  # of two texts the zero in front counts
    if isinstance(was, str | int | float) and isinstance(now, str | int | float):
        words = _words(str(was)), _words(str(now))
        if min(map(len, words)) >= _A_SENTENCE:
            return alike(str(was), str(now)) >= ALIKE
        return "".join(words[0]) == "".join(words[1]) and bool(words[0] or str(was).strip() == str(now).strip())
    return bool(was == now)


def _figure(value: Any) -> float | None:
    try:
        return float(value) if isinstance(value, str | int | float) else None
    except (ValueError, OverflowError):
        return None


def alike(was: str, now: str) -> float:
    """How many of their words two texts share, from 0 to 1, however they are ordered."""
    before, after = _words(was), _words(now)
    if not before or not after:
        return 1.0 if before == after else 0.0
    left = list(after)
    for word in before:
        if word in left:
            left.remove(word)
    return 2 * (len(after) - len(left)) / (len(before) + len(after))


def _words(text: str) -> list[str]:
    return _WORDS.findall(text.casefold())


def said_otherwise(was: Sequence[AgentTurn], now: Sequence[AgentTurn]) -> tuple[int, ...]:
    """The turns whose answers share less than half of their words, as far as both go.

    Where the agent said nothing then, since the caller was gone, nothing is said otherwise; and where it was cut short,
    so that it said the beginning of what it says now.
    """
    pairs = enumerate(zip(was, now, strict=False))
    return tuple(
        turn for turn, (a, b) in pairs if a.said and not _begins(a.said, b.said) and alike(a.said, b.said) < ALIKE
    )


def _begins(was: str, now: str) -> bool:
    before = _words(was)
    return bool(before) and before == _words(now)[: len(before)]
