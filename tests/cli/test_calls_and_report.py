"""`calls` and `report`, against the sandbox's made-up calls."""

from __future__ import annotations

import csv
import io
import json
import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.bench import Bench, bench, shop
from voiceops.render.call_report import render_report


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    with bench(tmp_path_factory.mktemp("calls")) as made:
        shop(made)
        made.apply()
        assert made.control.make_calls(1500, "regression", seed=4) == 1500
        yield made


def test_calls_are_fetched_once(made: Bench, tmp_path: Path) -> None:
    assert (
        made.run("calls", "sync", "--db", str(tmp_path / "calls.db")).out
        == "1500 calls read, 1500 of them new or changed.\n"
    )
    made.control.reset_requests()
    again = made.run("calls", "sync", "--since", "3650d", "--db", str(tmp_path / "calls.db"))
    assert again.out == "1500 calls read, 0 of them new or changed.\n"
    assert [(r["method"], r["path"]) for r in made.control.requests(path="/call")] == [("GET", "/call")] * 2
    found = made.run("calls", "--limit", "2000", "--format", "json", "--db", str(tmp_path / "calls.db")).data
    assert len(found) == 1500
    assert len({call["id"] for call in found}) == 1500
    assert found == sorted(found, key=lambda call: call["startedAt"], reverse=True)


def test_a_call_has_the_names_of_the_manifests(made: Bench) -> None:
    made.run("calls", "sync")
    call = made.run("calls", "--limit", "1", "--format", "json").data[0]
    wanted = {
        "id", "agent", "assistantVersion", "revision", "phone", "direction", "startedAt", "endedAt", "endedReason",
        "durationSeconds", "cost", "toolCalls", "turnMs", "success",
    }  # fmt: skip
    assert wanted <= call.keys()
    assert call["agent"] in ("front-desk", "returns", "reminders")
    assert call["phone"] in ("main-line", "delivery-line")
    assert call["assistantVersion"] == "v2"
    shown = made.run("calls", "show", call["id"][:8], "--format", "json").data
    assert shown["id"] == call["id"]
    assert shown["turns"][0] == {
        "role": "agent",
        "secondsFromStart": 0.3,
        "seconds": None,
        "text": "Hello, how can I help you today?",
        "waitedMs": None,
    }
    assert "Hello, how can I help you today?" in made.run("calls", "show", call["id"]).out


def test_a_call_names_the_manifests_that_were_in_force(tmp_path: Path) -> None:
    with bench(tmp_path) as made:
        shop(made)
        made.apply()
        made.control.make_calls(30)
        made.run("calls", "sync")
        with sqlite3.connect(made.folder / ".voiceops" / "calls.db") as database:
            for id_, body in database.execute("SELECT id, body FROM live_call_bodies").fetchall():
                known = json.loads(body) | {"revision": 1}
                database.execute("UPDATE live_call_bodies SET body = ? WHERE id = ?", (json.dumps(known).encode(), id_))
        calls = made.run("calls", "--format", "json").data
        call = next(c for c in calls if c["toolCalls"])
        shown = made.run("calls", "show", call["id"], "--format", "json").data
        agent, tool = (next(a for a in shown["manifests"] if a.startswith(kind)) for kind in ("Agent/", "Tool/"))
        assert agent == f"Agent/{call['agent']}"
        for address in (agent, tool):
            file, line = shown["manifests"][address].split(":")
            text = (made.folder / file).read_text().splitlines()[int(line) - 1 :]
            assert any(address.partition("/")[2] in one for one in text[:4])
        printed = made.run("calls", "show", call["id"]).out
        assert f"{agent}, {shown['manifests'][agent]}" in printed
        assert shown["prompts"] == {agent: f"agents/prompts/{call['agent']}.md:1"}
        assert f"prompt       agents/prompts/{call['agent']}.md:1" in printed
        answers = [turn for turn in shown["turns"] if turn["role"] == "agent"]
        assert {(a["agent"], a["revision"], a["prompt"]) for a in answers} == {
            (call["agent"], 1, f"agents/prompts/{call['agent']}.md:1")
        }
        assert {a["assistantVersion"] for a in answers} == {call["assistantVersion"]}
        assert {one["manifest"] for one in shown["tools"]} == {
            f"{address}, {shown['manifests'][address]}" for address in shown["manifests"] if address.startswith("Tool/")
        }
        (made.folder / ".voiceops/state/live/state.json").write_text("{")
        assert "Which manifests were in force is not known" in made.run("calls", "show", call["id"]).err


