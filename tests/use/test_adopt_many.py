"""Many live objects are adopted in one revision: by name, or by a file of ids; all of a file or nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.bench import Bench, bench
from tests.support.quick import quick

AGENT = """kind: Agent
name: {name}
spec:
  firstMessage: {first}
  model: {{provider: openai, model: gpt-4o}}
"""


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Bench]:
    with quick(), bench(tmp_path) as made:
        yield made


def agent(made: Bench, name: str, first: str = "Hello") -> str:
    body = {"name": name, "firstMessage": first, "model": {"provider": "openai", "model": "gpt-4o"}}
    return str(made.control.create("/assistant", body)["id"])


def test_by_name(live: Bench) -> None:
    one = agent(live, "one")
    two = agent(live, "two", "Good morning")
    twins = [agent(live, "twin"), agent(live, "twin")]
    line = live.control.create("/phone-number", {"provider": "vapi", "sipUri": "sip:x@sip.vapi.ai", "name": "x"})
    for name in ("one", "two", "twin", "nobody"):
        live.write(f"agents/{name}.yaml", AGENT.format(name=name, first="Hello"))
    assert line["id"]
    looked = live.run("import", "--by-name", "--dry-run", "--format", "json").data
    assert looked["written"] is False
    assert not (live.folder / ".voiceops/state/live/state.json").exists()
    done = live.run("import", "--by-name", "--format", "json").data
    assert done["adopted"] == looked["adopted"] == {"Agent/one": one, "Agent/two": two}
    assert done["differs"] == ["Agent/two"]
    left = {each["address"]: each for each in done["left"]}
    assert sorted(left["Agent/twin"]["candidates"]) == sorted(twins)
    assert left["Agent/nobody"]["why"] == "no unmanaged assistant called 'nobody'"
    assert [r["operation"] for r in live.run("history", "--format", "json").data] == ["import"]
    assert live.writes() == []
    changes = live.changes()
    assert changes["Agent/two"] == ["update"]
    assert "Agent/one" not in changes
    text = live.run("import", "--by-name").out
    assert "0 objects adopted." in text
    assert "2 are managed already." in text
    assert f"voiceops import Agent/twin {twins[0]}" in text


def test_what_has_no_live_object_of_ours_is_told_apart(live: Bench) -> None:
    id_ = agent(live, "theirs")
    live.write(
        "agents/all.yaml",
        f"kind: Agent\nname: theirs\nexternal: {{id: {id_}}}\n---\n"
        "kind: Agent\nname: gone\nlifecycle: {forget: true}\n---\n"
        "kind: Voice\nname: warm\nspec: {provider: vapi, voiceId: Elliot}\n",
    )
    said = {
        "Agent/theirs": "Agent/theirs is external: somebody else manages it",
        "Agent/gone": "Agent/gone is let go here",
        "Voice/warm": "Voice/warm is a part",
        "Agent/none": "no manifest declares Agent/none",
    }
    for address, expected in said.items():
        assert expected in live.run("import", address, id_, code=1).err
    live.write("ids.txt", "".join(f"{address} id-{n}\n" for n, address in enumerate(said)))
    told = live.run("import", "--from", str(live.folder / "ids.txt"), code=1).err
    assert all(expected in told for expected in said.values())


def test_from_a_file(live: Bench) -> None:
    ids = {f"Agent/{name}": agent(live, name.upper()) for name in ("one", "two")}
    for name in ("one", "two"):
        live.write(f"agents/{name}.yaml", AGENT.format(name=name, first="Hello"))
    live.write("ids.txt", "# ours\n\n" + "".join(f"{a}  {i}  # live\n" for a, i in ids.items()))
    done = live.run("import", "--from", "ids.txt", "--format", "json").data
    assert done["adopted"] == ids
    assert done["revision"] == 1
    again = live.run("import", "--from", "ids.txt", "--format", "json").data
    assert again["managed"] == list(ids)
    assert again["revision"] is None


def test_nothing_is_adopted_where_a_line_is_wrong(live: Bench) -> None:
    one = agent(live, "one")
    for name in ("one", "two"):
        live.write(f"agents/{name}.yaml", AGENT.format(name=name, first="Hello"))
    live.write(
        "ids.txt",
        f"Agent/one {one}\nAgent/two {one}\nAgent/two\nAgent/nobody 1\nAgent/one 2\nnonsense\n"
        "Agent/two 00000000-0000-4000-8000-00000000dead\n",
    )
    ran = live.run("import", "--from", "ids.txt", code=1)
    for line in (2, 3, 4, 5, 6):
        assert f"ids.txt:{line}:1" in ran.err
    assert live.run("history", "--format", "json").data == []
    live.write("ids.txt", f"Agent/one {one}\nAgent/two 00000000-0000-4000-8000-00000000dead\n")
    ran = live.run("import", "--from", "ids.txt", code=1)
    assert "ids.txt:2:1" in ran.err
    assert "there is no live assistant 00000000-0000-4000-8000-00000000dead" in ran.err
    assert live.run("history", "--format", "json").data == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--from", "nowhere.txt"), "nowhere.txt can't be read: No such file or directory"),
        (("--from", "agents"), "agents can't be read: Is a directory"),
        (("--from", "odd.txt"), "odd.txt can't be read: it is not UTF-8 text"),
        ((), "Give an address and an id, or --by-name, or --from FILE"),
        (("Agent/one",), "Give an address and an id"),
        (("--by-name", "--from", "ids.txt"), "Give an address and an id"),
    ],
)
def test_what_is_no_import(live: Bench, arguments: tuple[str, ...], said: str) -> None:
    live.write("agents/one.yaml", AGENT.format(name="one", first="Hello"))
    (live.folder / "odd.txt").write_bytes(b"\xff\xfe")
    ran = live.run("import", *arguments, code=None)
    assert ran.code in (1, 2)
    assert said in ran.err
