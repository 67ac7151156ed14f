"""What `voiceops doctor` looks at, one finding each: it reads the accounts and the runtime, and changes nothing."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Literal

import httpx

from voiceops.apply.job import Job
from voiceops.errors import ProviderError, Unauthorized, VoiceopsError
from voiceops.kinds.twilio import TWILIO_TYPE
from voiceops.manifest.vendor_bodies import WEBHOOK_SECRET
from voiceops.model.address import owner_of
from voiceops.model.wording import many
from voiceops.net.receiving import ask
from voiceops.net.together import both
from voiceops.net.trust import trust
from voiceops.net.user_agent import HEADERS
from voiceops.providers.answer_forms import maps_of
from voiceops.providers.http import Api
from voiceops.use.load_project import Loaded
from voiceops.use.open_job import open_job
from voiceops.use.read_status import Row, lines
from voiceops.use.scope_and_terms import Scope, options_of

_MOST_SKEW = 60.0  # seconds; signatures are refused beyond five minutes
_TIMEOUT = 5.0


@dataclass(frozen=True, slots=True)
class Finding:
    """`level`: ok, warning or error; `hint` says what to do."""

    level: Literal["ok", "warning", "error"]
    what: str
    text: str
    hint: str = ""

    def to_data(self) -> dict[str, str]:
        """As `doctor --format json` has it."""
        return {"level": self.level, "check": self.what, "summary": self.text, "hint": self.hint}


async def examine(loaded: Loaded) -> list[Finding]:
    """Everything that can be looked at: keys, accounts, clocks, lines, the runtime. What needs a key that is missing is
    left out and said; what can't be asked is a finding, too."""
    project = loaded.project
    count = len(loaded.graph.resources)
    found = [Finding("ok", "project", f"{project.name} · {project.environment}, {count} objects")]
    try:
        async with open_job(loaded, options_of(project, Scope())) as job:
            at_vapi = [finding async for finding in _vapi(job)]
            at_twilio = [finding async for finding in _twilio(job)] if job.accounts.twilio is not None else []
            found += [*at_vapi, *at_twilio]
            if not any(finding.level == "error" and finding.what in _KEYS for finding in found):
                for row in await lines(job, project.runtime_url):
                    found += _line(job, row)
    except VoiceopsError as error:
        found.append(Finding("error", "accounts", error.summary, error.hint))
    found += await _runtime(loaded)
    return found


_KEYS = ("Vapi key", "Vapi", "Twilio key", "Twilio")  # without these nothing more can be read


def _line(job: Job, row: Row) -> Iterator[Finding]:
    """One line as `status` sees it. A line that was never applied may be about to be: no error."""
    name = row.number or row.address
    for reason in row.off:
        level: Literal["warning", "error"] = "warning" if reason.code == "never-applied" else "error"
        yield Finding(level, name, reason.text, reason.fix)
    for note in row.notes:
        if not note.startswith("fallback: "):
            yield Finding("ok", name, note)
    if row.off:
        return
    told = f"{row.answers} answers for {row.target}" if row.answers in ("vapi", "runtime") else row.meant
    if _is_without_fallback(job, row):
        yield Finding(
            "warning",
            name,
            f"{told}; it has no fallback: callers hear an error when its answer fails",
            "Set twilio.voiceFallbackUrl to a static answer on other machines.",
        )
    else:
        yield Finding("ok", name, told)


def _is_without_fallback(job: Job, row: Row) -> bool:
    """Does a Twilio line that is answered have nobody to take calls when its answer fails?"""
    side = next((r for r in job.graph.resources.values() if r.type == TWILIO_TYPE and r.name == row.number), None)
    if side is None or row.answers not in ("vapi", "runtime"):
        return False
    line = job.graph.resources.get(owner_of(side.address))
    return not side.body.get("voice_fallback_url") and not (line is not None and line.body.get("fallbackDestination"))


