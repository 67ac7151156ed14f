"""Servers that Vapi calls: whether they know who calls, and whether they can be reached at all."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from urllib.parse import SplitResult, urlsplit

from voiceops.errors import Mark
from voiceops.lints.context import Context
from voiceops.lints.rule import lint
from voiceops.lints.settings import setting
from voiceops.lints.spot import Finding, body_of
from voiceops.manifest.resolve import RUNTIME_CREDENTIAL

_AUTH_HEADER = re.compile(r"authorization|secret|token|api[-_]?key", re.IGNORECASE)
_PROTECTED = re.compile(r"(?:^|[-_])(?:prod|production|live)(?:$|[-_])")
_TUNNELS = (
    *("ngrok.io", "ngrok.app", "ngrok.dev", "ngrok-free.app", "ngrok-free.dev", "trycloudflare.com", "loca.lt"),
    *("localtunnel.me", "serveo.net", "localhost.run", "lhr.life", "lhr.rocks", "bore.pub", "pinggy.link"),
    *("pinggy.io", "tunnelmole.net", "devtunnels.ms", "telebit.io", "zrok.io"),
)


# Hosts that stand in examples and templates; `.example` itself may be a made-up company's in a demonstration.
_PLACEHOLDER = re.compile(
    r"(?:^|\.)example\.(?:com|net|org)$|\.invalid$|change-?me|replace-?me|placeholder|(?:^|[.-])(?:your|my)-?"
    r"(?:domain|host|server|company|runtime|site)|(?:^|\.)(?:todo|xxx+)(?:\.|$)|[<>{}]",
    re.IGNORECASE,
)


def is_private(host: str | None) -> bool:
    """A host that only machines nearby can reach."""
    if not host:
        return False
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host == "localhost" or host.endswith((".localhost", ".local", ".lan", ".internal")) or "." not in host
    return address.is_private or address.is_loopback or address.is_link_local or address.is_unspecified


def is_live(context: Context) -> bool:
    """Whether the vendors themselves call: not the sandbox, nor another stand-in on this machine."""
    providers = context.project.providers
    return not providers.sandbox and not is_private(urlsplit(providers.vapi_url).hostname)


def is_protected(context: Context) -> bool:
    """An environment that is there to stay: it asks to be confirmed, or is called so."""
    project = context.project
    return is_live(context) and (project.safety.confirm or bool(_PROTECTED.search(project.environment)))


def _addresses(context: Context) -> Iterator[tuple[SplitResult, str, Mark, str]]:
    """Every server's address: its parts, what it is, where it stands, and in which object."""
    runtime = context.project.runtime_url
    used = RUNTIME_CREDENTIAL in context.graph.resources or any(line.runtime for line in context.phone_lines)
    if runtime and used:
        given = setting(context, "runtime", "url")
        yield urlsplit(runtime), "runtime.url", given[1] if given else context.project.mark, ""
    for server in context.servers:
        url = server.get("url")
        if isinstance(url, str) and not (runtime and url.startswith(f"{runtime}/")):
            yield parts_of(url), "server.url", server.mark("url"), server.resource.address


def parts_of(url: str) -> SplitResult:
    """An address in its parts, which are empty where it is none."""
    try:
        return urlsplit(url)
    except ValueError:
        return SplitResult("", "", "", "", "")


@lint("VO701", "server-without-credential", "A server that can't tell Vapi from anybody else")
def server_without_credential(context: Context) -> Iterator[Finding]:
    hint = "Write server: runtime, or name a Credential manifest in credentialId."
    for server in context.servers:
        headers = server.get("headers")
        proven = any(_AUTH_HEADER.search(name) for name in headers) if isinstance(headers, dict) else False
        owner = body_of(server.resource).at(*server.path[:-1])
        if owner.get("type") == "mcp":
            continue  # an MCP server's address is often its key
        if server.get("url") and not (server.get("credentialId") or server.get("secret") or proven):
            yield server.finding("anybody who knows this address can call it in Vapi's name", "url", hint=hint)
    for body in context.bodies:
        if isinstance(body.get("serverUrl"), str) and not body.get("serverUrlSecret"):
            yield body.finding("anybody who knows this address can call it in Vapi's name", "serverUrl", hint=hint)


