"""The queue, its dead letters, and the page that asks before they run again."""

from __future__ import annotations

from collections.abc import Sequence

from voiceops.model.wording import many
from voiceops.runtime.dashboard.asked import link
from voiceops.runtime.dashboard.board import BoardReading
from voiceops.runtime.dashboard.figures import Figures
from voiceops.runtime.dashboard.frame import Frame, framed
from voiceops.runtime.dashboard.page_tables import PageTable, Shown
from voiceops.runtime.dashboard.words import NOTHING, duration, moment
from voiceops.runtime.store.records import DEAD, Stored

_SHOWN = 100
_AT_ONCE = 500  # dead letters that one form lets run again
_HEADS = ("received, UTC", "type", "call", "attempts", "why", "what to do")


def dead_letters(reading: BoardReading, *, id_: str = "", type_: str = "") -> list[Stored]:
    """The one of this number, or those of this type, so far as they are dead; for the board's thread."""
    if id_:
        number = int(id_) if id_.isascii() and id_.isdigit() and len(id_) < 20 else 0
        found = reading.backend.get(number) if 0 < number < 2**63 else None
        return [found] if found is not None and found.state == DEAD else []
    return reading.backend.find(state=DEAD, type_=type_, limit=_AT_ONCE) if type_ else []


def queue_page(reading: BoardReading, frame: Frame, figures: Figures, said: str) -> str:
    """The page; for the board's thread. `said`: what a form has just done."""
    path = f"{frame.base}/queue"
    dead = reading.backend.find(state=DEAD, type_="", limit=_SHOWN)
    rows = [
        [
            Shown(item.type),
            Shown(f"{item.waiting:,}"),
            Shown(NOTHING if item.oldest is None else duration(item.oldest)),
            Shown(f"{item.working:,}"),
            Shown(f"{item.dead:,}", colour="bad" if item.dead else ""),
            Shown(
                "run all dead again" if item.dead else "", link(f"{path}/replay", type=item.type) if item.dead else ""
            ),
        ]
        for item in figures.queue
    ]
    return framed(
        frame,
        "queue.html.j2",
        "Queue",
        "/queue",
        said=said,
        queue=PageTable(
            "Messages that are not done, by type",
            ("type", "waiting", "the oldest for", "in work", "dead", "what to do"),
            rows,
            nothing="No message waits, and none is dead.",
        ),
        dead=PageTable(
            "Dead letters, the newest first",
            _HEADS,
            [[*_cells(one, frame.base), Shown("run again", link(f"{path}/replay", id=str(one.id)))] for one in dead],
            numbers=9,
            nothing="There are none.",
        ),
        more=len(dead) == _SHOWN,
        again=link(path, refresh="" if frame.refresh else "60"),
    )


def replay_page(frame: Frame, letters: Sequence[Stored], *, id_: str, type_: str) -> str:
    """Ask whether these are to run again."""
    return framed(
        frame,
        "replay.html.j2",
        "Run again?",
        "/queue",
        path=f"{frame.base}/queue",
        what=many(len(letters), "dead letter"),
        more=len(letters) == _AT_ONCE,
        id=id_,
        type=type_,
        table=PageTable(
            "What would run again", _HEADS[:-1], [_cells(one, frame.base) for one in letters[:20]], numbers=9
        ),
    )


def _cells(one: Stored, base: str) -> list[Shown]:
    return [
        Shown(moment(one.received)),
        Shown(one.type),
        Shown(one.call or NOTHING, link(f"{base}/call", id=one.call) if one.call else ""),
        Shown(f"{one.attempts:,}"),
        Shown(one.error[:500] or NOTHING),
    ]
