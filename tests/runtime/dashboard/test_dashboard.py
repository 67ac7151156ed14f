"""The dashboard: right figures from both stores, one page that asks for nothing, and no text that acts as markup."""

from __future__ import annotations

import sqlite3
import xml.etree.ElementTree as ET
from contextlib import closing
from html.parser import HTMLParser
from itertools import count
from pathlib import Path

import pytest

from tests.runtime.places import place_of
from tests.runtime.runtime_bench import DASHBOARD, ORDER, Serving, serving, spec_of, tool
from tests.support.chromium import browser
from voiceops.runtime.dashboard.charts import Column, Part, bar, columns
from voiceops.runtime.dashboard.figures import Figures, Hour, Queued, ToolFigures, figures, outcomes
from voiceops.runtime.dashboard.frame import Frame
from voiceops.runtime.dashboard.runtime_page import runtime_page
from voiceops.runtime.dashboard.words import duration
from voiceops.runtime.observe.metrics import Metrics
from voiceops.runtime.store.backends import backend_of
from voiceops.runtime.store.records import DEAD, DONE, WAITING, ClaimRow, EventRow, ResultRow

NOW = 1_700_000_000.0  # 22:13:20 UTC
HOUR = int(NOW) // 3600 * 3600
HANDLERS = """
def ok(**given): return "fine"
def bad(**given): raise ValueError
@on_end_of_call
def ended(event): raise ValueError
"""
_VOID = {"meta", "br"}


