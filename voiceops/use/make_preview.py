"""Make a preview, or bring it to what the manifests say now: registered first, applied as any environment is."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from voiceops.apply.run import Outcome
from voiceops.errors import Refused, VoiceopsError
from voiceops.model.env_values import url_problem
from voiceops.model.hosts import place_of
from voiceops.model.plan import Plan
from voiceops.model.time_spans import LONGEST
from voiceops.preview.preview_names import environment_of, name_in, name_problem
from voiceops.preview.registered import Preview
from voiceops.use.apply_plan import apply
from voiceops.use.load_project import Loaded, check_lints, load
from voiceops.use.open_job import open_job
from voiceops.use.opened import Opened
from voiceops.use.preview_line import Reached, check_pool, lend, reached_by
from voiceops.use.preview_registry import changing, is_ours, knowing, registered, registry_of
from voiceops.use.preview_terms import PreviewTerms
from voiceops.use.process_context import ProcessContext
from voiceops.use.scope_and_terms import Scope, Terms, options_of
from voiceops.use.state_place import check_place

SHOWN = ("Agent", "Squad")  # the kinds that a reviewer asks for


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewWanted:
    """What is asked of a preview. What is not said stays as it is, or is as the setting says; `ttl` in seconds."""

    name: str
    source: str = ""
    ttl: float | None = None
    line: str = ""  # a Phone manifest's name: what its callers get is what a number of the pool is bound to
    runtime: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewUp:
    """A preview as it is after `up`. `made` are its agents and squads: address, live name and id. `outcome` is the
    apply's; `notes` what a reviewer has to know."""

    preview: Preview
    made: tuple[tuple[str, str, str], ...]
    outcome: Outcome
    notes: tuple[str, ...] = ()

    @property
    def complete(self) -> bool:
        """Was all of it applied?"""
        return self.outcome.result is None or self.outcome.result.complete

    def to_data(self) -> dict[str, Any]:
        """What `preview up --format json` prints."""
        result = self.outcome.result
        return self.preview.shown() | {
            "agents": [{"address": address, "name": name, "id": id_} for address, name, id_ in self.made],
            "complete": self.complete,
            "changes": self.outcome.plan.summary,
            "failed": {} if result is None else {key: str(error) for key, error in result.failed.items()},
            "notes": list(self.notes),
        }


async def preview_up(
    folder: Path,
    context: ProcessContext,
    wanted: PreviewWanted,
    terms: PreviewTerms | None = None,
) -> PreviewUp:
    """The preview, made or renewed; killed at any place, the next `up` goes on, and `down` or `sweep` takes it away.

    Raises VoiceopsError for what can't be, Refused for more previews than `previews.max`, or where another command has
    begun to work on the same one; and what an apply raises.
    """
    terms = terms or PreviewTerms()
    registry = registry_of(folder, context)
    _check(registry, wanted)
    preview = _renewed(registry, wanted, (await registered(registry)).get(wanted.name))
    loaded = load(folder, preview.environment, knowing(context, preview))
    check_place(loaded.project, local=False, environ=loaded.context.environ)
    check_lints(loaded)
    if (reached := _reached(loaded, wanted, preview)) is not None:
        await check_pool(loaded)
    preview = await _register(registry, wanted, terms)

    async def still_ours(_: Plan) -> bool:
        if not await is_ours(registry, preview):
            return False
        terms.begun()
        return True

    how = Terms(message=f"preview {preview.name}", lock_timeout=terms.lock_timeout)
    outcome = await apply(loaded, Scope(force=True), how, confirm=still_ours, emit=terms.emit, stop=terms.stop)
    if not await is_ours(registry, preview):
        raise Refused(
            f"another command began to work on the preview {preview.name} meanwhile",
            hint="The one that began last goes on. `voiceops preview list` shows how it stands.",
        )
    found = PreviewUp(preview=preview, made=(), outcome=outcome)
    if not found.complete:
        return found
    async with open_job(loaded, options_of(loaded.project, Scope())) as job:
        notes = list[str]()
        if reached is not None:
            terms.begun()
            preview, notes = await lend(registry, job, loaded, preview, reached, terms)
        entries = sorted(job.ledger.state.entries.values(), key=lambda entry: entry.address)
        made = tuple((e.address, e.name or "", e.id) for e in entries if e.kind in SHOWN)
    if not preview.runtime and loaded.project.runtime_url:
        notes.append("no runtime: tools answer by the mocks of scenarios, and fail in a call (--runtime URL)")
    return replace(found, preview=preview, made=made, notes=tuple(notes))


