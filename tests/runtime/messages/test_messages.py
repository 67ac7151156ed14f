"""All other messages: stored before the 200, worked on after it, and none lost."""

from __future__ import annotations

import json
import time
from pathlib import Path

from tests.runtime.runtime_bench import DASHBOARD, ORDER, AgentSpec, LineSpec, serving, spec_of, tool, wait_for
from voiceops.runtime.messages.event_worker import Retries
from voiceops.runtime.messages.redaction import redacted
from voiceops.runtime.store.records import DEAD, DONE
from voiceops.runtime.store.sqlite import SqliteBackend

TYPES = [
    "end-of-call-report",
    "status-update",
    "conversation-update",
    "transcript",
    "speech-update",
    "model-output",
    "user-interrupted",
    "hang",
    "transfer-update",
    "language-change-detected",
    "voice-input",
    "assistant.started",
    "assistant.speechStarted",
    "chat.created",
    "session.updated",
    "call.deleted",
    "call.artifact.upload",
    "phone-call-control",
    "something-new",
]

EVENTS = """
from pathlib import Path
OUT = Path(__file__).with_suffix(".seen")

@on_end_of_call
async def ended(call, event):
    with OUT.open("a") as file: file.write(f"ended {event.message['endedReason']} {event.attempt} {call.id}\\n")

@on_status
def status(event):
    with OUT.open("a") as file: file.write(f"status {event.message['status']} {event.attempt}\\n")
    if event.message["status"] == "broken": raise ValueError("private")
    if event.message["status"] == "flaky" and event.attempt < 3: raise ValueError("private")

@on("user-interrupted", "transcript")
def acted(event):
    with OUT.open("a") as file: file.write(f"acted {event.type} {event.message.get('n')}\\n")
"""


def seen(folder: Path) -> list[str]:
    return [line for path in folder.rglob("*.seen") for line in path.read_text().splitlines()]


def test_every_type_is_stored_before_its_answer(tmp_path: Path) -> None:
    with serving(tmp_path, spec_of()) as server:
        for kind in TYPES:
            assert server.message(kind, timestamp=time.time() * 1000).status == 200
            store = SqliteBackend(tmp_path / "runtime.db", worker=False)
            store.open()
            (found,) = store.find(state=None, type_=kind, limit=10)
            stored = store.get(found.id)
            store.close()
            assert stored is not None
            assert json.loads(stored.body)["message"]["type"] == kind
        assert server.message('transcript[transcriptType="final"]').status == 200
        text = server.get("/metrics").text
        assert 'voiceops_messages_total{outcome="stored",type="(other)"} 1' in text
        assert "something-new" not in text


def test_what_is_no_message_is_refused_and_harmless(tmp_path: Path) -> None:
    with serving(tmp_path, spec_of()) as server:
        for body in (b"", b"{", b"[]", b'"x"', b'{"message":5}', b'{"message":{}}', b'{"message":{"type":5}}', b"\xff"):
            assert server.raw(body).status == 400, body
        assert server.raw(b"[" * 100_000).status == 400
        for body in (
            b'{"message":{"type":"x","timestamp":1e400}}',
            b'{"message":{"type":"\\ud800","call":{"id":"\\ud800\\u0000"}}}',
            b'{"message":{"type":"status-update","call":5,"timestamp":"soon","customer":[]}}',
        ):
            assert server.raw(body).status == 200, body


def test_a_delivery_that_is_repeated_is_kept_once(tmp_path: Path) -> None:
    with serving(tmp_path, spec_of(), EVENTS) as server:
        now = time.time() * 1000
        for url in ("a", "b"):  # a report's links differ from delivery to delivery
            got = server.message("end-of-call-report", timestamp=now, endedReason="done", artifact={"url": url})
            assert got.status == 200
        server.message("end-of-call-report", timestamp=now, endedReason="done", call={"id": "call-2"})
        wait_for(lambda: len(seen(tmp_path)) >= 2)
        time.sleep(0.2)
        assert sorted(seen(tmp_path)) == ["ended done 1 call-1", "ended done 1 call-2"]