@lint("VO702", "agent-without-server", "An agent of whose calls the runtime hears nothing")
def agent_without_server(context: Context) -> Iterator[Finding]:
    if context.project.runtime_url is None:
        return
    for assistant in context.assistants:
        spot = assistant.spot
        if assistant.override or spot.path or spot.get("server") or spot.get("serverUrl"):
            continue
        if spot.get("serverMessages") == []:
            continue  # asked for
        phones = [context.graph.resources[line].body for line in context.lines_of(spot.resource.address)]
        if phones and all(body.get("server") or body.get("serverUrl") for body in phones):
            continue  # the line's own server is told instead
        yield Finding(
            mark=spot.resource.mark,
            summary="the project has a runtime, but this agent reports its calls to no server",
            hint="Write server: runtime, for one agent or as a default of all; serverMessages: [] if it is meant.",
            address=spot.resource.address,
        )


@lint("VO703", "server-not-https", "Callers' words travel unencrypted")
def server_not_https(context: Context) -> Iterator[Finding]:
    for parts, what, mark, address in _addresses(context) if is_live(context) else ():
        if parts.scheme == "http" and not is_private(parts.hostname):
            yield Finding(
                mark=mark,
                summary=f"{what} is not https: transcripts and secrets travel in the clear",
                hint="Write https://, with a certificate on that host.",
                address=address,
            )


@lint("VO704", "server-tunnel", "A tunnel answers for a production environment")
def server_tunnel(context: Context) -> Iterator[Finding]:
    for parts, what, mark, address in _addresses(context) if is_protected(context) else ():
        host = parts.hostname or ""
        if any(host == tunnel or host.endswith(f".{tunnel}") for tunnel in _TUNNELS):
            yield Finding(
                mark=mark,
                summary=f"{what} is a tunnel ({host}): the line is dead when somebody's laptop sleeps",
                hint="Use an address of your own in this environment.",
                address=address,
            )


@lint("VO705", "server-unreachable", "An address that Vapi can't reach", "error", refused=True)
def server_unreachable(context: Context) -> Iterator[Finding]:
    for parts, what, mark, address in _addresses(context) if is_live(context) else ():
        if is_private(parts.hostname):
            yield Finding(
                mark=mark,
                summary=f"Vapi can't reach {parts.hostname}: {what} must be a public address",
                hint="For work on this machine use the sandbox (providers: sandbox), or a tunnel.",
                address=address,
            )


@lint("VO706", "function-call-messages", "function-call messages without tool-calls, their successor")
def function_call_messages(context: Context) -> Iterator[Finding]:
    for assistant in context.assistants:
        for key in ("serverMessages", "clientMessages"):
            given = assistant.spot.get(key)
            if isinstance(given, list) and "function-call" in given and "tool-calls" not in given:
                yield assistant.spot.finding(
                    "function-call is the older message: tools are announced as tool-calls",
                    key,
                    given.index("function-call"),
                    hint="Write tool-calls.",
                )


@lint("VO707", "runtime-placeholder", "The runtime's address is still an example's", "error")
def runtime_placeholder(context: Context) -> Iterator[Finding]:
    for parts, what, mark, address in _addresses(context) if is_live(context) else ():
        host = parts.hostname or ""
        if what == "runtime.url" and _PLACEHOLDER.search(host):
            yield Finding(
                mark=mark,
                summary=f"{host} is an example's address: nobody answers Vapi and Twilio there",
                hint="Write where your runtime really is, here or in this environment's file, or set the variable that "
                "it comes from.",
                address=address,
            )
