"""Two owners of one call: streams and transfers that work against whoever answers the line.

https://docs.vapi.ai/calls/call-handling-with-vapi-and-twilio
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from voiceops.errors import Mark
from voiceops.lints.context import Context
from voiceops.lints.rule import lint
from voiceops.lints.spot import Finding, Spot, body_of, walk
from voiceops.model import graph

# The documented socket of a call that was asked for by POST /call is another one: …/{callId}/transport.
_VAPI_STREAM = re.compile(r"wss://api\.(?:eu\.)?vapi\.ai(?!/[^\s\"'<>/]+/(?:transport|listen))")
_STREAM = re.compile(r"<Stream\b[^>]*", re.IGNORECASE)
_OWNERS = ("<stream", "incomingphonenumbers", "incoming_phone_numbers")  # what one of the two needs
_NUMBERS = re.compile(r"IncomingPhoneNumbers\b|\bincoming_phone_numbers\b|\bincomingPhoneNumbers\b")


def texts(context: Context, *parts: str, folded: bool = False) -> Iterator[tuple[Spot | None, Mark | None, str]]:
    """Every text of the manifests, and every line of the handlers, that has one of these parts in it.

    `folded`: the parts are in small letters, and capitals don't count. To look for a few parts first is far quicker
    than a regular expression over every text.
    """
    for spot, text in context.index.texts() if context.mentions(*parts, folded=folded) else ():
        if _has(text, parts, folded=folded):
            yield spot, None, text
    for file in context.handler_files():
        for row, line in enumerate(context.texts.lines(file), 1):
            if _has(line, parts, folded=folded):
                yield None, Mark(file, row, 1), line


def _has(text: str, parts: tuple[str, ...], *, folded: bool) -> bool:
    shown = text.casefold() if folded else text
    return any(part in shown for part in parts)


def found(
    context: Context, spot: Spot | None, mark: Mark | None, match: re.Match[str], summary: str, hint: str
) -> Finding:
    """A finding at a match in one of those texts."""
    if spot is not None:
        return context.text_finding(spot, match.start(), summary, hint)
    assert mark is not None
    return Finding(mark=mark._replace(column=match.start() + 1), summary=summary, hint=hint)


@lint("VO405", "transfer-bypassed", "A transfer that does not work on a line that the runtime answers", "error")
def transfer_bypassed(context: Context) -> Iterator[Finding]:
    for line in context.phone_lines:
        if not line.runtime or line.target not in context.graph.resources:
            continue
        for address in graph.walk(context.graph.edges, line.spot.resource.address):
            resource = context.graph.resources[address]
            for spot in walk(body_of(resource)):
                path = _transfer(spot)
                if path is not None:
                    yield spot.finding(
                        f"Vapi can't transfer this call: the runtime answers {line.spot.resource.address}",
                        *path,
                        hint="Answer the line with answer: vapi, or take the transfer out.",
                    )


def _transfer(spot: Spot) -> tuple[str, ...] | None:
    """What transfers here, where the graph's own check does not look: overrides, squads, hooks, older fields."""
    if not isinstance(spot.value, dict):
        return None
    if isinstance(spot.get("forwardingPhoneNumber"), str):
        return ("forwardingPhoneNumber",)
    own = not spot.path or (len(spot.path) == 3 and spot.path[:2] == ("model", "tools"))
    if spot.get("type") == "transferCall" and not own:
        return ("type",)
    hook = len(spot.path) > 2 and spot.path[-2] == "do" and spot.resource.kind != "Phone"
    return ("type",) if hook and spot.get("type") == "transfer" else None


@lint("VO406", "vapi-media-stream", "A Twilio media stream to Vapi, which Vapi doesn't have", "error")
def vapi_media_stream(context: Context) -> Iterator[Finding]:
    for spot, mark, text in texts(context, "wss://api."):
        if match := _VAPI_STREAM.search(text):
            yield found(
                context,
                spot,
                mark,
                match,
                "Vapi takes no Twilio media streams at wss://api.vapi.ai: the caller hears nothing",
                "Bind the number to an agent (answer: vapi), or let the runtime connect Vapi (answer: runtime).",
            )


@lint("VO407", "second-audio-owner", "Something else takes over a number or a call that voiceops gave to Vapi")
def second_audio_owner(context: Context) -> Iterator[Finding]:
    for spot, mark, text in texts(context, *_OWNERS, folded=True):
        stream = _STREAM.search(text)
        if stream and "vapi.ai" not in text:
            yield found(
                context,
                spot,
                mark,
                stream,
                "a second audio stream beside Vapi's: the caller hears both",
                "One owner a call: leave the audio to Vapi, or the whole line to your own answer.",
            )
        elif match := _NUMBERS.search(text):
            yield found(
                context,
                spot,
                mark,
                match,
                "the number's settings are changed behind voiceops's back; a POST to this list even buys a number",
                "Say in the Phone manifest who answers; voiceops writes it, and puts it back afterwards.",
            )
