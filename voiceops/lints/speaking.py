"""Texts that are spoken as they stand: the first message, farewells, what a tool says while it works."""

from __future__ import annotations

import re
from collections.abc import Iterator

from voiceops.lints.context import Assistant, Context, Line
from voiceops.lints.rule import lint
from voiceops.lints.spot import Finding, Spot, body_of

_SPEAKS_FIRST = (None, "assistant-speaks-first")
_LONGEST_SECONDS = 15
_LETTERS_A_SECOND = 15  # of an alphabet; one sign of Chinese, Japanese or Korean is a syllable or more
_SIGNS_A_SECOND = 5
_SIGNS = re.compile(r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af]")
_WHOLE_URL = re.compile(r"\s*https?://\S+\s*\Z")
_MARKUP = (
    (re.compile(r"\*\*[^*\n]+\*\*|__[^_\n]+__|(?m:^#{1,6} )|```|`[^`\n]+`|\[[^\]\n]+\]\([^)\n]+\)"), "markdown"),
    (re.compile(r"(?m:^[ \t]*(?:[-*•]|\d+[.)])[ \t]+\S.*\n[ \t]*(?:[-*•]|\d+[.)])[ \t]+\S)"), "a list"),
    (re.compile(r"https?://\S+|\bwww\.\w"), "a web address"),
    (re.compile("[\U0001f300-\U0001faff\u2600-\u27bf]"), "an emoji"),
)
_SPOKEN_KEYS = ("firstMessage", "endCallMessage", "voicemailMessage", "silenceTimeoutMessage")


def entry(context: Context, line: Line) -> tuple[Assistant, list[Spot]] | None:
    """Who speaks first on a line, and what its squad overrides there."""
    if line.target is None or line.target not in context.graph.resources:
        return None
    resource = context.graph.resources[line.target]
    target = body_of(resource)
    if resource.kind == "Agent":
        return Assistant(target, override=False), []
    members = target.items("members")
    if not members:
        return None
    first = members[0]
    found = context.agent(first.get("assistantId"))
    if found is None and isinstance(first.get("assistant"), dict):
        found = Assistant(first.at("assistant"), override=False)
    overrides = [spot for spot in (first.at("assistantOverrides"), target.at("membersOverrides")) if spot.value]
    return (found, overrides) if found else None


@lint("VO201", "first-message-missing", "Nobody speaks when a call is answered")
def first_message_missing(context: Context) -> Iterator[Finding]:
    for line in context.phone_lines:
        found = entry(context, line)
        if found is None:
            continue
        assistant, overrides = found
        layers = [assistant.spot, *overrides]
        mode = next((m for layer in reversed(layers) if (m := layer.get("firstMessageMode"))), None)
        if mode in _SPEAKS_FIRST and not any(layer.get("firstMessage") for layer in layers):
            yield assistant.spot.finding(
                f"whoever calls {line.spot.resource.address} hears nothing until they speak themselves",
                "firstMessage",
                hint="Set firstMessage, or firstMessageMode: assistant-waits-for-user where that is meant.",
            )


@lint("VO202", "first-message-long", "The first message takes longer than 15 seconds to say")
def first_message_long(context: Context) -> Iterator[Finding]:
    for assistant in context.assistants:
        text = assistant.spot.get("firstMessage")
        if not isinstance(text, str) or _WHOLE_URL.match(text) or not context.on_a_line(assistant.spot):
            continue
        signs = len(_SIGNS.findall(text))
        seconds = signs / _SIGNS_A_SECOND + (len(text) - signs) / _LETTERS_A_SECOND
        if seconds > _LONGEST_SECONDS and assistant.spot.get("firstMessageMode") in _SPEAKS_FIRST:
            yield assistant.spot.finding(
                f"the first message takes about {seconds:.0f} seconds to say",
                "firstMessage",
                hint="Say who is speaking and ask one question; callers interrupt the rest.",
            )


@lint("VO203", "spoken-markup", "A text that is spoken holds markdown, a list, a web address or an emoji")
def spoken_markup(context: Context) -> Iterator[Finding]:
    for key in (*_SPOKEN_KEYS, "idleMessages", "content", "message", "exact"):
        for spot, text in context.index.texts_at(key):
            if not isinstance(spot.value, str) or not _is_spoken(spot) or _WHOLE_URL.match(text):
                continue
            for pattern, what in _MARKUP:
                if match := pattern.search(text):
                    yield context.text_finding(
                        spot, match.start(), f"{what} stands in a text that is spoken", "Write it as one would say it."
                    )
                    break


def _is_spoken(spot: Spot) -> bool:
    *above, last = spot.path
    if last in _SPOKEN_KEYS or (above and above[-1] == "idleMessages"):
        return spot.resource.kind in ("Agent", "Squad", "Tool")
    parent = body_of(spot.resource).at(*above)
    if last == "content" and len(above) > 1 and above[-2] == "messages":
        kind = parent.get("type")  # a tool's message; a model's has no type
        return isinstance(kind, str) and kind.startswith("request-") and parent.get("role") != "system"
    if last == "message":
        return parent.get("type") in ("number", "sip", "assistant")
    return last == "exact" and parent.get("type") == "say"
