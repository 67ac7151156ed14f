"""Real calls written down as tests: manifests of scenarios, and scripts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from voiceops.adopt.yaml_writer import document_text, documents_text
from voiceops.calls.from_vapi import tool_values, variable_values
from voiceops.calls.record import CallRecord
from voiceops.errors import VoiceopsError
from voiceops.manifest.tool_mocks import mockable
from voiceops.manifest.vendor_bodies import tool_name
from voiceops.model.address import kind_of, name_of
from voiceops.testing.recording.made_up_values import Replacements
from voiceops.testing.recording.recorded_scenario import (
    PERSONALITY,
    not_mocked,
    personality,
    scenario,
    several_answers,
    shortened,
    simulation,
    suite,
)
from voiceops.testing.recording.recorded_script import script
from voiceops.testing.replay.conversation import TRANSFER, Conversation, conversation_of, left_out, plain
from voiceops.use.known_tests import SCRIPTS
from voiceops.use.load_project import Loaded
from voiceops.use.open_job import open_job
from voiceops.use.runtime_needs import runtime_spec
from voiceops.use.scope_and_terms import Scope, options_of
from voiceops.use.told_calls import CallsWanted, answered, kept_calls, source_of, told_by_vapi

_FOLDER = "recorded"
_SHORT = 8  # characters of a call's id in a name


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """What was written, by paths from the project's folder, and what was not, by the reason."""

    written: tuple[str, ...] = ()
    there: tuple[str, ...] = ()  # files that are there already: these calls were recorded before
    left_out: Mapping[str, int] = field(default_factory=dict)
    replaced: int = 0  # numbers, mail and card numbers that became made-up ones
    warnings: tuple[str, ...] = ()


async def record(loaded: Loaded, wanted: CallsWanted, folder: Path | None = None) -> Recorded:
    """Write scenarios, and a script where the runtime's tools were used, of real calls; nothing that is there changes.

    `folder`: where the manifests go (None: `recorded/` in the first folder of manifests). Telephone numbers, mail
    addresses and card numbers become made-up ones. Raises VoiceopsError: there are no such calls, or a file can't be
    written; ProviderError, Refused, StateError.
    """
    source = source_of(loaded, wanted)
    calls = kept_calls(source, wanted)
    async with (
        open_job(loaded, options_of(loaded.project, Scope())) as job,
        answered(source, loaded, job) as theirs,
    ):
        told = await told_by_vapi(theirs, calls, every=True)  # also for the name of who called
    written, handing = _Files(loaded, folder), _handing(loaded)
    for call in calls:
        data = told.get(call.id)
        target = theirs.target(call, data)
        if target not in loaded.graph.resources:
            name, kind = name_of(target) or "none is known", kind_of(target).lower()
            written.left_out[f"their {kind} ({name}) has no manifest here"] += 1
        elif why := left_out(call, needs_values=bool(call.tools), has_values=data is not None):
            written.left_out[why] += 1
        else:
            values, variables = tool_values(data or {}), variable_values(data or {})
            keys = theirs.addresses
            made_up = Replacements(loaded.context.redactor.text, _customer(data or {}))
            written.add(call, target, conversation_of(call, values, variables, keys=keys, hands_on=handing), made_up)
    return written.write()


