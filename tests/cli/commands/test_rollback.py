"""`rollback`: to any revision of any history, to a git ref, and what can't come back is said."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.apply.manifests import AGENT, LINE
from tests.cli.commands.test_history_entries import git
from tests.support.bench import Bench, bench
from tests.support.quick import quick

NUMBERS = ("+14155550100", "+14155550101")
CHANGING = ("id", "sid", "createdAt", "updatedAt", "latestVersion", "date_updated", "date_created", "uri")


def content(made: Bench) -> dict[str, Any]:
    """All that is live in both accounts, ids and times aside."""
    ids = {entry["id"]: address for address, entry in made.state()["resources"].items()}

    def plain(value: Any) -> Any:
        if isinstance(value, dict):
            filled = ("strict",)  # what the server adds to a function by itself, with the first update only
            kept = {key: item for key, item in value.items() if key not in (*CHANGING, *filled)}
            return {key: plain(item) for key, item in kept.items() if item not in (None, "")}
        if isinstance(value, list):
            return [plain(item) for item in value]
        return ids.get(value, value) if isinstance(value, str) else value

    def ordered(objects: list[dict[str, Any]]) -> list[Any]:
        found: list[Any] = [plain(o) for o in objects]
        return sorted(found, key=lambda o: json.dumps(o, sort_keys=True))

    kinds = ("assistant", "tool", "phone-number", "squad")
    return {kind: ordered(made.control.objects(f"/{kind}")) for kind in kinds} | {
        "numbers": ordered(made.control.numbers())
    }


# any of thirty histories


@dataclass(slots=True)
class Shop:
    """What the manifests say, as data that steps change."""

    greetings: dict[str, str] = field(default_factory=lambda: {"desk": "Hello"})
    tools: dict[str, str] = field(default_factory=dict)
    uses: dict[str, list[str]] = field(default_factory=dict)
    lines: dict[str, str] = field(default_factory=dict)  # number → agent
    squad: bool = False
    moved: dict[str, str] = field(default_factory=dict)
    clock: float = 0.0

    def documents(self) -> str:
        parts = []
        for name, text in self.greetings.items():
            tools = [tool for tool in self.uses.get(name, []) if tool in self.tools]
            moved = f"moved: {{from: Agent/{self.moved[name]}}}\n" if name in self.moved else ""
            parts.append(
                f"kind: Agent\nname: {name}\n{moved}spec:\n  firstMessage: {text}\n"
                f"  model: {{provider: openai, model: gpt-4.1-mini, tools: {json.dumps(tools)}}}\n"
            )
        for name, text in self.tools.items():
            function = f"{{name: {name}, description: {text}}}"
            parts.append(f"kind: Tool\nname: {name}\nspec: {{type: function, function: {function}}}\n")
        for number, agent in self.lines.items():
            if agent in self.greetings:
                name = f"line{number[-1]}"
                parts.append(
                    f"kind: Phone\nname: {name}\nspec: {{number: {number}, provider: twilio, agent: {agent}}}\n"
                )
        if self.squad:
            members = "[" + ", ".join(f"{{assistantId: {name}}}" for name in self.greetings) + "]"
            parts.append(f"kind: Squad\nname: team\nspec: {{members: {members}}}\n")
        return "---\n".join(parts)


WORDS = st.sampled_from(["Hi", "Good day", "Welcome", "Yes"])
AGENTS = st.sampled_from(["desk", "night", "sales"])
TOOLS = st.sampled_from(["lookup", "book"])
STEPS = st.one_of(
    st.tuples(st.just("greet"), AGENTS, WORDS),
    st.tuples(st.just("drop"), AGENTS),
    st.tuples(st.just("tool"), TOOLS, WORDS),
    st.tuples(st.just("untool"), TOOLS),
    st.tuples(st.just("use"), AGENTS, st.lists(TOOLS, unique=True, max_size=2)),
    st.tuples(st.just("line"), st.sampled_from(NUMBERS), AGENTS),
    st.tuples(st.just("unline"), st.sampled_from(NUMBERS)),
    st.tuples(st.just("squad"), st.booleans()),
    st.tuples(st.just("rename"), AGENTS),
    st.tuples(st.just("edit"), WORDS),
    st.tuples(st.just("lose"), st.integers(0, 5)),
)


def step(made: Bench, shop: Shop, what: str, *given: Any) -> None:
    """One change of the manifests, or somebody's edit in the dashboard."""
    match what:
        case "greet":
            shop.greetings[given[0]] = given[1]
        case "drop" if len(shop.greetings) > 1:
            shop.greetings.pop(given[0], None)
            shop.moved.pop(given[0], None)
        case "tool":
            shop.tools[given[0]] = given[1]
        case "untool":
            shop.tools.pop(given[0], None)
        case "use":
            shop.uses[given[0]] = given[1]
        case "line":
            shop.lines[given[0]] = given[1]
        case "unline":
            shop.lines.pop(given[0], None)
        case "squad":
            shop.squad = given[0]
        case "rename" if given[0] in shop.greetings and f"{given[0]}2" not in shop.greetings:
            old, new = given[0], f"{given[0]}2"
            shop.greetings[new] = shop.greetings.pop(old)
            shop.lines = {number: new if agent == old else agent for number, agent in shop.lines.items()}
            shop.uses[new] = shop.uses.get(old, [])
            shop.moved[new] = old
        case "edit":
            for live in made.control.objects("/assistant"):
                made.control.edit(live["id"], {"firstMessage": f"{given[0]} (edited)"})
        case "lose":
            found = made.control.objects("/tool")
            if found:
                made.control.delete(found[given[0] % len(found)]["id"])
    if what in ("edit", "lose"):
        shop.clock += 20  # what was written a moment ago and can't be seen is taken to be on its way
        made.control.switches(clock_skew=shop.clock)


