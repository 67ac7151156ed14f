"""`voiceops call` against the sandbox: one person, and batches of them."""

from __future__ import annotations

import csv
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from tests.runtime.places import place_of
from tests.support.bench import Bench, bench
from tests.support.quick import quick

AGENT = """kind: Agent
name: desk
spec: {firstMessage: Hello, model: {provider: openai, model: gpt-4o}}
---
kind: Phone
name: main
spec: {provider: vapi, agent: desk}
"""
ALWAYS = '\ncalling: {hours: "00:00-24:00", perMinute: 6000, maxConcurrent: 100}\n'
PEOPLE = "number,name,order\n+14155550101,Ann,17\n+14155550102,Bob,18\n+14155550103,,\n"


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Bench]:
    with bench(tmp_path, calls_last=0.0) as made:
        made.write("agents/desk.yaml", AGENT)
        made.write("voiceops.yaml", (made.folder / "voiceops.yaml").read_text() + ALWAYS)
        made.write("people.csv", PEOPLE)
        made.apply()
        yield made


def people(made: Bench) -> str:
    return str(made.folder / "people.csv")


def numbers(made: Bench) -> list[str]:
    """Who was called, as the sandbox counts."""
    return sorted(call["customer"]["number"] for call in made.control.objects("/call"))


def results(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_one_person_is_called_with_variables(shop: Bench) -> None:
    ran = shop.run("call", "desk", "--to", "+1 (415) 555-0101", "--var", "order=17", "--yes", "--format", "json")
    (call,) = shop.control.objects("/call")
    assert call["customer"] == {"number": "+14155550101"}
    assert call["assistantId"] == shop.id_of("Agent/desk")
    assert call["phoneNumberId"] == shop.id_of("Phone/main")
    assert call["assistantOverrides"] == {"variableValues": {"order": "17"}}
    (person,) = ran.data["people"]
    assert (person["result"], person["call"], person["number"]) == ("called", call["id"], "+14…01")


def test_one_person_is_followed_to_the_end(shop: Bench) -> None:
    shop.control.switches(calls_last=1.0)
    ran = shop.run("call", "desk", "--to", "+14155550101", "--yes", "--follow")
    assert "ended: customer-ended-call" in ran.err


def test_without_a_terminal_and_yes_nobody_is_called(shop: Bench) -> None:
    assert "give --yes" in shop.run("call", "desk", "--to", "+14155550101", code=1).err
    ran = shop.run("call", "desk", "--to-file", people(shop))
    assert "3 people: 3 to call now." in ran.out
    assert "people.csv:2 +14…01  call now" in ran.out
    assert numbers(shop) == []


def test_a_batch_calls_everybody_once_however_often_it_is_given_in(shop: Bench) -> None:
    out = shop.folder / "results.csv"
    shop.run("call", "desk", "--to-file", people(shop), "--yes", "--out", str(out))
    assert numbers(shop) == ["+14155550101", "+14155550102", "+14155550103"]
    first = next(call for call in shop.control.objects("/call") if call["customer"]["number"].endswith("01"))
    assert first["customer"] == {"number": "+14155550101", "name": "Ann"}
    assert first["assistantOverrides"] == {"variableValues": {"order": "17"}}
    assert [row["voiceops.result"] for row in results(out)] == ["called"] * 3
    shop.run("call", "desk", "--to-file", people(shop), "--yes")
    shop.run("call", "desk", "--to-file", str(out), "--yes", "--out", str(out))
    shop.write("people.csv", PEOPLE + "+14155550104,Dee,\n")
    ran = shop.run("call", "desk", "--to-file", people(shop), "--yes", "--format", "json")
    assert [person["result"] for person in ran.data["people"]] == ["done", "done", "done", "called"]
    assert len(numbers(shop)) == 4
    shop.run("call", "desk", "--to-file", people(shop), "--yes", "--batch", "once-more")
    assert len(numbers(shop)) == 8
    assert out.stat().st_mode & 0o777 == 0o600


def days_pass(made: Bench, days: float) -> None:
    """For what the store knows of batches."""
    database = sqlite3.connect(made.folder / ".voiceops" / "calls.db")
    (table,) = database.execute("SELECT name FROM sqlite_master WHERE name LIKE '%call_claims'").fetchone()
    with database:
        database.execute(f"UPDATE {table} SET at = at - ?", (days * 86_400,))
    database.close()


def test_a_batch_calls_nobody_who_was_forgotten(shop: Bench) -> None:
    shop.run("call", "desk", "--to-file", people(shop), "--yes")
    assert "run this again then" in shop.run("calls", "forget", "+1 (415) 555-0102").err
    days_pass(shop, 0.1)
    shop.run("calls", "sync")
    assert "run this again then" not in shop.run("calls", "forget", "+14155550102").err
    ran = shop.run("call", "desk", "--to-file", people(shop), "--yes", "--format", "json")
    assert [person["result"] for person in ran.data["people"]] == ["done", "not-called", "done"]
    assert "forgotten by `calls forget`" in ran.data["people"][1]["reason"]
    assert len(numbers(shop)) == 3


def test_a_batch_whose_people_are_no_longer_known_calls_nobody(shop: Bench) -> None:
    shop.run("call", "desk", "--to-file", people(shop), "--yes")
    days_pass(shop, 3)
    shop.write("voiceops.yaml", (shop.folder / "voiceops.yaml").read_text() + "privacy: {calls: 2}\n")
    shop.run("calls", "sync")
    ran = shop.run("call", "desk", "--to-file", people(shop), "--yes", code=5)
    assert "the batch desk/people is over" in ran.err
    assert len(numbers(shop)) == 3


def local_noon() -> tuple[str, datetime]:
    """A time zone in which it is about noon, and the time there: hours around it never cross midnight."""
    now = datetime.now(UTC)
    ahead = 12 - now.hour  # -11 to 12
    return (f"Etc/GMT{-ahead:+d}" if ahead else "Etc/GMT"), now + timedelta(hours=ahead)


def hours(made: Bench, text: str, **more: str) -> None:
    given = "".join(f", {key}: {value}" for key, value in more.items())
    project = (made.folder / "voiceops.yaml").read_text().split("calling:")[0]
    made.write("voiceops.yaml", f'{project}calling: {{hours: "{text}"{given}}}\n')


FREEPHONE = "+80012345678"  # a number of the whole world, which tells no time zone


def test_one_number_outside_its_hours_is_told_when_it_may_be_called(shop: Bench) -> None:
    zone, now = local_noon()
    hours(shop, f"{now.hour + 3:02}:00-{now.hour + 5:02}:00", timezone=zone)
    refused = shop.run("call", "desk", "--to", FREEPHONE, "--yes", code=5)
    assert f"is not called: outside {now.hour + 3:02}:00-" in refused.err
    when = refused.err.rpartition("--at ")[2].strip().rstrip(".")
    ran = shop.run("call", "desk", "--to", FREEPHONE, "--yes", "--at", when)
    (call,) = shop.control.objects("/call")
    assert (call["status"], call["schedulePlan"]["earliestAt"]) == ("scheduled", when)
    assert call["schedulePlan"]["latestAt"] > when
    assert "given to Vapi for later" in ran.out
    assert "outside" in shop.run("call", "desk", "--to", FREEPHONE, "--yes", "--at", "20m", code=5).err


def test_a_batch_outside_its_hours_waits_at_vapi_each_at_a_time_of_its_own(shop: Bench) -> None:
    zone, now = local_noon()
    hours(shop, f"{now.hour + 3:02}:00-{now.hour + 5:02}:00", timezone=zone, perMinute="60", maxConcurrent="2")
    shop.write("people.csv", "number\n+80012345678\n+80012345679\n+80012345670\n")
    seen = shop.run("call", "desk", "--to-file", people(shop)).out
    assert "3 to give to Vapi for later" in seen
    shop.run("call", "desk", "--to-file", people(shop), "--yes")
    starts = sorted(call["schedulePlan"]["earliestAt"] for call in shop.control.objects("/call"))
    times = [datetime.fromisoformat(start) for start in starts]
    assert [(b - a).total_seconds() for a, b in pairwise(times)] == [60, 60]
    assert all(start in seen for start in (time.strftime("%Y-%m-%dT%H:%M:%SZ") for time in times))
    shop.run("call", "desk", "--to-file", people(shop), "--yes")
    assert len(numbers(shop)) == 3


def test_without_a_time_zone_nobody_is_called_by_guessing(shop: Bench) -> None:
    shop.write("people.csv", f"number\n{FREEPHONE}\n+14155550101\n")
    ran = shop.run("call", "desk", "--to-file", people(shop), "--yes", code=3)
    assert "does not tell its time zone: set calling.timezone" in ran.err.replace(
        'pip install "voiceops-iac[phonenumbers]", or ', ""
    )
    assert numbers(shop) == ["+14155550101"]


def test_the_do_not_call_lists_are_kept(shop: Bench) -> None:
    shop.write("no.txt", "+1 415 555-0101\n")
    shop.write("more.txt", "+14155550102 # asked by phone\n")
    hours(shop, "00:00-24:00", doNotCall="no.txt")
    more = str(shop.folder / "more.txt")
    ran = shop.run("call", "desk", "--to-file", people(shop), "--yes", "--do-not-call", more)
    assert numbers(shop) == ["+14155550103"]
    assert ran.err.count("on the do-not-call list") == 2
    assert "on the do-not-call list" in shop.run("call", "desk", "--to", "+14155550101", "--yes", code=5).err
    shop.write("no.txt", "+1 415 555-0101\nAnn\n")
    broken = shop.run("call", "desk", "--to-file", people(shop), "--yes", "--batch", "x", code=1)
    assert "no.txt:2:1: error[do-not-call]" in broken.err
    shop.remove("no.txt")
    assert "calling.doNotCall" in shop.run("call", "desk", "--to-file", people(shop), "--yes", code=1).err
    assert numbers(shop) == ["+14155550103"]


def test_premium_and_emergency_numbers_are_refused(shop: Bench) -> None:
    assert "a premium number" in shop.run("call", "desk", "--to", "+19005550100", "--yes", code=5).err
    assert "an emergency number" in shop.run("call", "desk", "--to", "+19115550100", "--yes", code=5).err
    assert numbers(shop) == []


@pytest.mark.parametrize(
    ("arguments", "said", "code"),
    [
        (("desk",), "Give --to NUMBER, or --to-file FILE.", 1),
        (("desk", "--to", "+14155550101", "--to-file", "x.csv"), "Give --to NUMBER, or --to-file FILE.", 1),
        (("desk", "--to", "4155550101"), "--to '4155550101' has no plus and country code", 1),
        (("nobody", "--to", "+14155550101"), "there is no agent 'nobody' in the manifests", 1),
        (("desk", "--to", "+14155550101", "--from", "side"), "there is no line 'side' in the manifests", 1),
        (("desk", "--to", "+14155550101", "--var", "order"), "'order' is no variable", 1),
        (("desk", "--to", "+14155550101", "--var", "customer=x"), "`customer` is Vapi's own", 1),
        (("desk", "--to", "+14155550101", "--at", "soon"), "'soon' is no time", 1),
        (("desk", "--to", "+14155550101", "--at", "2020-01-01"), "is in the past", 1),
        (("desk", "--to", "+14155550101", "--batch", "x"), "--batch and --out go with --to-file", 1),
        (("desk", "--to-file", "missing.csv"), "missing.csv can't be read", 1),
        (("desk", "--to-file", "."), "is a directory", 1),
        (("desk", "--to", "+14155550101", "--do-not-call", "missing.txt"), "missing.txt can't be read", 1),
    ],
)
def test_bad_input_is_one_line(shop: Bench, arguments: tuple[str, ...], said: str, code: int) -> None:
    ran = shop.run("call", *arguments, "--yes", code=code)
    assert said in ran.err
    assert numbers(shop) == []


def test_what_was_never_applied_can_not_call(shop: Bench) -> None:
    shop.write("agents/new.yaml", AGENT.split("---")[0].replace("desk", "new"))
    assert "Agent/new was never applied" in shop.run("call", "new", "--to", "+14155550101", code=1).err


def test_a_result_takes_the_place_of_a_result_only(shop: Bench) -> None:
    ran = shop.run("call", "desk", "--to-file", people(shop), "--yes", "--out", people(shop), code=1)
    assert "is there, and no result of a batch" in ran.err
    assert numbers(shop) == []


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ('{hours: "9 to 5"}', "voiceops.yaml:4:11: error[calling-hours]: calling.hours: '9 to 5': write the hours as"),
        ('{hours: "20:00-09:00"}', "hours begin before they end"),
        ("{timezone: Berlin}", "error[calling-timezone]: calling.timezone: there is no time zone 'Berlin'"),
        ("{timezone: ../../etc/passwd}", "error[calling-timezone]"),
        ("{perMinute: 0}", "error[schema-range]: calling.perMinute"),
        ("{maxConcurrent: many}", "error[schema-type]: calling.maxConcurrent"),
        ("{days: [monday]}", "error[schema-enum]: calling.days"),
        ("{doNotcall: x}", "Did you mean doNotCall?"),
    ],
)
def test_a_wrong_setting_is_named_at_its_line(live: Bench, setting: str, said: str) -> None:
    live.write("voiceops.yaml", f"version: 1\nproject: shop\nenvironments: [live]\ncalling: {setting}\n")
    live.write("agents/desk.yaml", AGENT)
    assert said in live.run("validate", code=1).out + live.run("validate", code=1).err


