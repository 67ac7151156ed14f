"""The dashboard's pages: right figures on both stores, who may see them, and nothing in them that acts."""

from __future__ import annotations

import http.client
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from html import unescape
from pathlib import Path
from urllib.parse import quote, urlencode

import pytest

from tests.runtime.dashboard.test_dashboard import _Address, _charts, _parsed
from tests.runtime.places import place_of
from tests.runtime.runtime_bench import DASHBOARD, Got, Serving, serving, spec_of, tool, wait_for
from tests.support.chromium import browser
from voiceops.calls.record import CallRecord, Spoken, ToolUse
from voiceops.calls.store import CallStore
from voiceops.runtime.dashboard.asked import asked_for, time_of
from voiceops.runtime.dashboard.charts import ChartSpan, RevisionMark, history
from voiceops.runtime.store.backends import backend_of
from voiceops.runtime.store.records import DEAD, DONE, EventRow

WILD = "</style><script>alert(1)</script>\x00\x1b[31m\u202eevil{{ 7*7 }}&amp;'\""
PAGES = ("", "/calls", "/agents", "/lines", "/tools", "/queue", "/runtime")
HANDLERS = """
done = []
def ok(**given): return "fine"
@on_end_of_call
def ended(event): done.append(event)
"""


def a_call(number: int, **given: object) -> CallRecord:
    began = time.time() - 60.0 * number - 60
    base: dict[str, object] = {
        "id": f"call-{number:04}",
        "agent": "desk",
        "phone": "main",
        "assistant_version": "v7",
        "revision": 41,
        "direction": "inbound",
        "customer": "+14155550123",
        "started_at": began,
        "ended_at": began + 65,
        "status": "ended",
        "reason": "customer-ended-call",
        "cost": 0.25,
        "costs": {"model": 0.2, "voice": 0.05},
        "success": True,
        "turn_ms": (900.0, 2_500.0),
        "turns": (
            Spoken(role="caller", at=1.0, text="Where is my order?"),
            Spoken(role="agent", at=3.5, text="One moment.", ms=2_500.0),
        ),
        "tools": (ToolUse(id="t", name="lookup", at=2.0, ms=120.0, outcome="ok", arguments=("orderNumber",)),),
    }
    return CallRecord(**base | given)  # type: ignore[arg-type]


@contextmanager
def showing(folder: Path, *calls: CallRecord, kind: str = "sqlite", letters: int = 0) -> Iterator[Serving]:
    """A runtime whose store has these calls, and so many dead letters."""
    place = place_of(kind, folder)
    backend = backend_of(place, worker=False)
    backend.open()
    store = CallStore(backend)
    store.prepare()
    store.keep(calls)
    now = time.time()
    rows = [
        EventRow(
            int((now - n) * 1000) << 22 | n,
            f"letter-{n}".encode(),
            "end-of-call-report",
            f"call-{n:04}",
            now - n,
            0.0,
            DEAD,
            "",
            b'{"message":{"type":"end-of-call-report","call":{"id":"call-0001"}}}',
        )
        for n in range(letters)
    ]
    if rows:
        backend.write([], [], rows, safe=False)
    backend.close()
    with serving(folder, spec_of(tool("look", "h:ok")), HANDLERS, database=place) as server:
        yield server


def seen(server: Serving, path: str, status: int = 200) -> str:
    got = server.get(f"/dashboard{path}", DASHBOARD)
    assert got.status == status, got.text
    assert "unsafe" not in got.headers["content-security-policy"]
    _parsed(got.text.replace("<input", "<br").replace(" hidden>", ">"))
    return got.text