def test_calls_before_the_first_revision_have_none(made: Bench) -> None:
    made.run("calls", "sync")
    assert {call["revision"] for call in made.run("calls", "--format", "json").data} <= {None, 1}


def test_calls_are_filtered(made: Bench) -> None:
    made.run("calls", "sync")
    everything = made.run("calls", "--limit", "2000", "--format", "json").data
    failed = made.run("calls", "--failed", "--limit", "2000", "--format", "json").data
    assert [call["id"] for call in failed] == [call["id"] for call in everything if call["failed"]]
    desk = made.run("calls", "--agent", "returns", "--since", "5d", "--limit", "2000", "--format", "csv").out
    rows = list(csv.DictReader(io.StringIO(desk)))
    assert rows
    assert {row["agent"] for row in rows} == {"returns"}
    for command in ("calls", "report"):
        ran = made.run(command, "--agent", "nobody")
        assert "No call of 'nobody': `voiceops report --by agent` shows whose there are." in ran.err
    assert "No call of" not in made.run("calls", "--until", "2000-01-01").err
    assert "· 1 tools ·" not in made.run("calls", "--limit", "2000").out


def test_a_report_counts_what_is_listed(made: Bench) -> None:
    made.run("calls", "sync")
    everything = made.run("calls", "--limit", "2000", "--format", "json").data
    report = made.run("report", "--by", "agent", "--format", "json").data
    assert report.keys() == {"since", "until", "by", "rows"}
    assert {row["key"]: row["calls"] for row in report["rows"]} == {
        name: sum(call["agent"] == name for call in everything) for name in ("front-desk", "returns", "reminders")
    }
    row = report["rows"][0]
    assert row.keys() == {
        "key", "calls", "failed", "transferred", "success", "durationSeconds", "turnMs", "cost", "tools", "reasons",
    }  # fmt: skip
    assert row["tools"].keys() == {"calls", "failed", "p50", "p95", "p99"}
    tools = made.run("report", "--by", "tool", "--format", "json").data["rows"]
    assert {row["key"] for row in tools} == {"lookupOrder", "captureEmail"}
    for row in tools:
        assert sum(row["outcomes"].values()) == row["tools"]["calls"]
        wrong = sum(count for outcome, count in row["outcomes"].items() if outcome not in ("ok", "not known"))
        assert wrong == row["tools"]["failed"] > 0
    desk = made.run("report", "--by", "tool", "--agent", "returns", "--format", "json").data["rows"]
    assert 0 < sum(row["tools"]["calls"] for row in desk) < sum(row["tools"]["calls"] for row in tools)
    assert re.search(r"What came of the tools\n(.*\n)?lookupOrder +ok \d+, ", made.run("report", "--by", "tool").out)
    assert "| agent |" in made.run("report", "--by", "agent", "--format", "markdown").out
    assert made.run("report", "--by", "day", "--format", "csv").out.startswith("key,calls,failed,")


def test_a_seeded_regression_is_found(made: Bench) -> None:
    made.run("calls", "sync")
    found = made.run("report", "--compare", "v1", "v2", "--format", "json").data
    figures = {figure["figure"]: figure for figure in found["figures"]}
    assert figures["success"]["verdict"] == "worse"
    assert figures["turnMs"]["verdict"] == "worse"
    assert figures["costPerMinute"]["verdict"] == "unclear"
    low, high = figures["success"]["interval"]
    assert low < figures["success"]["difference"] < high < 0
    assert "✗ worse" in made.run("report", "--compare", "v1", "v2").out


def test_a_caller_is_forgotten(tmp_path: Path) -> None:
    with bench(tmp_path) as made:
        shop(made)
        made.apply()
        made.control.make_calls(200)
        made.run("calls", "sync")
        call = next(c for c in made.run("calls", "--numbers", "--format", "json").data if c["customer"])
        for shown in (("calls", "--format", "json"), ("calls", "show", call["id"])):
            assert call["customer"] not in made.run(*shown).out
        assert call["customer"] in made.run("calls", "show", call["id"], "--numbers").out
        ran = made.run("calls", "forget", call["customer"])
        assert "Vapi still holds" in ran.err
        made.run("calls", "sync", "--since", "3650d")
        left = made.run("calls", "--numbers", "--limit", "500", "--format", "json").data
        assert call["customer"] not in {c["customer"] for c in left}
        files = b"".join(path.read_bytes() for path in tmp_path.glob(".voiceops/calls.db*"))
        assert call["customer"].encode() not in files