def test_an_environment_has_hours_of_its_own(shop: Bench) -> None:
    shop.write("environments/live.yaml", 'calling: {hours: "00:00-00:01", timezone: Etc/GMT}\n')
    assert "00:00-00:01" in shop.run("call", "desk", "--to-file", people(shop), code=None).out


def test_ctrl_c_finishes_what_is_being_sent_and_says_what_is_left(shop: Bench) -> None:
    """The second request waits at Vapi while the signal comes: it is finished, and the third is not sent."""
    hours(shop, "00:00-24:00", maxConcurrent="2", perMinute="6000")
    paused = shop.control.fault("pause", when="after", method="POST", path="^/call$", nth=[2])
    out = shop.folder / "results.csv"
    command = ["call", "desk", "--to-file", people(shop), "--yes", "--out", str(out)]
    with subprocess.Popen(
        [sys.executable, "-m", "voiceops", "-C", str(shop.folder), *command],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=shop.environ,
    ) as process:
        shop.control.wait_for_pause(paused, timeout=60)
        process.send_signal(signal.SIGINT)
        assert process.stderr is not None
        said = ""
        while "Stopping" not in said:
            line = process.stderr.readline()
            assert line, said
            said += line
        shop.control.release(paused)
        printed, rest = process.communicate(timeout=60)
    assert process.returncode == 3, said + rest
    assert "1 left: give the same file in again" in rest
    assert "2 called, 1 left" in printed
    assert len(numbers(shop)) == 2
    assert sorted(row["voiceops.result"] for row in results(out)) == ["called", "called", "left"]
    for call in shop.control.objects("/call"):
        shop.control.edit(call["id"], {"status": "ended"})
    shop.run("call", "desk", "--to-file", str(out), "--yes")
    assert numbers(shop) == ["+14155550101", "+14155550102", "+14155550103"]


