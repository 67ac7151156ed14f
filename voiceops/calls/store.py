"""Calls in a database: kept once however often they are told of, found, and forgotten."""

from __future__ import annotations

import secrets
import time
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import Any

import msgspec

from voiceops.calls.call_names import Names
from voiceops.calls.database import Database
from voiceops.calls.ended_reasons import is_failure
from voiceops.calls.private_calls import as_kept, forms_of, number_digest, without_texts
from voiceops.calls.record import CallRecord, merged
from voiceops.calls.tables import COLUMNS, prepare
from voiceops.errors import VoiceopsError
from voiceops.model.privacy import Privacy

_AT_ONCE = 200  # calls a transaction
_TOLD = 5  # ids that begin alike
_NEWEST = 500  # calls that may get a name later
_AHEAD = 3_153_600_000.0  # seconds: no call begins so far ahead, also where a clock is wrong
_SILENT = "silent"  # the fact: by which setting texts were dropped, and until when
_DECODER = msgspec.json.Decoder(CallRecord)
_ENCODER = msgspec.json.Encoder()


@dataclass(frozen=True, slots=True, kw_only=True)
class CallFilter:
    """Which calls: times in epoch seconds, `since` included and `until` not; empty means any."""

    since: float | None = None
    until: float | None = None
    agent: str = ""
    phone: str = ""
    revision: int | None = None
    version: str = ""
    failed: bool = False
    simulated: bool = False  # with those that were played
    text: str = ""  # in the id, the number, the reason

    def where(self) -> tuple[str, tuple[Any, ...]]:
        """As a condition, with its values."""
        parts: list[str] = []
        values: list[Any] = []
        for condition, value in (
            ("began >= ?", self.since),
            ("began < ?", self.until),
            ("agent = ?", self.agent or None),
            ("phone = ?", self.phone or None),
            ("revision = ?", self.revision),
            ("version = ?", self.version or None),
        ):
            if value is not None:
                parts.append(condition)
                values.append(value)
        if self.failed:
            parts.append("failed = 1")
        if not self.simulated:
            parts.append("simulated = 0")
        if self.text:
            like = "%" + self.text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
            parts.append("(id LIKE ? ESCAPE '\\' OR customer LIKE ? ESCAPE '\\' OR reason LIKE ? ESCAPE '\\')")
            values += [like] * 3
        return " AND ".join(parts) or "1 = 1", tuple(values)


