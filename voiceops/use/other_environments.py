"""What the other environments of a project hold: an object in the state of any of them is managed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from voiceops.errors import InvalidProject, VoiceopsError
from voiceops.manifest.problems import Problems
from voiceops.manifest.project import environments_of
from voiceops.model.graph import Graph
from voiceops.model.state import STATE_VERSION, State
from voiceops.preview.preview_names import name_in
from voiceops.state.store import Store
from voiceops.use.load_project import Loaded, load, open_project
from voiceops.use.open_state import open_ledger
from voiceops.use.opened import Opened
from voiceops.use.preview_registry import knowing, registered, registry_of


@dataclass(frozen=True, slots=True)
class OtherEnvironment:
    """Another environment of the project: what it holds, and whom its `external:` manifests mean."""

    name: str
    state: State
    graph: Graph | None


async def other_environments(
    opened: Opened, store: Store, notes: list[str], *, previews: bool = True
) -> list[OtherEnvironment]:
    """What the other environments manage: an object in the state of any of them is managed.

    Those that the project names, wherever their states are; its previews, unless `previews` is False; and others whose
    state stands beside this one.
    """
    found = []
    root, own = opened.project.root, opened.project.environment
    for name in environments_of(root, Problems()):
        if name == own:
            continue
        try:
            try:
                other: Opened = load(root, name, opened.context)
            except InvalidProject:
                other = open_project(root, name, opened.context)
            async with open_ledger(other) as ledger:
                found.append(OtherEnvironment(name, ledger.state, other.graph if isinstance(other, Loaded) else None))
        except VoiceopsError as error:
            why = f"the state of {name} could not be read, so what it manages counts as unmanaged: "
            notes.append(why + error.summary)
    if previews:
        found += [one for one in await _previews(root, opened, notes) if one.name != own]
    named = {one.name for one in found}
    for data in await store.siblings():
        name = str(data.get("environment"))
        if data.get("version") != STATE_VERSION:
            notes.append(f"the state of {name} was written by another version of voiceops")
        elif name not in named and (previews or name_in(name) is None):
            found.append(OtherEnvironment(name, State.from_data(data), None))
    return found


async def _previews(root: Path, opened: Opened, notes: list[str]) -> list[OtherEnvironment]:
    """The previews that there are: also what one that was cut off has in its journal alone."""
    found = []
    try:
        for preview in (await registered(registry_of(root, opened.context))).values():
            other = open_project(root, preview.environment, knowing(opened.context, preview))
            async with open_ledger(other) as ledger:
                found.append(OtherEnvironment(preview.environment, ledger.state, None))
    except VoiceopsError as error:
        notes.append(f"the previews could not be read, so what they made counts as unmanaged: {error.summary}")
    return found
