"""`test --replay` against the sandbox: what changed is found at its turn, nothing runs, and nothing is left behind."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as xml

import pytest

from tests.support.bench import Bench, bench
from tests.support.faults import FAULTS
from tests.support.quick import quick
from tests.support.waiting import wait_until
from voiceops.render.fitting import columns

AGENT = """
kind: Agent
name: desk
spec:
  firstMessage: Hello, this is the shop.
  model:
    provider: openai
    model: gpt-4o
    systemPrompt: PROMPT
    tools: [lookup-order, {type: endCall}]
  server: {url: "http://127.0.0.1:9/vapi"}
---
kind: Tool
name: lookup-order
spec:
  type: function
  function:
    name: lookupOrder
    description: Finds an order by its number.
    parameters: {type: object, properties: {orderNumber: {type: string}}, required: [orderNumber]}
  server: {url: "http://127.0.0.1:9/tools"}
"""
PROMPT = "Look orders up with lookupOrder. We are open from nine to six."
WITHOUT = "A colleague calls back about an order. Never use lookupOrder. We are open from nine to six."
CALLS = 8


def manifests(made: Bench, prompt: str) -> None:
    made.write("agents/desk.yaml", AGENT.replace("PROMPT", prompt))


def messages(number: int) -> list[dict[str, Any]]:
    tool = {"name": "lookupOrder", "arguments": json.dumps({"orderNumber": str(number)})}
    return [
        {"role": "bot", "message": "Hello, this is the shop.", "secondsFromStart": 1},
        {"role": "user", "message": "When are you open?", "secondsFromStart": 3},
        {"role": "bot", "message": "We are open from nine to six.", "secondsFromStart": 5},
        {"role": "user", "message": f"Where is my order {number}?", "secondsFromStart": 8},
        {"role": "tool_calls", "secondsFromStart": 10, "toolCalls": [{"id": "t1", "function": tool}]},
        {
            "role": "tool_call_result",
            "toolCallId": "t1",
            "name": "lookupOrder",
            "result": f"Order {number} comes on Monday.",
            "secondsFromStart": 11,
        },
        {"role": "bot", "message": f"Order {number} comes on Monday.", "secondsFromStart": 12},
        {"role": "user", "message": "Thank you very much.", "secondsFromStart": 15},
    ]


def call(made: Bench, n: int, **more: Any) -> dict[str, Any]:
    """A call of the desk's, as Vapi has it."""
    return made.control.create(
        "/call",
        {
            "id": str(uuid.UUID(int=(n + 1) << 96)),
            "type": "inboundPhoneCall",
            "customer": {"number": f"+1415867530{n}"},
            "status": "ended",
            "createdAt": f"2026-11-28T1{n}:00:00.000Z",
            "startedAt": f"2026-11-28T1{n}:00:01.000Z",
            "endedAt": f"2026-11-28T1{n}:01:00.000Z",
            "endedReason": "customer-ended-call",
            "assistantId": made.id_of("Agent/desk"),
            "artifact": {"messages": messages(1000 + n)},
        }
        | more,
    )


def project(made: Bench) -> None:
    manifests(made, PROMPT)
    made.apply()
    for n in range(CALLS):
        call(made, n)
    made.run("calls", "sync")


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    with quick(), bench(tmp_path_factory.mktemp("replay")) as made:
        project(made)
        yield made


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[Bench]:
    """The same for one test, which changes it."""
    with quick(), bench(tmp_path) as made:
        project(made)
        yield made
        assert made.control.objects("/chat") == []


@pytest.fixture(autouse=True)
def clean(desk: Bench) -> Iterator[None]:
    desk.control.reset_requests()
    yield
    desk.control.clear_faults()
    desk.control.switches(payment="ok")
    assert desk.control.objects("/chat") == []  # whatever happened: nothing of what callers said stays there


def test_an_equal_agent_ends_every_call_as_it_ended(desk: Bench) -> None:
    ran = desk.run("test", "--replay")
    assert "8 calls would have ended as they did" in ran.out
    assert "0 of 8 calls would have ended otherwise" in ran.out
    assert "8 calls to replay: about 24 chats" in ran.err
    asked = [request for request in desk.control.requests() if request["path"] == "/chat"]
    assert len(asked) == CALLS * 3  # the last words of the caller have no answer on record
    assert "127.0.0.1:9" not in json.dumps(asked)