@dataclass(slots=True)
class Told:
    histories: int = 0
    revisions: int = 0


TOLD = Told()


@settings(max_examples=30, suppress_health_check=list(HealthCheck))
@given(
    history=st.lists(st.lists(STEPS, min_size=1, max_size=4), min_size=2, max_size=5),
    back=st.integers(0, 100),
)
def any_history(history: list[list[Any]], back: int) -> None:
    with TemporaryDirectory() as folder, bench(Path(folder), numbers=NUMBERS) as made, quick(settle=0.2):
        made.write(
            "voiceops.yaml", "version: 1\nproject: shop\nenvironments: [live]\nsafety: {maxDestroyPercent: 100}\n"
        )
        shop, left = Shop(), {}
        for steps in history:
            for what in steps:
                step(made, shop, *what)
            made.write("agents/all.yaml", shop.documents())
            ran = made.apply("--format", "json")
            if number := ran.lines[-1].get("revision"):
                left[number] = content(made)
        number = sorted(left)[back % len(left)]
        made.remove("agents/all.yaml")
        made.run("rollback", str(number), "--auto-approve")
        assert content(made) == left[number]
        TOLD.histories += 1
        TOLD.revisions += len(left)


def test_rollback_after_any_history_brings_back_exactly_what_was(record_property: Any) -> None:
    started = time.monotonic()
    any_history()
    record_property(
        "figure",
        f"rollback: {TOLD.histories} random histories, {TOLD.revisions} revisions, {time.monotonic() - started:.0f} s",
    )


# what can't come back


def test_a_number_that_the_account_no_longer_has_is_left_out_and_said(desk: Bench) -> None:
    desk.write("agents/second.yaml", LINE.replace("line", "second").replace("0100", "0101"))
    desk.apply()
    desk.remove("agents/second.yaml")
    desk.edit("agents/agent.yaml", "Hello", "Third")
    desk.apply("--force")
    desk.control.delete(desk.control.number("+14155550101")["sid"])
    ran = desk.run("rollback", "--auto-approve")
    assert "+14155550101" in ran.out + ran.err
    assert "can't come back" in ran.out
    assert desk.live("Agent/desk")["firstMessage"] == "Hello"
    assert "Phone/second" not in desk.state()["resources"]
    # Purchases are never repeated, whatever the manifest of that time says.
    assert all(path.count("IncomingPhoneNumbers.json") == 0 for method, path in desk.writes() if method == "POST")
    assert desk.changes("--target", "Agent/desk") != {}


def test_a_bought_number_is_not_bought_again(desk: Bench) -> None:
    desk.write(
        "agents/second.yaml",
        LINE.replace("line", "second")
        .replace("0100", "0199")
        .replace("agent: desk", "agent: desk, purchase: true, release: true"),
    )
    desk.apply()
    desk.remove("agents/second.yaml")
    desk.apply("--force")
    assert all(number["phone_number"] != "+14155550199" for number in desk.control.numbers())
    desk.control.reset_requests()
    shown = desk.run("rollback", "--auto-approve", code=0)
    assert "can't come back" in shown.err
    assert desk.writes() == []


