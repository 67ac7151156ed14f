"""Phone lines: what happens when nobody answers, and numbers that can't be dialled."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator

from voiceops.lints.context import Context
from voiceops.lints.rule import lint
from voiceops.lints.servers import parts_of
from voiceops.lints.spot import Finding, body_of, walk
from voiceops.model import graph
from voiceops.model.phone_numbers import E164


@lint("VO401", "line-without-fallback", "A phone line on which a caller hears an error when nobody answers")
def line_without_fallback(context: Context) -> Iterator[Finding]:
    for line in context.phone_lines:
        spot = line.spot
        handled = bool(line.twilio and line.twilio.get("voice_fallback_url"))
        if line.silent:
            continue  # meant for outgoing calls, or said already: nobody answers it
        if line.runtime:
            if not handled:
                yield spot.finding(
                    "callers hear an error message while the runtime is away",
                    "provider",
                    hint="Set twilio.voiceFallbackUrl to an answer on other machines, such as a TwiML Bin.",
                )
        elif line.target is None and not any(spot.get(key) for key in ("assistantId", "squadId", "workflowId")):
            if not spot.get("fallbackDestination"):
                yield spot.finding(
                    "callers hear an error message whenever the server does not say who answers",
                    "provider",
                    hint="Set fallbackDestination to a number or SIP address where somebody answers.",
                )
        elif line.twilio is not None and not handled and not spot.get("fallbackDestination"):
            yield spot.finding(
                "callers hear an error message while Vapi is away",
                "provider",
                hint="Set twilio.voiceFallbackUrl (Twilio asks there when Vapi fails), or fallbackDestination.",
            )


@lint("VO402", "fallback-same-host", "A line's fallback runs where the runtime does")
def fallback_same_host(context: Context) -> Iterator[Finding]:
    runtime = parts_of(context.project.runtime_url or "").hostname
    for line in context.phone_lines:
        url = line.twilio.get("voice_fallback_url") if line.twilio else None
        if line.twilio and runtime and isinstance(url, str) and parts_of(url).hostname == runtime:
            yield line.twilio.finding(
                f"the fallback is on {runtime} too, and fails together with the runtime",
                "voice_fallback_url",
                hint="Put it on other machines: a TwiML Bin costs nothing.",
            )


@lint("VO403", "number-format", "A phone number that is not in E.164 form", "error", refused=True)
def number_format(context: Context) -> Iterator[Finding]:
    for place, value in context.index.texts_at("number"):
        if not isinstance(place.value, str) or "{{" in value or E164.match(value) or place.path[-1] != "number":
            continue
        spot = body_of(place.resource).at(*place.path[:-1])
        root = spot.resource.kind == "Phone" and not spot.path
        destination = spot.get("type") == "number"
        if not (root or destination) or spot.get("numberE164CheckEnabled") is False:
            continue
        digits = re.sub(r"[^\d]", "", value)
        hint = f"Write +{digits}." if value.startswith("+") and E164.match(f"+{digits}") else ""
        yield spot.finding(
            f"{value!r} is no number in E.164 form",
            "number",
            hint=hint or "Write a plus, the country code and the number, without spaces: +14155550100.",
        )


@lint("VO404", "call-loop", "A call is transferred to the line that it came in on")
def call_loop(context: Context) -> Iterator[Finding]:
    for line in context.phone_lines:
        if line.number is None:
            continue
        for address in (line.spot.resource.address, *_reached(context, line.target)):
            resource = context.graph.resources[address]
            for spot in walk(body_of(resource)):
                if isinstance(spot.value, dict) and spot.get("type") == "number" and spot.get("number") == line.number:
                    yield spot.finding(
                        f"the transfer goes to {line.number}, where {line.spot.resource.address} answers again",
                        "number",
                        hint="Name a number that a person, or another line, answers.",
                    )


@lint("VO408", "gateway-by-name", "A SIP trunk's gateway is given by its host's name")
def gateway_by_name(context: Context) -> Iterator[Finding]:
    for body in context.bodies:
        for gateway in body.items("gateways") if body.get("provider") == "byo-sip-trunk" else ():
            host = gateway.get("ip")
            if isinstance(host, str) and not _is_address(host) and "{{" not in host:
                yield gateway.finding(
                    f"{host!r} is no IP address",
                    "ip",
                    hint="Write the address that the name leads to: most refused trunks name a host here.",
                )


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text.strip())
    except ValueError:
        return False
    return True


def _reached(context: Context, target: str | None) -> Iterator[str]:
    if target is not None and target in context.graph.resources:
        yield from graph.walk(context.graph.edges, target)
