"""Both vendors' APIs on this machine, as a server of their own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import httpx

from voiceops.errors import VoiceopsError
from voiceops.model.hosts import is_loopback, place_of
from voiceops.sandbox.client import SandboxClient
from voiceops.sandbox.server import SandboxServer
from voiceops.sandbox.switches import Switches, parse_switches
from voiceops.use.load_project import Loaded, facts_at
from voiceops.use.local_sandbox import sandbox_of


def sandbox_server(
    data: Path | None = None,
    numbers: Sequence[str] = (),
    switches: Sequence[str] = (),
    *,
    port_vapi: int = 0,
    port_twilio: int = 0,
    folder: Path | None = None,
) -> SandboxServer:
    """A server that is not started yet; `data` None keeps all in memory, a port of 0 takes any.

    Bodies are checked by the own facts of the project in `folder`, where there is one that has some.

    `switches` are NAME=VALUE, as docs/sandbox.md lists them. Raises VoiceopsError for one that is none.
    """
    try:
        chosen = Switches().changed(parse_switches(switches))
    except ValueError as error:
        raise VoiceopsError(str(error), hint="docs/sandbox.md lists the switches.") from None
    facts = None if folder is None else facts_at(folder)
    return SandboxServer(
        data=data, numbers=numbers, port_vapi=port_vapi, port_twilio=port_twilio, switches=chosen, facts=facts
    )


def make_sandbox_calls(loaded: Loaded, n: int, scenario: str, *, days: float, seed: int) -> int:
    """Add made-up calls to the environment's sandbox: the embedded one, or one on this machine; how many.

    Raises VoiceopsError: the environment runs against no sandbox, nothing was applied there yet, or it does not answer.
    """
    project = loaded.project
    if project.providers.sandbox:
        with sandbox_of(loaded) as server, server.control() as control:
            return _made(control, n, scenario, days, seed)
    url = project.providers.vapi_url
    place = place_of(url)
    if place is None or not is_loopback(place.host):
        raise VoiceopsError(
            f"the environment {project.environment} runs against {url}, which is no sandbox",
            hint="Made-up calls go into a sandbox only: give -e with one that has `providers: sandbox`.",
        )
    with SandboxClient(f"{url}/_sandbox") as control:
        return _made(control, n, scenario, days, seed)


def _made(control: SandboxClient, n: int, scenario: str, days: float, seed: int) -> int:
    try:
        return control.make_calls(n, scenario, days=days, seed=seed)
    except httpx.HTTPStatusError as error:
        raise VoiceopsError(
            f"the sandbox made no calls: {error.response.json().get('error', error)}",
            hint="Apply the project there first: the calls are those of its agents.",
        ) from None
    except httpx.HTTPError as error:
        raise VoiceopsError(f"the sandbox does not answer: {error}", hint="Start it: voiceops sandbox.") from None