class CallStore:
    """The calls of one database. Raises what the database raises."""

    def __init__(self, database: Database, privacy: Privacy | None = None) -> None:
        """`privacy`: what is kept of calls that are told; without it everything."""
        self._database = database
        self.privacy = privacy or Privacy()
        self._secret = b""
        self._calls = f"{database.prefix}calls"
        self._bodies = f"{database.prefix}call_bodies"
        self._tools = f"{database.prefix}call_tools"
        self._dirty = f"{database.prefix}call_dirty"
        self._forgotten = f"{database.prefix}call_forgotten"
        self._facts = f"{database.prefix}call_facts"

    def prepare(self) -> None:
        """Make the tables that are missing. Raises VoiceopsError: a newer voiceops made them."""
        prepare(self._database)

    def keep(self, told: Iterable[CallRecord]) -> int:
        """Keep what is told of calls, beside what is known of them; how many are new or not as they were."""
        waiting: dict[str, CallRecord] = {}
        for call in told:
            waiting[call.id] = merged(waiting[call.id], call) if call.id in waiting else call
        calls, changed = list(waiting.values()), 0
        for start in range(0, len(calls), _AT_ONCE):
            with self._database.transaction():
                changed += self._keep(calls[start : start + _AT_ONCE])
        return changed

    def _keep(self, calls: Sequence[CallRecord]) -> int:
        known = {call.id: call for call in self._read([call.id for call in calls])}
        forgotten = self.forgotten_among({call.customer for call in calls if call.customer})
        new: list[CallRecord] = []
        key, now = self._key(), time.time()
        for call in calls:
            if call.customer in forgotten:
                continue
            whole = as_kept(merged(known[call.id], call) if call.id in known else call, self.privacy, key, now)
            if whole is not None and whole != known.get(call.id):
                new.append(whole)
        if not new:
            return 0
        ids = [call.id for call in new]
        hours = {_hour(call) for call in new} | {_hour(known[id_]) for id_ in ids if id_ in known}
        among = _marks(len(ids))
        self._database.change(f"DELETE FROM {self._tools} WHERE call IN ({among})", tuple(ids))
        self._database.change(f"DELETE FROM {self._calls} WHERE id IN ({among})", tuple(ids))
        self._database.change(f"DELETE FROM {self._bodies} WHERE id IN ({among})", tuple(ids))
        self._database.change_many(
            f"INSERT INTO {self._calls} ({', '.join(COLUMNS)}) VALUES ({_marks(len(COLUMNS))})",
            [_row(call) for call in new],
        )
        self._database.change_many(
            f"INSERT INTO {self._bodies} (id, body) VALUES (?, ?)", [(call.id, _ENCODER.encode(call)) for call in new]
        )
        tools = [(call.id, n, tool.name, tool.ms, tool.outcome) for call in new for n, tool in enumerate(call.tools)]
        if tools:
            self._database.change_many(
                f"INSERT INTO {self._tools} (call, n, name, ms, outcome) VALUES (?, ?, ?, ?, ?)", tools
            )
        self._mark(hours)
        return len(new)

    def name_again(self, names: Names) -> set[tuple[str, str]]:
        """Name the newest calls that were told of before it was known whose they are, or which revision was in force.

        Returns the live ids that are nobody's still: (kind, id).
        """
        told, nobody = self._nameless(names)
        while told:
            with self._database.transaction():
                some = self._nameless(names)[0][:_AT_ONCE]
                if self._keep(some) < len(some):
                    break  # they are too old to be kept
            told, nobody = self._nameless(names)
        return nobody

    def _nameless(self, names: Names) -> tuple[list[CallRecord], set[tuple[str, str]]]:
        """What can be told now of calls that lack it, and the kind and live id of what nothing is known of."""
        told: dict[str, CallRecord] = {}
        nobody: set[tuple[str, str]] = set()
        lacking = f"SELECT id, %s FROM {self._calls} WHERE %s = '' ORDER BY began DESC LIMIT {_NEWEST}"
        for id_, live in self._database.rows(lacking % ("assistant_id", "agent")):
            if live in names.agents:
                told[id_] = CallRecord(id=id_, agent=names.agents[live])
            elif live:
                nobody.add(("Agent", live))
        for id_, live in self._database.rows(lacking % ("phone_id", "phone")):
            if live in names.phones:
                told[id_] = replace(told.get(id_, CallRecord(id=id_)), phone=names.phones[live])
            elif live:
                nobody.add(("Phone", live))
        agents, phones = frozenset(names.agents.values()), frozenset(names.phones.values())
        newest = f"SELECT id, began, revision, agent, phone FROM {self._calls} ORDER BY began DESC LIMIT {_NEWEST}"
        for id_, began, revision, agent, phone in self._database.rows(newest):
            ours = id_ in told or agent in agents or phone in phones
            if revision is None and ours and (found := names.revision_at(began)) is not None:
                told[id_] = replace(told.get(id_, CallRecord(id=id_)), revision=found)
        return list(told.values()), nobody

    def _mark(self, hours: set[int]) -> None:
        """These hours have to be summed anew."""
        if hours:
            self._database.change_many(
                f"INSERT INTO {self._dirty} (hour) VALUES (?) ON CONFLICT (hour) DO NOTHING",
                [(hour,) for hour in sorted(hours)],
            )

    def fact(self, name: str) -> str:
        """What was noted under a name; empty where nothing was."""
        rows = self._database.rows(f"SELECT value FROM {self._facts} WHERE name = ?", (name,))
        return str(rows[0][0]) if rows else ""

    def note(self, name: str, value: str) -> None:
        """Note something under a name, in place of what was noted there."""
        self._database.change(
            f"INSERT INTO {self._facts} (name, value) VALUES (?, ?) "
            "ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            (name, value),
        )

    def get(self, id_: str) -> CallRecord | None:
        """One call, whole; None where there is none."""
        found = self._read([id_])
        return found[0] if found else None

    def called(self, start: str) -> CallRecord | None:
        """The call of this id, or of the only id that begins so: people type the first characters. None: there is none.

        Raises VoiceopsError: several ids begin so.
        """
        known = self.get(start)
        ids = self._beginning_with(start) if known is None and start else []
        if len(ids) > 1:
            raise VoiceopsError(
                f"several calls have an id that begins with {start}: {', '.join(ids)}", hint="Give more of it."
            )
        return self.get(ids[0]) if ids else known

    def _beginning_with(self, start: str) -> list[str]:
        until = start[:-1] + chr(ord(start[-1]) + 1) if start else "\U0010ffff"
        rows = self._database.rows(
            f"SELECT id FROM {self._calls} WHERE id >= ? AND id < ? ORDER BY id LIMIT ?", (start, until, _TOLD)
        )
        return [id_ for (id_,) in rows]

    def listed(self, wanted: CallFilter, limit: int, before: tuple[float, str] | None = None) -> list[CallRecord]:
        """The newest calls first, whole. `before`: only those after this one in the list, by (began, id)."""
        where, values = wanted.where()
        if before is not None:
            where += " AND (began < ? OR (began = ? AND id < ?))"
            values += (before[0], before[0], before[1])
        rows = self._database.rows(
            f"SELECT id FROM {self._calls} WHERE {where} ORDER BY began DESC, id DESC LIMIT ?", (*values, limit)
        )
        ids = [id_ for (id_,) in rows]
        whole = {call.id: call for call in self._read(ids)}
        return [whole[id_] for id_ in ids if id_ in whole]

    def count(self, wanted: CallFilter) -> int:
        """How many there are."""
        where, values = wanted.where()
        return int(self._database.rows(f"SELECT count(*) FROM {self._calls} WHERE {where}", values)[0][0])

    def forget(self, number: str) -> int:
        """Delete every call of this number, and all messages of it, for good; how many calls there were."""
        with self._database.scrubbing(), self._database.transaction():
            forms = forms_of(number, self._key())
            theirs = f"customer IN ({_marks(len(forms))})"
            rows = self._database.rows(f"SELECT id, began FROM {self._calls} WHERE {theirs}", forms)
            self._database.change(
                f"INSERT INTO {self._forgotten} (customer, at) VALUES (?, ?) ON CONFLICT (customer) DO NOTHING",
                (number_digest(number, self._key()), time.time()),
            )
            for table, key in ((self._tools, "call"), (self._bodies, "id")):
                self._database.change_many(f"DELETE FROM {table} WHERE {key} = ?", [(id_,) for id_, _ in rows])
            self._database.change(f"DELETE FROM {self._calls} WHERE {theirs}", forms)
            self._mark({int(began // 3600) for _, began in rows})
            self._database.forget([id_ for id_, _ in rows], number)
        return len(rows)

    def has_caller(self, number: str) -> bool:
        """Is a call kept of exactly this number, in whichever form it is kept?"""
        forms = forms_of(number, self._key())
        sql = f"SELECT 1 FROM {self._calls} WHERE customer IN ({_marks(len(forms))}) LIMIT 1"
        return bool(self._database.rows(sql, forms))

    def forgotten_among(self, numbers: Iterable[str]) -> set[str]:
        """Those of these numbers whose calls are never to come back."""
        key = self._key()
        digests = {number_digest(number, key): number for number in numbers}
        found: set[str] = set()
        wanted = tuple(digests)
        for start in range(0, len(wanted), _AT_ONCE):
            some = wanted[start : start + _AT_ONCE]
            sql = f"SELECT customer FROM {self._forgotten} WHERE customer IN ({_marks(len(some))})"
            found.update(digests[digest] for (digest,) in self._database.rows(sql, some))
        return found

    def prune(self, before: float) -> int:
        """Delete the calls that began before; how many there were."""
        with self._database.scrubbing(), self._database.transaction():
            for table, key in ((self._tools, "call"), (self._bodies, "id")):
                self._database.change(
                    f"DELETE FROM {table} WHERE {key} IN (SELECT id FROM {self._calls} WHERE began < ?)", (before,)
                )
            began = self._database.rows(f"SELECT began FROM {self._calls} WHERE began < ?", (before,))
            gone = self._database.change(f"DELETE FROM {self._calls} WHERE began < ?", (before,))
            self._mark({int(at // 3600) for (at,) in began})
        return gone

    def drop_texts(self, before: float, since: float = 0.0) -> int:
        """Take what was said out of calls that began before, and not before `since`; of how many."""
        dropped, after = 0, (since, "")
        with self._database.scrubbing():
            while True:
                rows = self._database.rows(
                    f"SELECT body FROM {self._bodies} JOIN {self._calls} USING (id) "
                    "WHERE began < ? AND (began > ? OR (began = ? AND id > ?)) ORDER BY began, id LIMIT ?",
                    (before, after[0], *after, _AT_ONCE),
                )
                calls = [_DECODER.decode(body) for (body,) in rows]
                spoken = [call for call in calls if call.summary or any(turn.text for turn in call.turns)]
                if spoken:
                    with self._database.transaction():
                        self._database.change_many(
                            f"UPDATE {self._bodies} SET body = ? WHERE id = ?",
                            [(_ENCODER.encode(without_texts(call)), call.id) for call in spoken],
                        )
                dropped += len(spoken)
                if len(calls) < _AT_ONCE:
                    return dropped
                after = (calls[-1].began or 0.0, calls[-1].id)

    def apply_privacy(self, now: float) -> None:
        """Bring what is kept already to what is wanted: texts and calls whose time is over, numbers of before."""
        privacy = self.privacy
        oldest = self._database.rows(f"SELECT min(began) FROM {self._calls}")[0][0]
        if oldest is not None and oldest < privacy.calls_before(now):
            self.prune(privacy.calls_before(now))
        if privacy.numbers != "keep":
            self._hide_numbers("#%" if privacy.numbers == "hash" else "%#%")
        if before := min(privacy.texts_before(now), now + _AHEAD):
            wanted = str(privacy.transcripts)
            last, _, until = self.fact(_SILENT).partition(" ")
            self.drop_texts(before, since=float(until) if last == wanted else 0.0)
            self.note(_SILENT, f"{wanted} {min(before, now)}")

    def _hide_numbers(self, hidden: str) -> None:
        last = ""
        while True:
            rows = self._database.rows(
                f"SELECT id FROM {self._calls} WHERE id > ? AND customer <> '' AND customer NOT LIKE ? "
                "ORDER BY id LIMIT ?",
                (last, hidden, _AT_ONCE),
            )
            if not rows:
                return
            with self._database.scrubbing(), self._database.transaction():
                self._keep(self._read([id_ for (id_,) in rows]))
            last = rows[-1][0]

    def digest(self, text: str) -> str:
        """What stands for a text, a number with what it is about, where the text itself is not to be kept."""
        return number_digest(text, self._key())

    def _key(self) -> bytes:
        """Of the digests of numbers: made once, and kept in the store, so that equal numbers stay equal."""
        if not self._secret:
            self._database.change(
                f"INSERT INTO {self._facts} (name, value) VALUES ('key', ?) ON CONFLICT (name) DO NOTHING",
                (secrets.token_hex(32),),
            )
            self._secret = bytes.fromhex(self.fact("key"))
        return self._secret

    def _read(self, ids: Sequence[str]) -> list[CallRecord]:
        if not ids:
            return []
        rows = self._database.rows(f"SELECT body FROM {self._bodies} WHERE id IN ({_marks(len(ids))})", tuple(ids))
        return [_DECODER.decode(body) for (body,) in rows]


def _row(call: CallRecord) -> tuple[Any, ...]:
    failed = is_failure(call.reason)
    wrong = sum(tool.outcome not in ("", "ok") for tool in call.tools)
    values = {
        "id": call.id,
        "began": call.began or 0.0,
        "agent": call.agent,
        "assistant_id": call.assistant_id,
        "version": call.assistant_version,
        "revision": call.revision,
        "phone": call.phone,
        "phone_id": call.phone_id,
        "direction": call.direction,
        "customer": call.customer,
        "reason": call.reason,
        "status": call.status,
        "failed": int(failed),
        "transferred": int(bool(call.transferred)),
        "success": None if call.success is None else int(call.success),
        "duration": call.duration,
        "cost": call.cost,
        "turn_ms": median(call.turn_ms) if call.turn_ms else None,
        "tools": len(call.tools),
        "tools_failed": wrong,
        "simulated": int(call.simulated),
        "waits": array("f", call.turn_ms).tobytes(),
    }
    return tuple(values[name] for name in COLUMNS)


def _hour(call: CallRecord) -> int:
    return int((call.began or 0.0) // 3600)


def _marks(count: int) -> str:
    return ", ".join("?" * count)
