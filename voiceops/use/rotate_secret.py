"""A secret is changed, on both sides, without a message that is refused in between: looks where that stands.

What is to be sent is sent by an apply; what stands at the user's own platform is theirs to set.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass

from voiceops.errors import Refused, VoiceopsError
from voiceops.manifest.resolve import RUNTIME_CREDENTIAL
from voiceops.manifest.vendor_bodies import WEBHOOK_SECRET
from voiceops.model.address import owner_of
from voiceops.model.env_values import checked
from voiceops.model.graph import Resource
from voiceops.model.hosts import ALLOWED_HOSTS
from voiceops.model.state import Entry, State
from voiceops.model.values import Fingerprint, Secret, get_path, leaves
from voiceops.state.fingerprints import fingerprint
from voiceops.state.ledger import Ledger
from voiceops.use.allowed_hosts import may_have_token
from voiceops.use.load_project import Loaded
from voiceops.use.local_sandbox import filled_in
from voiceops.use.open_job import open_job
from voiceops.use.open_state import open_ledger
from voiceops.use.probe_runtime import accepts, older_used
from voiceops.use.rotation_steps import Held, Probed, RotationFacts, RotationStep, next_step, worst
from voiceops.use.runtime_check import TOKEN
from voiceops.use.runtime_needs import runtime_spec
from voiceops.use.scope_and_terms import Scope, options_of
from voiceops.use.variables_file import set_variables

_LONGEST_CALL = 600.0  # seconds, where an agent does not say: https://docs.vapi.ai/api-reference/assistants/create
_LENGTH = 32  # bytes of a made value
METRICS_TOKEN = "VOICEOPS_METRICS_TOKEN"
# Where else a secret of voiceops's own stands, and what its vendor offers for the change.
ELSEWHERE = {
    "VAPI_API_KEY": "Vapi takes several keys at once. Set the new one where the runtime and the pipeline run, too; "
    "then delete the old one in Vapi's dashboard.",
    "TWILIO_AUTH_TOKEN": "Twilio takes the primary and the secondary token until the secondary is promoted. The "
    "runtime needs both meanwhile: TWILIO_AUTH_TOKEN the secondary, TWILIO_AUTH_TOKEN_PREVIOUS the primary. Then "
    "promote it in Twilio's console, and unset TWILIO_AUTH_TOKEN_PREVIOUS.",
    TOKEN: "Set it where the runtime runs and where `voiceops plan` does, and restart the runtime: sessions of the "
    "dashboard end.",
    METRICS_TOKEN: "Set it where the runtime runs and in what reads /metrics, and restart the runtime.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotation:
    """Where the rotation of one secret stands. `users`: the objects that Vapi knows it by, as addresses."""

    name: str
    environment: str
    users: tuple[str, ...]
    step: RotationStep
    notes: tuple[str, ...] = ()


async def rotation(
    loaded: Loaded, name: str, *, url: str = "", grace: float | None = None, watch: float = 5.0
) -> Rotation:
    """Look where a rotation stands: by what is set here, by the state, and by what the runtime at `url` takes.

    `url`: where that is not runtime.url; `grace`: the seconds for which calls may use the old one, else the longest
    call; `watch`: for how many seconds it is looked whether the old one is used. Raises VoiceopsError: nothing uses the
    secret, it is not set, or the objects that use it were never applied; Refused: it may not be sent to this address.
    """
    environ = filled_in(loaded.project, loaded.environ)
    users = _users(loaded, name)
    if not users and name not in ELSEWHERE:
        raise VoiceopsError(
            f"nothing in {loaded.project.environment} uses {name}",
            hint="Give the name in ${secret:NAME}, or VAPI_WEBHOOK_SECRET where there is a runtime.",
        )
    if not environ.get(name):
        raise VoiceopsError(f"{name} is not set", hint="Set it, or put it into .env.")
    checked(name, environ[name])
    older = environ.get(f"{name}_PREVIOUS", "")
    older = "" if older == environ[name] else older
    async with open_ledger(loaded) as ledger:
        held, since = _held(loaded, ledger, users, name, {**environ, name: older} if older else {}, environ)
    if users and held == "nothing":
        raise VoiceopsError(f"{', '.join(users)} was never applied: Vapi has no {name} yet", hint="`voiceops apply`")
    if name != WEBHOOK_SECRET or RUNTIME_CREDENTIAL not in users:
        if name == "VAPI_API_KEY":
            await _check_key(loaded)
        facts = RotationFacts(name=name, previous=bool(older), at_vapi=held if users else "new", webhook=False)
        notes = (ELSEWHERE[name],) if name in ELSEWHERE else ()
    else:
        facts = await _webhook_facts(loaded, environ, older, held, since, url, grace, watch)
        notes = ()
    return Rotation(name=name, environment=loaded.project.environment, users=users, step=next_step(facts), notes=notes)


def new_value(loaded: Loaded, name: str, *, keep: bool = True) -> str:
    """Make a strong value, and put it into `.env` as NAME, with the one before as NAME_PREVIOUS; without `keep` only
    make it.

    Raises VoiceopsError: a rotation is under way, no value is there to be changed, or the process's own environment
    sets it, which goes before `.env`.
    """
    environ = filled_in(loaded.project, loaded.environ)
    before = environ.get(name, "")
    if not before:
        raise VoiceopsError(f"{name} is not set: there is nothing to be changed", hint="Set it, and `voiceops apply`.")
    if environ.get(f"{name}_PREVIOUS", before) != before:
        raise VoiceopsError(
            f"a rotation of {name} is under way: {name}_PREVIOUS is set", hint="Run this without --generate."
        )
    value = secrets.token_urlsafe(_LENGTH)
    if not keep:
        return value
    loaded.context.redactor.add(value, name)
    process = [one for one in (name, f"{name}_PREVIOUS") if one in loaded.context.environ]
    if process:
        raise VoiceopsError(
            f"{process[0]} comes from the process's environment, which goes before .env",
            hint="--generate --show prints a new value, for the place that sets it.",
        )
    set_variables(loaded.project.root / ".env", {name: value, f"{name}_PREVIOUS": before})
    return value


def drop_previous(loaded: Loaded, name: str) -> bool:
    """Take NAME_PREVIOUS out of `.env`; False where it is set by the process's environment, which is not ours."""
    previous = f"{name}_PREVIOUS"
    if previous in loaded.context.environ:
        return False
    set_variables(loaded.project.root / ".env", {previous: None})
    return True