def test_a_sync_keeps_what_the_project_allows(tmp_path: Path) -> None:
    with bench(tmp_path) as made:
        shop(made)
        made.apply()
        made.control.make_calls(50)
        made.run("calls", "sync")
        call = next(c for c in made.run("calls", "--numbers", "--format", "json").data if c["customer"])
        project = made.folder / "voiceops.yaml"
        project.write_text(project.read_text() + "privacy: {numbers: hash, transcripts: drop}\n")
        made.run("calls", "sync")
        shown = made.run("calls", "show", call["id"], "--numbers", "--format", "json").data
        assert shown["customer"].startswith("#")
        assert {turn["text"] for turn in shown["turns"]} == {""}
        files = b"".join(path.read_bytes() for path in tmp_path.glob(".voiceops/calls.db*"))
        assert call["customer"].encode() not in files
        assert b"how can I help you" not in files
        assert not made.run("calls", "forget", call["customer"]).out.startswith("0 ")


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("numbers: none", "numbers"),
        ("transcripts: 0", "transcripts"),
        ("transcripts: 1.5", "transcripts"),
        ("transcripts: never", "transcripts"),
        ("recordings: 30", "recordings"),
        ("calls: drop", "calls"),
        ("texts: drop", "texts"),
    ],
)
def test_a_setting_that_means_nothing_is_refused(tmp_path: Path, setting: str, said: str) -> None:
    with bench(tmp_path) as made:
        shop(made)
        project = made.folder / "voiceops.yaml"
        project.write_text(project.read_text() + f"privacy: {{{setting}}}\n")
        ran = made.run("validate", code=1)
        assert "voiceops.yaml" in ran.out + ran.err
        assert said in ran.out + ran.err
        assert "Traceback" not in ran.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("calls", "--since", "yesterday"), "is no time: write 24h, 7d"),
        (("calls", "--since", "99999999999999"), "is no time"),
        (("calls", "show", "no-such-call"), "there is no call no-such-call"),
        (("calls", "--db", "nowhere/calls.db"), "there is no database"),
        (("calls", "--db", "mysql://x/y"), "names a mysql:// store"),
        (("calls", "forget", ""), "'' is no phone number"),
        (("calls", "forget", "1"), "has no plus and country code"),
        (("calls", "forget", "4155550123"), "has no plus and country code"),
        (("calls", "forget", "anonymous"), "is no phone number"),
        (("calls", "forget", "+14155550123", "--db", "nowhere/calls.db"), "there is no database"),
        (("report", "--compare", "v1", "v99"), "there are no calls of version v99"),
        (("report", "--compare", "one", "v1"), "one is no revision and no version"),
        (("report", "--compare", "v1", "v2", "--by", "agent"), "--compare has its own rows"),
        (("report", "--by", "mood"), "is not one of"),
    ],
)
def test_bad_input_is_one_error(made: Bench, arguments: tuple[str, ...], said: str) -> None:
    made.run("calls", "sync")
    ran = made.run(*arguments, code=1)
    assert said in ran.err


def test_a_store_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    with bench(tmp_path) as made:
        shop(made)
        made.apply()
        made.run("calls", "sync")
        with sqlite3.connect(tmp_path / ".voiceops/calls.db") as database:
            database.execute("UPDATE live_call_facts SET value = '99' WHERE name = 'version'")
        assert "written by a newer voiceops" in made.run("calls", code=1).err


def test_a_report_as_one_file(made: Bench) -> None:
    made.run("calls", "sync")
    page = made.run("report", "--by", "agent", "--since", "3650d", "--format", "html").out
    assert page.count("<table>") == 2
    assert '<th scope="row">front-desk</th>' in page
    for asking in ("<script", "http://", "https://", "url(", " href", " src"):
        assert asking not in page


def test_a_report_fits_a_terminal(made: Bench) -> None:
    """At 80 columns what is missed least is left out; who reads a file gets all."""
    made.run("calls", "sync")
    rows = made.run("report", "--by", "agent", "--format", "json").data["rows"]
    whole, narrow = render_report(rows, "agent").splitlines(), render_report(rows, "agent", width=80).splitlines()
    assert max(map(len, whole)) > 80 >= max(map(len, narrow))
    assert "a minute" in whole[0]
    assert narrow[0].split() == ["agent", "calls", "failed", "good", "lasted", "waited", "tools", "failed", "cost"]
    assert max(map(len, made.run("report", "--compare", "v1", "v2").out.splitlines())) <= 80
