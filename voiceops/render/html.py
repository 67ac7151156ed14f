"""A plan as one HTML file that needs nothing else: no request leaves it, and nothing in a value becomes markup.

Figures, order and grouping are made here, the page by `assets/plan.html.j2`. Styles and script stand beside it; their
hashes in the page's own content security policy keep any other from running.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from markupsafe import Markup

from voiceops.model.address import is_twilio_side, kind_of, name_of
from voiceops.model.graph import Graph
from voiceops.model.plan import Change, Plan
from voiceops.model.values import ABSENT, JSON
from voiceops.render.equal_changes import EqualChanges, equal_changes
from voiceops.render.estimate_rows import Row, rent, rows, touched_agents
from voiceops.render.graph_svg import svg
from voiceops.render.htmldiff import Body, change_body
from voiceops.render.names import unquoted
from voiceops.render.picture import plan_picture
from voiceops.render.review import AWAITS, Flag, Line, first, flags, headline, lines, readable, word_of
from voiceops.render.text import render_diagnostic
from voiceops.render.textdiff import shortened
from voiceops.templating import inline, render_page

_ORDER = ("delete", "replace", "unbind", "update", "adopt", "create", "no change")
_OPEN = 12  # a plan with more changes begins closed
_DRAWN = 120
_LINKS = 6
_ROWS = 25  # of a list, before the rest is folded
_ASSETS = "voiceops.render"

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Folded(Generic[T]):
    """A list of which a page shows the first at once."""

    first: Sequence[T]
    rest: Sequence[T]

    @classmethod
    def of(cls, items: Sequence[T]) -> _Folded[T]:
        return cls(items[:_ROWS], items[_ROWS:])


@dataclass(frozen=True, slots=True)
class _Place:
    """An object on the page: `anchor` is what links to it name."""

    address: str

    @property
    def anchor(self) -> str:
        return f"c-{self.address}"


@dataclass(frozen=True, slots=True)
class _FlagRow:
    level: str
    links: tuple[_Place, ...]
    more: int  # objects that are not named
    text: str
    values: tuple[str, ...]  # before and after, or nothing


@dataclass(frozen=True, slots=True)
class _LineRow:
    number: str
    address: str
    new: bool
    through: str


@dataclass(frozen=True, slots=True)
class _ChangeRow:
    """One change that opens. A list of objects with equal changes has its anchors inside, in `each`."""

    css: str
    anchor: str
    addresses: str  # what the filter looks in, beside the text
    word: str
    word_shown: str
    title: str
    beside: tuple[str, ...]
    place: str
    each: tuple[_Place, ...]
    body: Body


def render_html(plan: Plan, graph: Graph | None = None, *, version: str = "") -> str:
    """The whole page. With the graph that was planned also a picture of what is touched."""
    picture = plan_picture(plan, graph, _DRAWN) if graph is not None else None
    seen_first = first(plan)
    plan = readable(plan)
    changes = sorted(plan.active, key=lambda change: (_ORDER.index(word_of(change)), change.address))
    groups = equal_changes(changes)
    estimates = _estimates(plan)
    return render_page(
        _ASSETS,
        "plan.html.j2",
        style=inline(_ASSETS, "plan.css", "graph.css"),
        script=inline(_ASSETS, "plan.js"),
        project=plan.project,
        environment=plan.environment,
        headline=headline(plan),
        where=f"Vapi org {plan.org_in_words}" + (f" · Twilio {plan.account}" if plan.account else ""),
        refused=plan.refused,
        awaits="" if plan.refused or not plan.awaited else AWAITS,
        problems="\n".join(map(render_diagnostic, plan.problems)),
        flags=_Folded.of([_flag(flag) for flag in flags(plan, seen_first)]),
        lines=_Folded.of([_line(line) for line in lines(plan)]),
        estimates=estimates[:_ROWS],
        more_estimates=max(0, len(estimates) - _ROWS),
        rent=rent(plan.estimates) if plan.estimates is not None else "",
        words=_words([group.change for group in groups]),
        changes=map(_change, groups),
        is_open=len(groups) <= _OPEN,
        picture=Markup(svg(picture, standalone=False)) if picture and picture.boxes else "",  # it escapes its texts
        left_out=picture.left_out if picture else 0,
        unchanged=sum(not change.matters for change in plan.changes),
        version=version,
    )


def _flag(flag: Flag) -> _FlagRow:
    shows = flag.before is not ABSENT or flag.after is not ABSENT
    return _FlagRow(
        level=flag.level,
        links=tuple(map(_Place, flag.addresses[:_LINKS])),
        more=max(0, len(flag.addresses) - _LINKS),
        text=flag.text,
        values=(_value(flag.before), _value(flag.after)) if shows else (),
    )


def _value(value: JSON) -> str:
    if value is ABSENT or value is None:
        return "unset"
    plain = value if isinstance(value, str) else unquoted(json.dumps(value, ensure_ascii=False))
    return shortened(plain, 120)


def _line(line: Line) -> _LineRow:
    through = ["its own settings"] if line.itself else []
    through += line.through[:_LINKS]
    through += [f"{len(line.through) - _LINKS} more"] if len(line.through) > _LINKS else []
    return _LineRow(line.number, line.address, line.new, ", ".join(through))


def _estimates(plan: Plan) -> list[Row]:
    return list(rows(plan.estimates, touched_agents(plan))) if plan.estimates is not None else []


def _words(changes: list[Change]) -> list[tuple[str, int]]:
    """What happens, in the page's order, and how often."""
    words = [word_of(change) for change in changes]
    return [(word, words.count(word)) for word in _ORDER if word in words]


def _change(group: EqualChanges) -> _ChangeRow:
    change = group.change
    word = word_of(change)
    twilio = is_twilio_side(change.address)
    css, body = word.replace(" ", "-"), change_body(change)
    if group.others:
        return _ChangeRow(
            css=css,
            anchor="",
            addresses=" ".join(group.addresses),
            word=word,
            word_shown=f"{word}, the same for each",
            title=f"{len(group.addresses)} × {kind_of(change.address)}{' (Twilio)' if twilio else ''}",
            beside=(),
            place="",
            each=tuple(map(_Place, group.addresses)),
            body=body,
        )
    name = "" if twilio or change.name == name_of(change.address) else change.name
    return _ChangeRow(
        css=css,
        anchor=_Place(change.address).anchor,
        addresses=change.address,
        word=word,
        word_shown=word,
        title=change.address,
        beside=("Twilio",) if twilio else (f"“{shortened(name, 80)}”",) if name else (),
        place=f"{change.file}:{change.line}" if change.file else "",
        each=(),
        body=body,
    )