async def _vapi(job: Job) -> AsyncIterator[Finding]:
    api = job.accounts.vapi.api
    try:
        answer = await api.call("GET", "/assistant", params={"limit": 1})
    except Unauthorized as error:
        yield Finding("error", "Vapi key", error.summary, "Use the private key of the org: VAPI_API_KEY.")
        return
    except ProviderError as error:
        yield Finding("error", "Vapi", error.summary, error.hint)
        return
    org = next((str(item.get("orgId")) for item in maps_of(answer.data)), "")
    yield Finding("ok", "Vapi key", f"reads assistants at {api.base_url}" + (f", org {org}" if org else ""))
    yield _clock("Vapi", api.now())
    try:
        calls = await api.call("GET", "/call", params={"limit": 100})
    except ProviderError as error:
        yield Finding("warning", "call slots", f"the calls under way could not be read: {error.summary}", error.hint)
        return
    under_way = [c for c in maps_of(calls.data) if c.get("status") in ("in-progress", "ringing", "queued")]
    yield await _slots(api, len(under_way))


async def _slots(api: Api, under_way: int) -> Finding:
    """Calls beyond an organization's slots don't start. Vapi publishes the limit for simulations, which take the same
    slots (https://docs.vapi.ai/calls/call-concurrency), and else tells it only when a call is made."""
    told = f"{many(under_way, 'call')} under way"
    try:
        data = (await api.call("GET", "/eval/simulation/concurrency")).data
        limit, busy = int(data["concurrencyLimit"]), int(data["activeSimulations"])
    except (ProviderError, KeyError, TypeError, ValueError):
        return Finding("ok", "call slots", f"{told}; Vapi tells the limit only when a call is made")
    told = f"{told}, and simulations take {busy} of the {limit} slots that Vapi names for them"
    if under_way + busy >= limit:
        return Finding(
            "warning", "call slots", told, "Further calls may be refused: buy slots in Vapi's billing page, or wait."
        )
    return Finding("ok", "call slots", told)


async def _twilio(job: Job) -> AsyncIterator[Finding]:
    twilio = job.accounts.twilio
    assert twilio is not None
    try:
        numbers = await twilio.all()
    except Unauthorized as error:
        yield Finding(
            "error",
            "Twilio key",
            error.summary,
            "Check TWILIO_ACCOUNT_SID and the token or API key; a suspended or closed account is answered so, too.",
        )
        return
    except ProviderError as error:
        yield Finding("error", "Twilio", error.summary, error.hint)
        return
    yield Finding("ok", "Twilio key", f"reads {len(numbers)} numbers of {twilio.account}")
    yield _clock("Twilio", twilio.api.now())


def _clock(vendor: str, server: float) -> Finding:
    skew = time.time() - server
    if abs(skew) <= _MOST_SKEW:
        return Finding("ok", "clock", f"{abs(skew):.0f} s from {vendor}'s")
    return Finding(
        "error",
        "clock",
        f"this machine is {abs(skew):.0f} s {'ahead of' if skew > 0 else 'behind'} {vendor}",
        "Set the clock: signatures that are five minutes off are refused.",
    )


async def _runtime(loaded: Loaded) -> list[Finding]:
    url = loaded.project.runtime_url
    if url is None:
        return [Finding("ok", "runtime", "none: the project has no runtime.url")]
    found = []
    if not loaded.environ.get(WEBHOOK_SECRET) and not loaded.project.providers.sandbox:
        found.append(
            Finding("error", "webhook secret", f"{WEBHOOK_SECRET} is not set", "Set it for apply and for the runtime.")
        )
    try:
        async with httpx.AsyncClient(timeout=_TIMEOUT, headers=HEADERS, verify=trust(url)) as client:
            health, unsigned = await both(
                ask(client, "GET", f"{url}/healthz", patience=_TIMEOUT),
                ask(client, "POST", f"{url}/vapi/events", content=b"{}", patience=_TIMEOUT),
            )
    except httpx.HTTPError as error:
        text = f"{url} does not answer ({type(error).__name__})"
        return [*found, Finding("warning", "runtime", text, "Start it: `voiceops serve`; or check runtime.url.")]
    if health.status_code != 200:
        return [*found, Finding("error", "runtime", f"{url}/healthz answers {health.status_code}", "See its log.")]
    found.append(Finding("ok", "runtime", f"{url} answers"))
    if unsigned.status_code != 401:
        text = f"takes an unsigned request: {unsigned.status_code} instead of 401"
        found.append(Finding("error", "webhook authentication", text, "Is that address really the runtime's?"))
    return found
