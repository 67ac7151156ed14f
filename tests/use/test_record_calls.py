"""Calls of an account become files of the project, which validate, and never take another file's place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.cli import test_replay as replays
from tests.support.bench import Bench, bench, shop

ORDER = {
    "id": "0a1b2c3d-0000-4000-8000-000000000001",
    "type": "webCall",
    "status": "ended",
    "createdAt": "2026-11-28T10:00:00.000Z",
    "startedAt": "2026-11-28T10:00:01.000Z",
    "endedAt": "2026-11-28T10:01:00.000Z",
    "endedReason": "customer-ended-call",
    "artifact": {
        "messages": [
            {"role": "bot", "message": "Hi, how can I help you?", "secondsFromStart": 0.5},
            {"role": "user", "message": "Where is order 1234? I am at +1 415 867 5309.", "secondsFromStart": 3},
            {
                "role": "tool_calls",
                "secondsFromStart": 6,
                "toolCalls": [
                    {"id": "t1", "function": {"name": "lookupOrder", "arguments": '{"orderNumber": "1234"}'}}
                ],
            },
            {
                "role": "tool_call_result",
                "toolCallId": "t1",
                "name": "lookupOrder",
                "result": "It arrives tomorrow; we call (415) 867-5309.",
                "secondsFromStart": 7,
            },
            {"role": "bot", "message": "It arrives tomorrow.", "secondsFromStart": 8},
        ]
    },
}


def record(made: Bench, *arguments: str) -> dict[str, Any]:
    """What `test --record` wrote, and what not."""
    found: dict[str, Any] = made.run("test", "--record", *arguments, "--format", "json").data
    return found


def test_a_recorded_call_is_a_test_of_the_project(tmp_path: Path) -> None:
    with bench(tmp_path) as made:
        shop(made)
        made.apply()
        made.control.create("/call", ORDER | {"assistantId": made.id_of("Agent/front-desk")})
        made.run("calls", "sync")
        first = record(made, "0a1b2c3d")
        names = ["call-0a1b2c3d.yaml", "recorded-caller.yaml", "recorded-front-desk.yaml"]
        assert first["written"] == [
            "agents/recorded/call-0a1b2c3d.yaml",
            "tests/call-0a1b2c3d.yaml",
            *(f"agents/recorded/{name}" for name in names[1:]),
        ]
        assert first["replaced"] == 1
        text = "".join(path.read_text() for path in (*tmp_path.glob("agents/recorded/*"), *tmp_path.glob("tests/*")))
        assert "867" not in text
        assert "we call +14155550101" in text
        made.apply()  # which checks all that `validate` checks
        assert len([name for name in made.state()["resources"] if "0a1b2c3d" in name or "/recorded-" in name]) == 4
        again = record(made, "0a1b2c3d")
        assert (again["written"], again["there"]) == ([], ["agents/recorded/call-0a1b2c3d.yaml"])

        made.remove("agents/recorded/recorded-front-desk.yaml")  # as if the recording had been cut off
        assert record(made, "0a1b2c3d")["written"] == ["agents/recorded/recorded-front-desk.yaml"]
        for name in ("call-0a1b2c3d", "recorded-front-desk"):
            made.remove(f"agents/recorded/{name}.yaml")
        made.write("tests/call-0a1b2c3d.yaml", "mine\n")
        third = record(made, "0a1b2c3d")
        assert third["there"] == ["tests/call-0a1b2c3d.yaml"]
        assert (tmp_path / "tests/call-0a1b2c3d.yaml").read_text() == "mine\n"
        assert third["written"] == [f"agents/recorded/{name}" for name in (names[0], names[2])]

        (tmp_path / "tests/call-0a1b2c3d.yaml").unlink()
        elsewhere = made.run("test", "--record", "0a1b", "--into", "elsewhere")
        assert "+ elsewhere/call-0a1b2c3d-" in elsewhere.out  # the shorter name is taken
        assert "elsewhere is none of the folders in `manifests:`" in elsewhere.err
        assert "there is no call ffff" in made.run("test", "--record", "ffff", code=1).err


def test_recorded_calls_are_run_by_test(tmp_path: Path) -> None:
    """From a caller of yesterday to a test that fails when the agent does not look the order up any more."""
    with bench(tmp_path) as made:
        replays.project(made)
        made.run("test", "--record", "--n", "2")
        made.apply()
        ran = made.run("test", "recorded-desk*")
        assert ran.out.count("✓") == 2
        replays.manifests(made, replays.WITHOUT)
        made.apply()
        made.run("test", "recorded-desk*", code=1)


def test_a_recorded_call_without_tools_passes_as_it_was_and_fails_when_a_tool_is_called(tmp_path: Path) -> None:
    with bench(tmp_path) as made:
        replays.manifests(made, replays.PROMPT)
        made.apply()
        said = replays.messages(1)[:3]
        key = "sk-proj-" + "abcdefghij" * 3
        said[1]["message"] = f"When are you open on day 24? I am Ann Lee, and {key} is no key."
        replays.call(made, 0, artifact={"messages": said}, customer={"number": "+14158675300", "name": "Ann Lee"})
        replays.call(made, 1)
        made.run("calls", "sync")
        made.run("test", "--record")
        text = "".join(path.read_text() for path in tmp_path.glob("agents/recorded/*"))
        assert key not in text
        assert "Lee" not in text
        assert "VO601" not in made.run("validate").out
        made.apply()
        assert made.run("test", "recorded-desk*").out.count("✓") == 2
        replays.manifests(made, f"{replays.PROMPT} Use lookupOrder for an open day.")
        made.apply()
        assert 'the assistant called "lookupOrder"' in made.run("test", "recorded-desk*", code=1).out


def test_a_tool_that_the_agent_has_no_more_is_not_mocked(tmp_path: Path) -> None:
    with bench(tmp_path) as made:
        replays.project(made)
        made.edit("agents/desk.yaml", "tools: [lookup-order, {type: endCall}]", "tools: [{type: endCall}]")
        made.run("test", "--record", "--n", "1")
        text = next(tmp_path.glob("agents/recorded/call-*.yaml")).read_text()
        assert "# lookupOrder is no tool of Agent/desk any more: this can't pass." in text
        assert "toolMocks" not in text
        assert "0 errors" in made.run("validate").out


def test_a_file_where_the_folder_should_be_is_named(tmp_path: Path) -> None:
    with bench(tmp_path) as made:
        replays.project(made)
        made.write("agents/recorded", "mine\n")
        ran = made.run("test", "--record", code=1)
        assert "agents/recorded can't be written: File exists" in ran.err


def test_what_is_not_kept_is_not_recorded(tmp_path: Path) -> None:
    with bench(tmp_path) as made:
        shop(made)
        made.write("voiceops.yaml", (tmp_path / "voiceops.yaml").read_text() + "privacy: {transcripts: drop}\n")
        made.apply()
        made.control.create("/call", ORDER | {"assistantId": made.id_of("Agent/front-desk")})
        made.run("calls", "sync")
        made.control.reset_requests()
        found = record(made, "0a1b2c3d")
        assert found["written"] == []
        assert list(found["leftOut"]) == [
            "what was said is not kept (privacy.transcripts, or VOICEOPS_REDACT of the runtime)"
        ]
        assert not [request for request in made.control.requests() if "/call/" in request["path"]]
