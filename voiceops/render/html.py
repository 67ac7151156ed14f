"""A plan as one HTML file that needs nothing else: no request leaves it, and nothing in a value becomes markup.

Styles and script stand in `assets/`; their hashes in the page's own content security policy keep any other from
running.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator
from functools import cache
from importlib.resources import files

from voiceops.model.address import is_twilio_side, kind_of, name_of
from voiceops.model.graph import Graph
from voiceops.model.plan import Change, Plan
from voiceops.model.safe_text import html as safe_html
from voiceops.model.values import ABSENT, JSON
from voiceops.render.equal_changes import EqualChanges, equal_changes
from voiceops.render.estimate_rows import rent, rows, touched_agents
from voiceops.render.graph_svg import STYLE, svg
from voiceops.render.htmldiff import change_body
from voiceops.render.names import unquoted
from voiceops.render.picture import plan_picture
from voiceops.render.review import Flag, Line, first, flags, headline, lines, readable, word_of
from voiceops.render.text import render_diagnostic
from voiceops.render.textdiff import shortened

_ORDER = ("delete", "replace", "unbind", "update", "adopt", "create", "no change")
_OPEN = 12  # a plan with more changes begins closed
_DRAWN = 120
_LINKS = 6
_ROWS = 25  # of a list, before the rest is folded


def render_html(plan: Plan, graph: Graph | None = None, *, version: str = "") -> str:
    """The whole page. With the graph that was planned also a picture of what is touched."""
    picture = _picture(plan, graph) if graph is not None else []
    seen_first = first(plan)
    plan = readable(plan)
    style, script = _asset("plan.css") + STYLE, _asset("plan.js")
    changes = sorted(plan.active, key=lambda change: (_ORDER.index(word_of(change)), change.address))
    groups = equal_changes(changes)
    title = f"{plan.project} · {plan.environment}: plan"
    policy = (
        f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )
    return "\n".join(
        [
            "<!doctype html>",
            '<html lang="en"><head><meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
            '<meta name="viewport" content="width=device-width,initial-scale=1">',
            '<meta name="referrer" content="no-referrer"><link rel="icon" href="data:,">',
            f"<title>{text(title)}</title><style>{style}</style></head><body>",
            *_header(plan),
            "<main>",
            *_problems(plan),
            *_flags(flags(plan, seen_first)),
            *_lines(lines(plan)),
            *_estimates(plan),
            *_bar([group.change for group in groups]),
            *(_change(group, is_open=len(groups) <= _OPEN) for group in groups),
            '<p class="empty" id="empty" hidden>Nothing fits this filter.</p>',
            *picture,
            _footer(plan, version),
            f"</main><script>{script}</script></body></html>",
            "",
        ]
    )


def text(value: str) -> str:
    """Foreign text: what hides is spelled out, nothing is markup."""
    return safe_html(value)


@cache
def _asset(name: str) -> str:
    return (files("voiceops.render") / "assets" / name).read_text(encoding="utf-8")


def _hash(source: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()


def _anchor(address: str) -> str:
    return "c-" + text(address)


def _header(plan: Plan) -> Iterator[str]:
    where = f"Vapi org {plan.org_in_words}" + (f" · Twilio {plan.account}" if plan.account else "")
    yield f"<header><h1>{text(plan.project)} · {text(plan.environment)}</h1>"
    yield f'<p class="headline">{text(headline(plan))}</p><p class="where">{text(where)}</p></header>'


def _problems(plan: Plan) -> Iterator[str]:
    found = [*plan.refusals, *plan.diagnostics]
    if not found:
        return
    says = "" if not plan.refused else "<strong>This plan can’t be applied.</strong>"
    listed = text("\n".join(map(render_diagnostic, found)))
    yield f'<div class="{"refused" if plan.refused else "problems"}" role="status">{says}<pre>{listed}</pre></div>'


def _lines(found: list[Line]) -> Iterator[str]:
    if not found:
        return
    yield "<section><h2>Phone lines that would notice</h2>"
    yield from _folded([_line(line) for line in found])
    yield "</section>"


def _line(line: Line) -> str:
    through = ["its own settings"] if line.itself else []
    through += [text(address) for address in line.through[:6]]
    through += [f"{len(line.through) - 6} more"] if len(line.through) > 6 else []
    new = ' <span class="quiet">new</span>' if line.new else ""
    return (
        f"<li><b>☎ {text(line.number)}</b> <span>{text(line.address)}{new}</span> "
        f'<span class="quiet">because of {", ".join(through)}</span></li>'
    )


def _flags(found: list[Flag]) -> Iterator[str]:
    if not found:
        return
    yield "<section><h2>Look twice at</h2>"
    yield from _folded([_flag(flag) for flag in found])
    yield "</section>"


def _flag(flag: Flag) -> str:
    links = ", ".join(f'<a href="#{_anchor(a)}">{text(a)}</a>' for a in flag.addresses[:_LINKS])
    more = f" and {len(flag.addresses) - _LINKS} more" if len(flag.addresses) > _LINKS else ""
    values = ""
    if flag.before is not ABSENT or flag.after is not ABSENT:
        values = f"<code>{_value(flag.before)}</code> → <code>{_value(flag.after)}</code>"
    return (
        f'<li class="{flag.level}"><span class="mark" role="img" aria-label="{flag.level}"></span>'
        f"<span>{links}{more}</span> <span>{text(flag.text)}</span> {values}</li>"
    )


def _folded(items: list[str]) -> Iterator[str]:
    yield f'<ul class="plain">{"".join(items[:_ROWS])}</ul>'
    if rest := items[_ROWS:]:
        yield f'<details><summary>{len(rest)} more</summary><ul class="plain">{"".join(rest)}</ul></details>'


def _value(value: JSON) -> str:
    if value is ABSENT or value is None:
        return "unset"
    plain = value if isinstance(value, str) else unquoted(json.dumps(value, ensure_ascii=False))
    return text(shortened(plain, 120))


def _estimates(plan: Plan) -> Iterator[str]:
    if plan.estimates is None:
        return
    found, numbers = list(rows(plan.estimates, touched_agents(plan))), rent(plan.estimates)
    if not found and not numbers:
        return
    yield "<section><h2>What it feels like and costs, estimated</h2>"
    if found:
        names = "".join(f"<th>{name}</th>" for name in ("agent", "answers a turn in", "a minute", "made of"))
        yield f'<table class="figures"><thead><tr>{names}</tr></thead><tbody>'
        for address, latency, cost, made_of in found[:_ROWS]:
            quiet = f'<td class="quiet">{text(made_of)}</td>'
            yield f"<tr><td>{text(address)}</td><td>{text(latency)}</td><td>{text(cost)}</td>{quiet}</tr>"
        yield "</tbody></table>"
        if len(found) > _ROWS:
            yield f'<p class="quiet">{len(found) - _ROWS} more agents: <code>plan --format json</code> has them.</p>'
    yield f'<p class="quiet">{text(numbers)}</p></section>' if numbers else "</section>"


def _bar(changes: list[Change]) -> Iterator[str]:
    counts: dict[str, int] = {}
    for change in changes:
        counts[word_of(change)] = counts.get(word_of(change), 0) + 1
    yield '<div class="bar" role="search"><input type="search" id="search" placeholder="Filter by address or text" '
    yield 'aria-label="Filter changes by address or text" autocomplete="off" spellcheck="false">'
    for word in _ORDER:
        if word in counts:
            yield f'<button type="button" data-word="{word}" aria-pressed="false">{word} {counts[word]}</button>'
    yield '<button type="button" id="all">Open all</button><span class="count" id="count" role="status"></span></div>'


def _change(group: EqualChanges, *, is_open: bool) -> str:
    change = group.change
    word = word_of(change)
    if group.others:
        side = " (Twilio)" if is_twilio_side(change.address) else ""
        head = f"<b>{len(group.addresses)} × {text(kind_of(change.address))}{side}</b>"
        head += f'<span class="word">{word}, the same for each</span>'
        listed = ", ".join(f'<span id="{_anchor(address)}">{text(address)}</span>' for address in group.addresses)
        body = f'<p class="note">{listed}</p>{"".join(change_body(change))}'
        return _details(" ".join(group.addresses), word, head, body, is_open=is_open)
    live = ""
    if change.name and not is_twilio_side(change.address) and change.name != name_of(change.address):
        live = f'<span class="quiet">“{text(shortened(change.name, 80))}”</span>'
    side = '<span class="quiet">Twilio</span>' if is_twilio_side(change.address) else ""
    where = f'<span class="quiet">{text(change.file)}:{change.line}</span>' if change.file else ""
    head = f'<b>{text(change.address)}</b>{side}{live}<span class="word">{word}</span>{where}'
    return _details(change.address, word, head, "".join(change_body(change)), is_open=is_open)


def _details(addresses: str, word: str, head: str, body: str, *, is_open: bool) -> str:
    """One change that opens; a list of addresses has its anchors inside."""
    anchor = "" if " " in addresses else f' id="{_anchor(addresses)}"'
    return (
        f'<details class="change {word.replace(" ", "-")}"{anchor} data-address="{text(addresses)}" '
        f'data-word="{word}"{" open" if is_open else ""}><summary>{head}</summary>'
        f'<div class="body">{body}</div></details>'
    )


def _picture(plan: Plan, graph: Graph) -> list[str]:
    picture = plan_picture(plan, graph, _DRAWN)
    if not picture.boxes:
        return []
    left_out = f'<p class="quiet">{picture.left_out} objects are not drawn.</p>' if picture.left_out else ""
    return [
        '<section><h2>What is touched, and which lines lead to it</h2><div class="graph" tabindex="0">',
        svg(picture, standalone=False),
        f"</div>{left_out}</section>",
    ]


def _footer(plan: Plan, version: str) -> str:
    unchanged = sum(not change.matters for change in plan.changes)
    made = f" · voiceops {text(version)}" if version else ""
    return (
        '<p class="keys"><kbd>/</kbd> filter · <kbd>j</kbd> <kbd>k</kbd> next and previous change · <kbd>Enter</kbd> '
        f"open or close · <kbd>o</kbd> open or close all · {unchanged} objects unchanged{made}</p>"
    )