def words(text: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", text.partition("</style>")[2])).split())


def posted(server: Serving, path: str, fields: dict[str, str], **headers: str) -> Got:
    given = {
        "content-type": "application/x-www-form-urlencoded",
        **{k.replace("_", "-"): v for k, v in headers.items()},
    }
    return server.request("POST", f"/dashboard{path}", urlencode(fields).encode(), given)


def logged_in(server: Serving) -> str:
    got = posted(server, "/login", {"token": DASHBOARD, "to": "/calls?agent=desk"})
    assert (got.status, got.headers["location"]) == (303, "../dashboard/calls?agent=desk")
    return got.headers["set-cookie"]


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_pages_show_what_the_store_has(kind: str, tmp_path: Path) -> None:
    calls = [
        *(a_call(n) for n in range(1, 4)),
        a_call(4, agent="sales", phone="second", revision=42, assistant_version="v8", success=False),
        a_call(5, reason="pipeline-error-openai-llm-failed", success=None, customer="sip:ann@example.com"),
        a_call(6, tools=(ToolUse(id="x", name="book", ms=5000.0, outcome="timeout"),), transferred=True,
               transfer_to="+14155550177", interruptions=2,
               outputs={"order": {"number": 12}}, summary="About an order"),
        a_call(7, simulated=True, agent="played"),
    ]  # fmt: skip
    with showing(tmp_path, *calls, kind=kind) as server:
        text = seen(server, "")
        said = words(text)
        assert "Calls, 24 h 6 Failed 17 % Good, of those judged 80 %" in said
        assert "Calls over time: 6 calls, 1 failed" in _charts(text)
        assert "figure 24h 7d 30d calls 6 6 6 failed 1 (17 %) 1 (17 %) 1 (17 %)" in said
        assert "pipeline-error-openai-llm-failed" in said
        assert "played" not in said

        said = words(seen(server, "/agents"))
        assert "desk 5 1 (20 %) 100 % 1 1:05" in said
        assert "sales 1 0 0 % 0 1:05 1,700 ms" in said
        assert "second 1" in words(seen(server, "/lines"))

        said = words(seen(server, "/agent?name=desk"))
        assert "By version version calls" in said
        assert "v7 5 1 (20 %)" in said
        assert "41 5 1 (20 %)" in said
        assert "v8" not in said
        assert "lookup 4 0 120 ms" in said
        assert "customer-ended-call 4 80 %" in said
        assert "main 0" not in words(seen(server, "/line?name=second"))
        assert "v8 1 0" in words(seen(server, "/line?name=second&revision=42"))
        seen(server, "/agent", 404)
        assert "There were none." in words(seen(server, "/agent?name=nobody"))

        said = words(seen(server, "/tools"))
        assert "book 1 1 (100 %) 5,000 ms" in said
        assert "lookup desk 4 0 120 ms" in said
        assert "lookup second 1 0 120 ms" in said
        assert "tool ok timeout book 0 1 lookup 5 0" in said
        assert "5,000 ms timeout 1" in said
        assert "tool ok lookup 1" in words(seen(server, "/tools?phone=second"))

        assert "6 calls" in words(seen(server, "/calls"))
        assert "7 calls" in words(seen(server, "/calls?simulated=1"))
        for query, count in (
            ("agent=sales", "1 call "), ("failed=1", "1 call "), ("text=0123", "5 calls"), ("revision=r42", "1 call "),
            ("phone=main&since=24h", "5 calls"), ("until=24h", "0 calls"), ("version=v7", "5 calls"),
            ("text=%00", "0 calls"),
        ):  # fmt: skip
            assert count in words(seen(server, f"/calls?{query}")), query

        said = words(seen(server, "/call?id=call-0006"))
        for part in ("Lasted 1:05", "Agent desk", "Version v7", "Revision 41", "Line main", "Caller +14…23",
                     "Judged good",
                     "1,700 ms in the middle, 2,500 ms at most", "Interrupted by the caller twice",
                     "Transferred +14…77",
                     "0:01 caller Where is my order?", "0:04 agent waited 2,500 ms (slow) One moment.",
                     "tool took 5,000 ms (slow) book() – timeout", "model $0.200", 'order {"number":12}',
                     "About an order", "Cost $0.250"):  # fmt: skip
            assert part in said, part
        assert "lookup(orderNumber) – ok" in words(seen(server, "/call?id=call-0001"))
        everything = "".join(seen(server, path) for path in (*PAGES, "/call?id=call-0006", "/calls?simulated=1"))
        for hidden in ("4155550", "ann@"):
            assert hidden not in everything
        assert "/dashboard" not in re.sub(
            r'href="(\.\./)*dashboard', "", everything.replace('action="../dashboard', "")
        )


def test_paging_shows_each_call_once(tmp_path: Path) -> None:
    same = time.time() - 100
    with showing(tmp_path, *(a_call(n, started_at=same if n % 2 else same - n) for n in range(120))) as server:
        found: list[str] = []
        path = "/calls?agent=desk"
        while path:
            text = seen(server, path)
            assert "120 calls" in words(text)
            found += re.findall(r"call\?id=(call-\d+)", text)
            older = re.search(r'rel="next" href="\.\./dashboard([^"]+)"', text)
            path = unescape(older[1]) if older else ""
        assert len(found) == len(set(found)) == 120
        assert "before" in seen(server, "/calls?before=x")  # what makes no sense is left out


def test_filters_that_make_no_sense_are_said(tmp_path: Path) -> None:
    with showing(tmp_path, a_call(1)) as server:
        text = seen(server, "/calls?since=yesterday&revision=x", 400)
        assert "“since” is no time: write 24h, 7d" in words(text)
        assert "“revision” is a number" in words(text)
        assert 'value="yesterday"' in text
        assert 'role="alert"' in text
        for path in ("/agents", "/tools", "/agent?name=desk"):
            assert "is no time" in words(seen(server, f"{path}{'&' if '?' in path else '?'}until=x", 400))
    now = 1_700_000_000.0
    assert time_of("7d", now) == now - 7 * 86_400
    assert time_of("2023-11-01", now) == 1_698_796_800.0
    assert [time_of(text, now) for text in ("", "9" * 30, "-1d", "1x", "9999-01-01")] == [None] * 5
    asked = asked_for({"agent": "a b", "text": "x" * 999}, now, since="7d")
    assert asked.link("calls", since="").startswith("calls?agent=a+b&text=x")
    assert len(asked.fields["text"]) == 200


def test_hostile_texts_are_texts(tmp_path: Path) -> None:
    turns = tuple(Spoken(role="agent" if n % 2 else "caller", at=float(n), text=WILD, ms=1.0) for n in range(2_000))
    calls = [
        a_call(1, agent=WILD, phone=WILD, assistant_version=WILD, reason=WILD, evaluation=WILD, summary=WILD,
               turns=turns, outputs={WILD: WILD}, costs={WILD: 1.0}, transfer_to=WILD, direction=WILD, customer=WILD,
               tools=(ToolUse(id="1", name=WILD, outcome=WILD, arguments=(WILD,), ms=1.0),)),
        a_call(2, id=WILD, turns=(Spoken(role=WILD, text="long " * 40_000),)),
        a_call(3, id="../../x?y=<b>#", agent="ש" * 300),
    ]  # fmt: skip
    with showing(tmp_path, *calls) as server:
        started = time.process_time()
        paths = [*PAGES, "/call?id=call-0001", f"/call?id={quote(WILD)}", f"/agent?name={quote(WILD)}",
                 f"/line?name={quote(WILD)}", f"/calls?text={quote(WILD)}&agent={quote(WILD)}",
                 f"/{quote(WILD)}", f"/queue/replay?type={quote(WILD)}",
                 "/queue/replay?id=9999999999999999999"]  # fmt: skip
        for path in paths:
            got = server.get(f"/dashboard{path}", DASHBOARD)
            assert got.status in (200, 404), path
            assert got.text.count("</style>") == 1
            for acting in ("<script", "\x1b", "\u202e", "\x00", "7*7 }}&amp;'"):
                assert acting not in got.text, (path, acting)
        assert time.process_time() - started < 20
        text = seen(server, "/call?id=call-0001")
        assert text.count('<p class="said">') >= 2_000
        text = seen(server, f"/call?id={quote('../../x?y=<b>#')}")
        assert "x?y=&lt;b&gt;#" in text


def test_a_stranger_sees_the_login_and_nothing_else(tmp_path: Path) -> None:
    with showing(tmp_path, a_call(1)) as server:
        for path in (*PAGES, "/call?id=call-0001", "/nothing", "/login"):
            got = server.get(f"/dashboard{path}")
            assert got.status == 401
            assert 'type="password"' in got.text
            assert "Basic" not in got.headers["www-authenticate"]
            for inside in ("shop", "desk", "voiceops 0", "Overview"):
                assert inside not in words(got.text)
        assert 'value="/call?id=call-0001"' in server.get("/dashboard/call?id=call-0001").text
        for path in ("/login", "/logout", "/queue/replay"):
            assert posted(server, path, {"token": "wrong"}).status == 401
        assert "That is not the token." in posted(server, "/login", {"token": "wrong"}).text
        assert "Not found" in words(seen(server, "/nothing", 404))
        seen(server, "/call?id=nothing", 404)


def test_a_session(tmp_path: Path) -> None:
    with showing(tmp_path, a_call(1)) as server:
        cookie = logged_in(server)
        for part in ("HttpOnly", "SameSite=strict", "Max-Age=43200"):
            assert part in cookie
        assert DASHBOARD not in cookie
        session = cookie.partition(";")[0]
        assert server.request("GET", "/dashboard/calls", headers={"cookie": session}).status == 200
        value = session.partition("=")[2]
        late = f"{int(time.time()) - 5}{value[value.index('.') :]}"
        for wrong in ("", "x", value[:-1], value[:-1] + "g", "9" + value, late, "ä", "1.2.3", value.replace(".", "..")):
            got = server.request(
                "GET", "/dashboard", headers={"cookie": f"voiceops-session={wrong}".encode().decode("latin-1")}
            )
            assert got.status == 401, wrong
        public = server.request(
            "POST", "/dashboard/login", f"token={DASHBOARD}".encode(), {"host": "voice.example.com"}
        )
        assert "Secure" in public.headers["set-cookie"]
        for to in ("//evil.example", "https://evil.example", "/calls\\@evil", "/../x", "/calls?a=\r\nset-cookie: x"):
            got = posted(server, "/login", {"token": DASHBOARD, "to": to})
            assert got.headers["location"] == "../dashboard"
        assert (
            server.request("GET", "/dashboard/login", headers={"cookie": session}).headers["location"] == "../dashboard"
        )
    with serving(tmp_path, spec_of(), dashboard_token="another", database=str(tmp_path / "runtime.db")) as server:
        assert server.request("GET", "/dashboard", headers={"cookie": session}).status == 401, "another token ends it"
    with serving(tmp_path, spec_of(), dashboard_token="") as server:
        assert posted(server, "/login", {"token": ""}).status == 404
        assert server.request("GET", "/dashboard/calls", headers={"cookie": session}).status == 404


def test_guessing_at_the_form_ends_soon(tmp_path: Path) -> None:
    with showing(tmp_path) as server:
        statuses = [posted(server, "/login", {"token": f"guess-{n}"}).status for n in range(12)]
        assert statuses == [401] * 10 + [429] * 2
        got = posted(server, "/login", {"token": DASHBOARD})
        assert got.status == 429
        assert "Too many attempts" in got.text


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_dead_letters_run_again(kind: str, tmp_path: Path) -> None:
    with showing(tmp_path, a_call(1), kind=kind, letters=3) as server:
        session = logged_in(server).partition(";")[0]

        def page(path: str) -> Got:
            return server.request("GET", f"/dashboard{path}", headers={"cookie": session})

        text = page("/queue").text
        assert "end-of-call-report 0 – 0 3" in words(text)
        ids = re.findall(r"replay\?id=(\d+)", text)
        assert len(ids) == 3
        asks = page(f"/queue/replay?id={ids[0]}")
        assert "1 dead letter would go to its handler once more" in words(asks.text)
        found = re.search(r'name="proof" value="([0-9a-f]{64})"', asks.text)
        assert found is not None
        proof = found[1]

        assert posted(server, "/queue/replay", {"id": ids[0], "proof": proof}).status == 401
        for fields, headers in (
            ({"id": ids[0]}, {}),
            ({"id": ids[0], "proof": "0" * 64}, {}),
            ({"id": ids[0], "proof": "ä"}, {}),
            ({"id": ids[0], "proof": proof}, {"sec-fetch-site": "cross-site"}),
        ):
            got = posted(server, "/queue/replay", fields, cookie=session, **headers)
            assert got.status == 403
            assert "not sent from a page of your session" in got.text
        other = logged_in(server).partition(";")[0]
        assert posted(server, "/queue/replay", {"id": ids[0], "proof": proof}, cookie=other).status == 403
        assert len(re.findall(r"replay\?id=(\d+)", page("/queue").text)) == 3

        got = posted(server, "/queue/replay", {"id": ids[0], "proof": proof}, cookie=session)
        assert (got.status, got.headers["location"]) == (303, "../../dashboard/queue?done=1")
        assert "1 dead letter will run again." in words(page("/queue?done=1").text)
        assert page(f"/queue/replay?id={ids[0]}").status == 404
        got = posted(server, "/queue/replay", {"type": "end-of-call-report", "proof": proof}, cookie=session)
        assert got.headers["location"].endswith("done=2")

        def done() -> bool:
            backend = backend_of(server.parts.settings.database, worker=False)
            backend.open()
            try:
                return len(backend.find(state=DONE, type_="end-of-call-report", limit=9)) == 3
            finally:
                backend.close()

        wait_for(done)
        got = posted(server, "/logout", {"proof": proof}, cookie=session)
        assert (got.status, got.headers["location"]) == (303, "../dashboard")
        assert "Max-Age=0" in got.headers["set-cookie"]


def test_a_page_is_no_reason_to_wait_for_a_tool(tmp_path: Path) -> None:
    with showing(tmp_path, a_call(1)) as server:

        def slow(reading: object) -> None:
            time.sleep(5)

        server.served.board._thread.submit(slow, None)
        connection = http.client.HTTPConnection("127.0.0.1", server.port)
        connection.request("GET", "/dashboard/calls", headers={"authorization": f"Bearer {DASHBOARD}"})
        started = time.monotonic()
        assert server.tool("look")["result"] == "fine"
        assert time.monotonic() - started < 4
        assert connection.getresponse().status == 200
        connection.close()


def test_charts_mark_revisions() -> None:
    spans = [ChartSpan(f"Nov {n}", n * 10, n, None if n == 2 else 0.5) for n in range(1, 31)]
    drawn = history("n", spans, [RevisionMark(1.5, "r41", "revision 41"), RevisionMark(1.6, "r42", "<b>")], 350)
    assert drawn.count('class="mark"') == 2
    assert drawn.count('class="mark-name"') == 1, "names that would meet are left out"
    assert "<b>" not in drawn
    assert drawn.count("<circle") == 29
    assert "NaN" not in history("none", [], [], 350) + history("zero", [ChartSpan("a", 0, 0, None)], [], 350)


def test_in_a_real_browser(tmp_path: Path) -> None:
    """Logged out and in, narrow and wide, light and dark, without scripts, by keyboard."""
    calls = [a_call(n) for n in range(60)]
    calls.append(a_call(61, agent="a-rather-long-name-of-an-agent" * 2, reason="x" * 150, id="i" * 180))
    with showing(tmp_path, *calls, letters=2) as server, browser(tmp_path / "chromium") as tab:
        base = f"http://127.0.0.1:{server.port}/dashboard"

        def go(path: str, *, scripts: bool = False) -> None:
            tab.open(_Address(base + path), scripts=scripts)  # type: ignore[arg-type]

        go("/calls?agent=desk", scripts=True)
        assert tab.run("document.activeElement !== null && document.querySelector('[type=password]') !== null")
        tab.run(f"document.querySelector('[type=password]').value = '{DASHBOARD}'")
        tab.run("document.querySelector('form').submit()")
        wait_for(lambda: tab.run("location.pathname + location.search") == "/dashboard/calls?agent=desk")
        tab.logged.clear()
        tab.send("Emulation.setScriptExecutionDisabled", value=True)
        grounds = set()
        paths = [
            *PAGES,
            "/call?id=call-0001",
            f"/call?id={'i' * 180}",
            "/agent?name=desk",
            "/queue/replay?type=end-of-call-report",
        ]
        for mode in ("light", "dark"):
            tab.send("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": mode}])
            for width in (390, 1200):
                tab.resize(width)
                for path in paths:
                    go(path)
                    assert tab.run("document.documentElement.scrollWidth") <= width, (path, width)
                    assert tab.run("document.querySelectorAll('h1').length") == 1
                    assert tab.run("[...document.querySelectorAll('input:not([type=hidden]):not([hidden])')]"
                                   ".every(one => one.labels.length == 1)")  # fmt: skip
                    assert tab.run("[...document.querySelectorAll('th')].every(one => one.scope)")
                    grounds.add(tab.run("getComputedStyle(document.body).backgroundColor"))
                    assert tab.run(_CONTRAST) == [], (path, mode)
        assert len(grounds) == 2
        go("")
        tab.press("Tab")
        assert tab.run("document.activeElement.textContent") == "Skip to the content"
        assert tab.run("getComputedStyle(document.activeElement).outlineStyle") == "solid"
        assert tab.run("document.activeElement.getBoundingClientRect().left") >= 0
        assert tab.logged == []
        assert all(address.startswith(base) for address in tab.requested)


# The words on a page that stand out from their ground by less than 4.5 to 1.
_CONTRAST = """(() => {
  const parts = text => (text.match(/[\\d.]+/g) || []).map(Number);
  const light = text => { const [r, g, b] = parts(text).map(v => v / 255)
    .map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const ground = one => { for (; one; one = one.parentElement) { const found = getComputedStyle(one).backgroundColor;
    if (parts(found)[3] !== 0) return found; } return "rgb(255, 255, 255)"; };
  const bad = [];
  for (const one of document.querySelectorAll("main *, header *, footer *")) {
    if (![...one.childNodes].some(node => node.nodeType == 3 && node.textContent.trim())) continue;
    if (!one.getClientRects().length) continue;
    const style = getComputedStyle(one);
    const text = one instanceof SVGElement ? style.fill : style.color;
    const [a, b] = [light(text), light(ground(one))].sort((x, y) => y - x);
    if ((a + 0.05) / (b + 0.05) < 4.5) bad.push(one.tagName + " " + one.textContent.slice(0, 30));
  }
  return bad;
})()"""