def test_handlers_are_tried_again_and_then_the_message_is_dead(tmp_path: Path) -> None:
    with serving(tmp_path, spec_of(), EVENTS, retries=Retries(attempts=3, pauses=(0.05,))) as server:
        for status in ("broken", "flaky", "fine"):
            assert server.message("status-update", status=status).status == 200
        wait_for(lambda: sum(line.startswith("status broken") for line in seen(tmp_path)) == 3)
        wait_for(lambda: "status flaky 3" in seen(tmp_path))
        store = SqliteBackend(tmp_path / "runtime.db", worker=False)
        store.open()
        wait_for(lambda: store.stats().dead == 1 and store.stats().waiting == 0 and store.stats().working == 0)
        (dead,) = store.find(state=DEAD, type_="", limit=10)
        assert dead.error.endswith("failed (ValueError at " + dead.error.partition(" at ")[2])
        assert "private" not in dead.error
        assert len(store.find(state=DONE, type_="status-update", limit=10)) == 2
        assert store.replay([dead.id]) == 1
        wait_for(lambda: sum(line == "status broken 1" for line in seen(tmp_path)) == 2)
        store.close()


def test_stale_interruptions_and_partial_transcripts_are_not_acted_on(tmp_path: Path) -> None:
    with serving(tmp_path, spec_of(), EVENTS) as server:
        now = time.time() * 1000
        server.message("user-interrupted", timestamp=now - 2_500, n="late")
        server.message("user-interrupted", timestamp=now, n="fresh")
        server.message("transcript", transcriptType="partial", n="partial")
        server.message("transcript", transcriptType="final", n="final")
        wait_for(lambda: len(seen(tmp_path)) >= 2)
        time.sleep(0.2)
        assert sorted(seen(tmp_path)) == ["acted transcript final", "acted user-interrupted fresh"]
        assert 'voiceops_messages_total{outcome="stale",type="user-interrupted"} 1' in server.get("/metrics").text


def test_what_waits_is_worked_on_after_a_restart(tmp_path: Path) -> None:
    with serving(tmp_path, spec_of(), "@on_status\ndef later(event): raise OSError\n") as server:
        server.message("status-update", status="fine")
    with serving(tmp_path, spec_of(), EVENTS):
        store = SqliteBackend(tmp_path / "runtime.db", worker=False)
        store.open()
        store.replay([event.id for event in store.find(state=None, type_="", limit=10)])
        store.close()
        wait_for(lambda: any(line.startswith("status fine") for line in seen(tmp_path)))


ANSWERS = """
def route(call): return {"agent": "sales", "variables": {"who": call.customer}}
def nobody(call): raise ValueError
def raw(call): return {"assistant": {"firstMessage": "hi"}}
async def where(call): return "+14155550777"
async def hand(call, topic): return "sales" if topic == "buy" else {"type": "assistant", "assistantId": "x"}
def facts(call, query, messages): return [f"about {query}", {"content": "more", "similarity": 0.5}]
@answers("call.endpointing.request")
def pause(call): return 0.3
@answers("campaign.predial")
def eligible(call): return True
"""