def test_numbers_go_back_to_who_answered_before_the_cut_over(live: Bench) -> None:
    live.write("agents/agent.yaml", AGENT.replace("    tools: [lookup]\n", ""))
    live.apply()
    live.control.edit_number("+14155550100", voice_url="https://old.example/voice", friendly_name="Old desk")
    before = content(live)
    live.write("agents/line.yaml", LINE)
    live.apply("--adopt")
    assert live.control.number("+14155550100")["voice_url"] != "https://old.example/voice"
    live.run("rollback", "--auto-approve", "--force")
    assert content(live) == before


def test_a_vapi_number_that_left_management_is_taken_back_and_not_made_again(live: Bench) -> None:
    live.write("agents/agent.yaml", AGENT.replace("    tools: [lookup]\n", ""))
    live.write("agents/line.yaml", "kind: Phone\nname: line\nspec: {provider: vapi, agent: desk}\n")
    live.apply()
    first, number = content(live), live.id_of("Phone/line")
    live.remove("agents/line.yaml")
    live.apply("--force")
    live.run("rollback", "--auto-approve")
    assert live.id_of("Phone/line") == number
    assert content(live) == first


def test_a_literal_secret_that_no_revision_keeps_stops_the_rollback_before_it_starts(desk: Bench) -> None:
    crm = "kind: Credential\nname: crm\nspec: {provider: custom-llm, apiKey: sk-literal-s3cr3t}\n"
    desk.write("agents/crm.yaml", crm)
    desk.apply()
    desk.remove("agents/crm.yaml")
    desk.edit("agents/agent.yaml", "Hello", "Third")
    desk.apply()
    desk.control.reset_requests()
    refused = desk.run("rollback", "2", "--auto-approve", code=5)
    assert "Credential/crm" in refused.err
    assert "secret" in refused.err
    assert desk.writes() == []
    desk.run("rollback", "2", "--auto-approve", "--target", "Agent/desk")
    assert desk.live("Agent/desk")["firstMessage"] == "Hello"


def test_a_renamed_agent_gets_its_old_address_and_keeps_its_id(desk: Bench) -> None:
    first, id_ = content(desk), desk.id_of("Agent/desk")
    desk.write("agents/agent.yaml", AGENT.replace("name: desk", "name: front\nmoved: {from: Agent/desk}"))
    desk.edit("agents/line.yaml", "agent: desk", "agent: front")
    desk.apply()
    assert desk.id_of("Agent/front") == id_
    desk.run("rollback", "--auto-approve")
    assert desk.id_of("Agent/desk") == id_
    assert content(desk) == first


def test_a_new_object_may_name_one_that_is_renamed_in_the_same_apply(desk: Bench) -> None:
    desk.write("agents/agent.yaml", AGENT.replace("name: desk", "name: front\nmoved: {from: Agent/desk}"))
    desk.edit("agents/agent.yaml", "Hello", "Hi")
    desk.edit("agents/line.yaml", "agent: desk", "agent: front")
    desk.write("agents/team.yaml", "kind: Squad\nname: team\nspec: {members: [{assistantId: front}]}\n")
    desk.apply("--parallelism", "10")
    assert desk.live("Squad/team")["members"][0]["assistantId"] == desk.id_of("Agent/front")


# git


def test_rollback_to_a_git_ref_and_the_hold_afterwards(desk: Bench) -> None:
    first = content(desk)
    git(desk.folder, "init", "-q")
    desk.write(".gitignore", ".voiceops/\n")
    git(desk.folder, "add", ".")
    git(desk.folder, "commit", "-qm", "the first")
    git(desk.folder, "tag", "v1")
    desk.edit("agents/agent.yaml", "Hello", "Bad")
    git(desk.folder, "commit", "-qam", "bad")
    bad = git(desk.folder, "rev-parse", "HEAD").strip()
    desk.apply()
    desk.edit("agents/agent.yaml", "Bad", "Not committed")

    shown = desk.run("rollback", "--git", "v1", "--plan-only")
    assert '"Bad" → "Hello"' in shown.out
    assert desk.live("Agent/desk")["firstMessage"] == "Bad"
    ran = desk.run("rollback", "--git", "v1", "--auto-approve", "-m", "3 a.m.")
    assert content(desk) == first
    assert f"git revert {bad}" in ran.err
    assert "Not committed" in (desk.folder / "agents/agent.yaml").read_text(), "the working tree stays as it is"
    entry = desk.run("history", "--format", "json").data[-1]
    assert (entry["operation"], entry["ref"].split()[0], entry["number"]) == ("rollback", "v1", 3)
    assert "rollback to v1" in desk.run("show", "3").out

    # The same bad manifests, in the next pipeline run.
    git(desk.folder, "checkout", "-q", "--", "agents")
    refused = desk.apply(code=5)
    assert f"git revert {bad}" in refused.err
    git(desk.folder, "revert", "--no-edit", bad)
    assert desk.changes() == {}
    # What is held is no place to return to; the first revision is, and it is live already.
    desk.control.reset_requests()
    assert "revision 1" in desk.run("rollback", "--auto-approve").err
    assert desk.writes() == []
    assert "no older" in desk.run("rollback", "--auto-approve", code=1).err