def test_a_call_that_never_began_is_made_again_by_the_next_run(shop: Bench) -> None:
    shop.run("call", "desk", "--to-file", people(shop), "--yes")
    first = next(call for call in shop.control.objects("/call") if call["customer"]["number"].endswith("01"))
    shop.control.edit(first["id"], {"status": "ended", "endedReason": "call.start.error-get-transport"})
    ran = shop.run("call", "desk", "--to-file", people(shop), "--yes")
    assert ran.out.startswith("3 people: 1 called, 2 called before.")
    assert numbers(shop) == ["+14155550101", "+14155550101", "+14155550102", "+14155550103"]


def test_a_squad_calls_by_its_own_overrides(shop: Bench) -> None:
    shop.write("agents/team.yaml", "kind: Squad\nname: team\nspec: {members: [{agent: desk}]}\n")
    shop.apply()
    shop.run("call", "team", "--to", "+14155550101", "--var", "order=17", "--from", "main", "--yes")
    (call,) = shop.control.objects("/call")
    assert call["squadId"] == shop.id_of("Squad/team")
    assert call["squadOverrides"] == {"variableValues": {"order": "17"}}


def test_a_batch_may_be_given_to_vapi_for_later(shop: Bench) -> None:
    hours(shop, "00:00-24:00", perMinute="60", maxConcurrent="60")
    shop.run("call", "desk", "--to-file", people(shop), "--yes", "--at", "2h")
    starts = [call["schedulePlan"]["earliestAt"] for call in shop.control.objects("/call")]
    assert len(set(starts)) == 3
    ahead = [(datetime.fromisoformat(start) - datetime.now(UTC)).total_seconds() for start in starts]
    assert all(7000 < seconds < 7210 for seconds in ahead)
    assert len({int(seconds // 2) for seconds in ahead}) >= 2


def test_a_lost_call_to_one_person_is_found(shop: Bench) -> None:
    with quick():
        shop.control.fault("reset", when="after", method="POST", path="^/call$", nth=[1])
        ran = shop.run("call", "desk", "--to", "+14155550101", "--yes")
    assert "its answer was lost; it was found at Vapi" in ran.out
    assert numbers(shop) == ["+14155550101"]


def test_a_store_that_goes_away_is_one_line(shop: Bench) -> None:
    from voiceops.errors import VoiceopsError
    from voiceops.use.calls_database import calls_database
    from voiceops.use.load_project import open_project
    from voiceops.use.process_context import ProcessContext

    opened = open_project(shop.folder, None, ProcessContext(environ=shop.environ))
    error = VoiceopsError("")
    try:
        with calls_database(opened, make=True) as found:
            assert found is not None
            found.rows("SELECT * FROM gone")
    except VoiceopsError as raised:
        error = raised
    assert error.summary.startswith("the store ")
    assert error.summary.endswith("can't be used: no such table: gone")


def test_a_batch_on_postgresql(shop: Bench, tmp_path: Path) -> None:
    place = place_of("postgres", tmp_path)
    for _ in range(2):
        shop.run("call", "desk", "--to-file", people(shop), "--yes", "--db", place)
    assert numbers(shop) == ["+14155550101", "+14155550102", "+14155550103"]


def test_following_ends_with_ctrl_c_and_the_call_goes_on(shop: Bench) -> None:
    with subprocess.Popen(
        [
            sys.executable,
            "-m",
            "voiceops",
            "-C",
            str(shop.folder),
            "call",
            "desk",
            "--to",
            "+14155550101",
            "--yes",
            "--follow",
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=shop.environ,
    ) as process:
        assert process.stderr is not None
        said = process.stderr.readline()
        while "queued" not in said:
            said = process.stderr.readline()
            assert said
        process.send_signal(signal.SIGINT)
        printed, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert "called" in printed
    assert len(numbers(shop)) == 1