def test_the_messages_that_vapi_waits_for(tmp_path: Path) -> None:
    lines = tuple(
        LineSpec(address=f"Phone/{name}", path=name, number=number, handler=handler, target=target, fallback=fallback)
        for name, number, handler, target, fallback in (
            ("a", "+1", "h:route", None, None),
            ("b", "+2", "h:nobody", None, {"type": "number", "number": "+9"}),
            ("c", "+3", "h:raw", None, None),
            ("d", "+4", None, "Squad/team", None),
            ("e", "+5", None, None, None),
        )
    )
    spec = spec_of(
        tool("transfer", "h:where", type="transferCall"),
        tool("hand", "h:hand", type="handoff", parameters=ORDER),
        lines=lines,
        agents=(
            AgentSpec(address="Agent/sales", name="sales (dev)", handler="h:facts"),
            AgentSpec(address="Squad/team", name="team (dev)"),
        ),
    )
    known = {"Agent/sales": "id-sales", "Squad/team": "id-team"}
    with serving(tmp_path, spec, ANSWERS, known=known) as server:

        def asked(number: str) -> object:
            return server.message(
                "assistant-request", phoneNumber={"number": number}, customer={"number": "+7"}, n=number
            ).data

        assert asked("+1") == {"assistantId": "id-sales", "assistantOverrides": {"variableValues": {"who": "+7"}}}
        assert asked("+2") == {"destination": {"type": "number", "number": "+9"}}
        assert asked("+3") == {"assistant": {"firstMessage": "hi"}}
        assert asked("+4") == {"squadId": "id-team"}
        assert "error" in asked("+5")  # type: ignore[operator]
        assert server.message("transfer-destination-request").data == {
            "destination": {"type": "number", "number": "+14155550777"}
        }
        assert server.message("handoff-destination-request", parameters={"topic": "buy"}).data == {
            "destination": {"type": "assistant", "assistantId": "id-sales"}
        }
        messages = [{"role": "user", "content": "old"}, {"role": "user", "content": "hours"}]
        assert server.message("knowledge-base-request", messages=messages).data == {
            "documents": [{"content": "about hours", "similarity": 1.0}, {"content": "more", "similarity": 0.5}]
        }
        assert server.message("call.endpointing.request").data == {"timeoutSeconds": 0.3}
        assert server.message("campaign.predial").data == {"eligible": True}


def test_health_readiness_and_the_dashboard(tmp_path: Path) -> None:
    lookup = tool("lookupOrder", None, parameters=ORDER)
    with serving(tmp_path, spec_of(lookup)) as server:
        assert server.get("/healthz").data == {"status": "ok"}
        assert server.get("/readyz").data == {"status": "ready"}
        assert server.get("/readyz", "wrong").data == {"status": "ready"}
        ready = server.get("/readyz", DASHBOARD).data
        assert ready["environment"] == "test"
        assert ready["revision"] is None
        assert [(t["name"], t["schema"]) for t in ready["tools"]] == [("lookupOrder", lookup.schema_hash)]
        assert server.get("/dashboard").status == server.get("/dashboard", "wrong").status == 401
        server.tool("lookupOrder", {"orderNumber": "<b>1"}, call="<i>call")
        page = server.get("/dashboard/runtime", DASHBOARD)
        assert page.status == 200
        assert "&lt;i&gt;call" in page.text
    with serving(tmp_path, spec_of(), dashboard_token="") as server:
        assert server.get("/dashboard", DASHBOARD).status == 404
        assert server.get("/readyz", "").data == server.get("/readyz", DASHBOARD).data == {"status": "ready"}


def test_stored_messages_lose_what_the_rules_name(tmp_path: Path) -> None:
    body = json.dumps(
        {
            "message": {
                "type": "end-of-call-report",
                "artifact": {
                    "transcript": "x",
                    "messages": [1],
                    "recordingUrl": "u",
                    "stereoRecordingUrl": "u",
                    "n": 1,
                },
            }
        }
    ).encode()
    artifact = json.loads(redacted("end-of-call-report", body, ("transcripts", "recordings")))["message"]["artifact"]
    assert artifact == {
        "transcript": "(redacted)",
        "messages": "(redacted)",
        "recordingUrl": "(redacted)",
        "stereoRecordingUrl": "(redacted)",
        "n": 1,
    }
    with serving(tmp_path, spec_of(), redact=("transcripts",)) as server:
        server.raw(body)
        store = SqliteBackend(tmp_path / "runtime.db", worker=False)
        store.open()
        (found,) = store.find(state=None, type_="", limit=1)
        stored = store.get(found.id)
        store.close()
        assert stored is not None
        assert b'"transcript":"(redacted)"' in stored.body