def test_a_seeded_change_is_found_at_its_turn(alone: Bench) -> None:
    manifests(alone, WITHOUT)
    alone.apply()
    ran = alone.run("test", "--replay", "--n", "2", code=1)
    assert ran.out.startswith(
        "✗ 00000008-0000-0000-0000-000000000000 · Agent/desk · 2026-11-28 17:00:01\n"
        "    turn 2: does not call lookupOrder\n"
        "    the agent: agents/desk.yaml:2:1\n"
        "    caller: Where is my order 1007?\n"
        "    was                                  │ is\n"
        '    lookupOrder({"orderNumber": "1007"}) │ A colleague calls back about an\n'
        "      → Order 1007 comes on Monday.      │ order.\n"
        "    Order 1007 comes on Monday.          │\n"
        "\n✗ "
    )
    assert ran.out.count("turn 2: does not call lookupOrder") == 2
    assert "2 of 2 calls would have ended otherwise" in ran.out
    one = alone.run("test", "--replay", "00000003", "--format", "json", "--repeat", "2", code=1).data
    assert [result["name"][:8] for result in one["results"]] == ["00000003"]
    assert [attempt["reason"] for attempt in one["results"][0]["attempts"]] == ["turn 2: does not call lookupOrder"] * 2
    assert "1002" not in json.dumps(one["results"])  # a report of tests says nothing of what callers said
    assert one["replay"]["calls"][0]["first"]["is"]["said"] == "A colleague calls back about an order."


@pytest.mark.parametrize("fault", FAULTS)
def test_one_answer_goes_wrong(desk: Bench, fault: str) -> None:
    desk.control.fault(method="POST", path="^/chat$", nth=[3], **FAULTS[fault])
    ran = desk.run("test", "--replay", "--n", "2")
    assert "2 calls would have ended as they did" in ran.out
    assert "left" not in ran.err


def test_every_answer_goes_wrong(desk: Bench) -> None:
    desk.control.fault("status", status=500, method="POST", path="^/chat$")
    ran = desk.run("test", "--replay", "--n", "2", code=3)
    assert ran.out.count("could not be replayed: Vapi answered 500") == 2


def test_who_has_not_paid_is_told_once(desk: Bench) -> None:
    desk.control.switches(payment="insufficient_credits")
    ran = desk.run("test", "--replay", code=3)
    assert ran.out.count("could not be replayed: Vapi answered 402") == CALLS
    assert len([r for r in desk.control.requests() if r["path"] == "/chat"]) <= 4  # those that were under way


def test_a_chat_that_can_not_be_deleted_is_said(desk: Bench) -> None:
    id_ = desk.control.fault("status", status=403, method="DELETE", path="^/chat/", times=1)
    ran = desk.run("test", "--replay", "--n", "1")
    assert "chats whose names begin with 'voiceops-replay " in ran.err
    desk.control.clear_faults(id_)
    (left,) = desk.control.objects("/chat")
    desk.control.delete(left["id"])


def test_an_agent_that_hangs_up_and_one_that_speaks_in_wide_characters(alone: Bench) -> None:
    said = [
        {"role": "user", "message": "When are you open?", "secondsFromStart": 3},
        {"role": "bot", "message": "We are open from nine to six.", "secondsFromStart": 5},
        {"role": "user", "message": f"Goodbye. {'再見' * 50}", "secondsFromStart": 8},
        {"role": "tool_calls", "secondsFromStart": 9, "toolCalls": [{"id": "e", "function": {"name": "endCall"}}]},
    ]
    id_ = call(alone, 9, artifact={"messages": said}, endedReason="assistant-ended-call")["id"]
    alone.run("calls", "sync")
    assert "0 of 1 call would have ended otherwise" in alone.run("test", "--replay", id_).out
    alone.edit("agents/desk.yaml", ", {type: endCall}", "")
    alone.apply()
    ran = alone.run("test", "--replay", id_, code=1)
    assert "turn 2: does not call endCall" in ran.out
    assert all(columns(line) <= 80 for line in ran.out.splitlines())


def test_a_budget_ends_it(desk: Bench) -> None:
    ran = desk.run("test", "--replay", "--budget", "0.0001", code=3)
    assert "could not be replayed: the time was over" in ran.out
    assert "no call was replayed to its end" in ran.out


