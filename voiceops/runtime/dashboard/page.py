"""The dashboard: one page without scripts, from figures. Everything in it is shown as text, whoever wrote it."""

from __future__ import annotations

import base64
import hashlib
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import escape

from voiceops.runtime.dashboard.charts import Column, Part, bar, columns
from voiceops.runtime.dashboard.figures import HOURS, Figures, Queued, ToolFigures

_REFRESH = 60  # seconds
_LATE = 60.0  # seconds after which a message that waits is worth a look

STYLE = """
:root{color-scheme:light dark;--ground:#fff;--soft:#f6f8fa;--line:#d1d9e0;--text:#1f2328;--quiet:#59636e;
--main:#0969da;--good:#1a7f37;--more:#a8c7ec;--same:#8c959f;--warn:#bf8700;--bad:#cf222e}
@media (prefers-color-scheme:dark){:root{--ground:#0d1117;--soft:#161b22;--line:#3d444d;--text:#e6edf3;--quiet:#9198a1;
--main:#4493f8;--good:#3fb950;--more:#2c4a73;--same:#6e7681;--warn:#d29922;--bad:#f85149}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:64rem;padding:1.25rem 1rem 3rem;background:var(--ground);color:var(--text);
font:15px/1.5 system-ui,-apple-system,"Segoe UI",sans-serif;overflow-wrap:anywhere}
h1{font-size:1.25rem;margin:0}
h2{font-size:1rem;margin:2rem 0 .5rem}
p{margin:.25rem 0}
.quiet,th,figcaption,dt{color:var(--quiet);font-size:.82rem;font-weight:400}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(8.5rem,1fr));gap:.6rem;margin:1rem 0 0}
.tiles>div{border:1px solid var(--line);border-left:4px solid var(--line);border-radius:6px;padding:.5rem .75rem}
.tiles>.good{border-left-color:var(--good)}
.tiles>.warn{border-left-color:var(--warn)}
.tiles>.bad{border-left-color:var(--bad)}
.tiles dd{margin:0;font-size:1.3rem;font-weight:600;font-variant-numeric:tabular-nums}
.pair{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,18rem),1fr));gap:0 1.5rem}
figure{margin:.25rem 0 1rem}
figcaption{padding-bottom:.2rem;display:flex;justify-content:space-between;gap:1rem}
figcaption b{color:var(--text)}
svg{display:block;width:100%}
.columns{height:6.5rem;border-bottom:1px solid var(--line);background:var(--soft);border-radius:4px 4px 0 0}
.bar{height:.6rem;border-radius:3px}
.hours{display:flex;justify-content:space-between;color:var(--quiet);font-size:.75rem}
.hit{fill:transparent}
.ground{fill:var(--soft)}
g:hover .c-main{opacity:.7}
.c-main{fill:var(--main)}.c-more{fill:var(--more)}.c-same{fill:var(--same)}
.c-good{fill:var(--good)}.c-warn{fill:var(--warn)}.c-bad{fill:var(--bad)}
ul{list-style:none;margin:0;padding:0}
li{border-top:1px solid var(--line);padding:.6rem 0;display:grid;gap:.15rem .5rem}
li:first-child{border-top:0}
li>p{display:flex;flex-wrap:wrap;justify-content:space-between;gap:0 1rem;margin:0}
.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-size:.85rem;font-variant-numeric:tabular-nums}
th,td{text-align:left;padding:.3rem 1rem .3rem 0;border-top:1px solid var(--line);white-space:nowrap}
thead th{border-top:0}
.key{display:flex;flex-wrap:wrap;gap:0 1rem;margin:.25rem 0}
.key svg{width:.7rem;height:.7rem;display:inline-block;margin-right:.3rem}
"""