class _Files:
    """The files of a recording, written at its end: a manifest and a script a call, a suite an agent."""

    def __init__(self, loaded: Loaded, folder: Path | None) -> None:
        self._loaded = loaded
        self._root = loaded.project.root
        self._folder = self._root / folder if folder is not None else _manifests(loaded) / _FOLDER
        self._names = {name_of(address) for address in loaded.graph.resources}
        self._personality = f"Personality/{PERSONALITY}" in loaded.graph.resources
        self._tools = _tools(loaded)
        self._unrun = _unrun(loaded)
        self._texts: dict[Path, str] = {}
        self._suites: dict[str, list[str]] = {}
        self._there: list[str] = []
        self._warnings: list[str] = []
        self._replaced = 0
        self.left_out: Counter[str] = Counter()

    def add(self, call: CallRecord, target: str, conversation: Conversation, made_up: Replacements) -> None:
        """One call to an agent or a squad: its manifest, and its script where there is one."""
        name = self._name(call.id)
        path = self._folder / f"{name}.yaml"
        if path.exists():
            self._there.append(self._shown(path))
            if f"Simulation/{name}" in self._unrun:  # a recording that was cut off wrote no suite
                self._suites.setdefault(target, []).append(name)
            return
        began = datetime.fromtimestamp(call.began or 0.0, UTC).strftime("%Y-%m-%d")
        about = [
            f"Call {call.id} of {began}, {name_of(target)}; it ended by {call.reason or 'nobody knows what'}.",
            "Recorded: read it before it is kept. Names of people are as they were said.",
        ]
        for tool in several_answers(conversation):
            about.append(f"{tool} answered several things; Vapi's mocks know one: this is the first.")
        turns, all_of_them = len(shortened(conversation, made_up).exchanges), len(conversation.exchanges)
        if turns < all_of_them:
            about.append(f"The first {turns} of its {all_of_them} turns: instructions hold no more.")
        takes = mockable(self._loaded.graph, target)
        for tool in not_mocked(conversation, takes):
            about.append(f"{tool} is no tool of {target} any more: this can't pass.")
        made = scenario(name, conversation, made_up, _tools_of(self._loaded, target), takes)
        self._texts[path] = documents_text([(made, about), (simulation(name), ())])
        played = script(f"call {call.id[:_SHORT]}", call.agent, conversation, self._tools, made_up)
        if played is not None:
            self._add_once(self._root / SCRIPTS / f"{name}.yaml", document_text(played, about[:2]))
        self._replaced += made_up.replaced
        self._suites.setdefault(target, []).append(name)

    def write(self) -> Recorded:
        """All of it. Raises VoiceopsError: a file can't be written; those before it are there."""
        if self._suites and not self._read_by_voiceops():
            self._warnings.append(
                f"{self._shown(self._folder)} is none of the folders in `manifests:`: nothing reads it"
            )
        if self._suites and not self._personality:
            self._add_once(self._folder / f"{PERSONALITY}.yaml", document_text(personality()))
        for target, simulations in sorted(self._suites.items()):
            name = self._free(f"recorded-{_plain(name_of(target))}")
            self._add_once(self._folder / f"{name}.yaml", document_text(suite(name, target, simulations)))
        for path, text in self._texts.items():
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                with path.open("x", encoding="utf-8") as file:
                    file.write(text)
            except OSError as error:
                where = self._shown(Path(error.filename or path))
                raise VoiceopsError(f"{where} can't be written: {error.strerror}") from None
        return Recorded(
            written=tuple(self._shown(path) for path in self._texts),
            there=tuple(self._there),
            left_out=dict(self.left_out),
            replaced=self._replaced,
            warnings=tuple(self._warnings),
        )

    def _name(self, id_: str) -> str:
        """`call-` and as much of the id as makes it the only one; a call that was recorded has its name already."""
        plain = _plain(id_)
        for length in range(_SHORT, len(plain) + 1):
            name = f"call-{plain[:length]}"[:63].strip("-")
            path = self._folder / f"{name}.yaml"
            if path in self._texts or (path.exists() and id_ not in _read(path)):
                continue
            if path.exists() or name not in self._names:
                return name
        return self._free(f"call-{plain}"[:60])

    def _free(self, name: str) -> str:
        tried, n = name[:60], 1
        while tried in self._names or (self._folder / f"{tried}.yaml").exists():
            n += 1
            tried = f"{name[:56]}-{n}"
        return tried

    def _add_once(self, path: Path, text: str) -> None:
        if path.exists():
            self._there.append(self._shown(path))
        else:
            self._texts[path] = text

    def _read_by_voiceops(self) -> bool:
        """Is the folder, or one above it, named in `manifests:`? A glob is taken to hold it."""
        folders = self._loaded.project.manifests
        if any(character in name for name in folders for character in "*?["):
            return True
        return any(self._folder.resolve().is_relative_to((self._root / name).resolve()) for name in folders)

    def _shown(self, path: Path) -> str:
        return path.relative_to(self._root).as_posix() if path.is_relative_to(self._root) else str(path)


def _manifests(loaded: Loaded) -> Path:
    """The first folder of manifests that there is."""
    folders = [loaded.project.root / name for name in loaded.project.manifests if not any(c in name for c in "*?[")]
    return next((folder for folder in folders if folder.is_dir()), loaded.project.root / "agents")


def _unrun(loaded: Loaded) -> set[str]:
    """The simulations that no suite runs."""
    graph = loaded.graph
    suites = [address for address in graph.resources if kind_of(address) == "SimulationSuite"]
    run = {simulation for suite_ in suites for simulation in graph.dependencies(suite_)}
    return {address for address in graph.resources if kind_of(address) == "Simulation"} - run


def _tools(loaded: Loaded) -> set[str]:
    """The runtime's own tools, by the names that models call them by; none where there is no runtime."""
    try:
        return {tool.name for tool in runtime_spec(loaded).tools if tool.handler}
    except VoiceopsError:
        return set()


def _customer(told: Mapping[str, Any]) -> str:
    """The customer's name, where Vapi's record of the call has one."""
    customer = told.get("customer")
    name = customer.get("name") if isinstance(customer, dict) else None
    return name if isinstance(name, str) else ""


def _tools_of(loaded: Loaded, target: str) -> list[str]:
    """The names by which an agent, or a squad's members, call the functions that have manifests."""
    reached, waiting = {target}, [target]
    while waiting:
        more = set(loaded.graph.dependencies(waiting.pop())) - reached
        reached |= more
        waiting += [address for address in more if kind_of(address) in ("Agent", "Squad")]
    tools = (loaded.graph.resources[address].body for address in reached if kind_of(address) == "Tool")
    named = {name for tool in tools if tool.get("type") in ("function", "apiRequest") and (name := tool_name(tool))}
    return sorted(named)


def _handing(loaded: Loaded) -> Callable[[str], bool]:
    """May another agent take over after this tool? By its name, and by the handoffs of the manifests."""
    tools = [resource.body for resource in loaded.graph.resources.values() if resource.kind == "Tool"]
    names = {plain(name) for tool in tools if tool.get("type") == "handoff" and (name := tool_name(tool))}
    return lambda tool: plain(tool).startswith(("handoff", plain(TRANSFER))) or plain(tool) in names


def _plain(text: str) -> str:
    """As a manifest's name is spelled."""
    return "".join(c if c.isascii() and c.isalnum() else "-" for c in text.casefold()).strip("-") or "call"


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""