def test_a_git_ref_that_validate_refuses_is_returned_to_only_where_it_was_live(desk: Bench) -> None:
    git(desk.folder, "init", "-q")
    desk.write(".gitignore", ".voiceops/\n")
    desk.edit(
        "agents/agent.yaml", "{provider: 11labs, voiceId: sarah, speed: 1.0}", "{provider: vapi, voiceId: elliot}"
    )
    git(desk.folder, "add", ".")
    git(desk.folder, "commit", "-qm", "a voice that nobody has")
    head = git(desk.folder, "rev-parse", "HEAD").strip()
    desk.run("apply", "--auto-approve", code=1)
    assert "VO112" in desk.run("rollback", "--git", "HEAD", "--plan-only", code=1).err

    # An older voiceops applied that very commit: it is said, and stands in nobody's way at 3 a.m.
    path = desk.folder / ".voiceops/state/live/revisions/000001.json"
    revision = json.loads(path.read_text())
    path.write_text(json.dumps(revision | {"origin": {**revision["origin"], "commit": head, "dirty": False}}))
    shown = desk.run("rollback", "--git", "HEAD", "--plan-only")
    assert "VO112" in shown.err
    assert "elliot" in shown.out
    assert "VO112" not in desk.run("rollback", "1", "--plan-only").err, "a revision is not judged anew"


def test_a_merge_is_reverted_with_its_parent_named(desk: Bench) -> None:
    git(desk.folder, "init", "-q", "-b", "main")
    desk.write(".gitignore", ".voiceops/\n")
    git(desk.folder, "add", ".")
    git(desk.folder, "commit", "-qm", "the first")
    git(desk.folder, "switch", "-qc", "change")
    desk.edit("agents/agent.yaml", "Hello", "Bad")
    git(desk.folder, "commit", "-qam", "bad")
    git(desk.folder, "switch", "-q", "main")
    git(desk.folder, "merge", "-q", "--no-ff", "-m", "Merge change", "change")
    merge = git(desk.folder, "rev-parse", "HEAD").strip()
    desk.apply()
    ran = desk.run("rollback", "--auto-approve")
    assert f"git revert -m 1 {merge}" in ran.err
    git(desk.folder, "revert", "--no-edit", "-m", "1", merge)
    assert desk.changes() == {}


@pytest.mark.parametrize(
    ("arguments", "prepare", "why"),
    [
        (("--git", "v9"), "commit", "git rev-parse failed"),
        (("--git", "main"), "nothing", "git rev-parse failed"),
        (("--git", "--help"), "commit", "git rev-parse failed"),
        (("1", "--git", "v1"), "commit", "not to both"),
        (("--git", "HEAD"), "empty", "no voiceops.yaml"),
        (("--git", "HEAD"), "other", "the project other"),
    ],
)
def test_what_is_no_ref_of_this_project_is_an_error(
    desk: Bench, arguments: tuple[str, ...], prepare: str, why: str
) -> None:
    prepared: dict[str, Callable[[], Any]] = {
        "nothing": lambda: None,
        "commit": lambda: git(desk.folder, "add", "."),
        "empty": lambda: (desk.write("x", "x"), git(desk.folder, "add", "x")),
        "other": lambda: (desk.edit("voiceops.yaml", "shop", "other"), git(desk.folder, "add", ".")),
    }
    if prepare != "nothing":
        git(desk.folder, "init", "-q", "-b", "main")
        prepared[prepare]()
        git(desk.folder, "commit", "-qm", "x")
        desk.write("voiceops.yaml", "version: 1\nproject: shop\nenvironments: [live]\n")
    assert why in desk.run("rollback", "--auto-approve", *arguments, code=1).err