# The style sheet by its hash: no other one can come in with a text.
_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
HEADERS = {
    "content-security-policy": f"default-src 'none'; style-src 'sha256-{_HASH}'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}

_OUTCOMES = (  # in this order in a bar: what was fine, what was nobody's fault, what was
    ("ok", "c-good"),
    ("repeated", "c-same"),
    ("misused", "c-warn"),
    ("timeout", "c-bad"),
    ("failed", "c-bad"),
    ("missing", "c-bad"),
    ("lost", "c-bad"),
)


@dataclass(frozen=True, slots=True)
class About:
    """What stands at the head of the page."""

    project: str
    environment: str
    version: str
    revision: int | None
    draining: bool
    started: float
    tools: tuple[str, ...]  # that the manifests have, called or not


def page(about: About, figures: Figures, outcomes: Mapping[str, Mapping[str, int]]) -> str:
    """The whole page."""
    return "".join(_page(about, figures, outcomes))


def _page(about: About, figures: Figures, outcomes: Mapping[str, Mapping[str, int]]) -> Iterator[str]:
    title = f"{escape(about.project)} · {escape(about.environment)}"
    yield (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f'<meta http-equiv="refresh" content="{_REFRESH}"><title>{title} · voiceops</title>'
        f"<style>{STYLE}</style></head><body><header><h1>{title}</h1>"
    )
    revision = f"revision {about.revision} · " if about.revision is not None else ""
    yield (
        f'<p class="quiet">{revision}voiceops {escape(about.version)} · running since '
        f"{_moment(about.started)} · as of {_moment(figures.now)} UTC</p></header><main>"
    )
    yield from _tiles(about, figures)
    yield from _traffic(figures)
    yield from _tools(about, figures, outcomes)
    yield from _queue(figures.queue)
    yield from _newest(figures)
    yield "</main></body></html>\n"


def _tiles(about: About, figures: Figures) -> Iterator[str]:
    waiting = sum(item.waiting for item in figures.queue)
    working = sum(item.working for item in figures.queue)
    dead = sum(item.dead for item in figures.queue)
    oldest = figures.oldest
    late = oldest is not None and oldest > _LATE
    yield '<dl class="tiles">'
    yield _tile("runtime", "stopping" if about.draining else "ready", "warn" if about.draining else "good")
    yield _tile("waiting", f"{waiting:,}", "warn" if late else "good")
    yield _tile("oldest waits for", "–" if oldest is None else duration(oldest), "warn" if late else "good")
    yield _tile("in work", f"{working:,}", "")
    yield _tile("dead letters", f"{dead:,}", "bad" if dead else "good")
    yield "</dl>"


def _tile(name: str, value: str, colour: str) -> str:
    return f'<div class="{colour}"><dt>{name}</dt><dd>{value}</dd></div>'


def _traffic(figures: Figures) -> Iterator[str]:
    yield f'<h2>The last {HOURS} hours</h2><div class="pair">'
    hours = figures.hours
    labels = [time.strftime("%H:%M", time.gmtime(hour.start)) for hour in hours]
    for one, many, values in (
        ("call", "calls", [hour.calls for hour in hours]),
        ("message", "messages", [hour.messages for hour in hours]),
        ("tool call", "tool calls", [hour.tool_calls for hour in hours]),
    ):
        total, top = sum(values), max(values)
        series = [
            Column(f"{label} UTC: {value:,} {one if value == 1 else many}", value)
            for label, value in zip(labels, values, strict=True)
        ]
        name = f"{many.capitalize()} per hour over {HOURS} hours: {total:,} in all, at most {top:,} in an hour"
        marks = "".join(f"<span>{label}</span>" for label in (labels[0], labels[8], labels[16], labels[-1]))
        yield (
            f"<figure><figcaption><span>{many.capitalize()} per hour</span><span><b>{total:,}</b> in all, "
            f'<b>{top:,}</b> at most</span></figcaption>{columns(name, series, top)}<div class="hours">'
            f"{marks}</div></figure>"
        )
    yield "</div>"


def _tools(about: About, figures: Figures, outcomes: Mapping[str, Mapping[str, int]]) -> Iterator[str]:
    names = sorted({*about.tools, *figures.tools, *(name for name, counts in outcomes.items() if counts)})
    if not names:
        return
    slowest = max((tool.p95 or 0.0 for tool in figures.tools.values()), default=0.0)
    keys = (
        ("c-main", "half are faster (p50)"),
        ("c-more", "19 of 20 are faster (p95)"),
        ("c-good", "ok"),
        ("c-same", "repeated"),
        ("c-warn", "misused"),
        ("c-bad", "failed, too late, no handler, lost"),
    )
    yield (
        f'<h2>Tools</h2><div class="key quiet">{"".join(_key(*key) for key in keys)}</div>'
        f'<p class="quiet">Times of the last {HOURS} hours; outcomes since the runtime started.</p><ul>'
    )
    for name in names:
        yield _tool(name, figures.tools.get(name, ToolFigures()), outcomes.get(name, {}), slowest)
    yield "</ul>"


def _key(colour: str, text: str) -> str:
    square = f'<svg aria-hidden="true" viewBox="0 0 1 1"><rect class="{colour}" width="1" height="1"/></svg>'
    return f"<span>{square}{text}</span>"


def _tool(name: str, tool: ToolFigures, counts: Mapping[str, int], slowest: float) -> str:
    shown = escape(name)
    if tool.p50 is None or tool.p95 is None:
        times, latency = "no call", ""
    else:
        times = f"{tool.calls:,} call{'' if tool.calls == 1 else 's'} · p50 {_ms(tool.p50)} · p95 {_ms(tool.p95)}"
        parts = [
            Part("c-main", tool.p50, f"p50 {_ms(tool.p50)}"),
            Part("c-more", tool.p95 - tool.p50, f"p95 {_ms(tool.p95)}"),
        ]
        latency = bar(f"{name}: {times}", parts, slowest)
    said = " · ".join(f"{counts[outcome]:,} {outcome}" for outcome, _ in _OUTCOMES if counts.get(outcome))
    parts = [
        Part(colour, counts.get(outcome, 0), f"{counts.get(outcome, 0):,} {outcome}") for outcome, colour in _OUTCOMES
    ]
    ended = bar(f"{name}: {said}", parts, sum(counts.values())) if said else ""
    return (
        f'<li><p><b>{shown}</b><span class="quiet">{times}</span></p>{latency}{ended}'
        f'<p class="quiet">{said or "no outcome yet"}</p></li>'
    )


def _queue(queue: tuple[Queued, ...]) -> Iterator[str]:
    yield "<h2>Queue</h2>"
    if not queue:
        yield '<p class="quiet">No message waits, and none is dead.</p>'
        return
    keys = _key("c-main", "waiting") + _key("c-more", "in work") + _key("c-bad", "dead")
    yield f'<div class="key quiet">{keys}</div><ul>'
    top = max(item.waiting + item.working + item.dead for item in queue)
    for item in queue:
        said = f"{item.waiting:,} waiting · {item.working:,} in work · {item.dead:,} dead"
        if item.oldest is not None:
            said += f" · the oldest for {duration(item.oldest)}"
        parts = [
            Part("c-main", item.waiting, f"{item.waiting:,} waiting"),
            Part("c-more", item.working, f"{item.working:,} in work"),
            Part("c-bad", item.dead, f"{item.dead:,} dead"),
        ]
        yield (
            f'<li><p><b>{escape(item.type)}</b><span class="quiet">{said}</span></p>'
            f"{bar(f'{item.type}: {said}', parts, top)}</li>"
        )
    yield "</ul>"
    if any(item.dead for item in queue):
        yield '<p class="quiet">Dead: the handler failed too often. <code>voiceops events list --state dead</code></p>'


def _newest(figures: Figures) -> Iterator[str]:
    yield "<h2>Newest tool calls</h2>"
    if not figures.newest:
        yield '<p class="quiet">None yet.</p>'
        return
    head = "".join(f"<th>{name}</th>" for name in ("UTC", "took", "tool", "call"))
    yield f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>'
    for call in figures.newest:
        yield (
            f"<tr><td>{_moment(call['at'])[5:]}</td><td>{'not ended' if call['ms'] is None else _ms(call['ms'])}</td>"
            f"<td>{escape(call['tool'])}</td><td>{escape(call['call'])}</td></tr>"
        )
    yield "</tbody></table></div>"


def _moment(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(seconds))


def _ms(value: float) -> str:
    return f"{value:,.0f} ms" if value >= 10 else f"{value:.1f} ms"


def duration(seconds: float) -> str:
    """A time in the unit in which people say it: `40 s`, `12 min`, `3 h`, `2 d`."""
    for unit, size, until in (("s", 1, 120), ("min", 60, 7200), ("h", 3600, 172_800)):
        if seconds < until:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds / 86_400:.0f} d"
