"""`voiceops call` against the sandbox: one person, and batches of them."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.bench import Bench, bench

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
