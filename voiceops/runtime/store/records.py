"""The rows that the store keeps: claims of tool calls, and messages on their way through handlers. Pure data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, TypeVar

from voiceops.calls.database import Database

# An event's state.
WAITING, LEASED, DONE, DEAD = 0, 1, 2, 3
STATES = {"waiting": WAITING, "working": LEASED, "done": DONE, "dead": DEAD}
STATE_NAMES = {number: name for name, number in STATES.items()}

T = TypeVar("T")


class ClaimRow(NamedTuple):
    """A request to run something exactly once."""

    key: str
    owner: int
    tool: str
    call: str
    at: float


class ResultRow(NamedTuple):
    """What came of a claim: the answer that every delivery gets from now on."""

    result: str
    outcome: str
    ms: float
    key: str


class EventRow(NamedTuple):
    """A message to keep. `key` is equal for deliveries of the same message."""

    id: int
    key: bytes
    type: str
    call: str
    received: float
    sent: float
    state: int
    note: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Claim:
    """`mine`: run it now. Else somebody did, or does: `result` is empty until they are done."""

    mine: bool
    owner: int = 0
    result: str = ""


@dataclass(frozen=True, slots=True)
class Stored:
    """An event as it is kept."""

    id: int
    type: str
    call: str
    received: float
    sent: float
    state: int
    attempts: int
    due: float
    error: str
    body: bytes = b""

    def to_data(self) -> dict[str, Any]:
        """For people and their tools: the state by its name, times in epoch seconds, no body."""
        return {
            "id": str(self.id),
            "type": self.type,
            "call": self.call,
            "received": self.received,
            "sent": self.sent or None,
            "state": STATE_NAMES.get(self.state, str(self.state)),
            "attempts": self.attempts,
            "due": self.due or None,
            "error": self.error,
        }


@dataclass(frozen=True, slots=True)
class Stats:
    """How the queue stands."""

    waiting: int = 0
    working: int = 0
    dead: int = 0
    oldest: float = 0.0  # when the oldest waiting event came; 0: none waits


class Backend(Database, Protocol):
    """One database, used by one thread. `write` is the hot path: everything in it is one commit."""

    owner: int

    def open(self) -> None:
        """Connect, make the tables, and be known as alive. Raises VoiceopsError."""

    def close(self) -> None:
        """End the connection; nobody takes this worker for alive any more."""

    def write(
        self, claims: list[ClaimRow], results: list[ResultRow], events: list[EventRow], *, safe: bool
    ) -> tuple[list[Claim], list[bool]]:
        """Keep all of it in one transaction; says for each claim whose it is, for each event whether it was new.

        `safe`: it outlives a power cut, too.
        """

    def lookup(self, key: str) -> Claim | None:
        """What is known of a claim now; None where there is none."""

    def take_over(self, key: str, dead: int) -> bool:
        """Make a dead owner's unfinished claim ours; False when somebody was faster."""

    def alive(self, owner: int) -> bool:
        """Is the process that owns claims and leases under this number still there?"""

    def take(self, types: list[str] | None, now: float, limit: int) -> list[Stored]:
        """Lease events that are due, of these types (None: all), the oldest first."""

    def finish(self, id_: int) -> None:
        """The event is done."""

    def put_off(self, id_: int, due: float, error: str) -> None:
        """Try the event again when it is due (epoch seconds); `error` says why."""

    def bury(self, id_: int, error: str) -> None:
        """The event failed too often: it is a dead letter until somebody replays it."""

    def release_dead(self) -> int:
        """Make the leases of processes that are gone available again."""

    def stats(self) -> Stats:
        """How the queue stands."""

    def check(self) -> str:
        """Is it still the store that was opened, and whole as far as a quick look tells? Empty, or what is wrong."""

    def damaged(self, error: Exception) -> bool:
        """Does an error say that the store itself is damaged, and not only that something went wrong?"""

    def newest(self) -> int:
        """The largest number of an event; 0 where there is none."""

    def find(self, *, state: int | None, type_: str, limit: int) -> list[Stored]:
        """Events in a state (None: any) and of a type (empty: any), the newest first, without their bodies."""

    def ran(self, call: str) -> list[tuple[str, str, str, float]]:
        """The tool calls of a phone call that have an answer: (Vapi's id of it, tool, outcome, milliseconds)."""

    def get(self, id_: int) -> Stored | None:
        """One event with its body; None where there is none."""

    def replay(self, ids: list[int]) -> int:
        """Let events run again, with all their attempts; how many there were."""

    def replace_body(self, id_: int, body: bytes) -> None:
        """Keep another body in the place of the one that came."""

    def prune(self, events_before: float, claims_before: float) -> int:
        """Delete what is done and older, and session values whose time is over; dead and waiting events stay."""

    def maintain(self) -> None:
        """Housekeeping of the database's own, now and then."""

    def publish(self, boot: str, data: str) -> None:
        """Leave this worker's counters for whichever worker is asked for them."""

    def published(self, boot: str) -> list[str]:
        """Every other worker's counters of the same start."""

    def calls(self, limit: int) -> list[dict[str, Any]]:
        """The newest tool calls, without arguments and results."""
