"""What a running runtime says to a signed request that means nothing, and how often the secret before was used."""

from __future__ import annotations

import asyncio
import re

import httpx

from voiceops.net.receiving import ask
from voiceops.net.trust import trust
from voiceops.net.user_agent import HEADERS
from voiceops.runtime.http.vapi_events import EVENTS_PATH
from voiceops.runtime.observe.metrics_observer import OLDER_SECRET
from voiceops.runtime.spec import RuntimeSpec
from voiceops.simulate.player import Signer
from voiceops.simulate.sender import Sender
from voiceops.use.rotation_steps import Probed

_TIMES = 5  # requests, each on a connection of its own: there may be several workers, and several machines
_NOTHING = b"{}"  # no message: whoever signs it rightly is told so (400), and nothing is stored
_SECONDS = 10.0
_COUNTED = re.compile(rf"^{OLDER_SECRET}(?:\{{[^}}]*\}})? ([0-9.e+]+)$", re.MULTILINE)


async def accepts(url: str, spec: RuntimeSpec, secret: str) -> Probed:
    """Does the runtime at `url` take what is signed with this secret, each time? Raises VoiceopsError: no address."""
    signer = Signer(spec, secret, "")
    statuses = set()
    for _ in range(_TIMES):
        sender = Sender(url)
        try:
            statuses.add((await sender.post(EVENTS_PATH, signer.vapi(_NOTHING), _NOTHING, timeout=_SECONDS)).status)
        finally:
            await sender.close()
    if 401 in statuses:
        return "refused"
    return "accepted" if statuses <= {400} else "silent"


async def older_used(url: str, token: str, seconds: float) -> int | None:
    """How many messages came with the secret before within so many seconds; None where the runtime does not tell."""
    headers = {**HEADERS, **({"authorization": f"Bearer {token}"} if token else {})}
    try:
        async with httpx.AsyncClient(timeout=_SECONDS, headers=headers, verify=trust(url)) as client:
            before = await _counted(client, url)
            if before is None:
                return None
            await asyncio.sleep(seconds)
            after = await _counted(client, url)
    except (httpx.HTTPError, httpx.InvalidURL):
        return None
    return None if after is None else max(0, after - before)


async def _counted(client: httpx.AsyncClient, url: str) -> int | None:
    answer = await ask(client, "GET", f"{url.rstrip('/')}/metrics", patience=_SECONDS)
    found = _COUNTED.findall(answer.text) if answer.status_code == 200 else []
    return int(sum(float(value) for value in found)) if found else None