def _users(loaded: Loaded, name: str) -> tuple[str, ...]:
    found = {owner_of(resource.address) for resource in loaded.graph.resources.values() if any(_uses(resource, name))}
    return tuple(sorted(found))


def _uses(resource: Resource, name: str) -> list[tuple[tuple[str | int, ...], Secret]]:
    """The places in a body where the secret stands, alone or in a text."""
    return [(path, leaf) for path, leaf in leaves(resource.body) if isinstance(leaf, Secret) and name in leaf.names]


def _held(
    loaded: Loaded,
    ledger: Ledger,
    users: tuple[str, ...],
    name: str,
    before: Mapping[str, str],
    now: Mapping[str, str],
) -> tuple[Held, float]:
    """What Vapi has, by the fingerprints that the state keeps, and for how many seconds at least."""
    state: State = ledger.state
    key = loaded.environ.get("VOICEOPS_STATE_KEY", "")
    held: list[Held] = []
    since = 0.0
    for resource in loaded.graph.resources.values():
        if owner_of(resource.address) not in users or not (places := _uses(resource, name)):
            continue
        entry = state.entries.get(resource.address)
        if entry is None:
            held.append("nothing")
            continue
        since = max(since, entry.recorded_at)
        if any(intent.address == resource.address for intent in ledger.intents.values()):
            held.append("other")  # an apply was cut off: whether it was sent is not known
            continue
        held += [_which(entry, path, leaf, state.salt, key, before, now) for path, leaf in places]
    return worst(held), time.time() - since


def _which(
    entry: Entry,
    path: tuple[str | int, ...],
    leaf: Secret,
    salt: str,
    key: str,
    before: Mapping[str, str],
    now: Mapping[str, str],
) -> Held:
    kept = get_path(entry.owned, path)
    if not isinstance(kept, Fingerprint) or not kept.digest:
        return "other"
    if kept.digest == fingerprint(leaf, leaf.reveal(now.get), salt, key).digest:
        return "new"
    if before and kept.digest == fingerprint(leaf, leaf.reveal(before.get), salt, key).digest:
        return "old"
    return "other"


async def _check_key(loaded: Loaded) -> None:
    """Does Vapi take the key that is set here? Raises ProviderError where not."""
    async with open_job(loaded, options_of(loaded.project, Scope())) as job:
        await job.accounts.vapi.api.call("GET", "/assistant", params={"limit": 1})


async def _webhook_facts(
    loaded: Loaded,
    environ: Mapping[str, str],
    older: str,
    held: Held,
    since: float,
    url: str,
    grace: float | None,
    watch: float,
) -> RotationFacts:
    spec = runtime_spec(loaded)
    url = (url or spec.url).rstrip("/")
    trusted = may_have_token(url, loaded.context.environ)
    if spec.auth != "hmac" and not trusted:
        raise Refused(
            f"{WEBHOOK_SECRET} is not sent to {url}, as it is with auth: {spec.auth}",
            hint=f"It goes to this machine, and to hosts in {ALLOWED_HOSTS} of the process's environment.",
        )
    new = await accepts(url, spec, environ[WEBHOOK_SECRET])
    old: Probed = await accepts(url, spec, older) if older and new == "accepted" else "not asked"
    grace = _longest_call(loaded) if grace is None else grace
    used: int | None = None
    if held == "new" and old == "accepted" and since >= grace:
        token = environ.get(METRICS_TOKEN) or environ.get(TOKEN) or ""
        used = await older_used(url, token if trusted else "", watch)
    return RotationFacts(
        name=WEBHOOK_SECRET,
        previous=bool(older),
        at_vapi=held,
        url=url,
        new_at_runtime=new,
        old_at_runtime=old,
        since=since,
        grace=grace,
        used=used,
    )


def _longest_call(loaded: Loaded) -> float:
    """For how many seconds a call of this project may go on."""
    agents = [r.body for r in loaded.graph.resources.values() if r.kind == "Agent"]
    given = [body.get("maxDurationSeconds") for body in agents]
    return max((float(one) if isinstance(one, (int, float)) else _LONGEST_CALL for one in given), default=_LONGEST_CALL)
