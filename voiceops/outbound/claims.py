"""Who was called in which batch: claimed in the store of calls before anything is sent, so that nobody is called twice.

One row a person and batch, under a digest: the number itself is not kept. The claim, the calls of the last minute and
those under way are looked at in one transaction, so that several processes keep to the bounds together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from voiceops.calls.database import Database

# sending: claimed, and nobody said yet what came of it. lost: it was sent, and the answer did not come. unclear: there
# is a call that may be this one, or not. refused: Vapi said no. placed: there is a call.
State = Literal["sending", "lost", "unclear", "refused", "placed"]

SINGLE = "single-"  # how the batch of one number that somebody typed begins; each is another one
FORGOTTEN = 3600.0  # seconds after which a call that nobody saw the end of is not counted as under way
UNKNOWN = 180.0  # seconds for which one counts as under way of which nobody knows whether it is
_MINUTE = 60.0
_COLUMNS = {
    "key": "text PRIMARY KEY",
    "batch": "text NOT NULL",
    "state": "text NOT NULL",
    "token": "text NOT NULL",
    "at": "number NOT NULL",
    "since": "number NOT NULL",
    "call": "text NOT NULL",
    "due": "number NOT NULL",
    "ended": "integer NOT NULL",
    "reason": "text NOT NULL",
}
_NAMES = ", ".join(_COLUMNS)
_TYPES = ("text", "number", "integer")


@dataclass(frozen=True, slots=True, kw_only=True)
class CallClaim:
    """Times in epoch seconds. `at`: when it was claimed last, or its answer was lost; `since`: the first time that it
    may have been sent and nobody knows of it; `due`: when the call is to be made, where it was given to Vapi for later,
    else 0. `token` says whose it is: it changes hands with each try."""

    key: str
    batch: str
    state: State
    token: str
    at: float
    since: float
    call: str = ""
    due: float = 0.0
    ended: bool = False
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallBounds:
    """How many calls may begin in a minute, and how many be under way."""

    per_minute: int
    at_once: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Claiming:
    """The answer to a claim: `mine`, or the `claim` that is there, or how long to wait before asking again."""

    mine: CallClaim | None = None
    claim: CallClaim | None = None
    wait: float = 0.0
    full: bool = False  # as many calls as may be are under way


class Claims:
    """The claims in one database. Raises what the database raises."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._table = f"{database.prefix}call_claims"

    def prepare(self) -> None:
        """Make the table where it is missing."""
        inside = ", ".join(f"{name} {self._type(kind)}" for name, kind in _COLUMNS.items())
        with self._database.transaction():
            self._database.change(f"CREATE TABLE IF NOT EXISTS {self._table} ({inside})")
            self._database.change(f"CREATE INDEX IF NOT EXISTS {self._table}_at ON {self._table} (at)")

    def of(self, keys: Sequence[str]) -> dict[str, CallClaim]:
        """The claims that are there, by key."""
        found: dict[str, CallClaim] = {}
        for start in range(0, len(keys), 500):
            some = tuple(keys[start : start + 500])
            marks = ", ".join("?" * len(some))
            rows = self._database.rows(f"SELECT {_NAMES} FROM {self._table} WHERE key IN ({marks})", some)
            found.update((claim.key, claim) for claim in map(_claim, rows))
        return found

    def claim(
        self,
        key: str,
        batch: str,
        token: str,
        now: float,
        bounds: CallBounds | None,
        *,
        known: CallClaim | None = None,
        due: float = 0.0,
    ) -> Claiming:
        """Ask to make this call, durably. `known`: the claim of before that was looked into, and is to be taken over
        as it is. `bounds` None: they don't count, since the call is for later."""
        with self._database.transaction():
            there = self.of([key]).get(key)
            if there is not None and (known is None or there != known):
                return Claiming(claim=there)
            if bounds is not None:
                begun = self._begun(now)
                if len(begun) >= bounds.per_minute:
                    return Claiming(wait=max(0.05, begun[-bounds.per_minute] + _MINUTE - now))
                if len(self._under_way(now)) >= bounds.at_once:
                    return Claiming(wait=1.0, full=True)
            self._database.change(f"DELETE FROM {self._table} WHERE key = ?", (key,))
            since = known.since if known is not None and known.state != "refused" else now
            mine = CallClaim(key=key, batch=batch, state="sending", token=token, at=now, since=since, due=due)
            self._put(mine)
        return Claiming(mine=mine)

    def lose(self, claim: CallClaim, now: float, reason: str) -> CallClaim:
        """Write down that nobody knows what came of it, as of now."""
        lost = replace(claim, state="lost", at=now, reason=reason[:500])
        self._database.change(
            f"UPDATE {self._table} SET state = ?, at = ?, reason = ? WHERE key = ? AND token = ?",
            (lost.state, lost.at, lost.reason, lost.key, lost.token),
        )
        return lost

    def settle(self, key: str, token: str, state: State, *, call: str = "", reason: str = "") -> bool:
        """Write down what came of a claim; False: it is another one's by now."""
        return bool(
            self._database.change(
                f"UPDATE {self._table} SET state = ?, call = ?, reason = ? WHERE key = ? AND token = ?",
                (state, call, reason[:500], key, token),
            )
        )

    def release(self, key: str, token: str) -> None:
        """Nothing was sent: the claim is as if it had never been."""
        self._database.change(f"DELETE FROM {self._table} WHERE key = ? AND token = ?", (key, token))

    def due_after(self, now: float) -> list[float]:
        """For when calls were given to Vapi, of those whose time is still to come."""
        rows = self._database.rows(f"SELECT due FROM {self._table} WHERE due > ? AND state = 'placed'", (now,))
        return [float(due) for (due,) in rows]

    def under_way(self, now: float) -> list[str]:
        """The ids of the calls that count as under way."""
        return [call for call in self._under_way(now) if call]

    def ended(self, calls: Iterable[str]) -> None:
        """These calls are over."""
        self._database.change_many(
            f"UPDATE {self._table} SET ended = 1 WHERE call = ?", [(call,) for call in calls if call]
        )

    def not_started(self, call: str, reason: str) -> None:
        """This call never rang: its person may be called."""
        self._database.change(
            f"UPDATE {self._table} SET state = 'refused', reason = ? WHERE call = ?", (reason[:500], call)
        )

    def batches(self) -> list[str]:
        """The names of all batches of which a claim is kept; of single calls, too."""
        return [str(name) for (name,) in self._database.rows(f"SELECT DISTINCT batch FROM {self._table}")]

    def forget(self, keys: Sequence[str], now: float) -> int:
        """Delete these claims, but those whose call is to come, under way or looked for; how many of them there are."""
        over = "(state = 'refused' OR (state IN ('placed', 'unclear') AND due < ? AND (ended = 1 OR at < ?)))"
        since = now - FORGOTTEN
        self._database.change_many(
            f"DELETE FROM {self._table} WHERE key = ? AND {over}", [(key, since, since) for key in keys]
        )
        return len(self.of(keys))

    def drop_batches(self, before: float, told: Callable[[str], None]) -> None:
        """Delete the claims of batches whose last call was before; `told` hears of each in the same transaction.

        A batch keeps all of its claims until then: they are what keeps it from calling somebody twice.
        """
        lasts = f"SELECT batch FROM {self._table} GROUP BY batch HAVING max(at) < ? AND max(due) < ?"
        if not self._database.rows(lasts, (before, before)):
            return
        with self._database.scrubbing(), self._database.transaction():
            for (batch,) in self._database.rows(lasts, (before, before)):
                told(batch)
                self._database.change(f"DELETE FROM {self._table} WHERE batch = ?", (batch,))

    def _under_way(self, now: float) -> list[str]:
        rows = self._database.rows(
            f"SELECT call FROM {self._table} WHERE ended = 0 AND due = 0 AND "
            "((state = 'placed' AND at > ?) OR (state IN ('sending', 'lost') AND at > ?)) ORDER BY at",
            (now - FORGOTTEN, now - UNKNOWN),
        )
        return [str(call) for (call,) in rows]

    def _begun(self, now: float) -> list[float]:
        """When the calls of the last minute were claimed, in order of time."""
        rows = self._database.rows(
            f"SELECT at FROM {self._table} WHERE at > ? AND due = 0 AND state <> 'refused' ORDER BY at",
            (now - _MINUTE,),
        )
        return [float(at) for (at,) in rows]

    def _put(self, claim: CallClaim) -> None:
        marks = ", ".join("?" * len(_COLUMNS))
        values: Mapping[str, Any] = {name: getattr(claim, name) for name in _COLUMNS}
        self._database.change(
            f"INSERT INTO {self._table} ({_NAMES}) VALUES ({marks})",
            tuple(int(value) if isinstance(value, bool) else value for value in values.values()),
        )

    def _type(self, kind: str) -> str:
        word, _, rest = kind.partition(" ")
        return f"{self._database.type_of(word)} {rest}" if word in _TYPES else kind


def _claim(row: tuple[Any, ...]) -> CallClaim:
    values = dict(zip(_COLUMNS, row, strict=True))
    return CallClaim(**values | {"ended": bool(values["ended"])})
