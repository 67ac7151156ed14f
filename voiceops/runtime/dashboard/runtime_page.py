"""What this runtime does: messages and tool calls by the hour, its tools since it started, and what waits.

What is said and drawn is made here, the page by `assets/runtime.html.j2`.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from voiceops.model.wording import many
from voiceops.runtime.dashboard.asked import link
from voiceops.runtime.dashboard.charts import Column, Part, bar, columns
from voiceops.runtime.dashboard.figures import HOURS, Figures, Hour, Queued, ToolFigures
from voiceops.runtime.dashboard.frame import Frame, framed
from voiceops.runtime.dashboard.words import duration, moment, ms

_LATE = 60.0  # seconds after which a message that waits is worth a look

_OUTCOMES = (  # in this order in a bar: what was fine, what was nobody's fault, what was
    ("ok", "c-good"),
    ("repeated", "c-same"),
    ("misused", "c-warn"),
    ("timeout", "c-bad"),
    ("failed", "c-bad"),
    ("missing", "c-bad"),
    ("lost", "c-bad"),
)
_TOOL_COLOURS = (
    ("c-main", "half are faster (p50)"),
    ("c-more", "19 of 20 are faster (p95)"),
    ("c-good", "ok"),
    ("c-same", "repeated"),
    ("c-warn", "misused"),
    ("c-bad", "failed, too late, no handler, lost"),
)
_QUEUE_COLOURS = (("c-main", "waiting"), ("c-more", "in work"), ("c-bad", "dead"))


@dataclass(frozen=True, slots=True)
class _Tile:
    name: str
    value: str
    colour: str


@dataclass(frozen=True, slots=True)
class _Series:
    """What happened per hour; `marks` are some hours' labels below the chart."""

    name: str
    total: str
    top: str
    chart: Markup
    marks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _ToolRow:
    """A tool's times and outcomes, in words and drawn; a drawing is empty where there is nothing to draw."""

    name: str
    times: str
    latency: Markup
    ended: Markup
    outcomes: str


@dataclass(frozen=True, slots=True)
class _QueueRow:
    type: str
    said: str
    chart: Markup


@dataclass(frozen=True, slots=True)
class _CallRow:
    at: str
    took: str
    tool: str
    call: str


def runtime_page(
    frame: Frame,
    figures: Figures,
    outcomes: Mapping[str, Mapping[str, int]],
    *,
    tools: Sequence[str],
    draining: bool,
) -> str:
    """The page; `tools` are those that the manifests have, called or not."""
    return framed(
        frame,
        "runtime.html.j2",
        "Runtime",
        "/runtime",
        hours=HOURS,
        as_of=moment(figures.now),
        tiles=_tiles(draining, figures),
        traffic=_traffic(figures.hours),
        tools=_tools(tools, figures, outcomes),
        tool_colours=_TOOL_COLOURS,
        queue=_queue(figures.queue),
        queue_colours=_QUEUE_COLOURS,
        dead=any(item.dead for item in figures.queue),
        newest=[_call(call) for call in figures.newest],
        again=link(f"{frame.base}/runtime", refresh="" if frame.refresh else "60"),
    )


def _tiles(draining: bool, figures: Figures) -> list[_Tile]:
    waiting = sum(item.waiting for item in figures.queue)
    working = sum(item.working for item in figures.queue)
    dead = sum(item.dead for item in figures.queue)
    oldest = figures.oldest
    late = "warn" if oldest is not None and oldest > _LATE else "good"
    return [
        _Tile("runtime", "stopping" if draining else "ready", "warn" if draining else "good"),
        _Tile("waiting", f"{waiting:,}", late),
        _Tile("oldest waits for", "–" if oldest is None else duration(oldest), late),
        _Tile("in work", f"{working:,}", ""),
        _Tile("dead letters", f"{dead:,}", "bad" if dead else "good"),
    ]


def _traffic(hours: Sequence[Hour]) -> list[_Series]:
    labels = [time.strftime("%H:%M", time.gmtime(hour.start)) for hour in hours]
    return [
        _series("call", "calls", labels, [hour.calls for hour in hours]),
        _series("message", "messages", labels, [hour.messages for hour in hours]),
        _series("tool call", "tool calls", labels, [hour.tool_calls for hour in hours]),
    ]


def _series(one: str, many: str, labels: list[str], values: list[int]) -> _Series:
    total, top = sum(values), max(values)
    drawn = [
        Column(f"{label} UTC: {value:,} {one if value == 1 else many}", value)
        for label, value in zip(labels, values, strict=True)
    ]
    said = f"{many.capitalize()} per hour over {HOURS} hours: {total:,} in all, at most {top:,} in an hour"
    marks = (labels[0], labels[8], labels[16], labels[-1])
    return _Series(many.capitalize(), f"{total:,}", f"{top:,}", columns(said, drawn, top), marks)


def _tools(known: Sequence[str], figures: Figures, outcomes: Mapping[str, Mapping[str, int]]) -> list[_ToolRow]:
    names = sorted({*known, *figures.tools, *(name for name, counts in outcomes.items() if counts)})
    slowest = max((tool.p95 or 0.0 for tool in figures.tools.values()), default=0.0)
    return [_tool(name, figures.tools.get(name, ToolFigures()), outcomes.get(name, {}), slowest) for name in names]


def _tool(name: str, tool: ToolFigures, counts: Mapping[str, int], slowest: float) -> _ToolRow:
    times, latency = "no call", Markup()
    if tool.p50 is not None and tool.p95 is not None:
        times = f"{many(tool.calls, 'call')} · p50 {ms(tool.p50)} · p95 {ms(tool.p95)}"
        parts = [
            Part("c-main", tool.p50, f"p50 {ms(tool.p50)}"),
            Part("c-more", tool.p95 - tool.p50, f"p95 {ms(tool.p95)}"),
        ]
        latency = bar(f"{name}: {times}", parts, slowest)
    said = " · ".join(f"{counts[outcome]:,} {outcome}" for outcome, _ in _OUTCOMES if counts.get(outcome))
    parts = [
        Part(colour, counts.get(outcome, 0), f"{counts.get(outcome, 0):,} {outcome}") for outcome, colour in _OUTCOMES
    ]
    ended = bar(f"{name}: {said}", parts, sum(counts.values())) if said else Markup()
    return _ToolRow(name, times, latency, ended, said or "no outcome yet")


def _queue(queue: Sequence[Queued]) -> list[_QueueRow]:
    top = max((item.waiting + item.working + item.dead for item in queue), default=0)
    return [_queued(item, top) for item in queue]


def _queued(item: Queued, top: int) -> _QueueRow:
    said = f"{item.waiting:,} waiting · {item.working:,} in work · {item.dead:,} dead"
    if item.oldest is not None:
        said += f" · the oldest for {duration(item.oldest)}"
    parts = [
        Part("c-main", item.waiting, f"{item.waiting:,} waiting"),
        Part("c-more", item.working, f"{item.working:,} in work"),
        Part("c-bad", item.dead, f"{item.dead:,} dead"),
    ]
    return _QueueRow(item.type, said, bar(f"{item.type}: {said}", parts, top))


def _call(call: Mapping[str, Any]) -> _CallRow:
    took = "not ended" if call["ms"] is None else ms(call["ms"])
    return _CallRow(moment(call["at"])[5:], took, call["tool"], call["call"])
