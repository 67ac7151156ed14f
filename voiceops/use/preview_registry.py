"""The list of a project's previews, kept beside the states of the environment that they are made of by default.

Each change is made under the list's own lock, and is one write.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path

from voiceops.errors import InvalidProject, Locked
from voiceops.manifest.previewed import check_state_of_its_own
from voiceops.manifest.problems import Problems
from voiceops.manifest.project import load_project
from voiceops.preview.preview_names import REGISTRY, name_in
from voiceops.preview.registered import Preview
from voiceops.state.ledger import Ledger
from voiceops.use.load_project import open_project, root_of, variables_of
from voiceops.use.open_state import open_ledger
from voiceops.use.opened import Opened
from voiceops.use.process_context import ProcessContext


def registry_of(folder: Path, context: ProcessContext) -> Opened:
    """Where the project keeps the list; `project.base` is the environment that previews are made of by default.

    Raises InvalidProject.
    """
    root = root_of(folder)
    environ, problems = variables_of(root, context), Problems()
    project = load_project(root, None, environ, problems)
    source = project.previews.source or project.default_environment
    if source != project.environment:
        project = load_project(root, source, environ, problems)
    check_state_of_its_own(project, problems)
    problems.raise_errors()
    place = project.state_as_written.replace("{environment}", REGISTRY)
    return Opened(replace(project, environment=REGISTRY, base=source, state=place), environ, context)


def open_for_state(folder: Path, environment: str | None, context: ProcessContext) -> Opened:
    """What the commands of `state` work on: an environment, a preview's too, or the list of previews (`_previews`).

    Raises InvalidProject.
    """
    return registry_of(folder, context) if environment == REGISTRY else open_project(folder, environment, context)


async def registered(registry: Opened) -> dict[str, Preview]:
    """Every preview by its name, in the order of the names. Raises StateError, Refused."""
    async with open_ledger(registry) as ledger:
        return _listed(ledger)


@asynccontextmanager
async def changing(registry: Opened, operation: str, patience: float) -> AsyncIterator[dict[str, Preview]]:
    """The previews by name, to be changed while nobody else does; they are written at the end, where nothing raised.

    `patience`: seconds to wait for others that change the list: each takes a moment, and thirty may come at once.

    Raises Locked, StateError, Refused.
    """
    async with open_ledger(registry) as ledger, AsyncExitStack() as stack:
        try:
            await stack.enter_async_context(ledger.store.lock(operation, patience))
        except Locked as error:
            raise Locked(
                f"the list of previews is locked: {error.summary}",
                hint=f"Wait for it to end. If it is dead: `voiceops -e {REGISTRY} state unlock ID`.",
            ) from None
        await ledger.refresh()
        found = _listed(ledger)
        before = dict(found)
        yield found
        if found != before:
            await ledger.save(previews={name: found[name].to_data() for name in sorted(found)})


def _listed(ledger: Ledger) -> dict[str, Preview]:
    return {name: Preview.from_data(name, data) for name, data in sorted(ledger.state.previews.items())}


async def is_ours(registry: Opened, preview: Preview) -> bool:
    """Is the command that gave the preview its turn the last that began to work on it? Raises StateError, Refused."""
    held = (await registered(registry)).get(preview.name)
    return held is not None and held.turn == preview.turn


async def with_preview(folder: Path | str, environment: str | None, context: ProcessContext) -> ProcessContext:
    """The context in which a project's environment can be loaded, also where it is a preview: `preview-NAME`.

    Any other environment needs nothing, and asks for nothing. Raises StateError, Refused.
    """
    name = name_in(environment or context.environ.get("VOICEOPS_ENV"))
    if name is None:
        return context
    try:
        registry = registry_of(Path(folder), context)
    except InvalidProject:
        return context  # loading the project tells what is wrong
    found = (await registered(registry)).get(name)
    return context if found is None else knowing(context, found)


def knowing(context: ProcessContext, preview: Preview) -> ProcessContext:
    """The context in which this preview's environment can be loaded."""
    return replace(context, previews={**context.previews, preview.environment: preview})