def test_ctrl_c_deletes_the_chats(desk: Bench) -> None:
    desk.control.fault("hang", seconds=4, when="before", method="POST", path="^/chat$", nth=[6, 7, 8, 9])
    running = subprocess.Popen(
        [sys.executable, "-m", "voiceops", "-C", str(desk.folder), "test", "--replay"],
        env=desk.environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    wait_until(lambda: sum(fault["fired"] for fault in desk.control.faults()) >= 1)
    running.send_signal(signal.SIGINT)
    _, err = running.communicate(timeout=60)
    assert running.returncode == 1
    assert "topped" in err
    assert "Traceback" not in err


def test_what_is_dear_needs_a_word(desk: Bench) -> None:
    ran = desk.run("test", "--replay", "--repeat", "20", code=1)
    assert "nothing was sent" in ran.err
    assert "--yes" in ran.err
    assert desk.control.requests(path="/chat") == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--replay", "--record"), "give one of them"),
        (("--since", "7d"), "give it with --replay or --record"),
        (("--into", "x"), "give it with --replay or --record"),
        (("--n", "3"), "--n is about real calls"),
        (("--replay", "--into", "x"), "--into says nothing about calls that are replayed"),
        (("--replay", "--kind", "eval"), "--kind says nothing about calls that are replayed"),
        (("--replay", "--changed"), "--changed says nothing about calls that are replayed"),
        (("--replay", "00000003", "--agent", "desk"), "--agent chooses among calls"),
        (("--record", "00000003", "--since", "7d"), "--since chooses among calls"),
        (("--record", "--budget", "3"), "--budget says nothing about calls that are recorded"),
        (("--record", "--yes"), "--yes says nothing about calls that are recorded"),
        (("--record", "--format", "junit"), "--record has text and json"),
        (("--replay", "ffff"), "there is no call ffff"),
        (("--replay", "0000000"), "several calls have an id that begins with 0000000"),
        (("--replay", "--agent", "nobody"), "there are no such calls of live"),
        (("--replay", "--calls-of", "prod"), "the project has no environment"),
        (("--replay", "--since", "yesterday"), "is no time"),
    ],
)
def test_slips_are_one_line(desk: Bench, arguments: tuple[str, ...], said: str) -> None:
    ran = desk.run("test", *arguments, code=None)
    assert ran.code in (1, 2)
    assert said in ran.err


def test_calls_that_may_not_be_had_again_are_left_out(alone: Bench) -> None:
    """Whoever was forgotten is not there; what was said and is not kept is not asked for at Vapi either."""
    alone.run("calls", "forget", "+14158675300")
    alone.control.delete(str(uuid.UUID(int=2 << 96)))  # at Vapi, in its dashboard
    ran = alone.run("test", "--replay")
    assert "1 call left out: Vapi has no record of it any more" in ran.out
    assert "0 of 6 calls" in ran.out
    assert "1 call left out: Vapi has no record of it" in alone.run("test", "--replay", "--format", "markdown").out
    before = (alone.folder / "voiceops.yaml").read_text()
    alone.write("voiceops.yaml", before + "privacy: {transcripts: drop}\n")
    alone.run("calls", "sync")
    alone.control.reset_requests()
    ran = alone.run("test", "--replay", code=1)
    assert "7 calls: what was said is not kept" in ran.err
    assert not [request for request in alone.control.requests() if "/call/" in request["path"]]


def test_its_files_say_what_is_printed(alone: Bench) -> None:
    """In a preview: the lines are those of the environment that it is made of."""
    alone.write("agents/line.yaml", "kind: Phone\nname: main\nspec: {number: '+14155550100', agent: desk}\n")
    alone.edit("agents/line.yaml", "spec: {", "spec: {provider: twilio, ")
    alone.apply()
    call(alone, 8, artifact={"messages": messages(1008)[:1]}, createdAt="2026-11-28T19:00:00.000Z")
    alone.run("calls", "sync")
    manifests(alone, WITHOUT)
    alone.run("preview", "up", "one")
    made = {form: alone.folder / f"report.{form}" for form in ("xml", "md", "json", "txt")}
    files = [text for path in made.values() for text in ("--out", str(path))]
    ran = alone.run("-e", "preview-one", "test", "--replay", "--calls-of", "live", "--n", "3", *files, code=1)
    read = {form: path.read_text() for form, path in made.items()}
    assert "│ A colleague calls back about an" in read["txt"]
    assert read["txt"].strip() == ran.out.strip()
    told = json.loads(read["json"])
    assert told["replay"]["calls"][0]["first"]["is"]["said"] == "A colleague calls back about an order."
    assert {line for result in told["results"] for line in result["lines"]} == {"Phone/main"}

    suites = xml.fromstring(read["xml"])
    assert suites.get("failures") == "2"
    assert [case.get("classname", "").split(".")[0] for case in suites.iter("testcase")] == ["replay", "replay"]
    failure = next(suites.iter("failure"))
    assert failure.get("message") == "failed: turn 2: does not call lookupOrder"
    assert "lines that reach it: Phone/main" in str(failure.text)
    assert next(suites.iter("system-err")).text == "1 call left out: the caller said nothing"

    assert "> turn 2: does not call lookupOrder" in read["md"]
    assert "- lines that reach it: `Phone/main`" in read["md"]
    assert "1 call left out: the caller said nothing" in read["md"]
    assert "Where is my order" not in read["md"] + read["xml"], "what callers said is in no comment"
    alone.run("preview", "down", "one")