def _check(registry: Opened, wanted: PreviewWanted) -> None:
    """Raises VoiceopsError for what no preview can be."""
    if problem := name_problem(wanted.name):
        raise VoiceopsError(f"{wanted.name!r} is no preview's name: {problem}", hint="Write it like pr-12.")
    project = registry.project
    environment = environment_of(wanted.name)
    if environment in project.environments or (project.root / "environments" / f"{environment}.yaml").is_file():
        raise VoiceopsError(f"the project has an environment {environment} of its own", hint="Take another name.")
    if name_in(wanted.source) is not None and wanted.source not in project.environments:
        raise VoiceopsError(f"a preview is made of an environment, and {wanted.source} is a preview")
    if wanted.ttl is not None and not 0 < wanted.ttl <= LONGEST:
        raise VoiceopsError("a preview stays for a year at most", hint="Write --ttl like 24h or 7d.")
    if wanted.runtime:
        wrong = url_problem(wanted.runtime) or (None if place_of(wanted.runtime) else "it holds a user")
        if wrong:
            raise VoiceopsError(f"--runtime is no address: {wrong}", hint="Write it like https://voice.example.com.")


def _renewed(registry: Opened, wanted: PreviewWanted, held: Preview | None) -> Preview:
    """The preview as it is asked for now; each `up` counts its time anew. Raises VoiceopsError."""
    source = wanted.source or (held.source if held is not None else registry.project.base)
    if held is not None and held.source != source:
        raise VoiceopsError(
            f"the preview {held.name} is made of {held.source}, not of {source}",
            hint=f"Take it down first (`voiceops preview down {held.name}`), or give it another name.",
        )
    runtime = wanted.runtime if wanted.runtime is not None else (held.runtime if held is not None else "")
    now = time.time()
    return Preview(
        name=wanted.name,
        source=source,
        made_at=held.made_at if held is not None else now,
        expires_at=now + (wanted.ttl or registry.project.previews.ttl),
        runtime=runtime.rstrip("/"),
        lent=held.lent if held is not None else None,
        turn=secrets.token_hex(8),
    )


def _reached(loaded: Loaded, wanted: PreviewWanted, preview: Preview) -> Reached | None:
    """What its number reaches, where it is to have one, or has one. Raises VoiceopsError, InvalidProject."""
    phone = wanted.line or (preview.lent.phone if preview.lent is not None else "")
    if not phone:
        return None
    base = load(loaded.project.root, preview.source, loaded.context)
    found = reached_by(base.graph, phone, has_runtime=bool(preview.runtime))
    if found.address not in loaded.graph.resources:
        raise VoiceopsError(f"{found.address} is not in the preview", hint="Name another line.")
    return found


async def _register(registry: Opened, wanted: PreviewWanted, terms: PreviewTerms) -> Preview:
    """Write the preview into the list: from here on whatever is made is found. Raises Refused."""
    most = registry.project.previews.most
    async with changing(registry, "preview up", terms.lock_timeout) as previews:
        held = previews.get(wanted.name)
        others = sorted(name for name in previews if name != wanted.name)
        if held is None and len(others) >= most:
            raise Refused(
                f"there are {len(others)} previews, and previews.max is {most}: {', '.join(others)}",
                hint="`voiceops preview down NAME` takes one down, `voiceops preview sweep` those past their time.",
            )
        preview = previews[wanted.name] = _renewed(registry, wanted, held)
    return preview
