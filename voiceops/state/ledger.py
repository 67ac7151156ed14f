"""The state in use: what was read, plus what the journal says since; every change goes into the journal first.

Knows entries and intents; knows neither requests nor where a store keeps its bytes.
"""

from __future__ import annotations

import itertools
import secrets
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from voiceops.errors import StateError
from voiceops.model.state import STATE_VERSION, Binding, Entry, Intent, State
from voiceops.state.read_revisions import Revisions
from voiceops.state.store import Store

KEPT_CLOSED = 86_400.0  # seconds for which a creation without effect is remembered
MOST_CLOSED = 50
KEPT_GONE = 60.0  # seconds for which the ids of deleted objects are remembered: lists lag
KEPT_PLANS = 100  # ids of saved plans that were applied


@dataclass(slots=True)
class Ledger:
    """One environment's state with its open intents.

    An apply records every object by itself, so that entries are changed in place, and `state` is put together when it
    is asked for: ask `entry`, `holds` and `salt` in whatever runs once for each object.
    """

    store: Store
    _state: State  # its entries are those of the last time that somebody asked for it
    intents: dict[str, Intent] = field(default_factory=dict)  # open ones, by nonce
    written_serial: int | None = None
    _counter: Any = field(default_factory=itertools.count)
    _befores: dict[tuple[str, ...], str] = field(default_factory=dict)
    _dirty: bool = False
    _identified: bool = False  # the journal holds the identity of a state that is not written yet
    _entries: dict[str, Entry] = field(init=False)  # by address
    _ids: dict[str, str] = field(init=False)  # of the entries' objects: id → address
    revisions: Revisions = field(init=False)
    _is_whole: bool = True  # `_state` has the entries as they are now

    def __post_init__(self) -> None:
        self.revisions = Revisions(self.store)
        self._entries = dict(self._state.entries)
        self._ids = {entry.id: address for address, entry in self._entries.items()}

    @property
    def state(self) -> State:
        """The state as it is now: a value that later records don't change. Costs a copy after each record."""
        if not self._is_whole:
            self._state, self._is_whole = replace(self._state, entries=dict(self._entries)), True
        return self._state

    @property
    def salt(self) -> str:
        """What the fingerprints of this state's secrets are made with."""
        return self._state.salt

    def entry(self, address: str) -> Entry | None:
        """What the state has under an address now."""
        return self._entries.get(address)

    def holds(self, id_: str) -> bool:
        """Is it the id of an object that the state has?"""
        return id_ in self._ids

    @classmethod
    async def open(cls, store: Store, project: str, environment: str) -> Ledger:
        """Read the state and replay the journal. Raises StateError."""
        data = await store.read()
        if data is None:
            state = State(
                lineage=secrets.token_hex(16),
                project=project,
                environment=environment,
                salt=secrets.token_hex(16),
            )
            ledger = cls(store, state)
        else:
            _check_version(data, store.place)
            with _understood(store.place, "the state"):
                ledger = cls(store, State.from_data(data), written_serial=data["serial"])
        records = await store.journal()
        with _understood(store.place, "the journal"):
            ledger._replay(records)
        return ledger

    async def refresh(self) -> None:
        """Take in what others have written since: under the lock, before anything is decided. Raises StateError."""
        newer = await Ledger.open(self.store, self._state.project, self._state.environment)
        self._state, self.intents, self.written_serial = newer.state, newer.intents, newer.written_serial
        self._entries, self._ids, self._is_whole = newer._entries, newer._ids, True
        self._befores.clear()
        self._dirty, self._identified = newer._dirty, newer._identified

    def scratch(self) -> Ledger:
        """The same state to try things on: nothing of what is recorded there is written anywhere."""
        return _Scratch(self.store, self.state, dict(self.intents), self.written_serial)

    def take(self, entries: Mapping[str, Entry], binding: Binding) -> None:
        """Objects that are live already, and the accounts they are in: the next `save` holds all of it, or nothing."""
        for address, entry in entries.items():
            self._put(address, entry)
        self._state = replace(self._state, binding=binding)
        self._dirty = True

    @property
    def unfinished(self) -> bool:
        """Does the journal hold something that no state has yet: an apply at work, or one that was cut off?"""
        return self._dirty

    def _replay(self, records: Iterable[dict[str, Any]]) -> None:
        befores: dict[str, tuple[str, ...]] = {}
        for record in records:
            self._dirty = True
            match record["record"]:
                case "state":  # the identity of a state that was never written
                    self._identified = True
                    if self.written_serial is None:
                        self._state = replace(self._state, lineage=record["lineage"], salt=record["salt"])
                case "before":
                    befores[record["ref"]] = tuple(record["ids"])
                case "intent":
                    intent = Intent.from_data(record, befores.get(record.get("beforeRef", ""), ()))
                    self.intents[intent.nonce] = intent
                case "done":
                    self.intents.pop(record.get("nonce", ""), None)
                    address, data = record["address"], record["entry"]
                    self._put(address, None if data is None else Entry.from_data(address, data))
                    if "gone" in record:
                        self._note_gone(*record["gone"])
                case "lost":
                    self._close(record["nonce"], record["at"])
                case "failed":
                    self.intents.pop(record["nonce"], None)
                case "plan":
                    self._note_plan(record["id"])
                case "binding":
                    self._state = replace(self._state, binding=Binding.from_data(record["binding"]))

    def _put(self, address: str, entry: Entry | None) -> None:
        address = address if entry is None else entry.address
        old = self._entries.get(address)
        if old is not None and self._ids.get(old.id) == address:
            del self._ids[old.id]
        if entry is None:
            self._entries.pop(address, None)
        else:
            self._entries[address] = entry
            self._ids[entry.id] = address
        self._is_whole = False

    async def begin(self, intents: list[Intent]) -> None:
        """Write intents down, durably, before their requests are sent."""
        records: list[dict[str, Any]] = []
        for intent in intents:
            record = {"record": "intent", **intent.to_data()}
            if intent.before:
                if intent.before not in self._befores:
                    self._befores[intent.before] = f"b{next(self._counter)}-{secrets.token_hex(4)}"
                    records.append(
                        {"record": "before", "ref": self._befores[intent.before], "ids": list(intent.before)}
                    )
                record["beforeRef"] = self._befores[intent.before]
            records.append(record)
            self.intents[intent.nonce] = intent
        await self._append(records)

    async def record(
        self, nonce: str, address: str, entry: Entry | None, *, gone: tuple[str, float] | None = None
    ) -> None:
        """A request's result: the entry as it is now, or None when there is none any more.

        `gone` is the id of an object that was deleted, and when by the server's clock.
        """
        self.intents.pop(nonce, None)
        self._put(address, entry)
        record: dict[str, Any] = {
            "record": "done",
            "nonce": nonce,
            "address": address,
            "entry": None if entry is None else entry.to_data(),
        }
        if gone is not None:
            self._note_gone(*gone)
            record["gone"] = list(gone)
        await self._append([record], urgent=False)

    async def record_moved(self, old: str, new: str) -> None:
        """An object has another address from now on: the old one goes, and what refers to it names the new one."""
        await self.record("", old, None)
        for address, entry in tuple(self._entries.items()):
            if old in entry.depends:
                depends = tuple(new if other == old else other for other in entry.depends)
                await self.record("", address, replace(entry, depends=depends))

    def _note_gone(self, id_: str, at: float) -> None:
        recent = {other: when for other, when in self._state.gone.items() if at - when < KEPT_GONE}
        self._state = replace(self._state, gone={**recent, id_: at})

    async def record_failed(self, nonce: str) -> None:
        """The request was provably not executed."""
        self.intents.pop(nonce, None)
        await self._append([{"record": "failed", "nonce": nonce}], urgent=False)

    async def record_lost(self, nonce: str, at: float) -> None:
        """The request got no answer and shows no effect by the time `at`; what it made may still turn up."""
        self._close(nonce, at)
        await self._append([{"record": "lost", "nonce": nonce, "at": at}], urgent=False)

    def _close(self, nonce: str, at: float) -> None:
        intent = self.intents.pop(nonce, None)
        if intent is None or intent.action not in ("create", "purchase"):
            return
        recent = [item for item in self._state.closed if at - item["at"] < KEPT_CLOSED][-MOST_CLOSED:]
        item = {
            "address": intent.address,
            "kind": intent.kind,
            "type": intent.type,
            "name": intent.name,
            "body": intent.body,
            "at": intent.sent_at,
        }
        self._state = replace(self._state, closed=(*recent, item))

    async def use_plan(self, id_: str) -> None:
        """Note that a saved plan is being applied: it can't be a second time."""
        self._note_plan(id_)
        await self._append([{"record": "plan", "id": id_}])

    def _note_plan(self, id_: str) -> None:
        self._state = replace(self._state, used_plans=(*self._state.used_plans, id_)[-KEPT_PLANS:])

    async def bind(self, binding: Binding) -> None:
        """Note the accounts, at the first apply."""
        if binding != self._state.binding:
            self._state = replace(self._state, binding=binding)
            await self._append([{"record": "binding", "binding": binding.to_data()}])

    async def _append(self, records: list[dict[str, Any]], *, urgent: bool = True) -> None:
        """What has to be safe before a request is urgent; of a result that gets lost the intent is left to find it."""
        self._dirty = True
        if self.written_serial is None and not self._identified:
            self._identified = True
            records = [{"record": "state", "lineage": self._state.lineage, "salt": self._state.salt}, *records]
        await self.store.append(records, urgent=urgent)

    async def save(self, **changes: Any) -> None:
        """Write the state as a whole and cut the journal down to what is still open."""
        if not self._dirty and not changes:
            return
        self._state = replace(self.state, **changes, serial=(self.written_serial or 0) + 1)
        keep: list[dict[str, Any]] = []
        for intent in self.intents.values():
            ref = f"kept-{intent.nonce}"
            keep += [
                {"record": "before", "ref": ref, "ids": list(intent.before)},
                {"record": "intent", **intent.to_data(), "beforeRef": ref},
            ]
        await self.store.write(self.state.to_data(), if_serial=self.written_serial, keep=keep)
        self.written_serial = self.state.serial
        self._befores.clear()
        self._dirty = bool(keep)


@dataclass(slots=True)
class _Scratch(Ledger):
    """A ledger that keeps everything to itself."""

    async def _append(self, records: list[dict[str, Any]], *, urgent: bool = True) -> None:
        return None


@contextmanager
def _understood(place: str, what: str) -> Iterator[None]:
    """Values that stand for something (references, fingerprints) and don't say what."""
    try:
        yield
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        why = f"{error} is missing" if isinstance(error, KeyError) else str(error)
        raise StateError(
            f"{what} in {place} is not as voiceops writes it: {why}",
            hint="`voiceops state restore` lists the good copies.",
        ) from None


def _check_version(data: dict[str, Any], place: str) -> None:
    if "encrypted" in data:
        raise StateError(
            f"the state in {place} is encrypted", hint="Set VOICEOPS_STATE_IDENTITY, and encryption: in voiceops.yaml."
        )
    version = data.get("version")
    if not isinstance(version, int) or version > STATE_VERSION:
        raise StateError(
            f"the state in {place} has version {version}; this voiceops knows up to {STATE_VERSION}",
            hint="Use the newer voiceops that wrote it.",
        )
