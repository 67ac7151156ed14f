"""A year of clicking, pulled: the repository reads as if somebody had written it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.account_of_forty import AccountOfForty
from tests.support.bench import Bench, bench

DESK = """\
kind: Agent
name: front-desk-berlin-mitte
spec:
  name: Front desk Berlin Mitte
  firstMessage: Brightside Zahnärzte Berlin Mitte, guten Tag! Wie kann ich Ihnen helfen?
  model:
    from: gpt-4-1-mini
    systemPrompt: ${file:prompts/front-desk-berlin-mitte.md}
    tools:
      - lookup-patient
      - find-times
      - book-appointment
      - type: endCall
      - type: transferCall
        destinations:
          - {type: number, number: +493055500100, message: ""}
        function: {name: to_practice}
"""
SQUAD = """\
kind: Squad
name: main-line
spec:
  name: Main line
  members:
    - assistantId: router
    - assistantId: billing
    - assistantId: front-desk-berlin-mitte
"""


@pytest.fixture(scope="module")
def pulled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    with bench(tmp_path_factory.mktemp("brightside"), numbers=()) as made:
        AccountOfForty().plant(made.control)
        made.control.reset_requests()
        made.run("pull")
        yield made


def texts(made: Bench) -> dict[str, str]:
    root: Path = made.folder / "agents"
    return {path.relative_to(root).as_posix(): path.read_text(encoding="utf-8") for path in root.rglob("*.yaml")}


def test_it_reads_as_a_person_would_write_it(pulled: Bench) -> None:
    found = texts(pulled)
    assert found["front-desk-berlin-mitte.yaml"].startswith(DESK)
    assert found["squads/main-line.yaml"] == SQUAD
    longest = max(
        (len(line), name, line) for name, text in found.items() for line in text.splitlines() if "#" not in line
    )
    assert longest[0] <= 110, longest


def test_parts_are_named_by_what_they_are(pulled: Bench) -> None:
    names = re.findall(r"^name: (.+)$", texts(pulled)["parts.yaml"], re.MULTILINE)
    assert {"sarah", "elliot", "nova-3-en", "gpt-4-1-mini", "brightside"} <= set(names)
    assert not [name for name in names if re.fullmatch(r"\w+-\d", name)], "no voice-3"


def test_prompts_came_byte_for_byte(pulled: Bench) -> None:
    for agent in AccountOfForty().of("Agent"):
        prompt = agent["model"]["messages"][0]["content"].encode()
        assert prompt in {path.read_bytes() for path in (pulled.folder / "agents/prompts").iterdir()}


def test_no_secret_and_no_id_of_ours_stands_in_it(pulled: Bench) -> None:
    ours = {body["id"]: kind for kind, body in AccountOfForty().made if kind != "File"}
    for name, text in texts(pulled).items():
        said = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
        assert "bsk_live" not in said, name
        assert not [id_ for id_ in ours if id_ in said and "external:" not in said], name
    assert "bsk_live" in (pulled.folder / ".env").read_text(encoding="utf-8")


def test_nothing_is_left_to_do(pulled: Bench) -> None:
    pulled.run("plan", "--detailed-exitcode")
    pulled.apply()
    assert pulled.writes() == []
    assert "Nothing more is unmanaged" in pulled.run("pull").out