class _Elements(HTMLParser):
    """Every element with its attributes, and a complaint about one that is not closed."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str]]] = []
        self.words: list[str] = []
        self._open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, {k: v or "" for k, v in attrs}))
        if tag not in _VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, {k: v or "" for k, v in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def _parsed(text: str) -> _Elements:
    parser = _Elements()
    parser.feed(text)
    parser.close()
    assert parser._open == []
    return parser


def _charts(text: str) -> dict[str, str]:
    """The drawings by name, each of them well-formed XML."""
    found = {}
    for piece in text.split("<svg ")[1:]:
        drawing = ET.fromstring("<svg " + piece.partition("</svg>")[0] + "</svg>")
        if name := drawing.get("aria-label"):
            found[name] = piece
    return found


_numbers = count()


def _event(at: float, call: str, type_: str = "status-update", state: int = DONE) -> EventRow:
    id_ = int(at * 1000) << 22 | next(_numbers)
    return EventRow(id_, f"{id_}".encode(), type_, call, float(at), 0.0, state, "", b"{}")


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_figures_of_known_traffic(kind: str, tmp_path: Path) -> None:
    place = place_of(kind, tmp_path)
    backend = backend_of(place)
    backend.open()
    try:
        assert figures(backend, place, NOW) == Figures(
            now=NOW, hours=tuple(Hour(HOUR - n * 3600) for n in range(23, -1, -1))
        )
        events = [
            _event(HOUR + 5, "a"),
            _event(HOUR - 1, "a"),  # the same call, begun in the hour before
            _event(HOUR - 0.001, "b"),
            _event(HOUR, "c"),
            _event(HOUR, ""),  # of no call
            _event(HOUR - 23 * 3600, "first"),
            _event(HOUR - 23 * 3600 - 1, "before"),
            _event(HOUR - 23 * 3600, "before"),
            _event(NOW - 90, "d", "end-of-call-report", WAITING),
            _event(NOW - 30, "d", "end-of-call-report", WAITING),
            _event(NOW - 9000, "e", "hang", DEAD),
        ]
        # Two of twenty take long: the 19th in order is the 95th percentile.
        claims = [ClaimRow(f"k{n}", backend.owner, "look", "c", float(HOUR + n)) for n in range(20)]
        claims.append(ClaimRow("running", backend.owner, "look", "only-tools", NOW - 1))
        claims.append(ClaimRow("old", backend.owner, "look", "c", NOW - 30 * 3600))
        claims.append(ClaimRow("twilio/1", backend.owner, "Phone/main", "CA1", NOW - 2))
        backend.write(claims, [], events, safe=False)
        results = [ResultRow("x", "", float(n + 1 if n < 18 else 500 + n), f"k{n}") for n in range(20)]
        backend.write(
            [], [*results, ResultRow("x", "", 9999.0, "old"), ResultRow("x", "", 1.0, "twilio/1")], [], safe=False
        )
        found = figures(backend, place, NOW)
    finally:
        backend.close()

    hours = {hour.start: hour for hour in found.hours}
    assert len(hours) == 24
    assert hours[HOUR] == Hour(HOUR, calls=3, messages=5, tool_calls=21)  # c, d, only-tools
    assert hours[HOUR - 3600] == Hour(HOUR - 3600, calls=2, messages=2)
    assert hours[HOUR - 3 * 3600] == Hour(HOUR - 3 * 3600, calls=1, messages=1)  # the dead one
    assert hours[HOUR - 23 * 3600] == Hour(HOUR - 23 * 3600, calls=1, messages=2)  # "before" is not begun in it
    assert found.tools == {"look": ToolFigures(20, 10.0, 518.0)}
    assert found.queue == (
        Queued("end-of-call-report", waiting=2, oldest=90.0),
        Queued("hang", dead=1),
    )
    assert found.oldest == 90.0
    newest = found.newest[:2]
    assert [(call["tool"], call["ms"]) for call in newest] == [("look", None), ("Phone/main", 1.0)]


def _dashboard(server: Serving) -> tuple[str, dict[str, str]]:
    got = server.get("/dashboard/runtime", DASHBOARD)
    assert got.status == 200
    return got.text, _charts(got.text)


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_traffic_is_on_the_page(kind: str, tmp_path: Path) -> None:
    script = "<script>alert(1)</script>"
    tools = [tool("lookupOrder", "h:ok", parameters=ORDER), tool("cancel", "h:bad"), tool(script, "h:ok")]
    tools.append(tool("never", "h:ok"))
    with serving(tmp_path, spec_of(*tools), HANDLERS, database=place_of(kind, tmp_path)) as server:
        for n in range(3):
            server.tool("lookupOrder", {"orderNumber": "12"}, call=f"call-{n}")
        server.tool("lookupOrder", {"orderNumber": 12}, call="call-0")
        server.tool("cancel", call="<img src=x>")
        server.tool(script, call="call-1")
        server.message(
            "transcript", call={"id": "call-1", "customer": {"number": "+14155550123"}}, transcript="my secret"
        )
        server.message("end-of-call-report", call={"id": "call-2"}, transcript="my secret")
        text, charts = _dashboard(server)

    assert "Calls per hour over 24 hours: 4 in all" in "".join(charts)
    assert "Messages per hour over 24 hours: 2 in all" in "".join(charts)
    assert "Tool calls per hour over 24 hours: 6 in all" in "".join(charts)
    assert "lookupOrder: 3 ok · 1 misused" in charts
    assert "cancel: 1 failed" in charts
    assert f"{script}: 1 ok" in charts
    assert any(name.startswith("lookupOrder: 4 calls · p50 ") for name in charts)
    assert any(name.startswith("end-of-call-report: ") for name in charts)
    assert "<b>never</b>" in text

    assert "<script" not in text
    assert "<img" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert "+1415" not in text
    assert "secret" not in text


def test_one_page_that_asks_for_nothing(tmp_path: Path) -> None:
    with serving(tmp_path, spec_of(tool("look", "h:ok")), HANDLERS) as server:
        server.tool("look")
        assert server.get("/dashboard/runtime").status == server.get("/dashboard/runtime", "wrong").status == 401
        got = server.get("/dashboard/runtime", DASHBOARD)
        policy = got.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; style-src 'sha256-")
        assert "unsafe" not in policy
        assert got.headers["cache-control"] == "no-store"
        parsed = _parsed(got.text)
        for tag, attributes in parsed.found:
            assert tag not in {"script", "link", "img", "iframe", "object", "use", "image"}
            assert not {"src", "style", "xlink:href"} & set(attributes)
            assert not any(name.startswith("on") for name in attributes)
        assert "http://" not in got.text
        assert "https://" not in got.text
        assert "url(" not in got.text
        assert "@import" not in got.text

        with browser(tmp_path / "chromium") as tab:
            tab.send("Network.setExtraHTTPHeaders", headers={"authorization": f"Bearer {DASHBOARD}"})
            for width in (360, 1200):
                tab.resize(width)
                tab.open(_Address(f"http://127.0.0.1:{server.port}/dashboard/runtime"))  # type: ignore[arg-type]
                assert tab.run("document.documentElement.scrollWidth <= innerWidth")
            assert tab.run("getComputedStyle(document.querySelector('svg.columns')).height") == "104px"
            ground = "getComputedStyle(document.body).backgroundColor"
            light = tab.run(ground)
            tab.dark()
            assert tab.run(ground) != light
            assert tab.logged == []  # the policy lets the page's own style sheet in
            assert set(tab.requested) == {f"http://127.0.0.1:{server.port}/dashboard/runtime"}


class _Address(str):
    def as_uri(self) -> str:
        return self


def test_a_store_that_fails_is_said(tmp_path: Path) -> None:
    with serving(tmp_path, spec_of()) as server:
        with closing(sqlite3.connect(tmp_path / "runtime.db", isolation_level=None)) as other:
            for table in ("claims", "events"):  # others in their place: who opens the store would make what is missing
                other.execute(f"ALTER TABLE {table} RENAME TO {table}_gone")
                other.execute(f"CREATE TABLE {table} (other TEXT)")
        for path in ("/dashboard", "/dashboard/queue", "/dashboard/runtime"):
            got = server.get(path, DASHBOARD)
            assert got.status == 503
            assert "The store does not answer in time" in got.text
            assert got.headers["content-type"] == "text/html; charset=utf-8"
        assert server.get("/healthz").status == 200


def test_a_page_of_anything_is_well_formed() -> None:
    wild = "</style><b>\"'&\x00\u202e{{ 7*7 }}{% for x in y %}{# gone #}"
    frame = Frame(base="dashboard", project=wild, environment=wild, about=wild)
    hours = tuple(Hour(HOUR - n * 3600, n, n * 10, n * 100) for n in range(24))
    queue = (Queued(wild, 1, 2, 3, 4000.0),)
    newest = ({"at": NOW, "call": wild, "tool": wild, "ms": None},)
    found = Figures(NOW, hours, {wild: ToolFigures(1, 0.0, 0.0)}, queue, newest)
    text = runtime_page(frame, found, {wild: {"ok": 1, "new": 2}}, tools=(wild,), draining=True)
    _parsed(text)
    assert wild not in text
    assert "&lt;b&gt;&quot;&#x27;&amp;\\u0000\\u202e{{ 7*7 }}{% for x in y %}{# gone #}" in text
    assert text.count("</style>") == 1
    assert "stopping" in text
    assert "67 min" in text


def test_drawings() -> None:
    drawn = columns("n", [Column("one", 1), Column("four", 4), Column("none", 0)], 4)
    heights = [r.get("height") for r in ET.fromstring(drawn).iter("rect") if r.get("class") == "c-main"]
    assert heights == ["25.00", "100.00", "0.00"]
    widths = [
        r.get("width")
        for r in ET.fromstring(bar("n", [Part("a", 1, ""), Part("b", 0, ""), Part("c", 3, "")], 8)).iter("rect")
    ]
    assert widths == ["1000", "125.00", "375.00"]
    assert "NaN" not in columns("n", [Column("none", 0)], 0) + bar("n", [Part("a", 1, "")], 0) + columns("n", [], 0)


def test_outcomes_are_those_of_all_workers() -> None:
    one, two = Metrics(), Metrics()
    one.counter("voiceops_tool_calls_total", tool="a", outcome="ok").add(2)
    two.counter("voiceops_tool_calls_total", tool="a", outcome="ok").add()
    two.counter("voiceops_tool_calls_total", tool="a", outcome="lost").add(0)
    two.counter("voiceops_messages_total", type="hang", outcome="stored").add()
    assert outcomes([one.snapshot(), two.snapshot()]) == {"a": {"ok": 3}}
    assert [duration(n) for n in (0, 119, 120, 7200, 200_000)] == ["0 s", "119 s", "2 min", "2 h", "2 d"]
