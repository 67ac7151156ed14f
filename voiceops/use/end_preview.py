"""Take a preview down: its number goes back, what it made is destroyed, its state goes, and last its name.

Killed anywhere, another `down` or a `sweep` finishes it: the name goes when nothing else is left.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from voiceops.apply.job import Job
from voiceops.apply.lent_number import give_back
from voiceops.apply.revisions import Request
from voiceops.apply.run import apply as apply_now
from voiceops.errors import PartialApply, VoiceopsError
from voiceops.model.graph import Graph
from voiceops.model.plan import Plan
from voiceops.preview.registered import Preview
from voiceops.use.load_project import Loaded, open_project
from voiceops.use.open_job import open_job
from voiceops.use.opened import Opened
from voiceops.use.origin import origin
from voiceops.use.preview_registry import changing, is_ours, knowing, registered, registry_of
from voiceops.use.preview_terms import PreviewTerms
from voiceops.use.process_context import ProcessContext
from voiceops.use.scope_and_terms import Scope, options_of
from voiceops.use.state_place import check_place

_TRIES = 3  # to find its state empty: another `up` may have been under way


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewDown:
    """What came of taking a preview down. `found`: there was one; `gone`: nothing of it is left, or another command
    goes on with it (`error` is None), else why not."""

    name: str
    found: bool = True
    gone: bool = True
    deleted: int = 0
    number: str = ""
    notes: tuple[str, ...] = ()
    error: VoiceopsError | None = None

    def to_data(self) -> dict[str, Any]:
        """What `preview down --format json` prints, and `preview sweep` of each."""
        return {
            "name": self.name,
            "found": self.found,
            "gone": self.gone,
            "deleted": self.deleted,
            "number": self.number or None,
            "notes": list(self.notes),
            "error": None if self.error is None else self.error.to_data(),
        }


async def preview_down(
    folder: Path, context: ProcessContext, name: str, terms: PreviewTerms | None = None
) -> PreviewDown:
    """Take one preview down; one that is not there is fine.

    Raises PartialApply where something could not be deleted, Locked, ProviderError, StateError, Refused.
    """
    registry = registry_of(folder, context)
    if name not in await registered(registry):
        return PreviewDown(name=name, found=False)
    return await _down(registry, name, context, terms or PreviewTerms())


async def preview_sweep(
    folder: Path,
    context: ProcessContext,
    terms: PreviewTerms | None = None,
    *,
    every: bool = False,
    told: Callable[[PreviewDown], None] | None = None,
) -> list[PreviewDown]:
    """Take down those past their time, and finish what a `down` that died left; `every`: all of them.

    What fails in one is told, and leaves the others alone. Raises StateError, Refused, InvalidProject for the list.
    """
    registry, now = registry_of(folder, context), time.time()
    terms = terms or PreviewTerms()
    results = []
    for name, preview in (await registered(registry)).items():
        if not (every or preview.going or preview.expires_at <= now) or terms.stop.is_set():
            continue
        try:
            done = await _down(registry, name, context, terms)
        except VoiceopsError as error:
            done = PreviewDown(name=name, gone=False, error=error)
        results.append(done)
        if told is not None:
            told(done)
    return results


async def _down(registry: Opened, name: str, context: ProcessContext, terms: PreviewTerms) -> PreviewDown:
    preview = await _mark_going(registry, name, terms)
    if preview is None:
        return PreviewDown(name=name, found=False)
    loaded = _without_manifests(open_project(registry.project.root, preview.environment, knowing(context, preview)))
    check_place(loaded.project, local=False, environ=context.environ)
    scope = Scope(destroy=True, force=True)
    async with open_job(loaded, options_of(loaded.project, scope)) as job:
        number, notes = "", list[str]()
        if preview.lent is not None:
            terms.begun()
            number = preview.lent.number
            if note := await give_back(job.accounts.vapi, preview.lent):
                notes.append(note)
            await _change(registry, preview, terms, lent=None)
        deleted = 0
        for _ in range(_TRIES):
            deleted += await _destroyed(job, registry, loaded, preview, terms)
            if await _state_is_gone(job, registry, preview, terms):
                break
    async with changing(registry, "preview down", terms.lock_timeout) as previews:
        held = previews.get(name)
        ours = held is not None and held.turn == preview.turn
        if ours:
            del previews[name]
    if not ours:
        notes.append("another command works on it: that one goes on")
    return PreviewDown(name=name, deleted=deleted, number=number, notes=tuple(notes))


async def _mark_going(registry: Opened, name: str, terms: PreviewTerms) -> Preview | None:
    async with changing(registry, "preview down", terms.lock_timeout) as previews:
        held = previews.get(name)
        if held is None:
            return None
        previews[name] = replace(held, going=True, turn=secrets.token_hex(8))
        return previews[name]


async def _change(registry: Opened, preview: Preview, terms: PreviewTerms, **fields: Any) -> None:
    """Change what is kept of it, while this command has its turn."""
    async with changing(registry, "preview down", terms.lock_timeout) as previews:
        held = previews.get(preview.name)
        if held is not None and held.turn == preview.turn:
            previews[preview.name] = replace(held, **fields)


def _without_manifests(opened: Opened) -> Loaded:
    """Nothing is wanted, whatever the manifests of this checkout say, and however broken they are."""
    graph = Graph(opened.project.name, opened.project.environment, {})
    return Loaded(opened.project, opened.environ, opened.context, graph)


async def _destroyed(job: Job, registry: Opened, loaded: Loaded, preview: Preview, terms: PreviewTerms) -> int:
    """Delete what the preview's state has. The number of objects that went. Raises PartialApply."""

    async def still_ours(_: Plan) -> bool:
        if not await is_ours(registry, preview):
            return False
        terms.begun()
        return True

    request = Request(
        operation="destroy",
        message=f"preview {preview.name}",
        lock_timeout=terms.lock_timeout,
        origin=origin(loaded.project.root, loaded.environ),
    )
    outcome = await apply_now(job, request, terms.emit, still_ours, terms.stop)
    if outcome.result is None:
        return 0
    if not outcome.result.complete:
        left = len(outcome.result.failed) + len(outcome.result.skipped)
        raise PartialApply(
            f"the preview {preview.name} is not gone: {left} of its objects are left",
            hint=f"Run `voiceops preview down {preview.name}` again, or leave it to `preview sweep`.",
        )
    return len(outcome.result.done)


async def _state_is_gone(job: Job, registry: Opened, preview: Preview, terms: PreviewTerms) -> bool:
    """Let the state go, where nothing is in it any more and this command has its turn. Raises Locked, StateError."""
    async with job.store.lock("preview down", terms.lock_timeout):
        await job.ledger.refresh()
        if not await is_ours(registry, preview):
            return True
        if job.ledger.state.entries or job.ledger.intents:
            return False
        await job.store.remove()
        return True
