"""Files, knowledge bases, dictionaries, and what agents are tested with: applied to the sandbox, and edited in it."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from tests.apply.library import COLLECTIONS, COUNT, is_ours, library
from tests.support.bench import Bench, bench

STOCK = 7


@pytest.fixture
def shelf(live: Bench) -> Bench:
    """All of it, applied."""
    library(live)
    live.apply()
    live.control.reset_requests()
    return live


def files_of(made: Bench, base: str = "KnowledgeBase/house") -> set[str]:
    kept = made.control.objects("sandbox:knowledge-base-file")
    return {row["fileId"] for row in kept if row["knowledgeBaseV2Id"] == made.id_of(base)}


def everything(made: Bench) -> list[dict[str, Any]]:
    found = [o for path in COLLECTIONS for o in made.control.objects(path)]
    return [o for o in found if is_ours(o)]


def sent(made: Bench, method: str, path: str) -> list[Any]:
    found = [r for r in made.control.requests() if r["method"] == method and r["path"] == path]
    return [json.loads(r["body"]) for r in found]


@pytest.mark.parametrize(
    "switches",
    [
        {},
        {"adversarial": True, "lag": 1.0, "lag_update": 0.7, "versions": True, "settle": 0.6},
        {"list_order": "random", "created_at": "2026-01-01T00:00:00.000Z", "cleared": "omit"},
        {"simulation_lists": "data", "list_order": "asc", "lag_delete": 1.0},
    ],
    ids=["plain", "adversarial", "random order", "pages of simulations"],
)
def test_from_nothing_to_nothing(tmp_path: Path, switches: dict[str, object]) -> None:
    with bench(tmp_path, **switches) as made:
        library(made)
        assert f"{COUNT} created" in made.apply().out
        assert made.changes() == {}
        made.control.reset_requests()
        assert "Nothing to do" in made.apply().out
        assert made.writes() == []
        assert len(everything(made)) == COUNT
        time.sleep(1.1)
        assert made.changes() == {}
        made.run("destroy", "--auto-approve", "--force")
        assert everything(made) == []
        assert made.control.objects("sandbox:knowledge-base-file") == []
        assert len(made.control.objects("/eval/simulation/personality")) == STOCK
        assert made.changes("--destroy") == {}


def test_a_lookup_of_what_is_attached_is_one_request_a_knowledge_base(shelf: Bench) -> None:
    shelf.plan()
    asked = [r["path"] for r in shelf.control.requests() if r["path"].startswith("/v2/knowledge-base")]
    assert asked == ["/v2/knowledge-base", f"/v2/knowledge-base/{shelf.id_of('KnowledgeBase/house')}"]


# files


def test_a_file_is_uploaded_with_its_bytes_and_what_is_said_of_it(shelf: Bench) -> None:
    live = shelf.live("File/menu")
    assert (live["name"], live["bytes"], live["purpose"]) == ("menu.md", 19, "knowledge-base-v2")
    assert live["metadata"] == {"season": "autumn", "pages": 2}
    assert shelf.live("File/wines")["name"] == "Our wines"
    assert shelf.live("File/wines")["originalName"] == "Our wines.txt"


def test_other_bytes_are_another_file_and_its_users_follow(shelf: Bench) -> None:
    old, wines = shelf.id_of("File/menu"), shelf.id_of("File/wines")
    shelf.write("agents/menu.md", "# Menu\n\nGnocchi 15\n")  # as long as before
    assert shelf.changes() == {
        "File/menu": ["create", "delete"],
        "KnowledgeBase/house": ["update"],
        "Tool/look-up": ["update"],
    }
    [change] = [c for c in shelf.plan()["resource_changes"] if c["address"] == "File/menu"]
    assert [(p["path"], p["source"]) for p in change["change"]["paths"]] == [("sha256", "spec.path")]
    shelf.apply()
    new = shelf.id_of("File/menu")
    assert files_of(shelf) == {new, wines}
    assert shelf.live("Tool/look-up")["knowledgeBases"][0]["fileIds"] == [new]
    writes = shelf.writes()
    assert writes[0] == ("POST", "/file")
    assert writes[-1] == ("DELETE", f"/file/{old}")
    assert shelf.changes() == {}


@pytest.mark.parametrize(
    ("old", "new", "actions"),
    [
        ("name: Our wines", "name: The wines", ["update"]),
        ("name: Our wines", "purpose: assistant", ["create", "delete"]),
        ("pages: 2", "pages: 3", ["create", "delete"]),
        (", metadata: {season: autumn, pages: 2}", "", ["create", "delete"]),
        ("path: menu.md", "path: ./menu.md", None),
    ],
)
def test_only_the_name_of_a_file_changes_in_place(shelf: Bench, old: str, new: str, actions: list[str] | None) -> None:
    shelf.edit("agents/files.yaml", old, new)
    changes = [a for address, a in shelf.changes().items() if address.startswith("File/")]
    assert changes == ([actions] if actions else [])
    shelf.apply()
    assert shelf.changes() == {}
    assert len(shelf.control.objects("/file")) == 2


def test_a_rollback_uploads_the_old_bytes_though_the_file_is_gone(shelf: Bench) -> None:
    before = shelf.live("File/menu")["bytes"]
    shelf.write("agents/menu.md", "# Menu\n\nAll new, and longer than it was before.\n")
    shelf.apply()
    shelf.remove("agents/menu.md")
    assert shelf.live("File/menu")["bytes"] != before
    shelf.run("rollback", "--auto-approve")
    assert shelf.live("File/menu")["bytes"] == before
    bodies = [r["body"] for r in shelf.control.requests() if (r["method"], r["path"]) == ("POST", "/file")]
    assert "Gnocchi 14" in bodies[-1]
    assert files_of(shelf) == {shelf.id_of("File/menu"), shelf.id_of("File/wines")}


@pytest.mark.parametrize(
    ("path", "fault"),
    [
        ("^/file$", {"kind": "reset", "when": "after"}),
        ("^/file$", {"kind": "status", "status": 500, "when": "before"}),
        ("^/v2/knowledge-base/[^/]+/file$", {"kind": "reset", "when": "after"}),
        ("^/v2/knowledge-base/[^/]+/file$", {"kind": "status", "status": 500, "when": "before"}),
        ("^/v2/knowledge-base/[^/]+/file$", {"kind": "half", "when": "after"}),
        ("pronunciation-dictionary$", {"kind": "reset", "when": "after"}),
    ],
)
def test_a_lost_answer_makes_nothing_twice(live: Bench, path: str, fault: dict[str, Any]) -> None:
    library(live)
    live.control.fault(**fault, method="POST", path=path, times=1)
    live.apply()
    assert len(everything(live)) == COUNT
    assert files_of(live) == {live.id_of("File/menu"), live.id_of("File/wines")}
    assert live.changes() == {}


def test_a_file_that_vapi_cannot_read_stops_its_users(live: Bench) -> None:
    library(live)
    live.control.switches(settle=1.5)
    live.run("apply", "--auto-approve", "--target", "File/menu")
    live.control.switches(settle=0.0)
    live.control.edit(live.id_of("File/menu"), {"status": "failed"})
    ran = live.apply(code=3)
    assert "could not process File/menu" in ran.out + ran.err
    assert live.control.objects("/tool") == []
    assert len(live.control.objects("/assistant")) == 1


def test_a_file_is_adopted_when_it_has_the_same_size_and_not_otherwise(live: Bench) -> None:
    live.write("agents/wines.txt", "Beaune 2019\n")
    live.write("agents/wines.yaml", "kind: File\nname: wines\nspec: {path: wines.txt}\n")
    made = live.control.create("/file", {"name": "wines.txt", "bytes": 12, "status": "done"})
    assert "exists already" in live.run("plan", code=5).out
    assert live.run("plan", "--detailed-exitcode", code=None).code == 5
    live.apply("--adopt")
    assert (live.id_of("File/wines"), len(live.control.objects("/file"))) == (made["id"], 1)
    assert live.changes() == {}
    live.write("agents/wines.txt", "Beaune 2020\n")
    assert live.changes() == {"File/wines": ["create", "delete"]}


def test_a_file_of_another_size_is_not_adopted(live: Bench) -> None:
    live.write("agents/wines.txt", "Beaune 2019\n")
    live.write("agents/wines.yaml", "kind: File\nname: wines\nspec: {path: wines.txt}\n")
    live.control.create("/file", {"name": "wines.txt", "bytes": 13, "status": "done"})
    assert "exists already" in live.apply("--adopt", code=5).err


# knowledge bases


def test_the_files_of_a_knowledge_base_are_a_set(shelf: Bench) -> None:
    shelf.edit("agents/files.yaml", "files: [menu, wines]", "files: [wines, menu]")
    assert shelf.changes() == {}
    shelf.edit("agents/files.yaml", "files: [wines, menu]", "files: [menu]")
    [change] = [c for c in shelf.plan()["resource_changes"] if c["address"] == "KnowledgeBase/house"]
    assert [p["path"] for p in change["change"]["paths"]] == ["files"]
    assert "wines" in shelf.run("plan").out
    shelf.apply()
    base = shelf.id_of("KnowledgeBase/house")
    assert shelf.writes() == [("DELETE", f"/v2/knowledge-base/{base}/file/{shelf.id_of('File/wines')}")]
    assert files_of(shelf) == {shelf.id_of("File/menu")}


def test_files_that_leave_the_manifest_are_detached_and_then_nobodys(shelf: Bench) -> None:
    shelf.edit("agents/files.yaml", "  files: [menu, wines]\n", "")
    shelf.apply()
    assert files_of(shelf) == set()
    base, menu = shelf.id_of("KnowledgeBase/house"), shelf.id_of("File/menu")
    row = {"knowledgeBaseV2Id": base, "fileId": menu, "status": "ready", "createdAt": "2026-01-01T00:00:00.000Z"}
    shelf.control.create("sandbox:knowledge-base-file", row)
    assert shelf.changes() == {}


def test_a_file_that_the_dashboard_detached_is_attached_again(shelf: Bench) -> None:
    [row] = [r for r in shelf.control.objects("sandbox:knowledge-base-file") if r["fileId"] == shelf.id_of("File/menu")]
    import httpx

    base = shelf.id_of("KnowledgeBase/house")
    httpx.delete(
        f"{shelf.server.vapi_url}/v2/knowledge-base/{base}/file/{row['fileId']}",
        headers={"authorization": f"Bearer {shelf.server.api_key}"},
    ).raise_for_status()
    assert [d["address"] for d in shelf.plan()["resource_drift"]] == ["KnowledgeBase/house"]
    shelf.apply()
    assert files_of(shelf) == {shelf.id_of("File/menu"), shelf.id_of("File/wines")}


def search_tool(made: Bench) -> str:
    base = made.id_of("KnowledgeBase/house")
    [tool] = [t for t in made.control.objects("/tool") if t.get("knowledgeBaseId") == base]
    return str(tool["id"])


def test_an_agent_searches_a_knowledge_base_with_the_tool_that_comes_with_it(shelf: Bench) -> None:
    tool = search_tool(shelf)
    assert shelf.live("Agent/waiter")["model"]["toolIds"] == [shelf.id_of("Tool/look-up"), tool]
    shelf.edit("agents/files.yaml", "What guests ask.", "What our guests ask.")
    assert shelf.changes() == {"KnowledgeBase/house": ["update"]}
    shelf.apply()
    assert search_tool(shelf) == tool
    assert shelf.changes() == {}
    shelf.edit("agents/voices.yaml", ", KnowledgeBase/house]", "]")
    shelf.apply()
    assert shelf.live("Agent/waiter")["model"]["toolIds"] == [shelf.id_of("Tool/look-up")]


def test_a_new_knowledge_base_brings_its_tool_to_its_agents(shelf: Bench) -> None:
    shelf.control.delete(shelf.id_of("KnowledgeBase/house"))
    shelf.control.delete(search_tool(shelf))
    shelf.control.switches(clock_skew=20.0)
    assert shelf.changes() == {"KnowledgeBase/house": ["create"], "Agent/waiter": ["update"]}
    shelf.apply()
    assert shelf.live("Agent/waiter")["model"]["toolIds"][1] == search_tool(shelf)
    assert shelf.changes() == {}


# dictionaries


def locator(made: Bench) -> dict[str, str]:
    [found] = made.live("Agent/waiter")["voice"]["pronunciationDictionaryLocators"]
    return dict(found)


def test_other_rules_are_a_new_version_and_voices_take_it_in_the_same_apply(shelf: Bench) -> None:
    before = locator(shelf)
    shelf.edit("agents/voices.yaml", "alias: Bone", "alias: Bohn")
    assert shelf.changes() == {"Dictionary/names": ["update"], "Agent/waiter": ["update"], "Agent/host": ["update"]}
    shelf.apply()
    path = f"/provider/11labs/pronunciation-dictionary/{shelf.id_of('Dictionary/names')}"
    assert [list(body) for body in sent(shelf, "PATCH", path)] == [["rules"]]
    after = locator(shelf)
    assert after["versionId"] == shelf.live("Dictionary/names")["resource"]["version_id"] != before["versionId"]
    assert after["pronunciationDictionaryId"] == before["pronunciationDictionaryId"]
    assert shelf.changes() == {}


def test_cartesias_items_change_in_place_and_no_voice_needs_to_know(shelf: Bench) -> None:
    shelf.edit("agents/voices.yaml", "NYOH-kee", "NYOK-kee")
    assert shelf.changes() == {"Dictionary/dishes": ["update"]}
    shelf.apply()
    path = f"/provider/cartesia/pronunciation-dictionary/{shelf.id_of('Dictionary/dishes')}"
    assert sent(shelf, "PATCH", path) == [
        {"itemsToAdd": [{"text": "Gnocchi", "alias": "NYOK-kee"}], "itemsToRemove": ["Gnocchi"]}
    ]
    assert shelf.changes() == {}


def test_a_name_that_elevenlabs_cannot_change_is_a_replacement(shelf: Bench) -> None:
    old = shelf.id_of("Dictionary/names")
    shelf.edit("agents/voices.yaml", "  provider: 11labs\n  rules:", "  provider: 11labs\n  name: All names\n  rules:")
    assert shelf.changes()["Dictionary/names"] == ["create", "delete"]
    shelf.apply()
    assert shelf.writes()[-1] == ("DELETE", f"/provider/11labs/pronunciation-dictionary/{old}")
    assert locator(shelf)["pronunciationDictionaryId"] == shelf.live("Dictionary/names")["resourceId"]
    assert shelf.changes() == {}


def test_another_provider_is_a_replacement_in_another_collection(shelf: Bench) -> None:
    old = shelf.id_of("Dictionary/dishes")
    shelf.edit(
        "agents/voices.yaml",
        "fallbackPlan: {voices: [{provider: cartesia, voiceId: a-voice, pronunciationDictId: dishes}]}",
        "speed: 1.1",
    )
    shelf.edit(
        "agents/voices.yaml",
        "provider: cartesia\n  items: [{text: Gnocchi, alias: NYOH-kee}]",
        "provider: 11labs\n  rules: [{type: alias, stringToReplace: Gnocchi, alias: Nyoki}]",
    )
    shelf.apply()
    assert ("DELETE", f"/provider/cartesia/pronunciation-dictionary/{old}") in shelf.writes()
    assert shelf.control.objects("/provider/cartesia/pronunciation-dictionary") == []
    locators = shelf.live("Agent/host")["voice"]["pronunciationDictionary"]
    assert all(item["versionId"] for item in locators)
    assert shelf.changes() == {}


def test_an_edit_of_a_dictionary_elsewhere_is_drift_and_its_version_is_followed(shelf: Bench) -> None:
    rules = [{"type": "alias", "stringToReplace": "Beaune", "alias": "Bown"}]
    shelf.control.edit(shelf.id_of("Dictionary/names"), set_={"resource.rules": rules, "resource.version_id": "v-else"})
    assert [d["address"] for d in shelf.plan()["resource_drift"]] == ["Dictionary/names"]
    shelf.apply()
    assert shelf.live("Dictionary/names")["resource"]["rules"][0]["alias"] == "Bone"
    assert locator(shelf)["versionId"] not in ("v-else", "")
    shelf.write("voiceops.yaml", "version: 1\nproject: shop\nenvironments: [live]\ndrift: keep\n")
    shelf.control.edit(shelf.id_of("Dictionary/names"), set_={"resource.rules": rules, "resource.version_id": "v-kept"})
    shelf.apply()
    assert locator(shelf)["versionId"] == "v-kept"
    assert shelf.live("Dictionary/names")["resource"]["rules"] == rules


def test_a_provider_s_own_id_and_a_version_given_pass_as_they_are(live: Bench) -> None:
    live.write(
        "agents/a.yaml",
        "kind: Agent\nname: a\nspec:\n  voice:\n    provider: 11labs\n    voiceId: sarah\n"
        "    pronunciationDictionaryLocators: [{pronunciationDictionaryId: rjshI10OgN6KxqtJBqO4, versionId: xJl0}]\n",
    )
    live.apply()
    assert locator_of(live, "Agent/a") == {"pronunciationDictionaryId": "rjshI10OgN6KxqtJBqO4", "versionId": "xJl0"}


def locator_of(made: Bench, address: str) -> dict[str, str]:
    [found] = made.live(address)["voice"]["pronunciationDictionaryLocators"]
    return dict(found)


# what agents are tested with


@pytest.mark.parametrize(
    ("old", "new", "address"),
    [
        ("You are hungry.", "You are very hungry.", "Personality/hungry"),
        ("Ask for a table for two.", "Ask for a table for three.", "Scenario/table-for-two"),
        ("personalityId: a0000000-0000-4000-8000-000000000001", "personalityId: hungry", "Simulation/calm-couple"),
        ("simulationIds: [hungry-couple, calm-couple]", "simulationIds: [hungry-couple]", "SimulationSuite/evening"),
        ("content: Hello", "content: Good evening", "Eval/greets"),
        ("points: 100", "points: 99", "Scorecard/service"),
        ("Was the guest served?", "Was the guest happy?", "Scorecard/service"),
    ],
)
def test_one_change_is_one_update(shelf: Bench, old: str, new: str, address: str) -> None:
    shelf.edit("agents/judged.yaml", old, new)
    assert shelf.changes() == {address: ["update"]}
    shelf.apply()
    assert [method for method, _ in shelf.writes()] == ["PATCH"]
    assert shelf.changes() == {}


@pytest.mark.parametrize(
    ("address", "merge"),
    [
        ("Personality/hungry", {"assistant": {"model": {"model": "gpt-4o-mini"}}}),
        ("Scenario/table-for-two", {"instructions": "Leave."}),
        ("Simulation/calm-couple", {"name": "calm"}),
        ("SimulationSuite/evening", {"simulationIds": []}),
        ("Eval/greets", {"description": "x"}),
        ("Scorecard/service", {"description": "x"}),
        ("KnowledgeBase/house", {"description": "x"}),
        ("File/wines", {"name": "x"}),
    ],
)
def test_an_edit_in_the_dashboard_is_drift_and_goes_back(shelf: Bench, address: str, merge: dict[str, Any]) -> None:
    before = shelf.live(address)
    shelf.control.edit(shelf.id_of(address), merge)
    assert [d["address"] for d in shelf.plan()["resource_drift"]] == [address]
    assert shelf.run("drift", code=2).out.count(address) >= 1
    shelf.apply()
    assert merged_part(shelf.live(address), merge) == merged_part(before, merge)
    assert shelf.changes() == {}


def merged_part(live: Any, merge: Any) -> Any:
    return {key: merged_part(live[key], value) for key, value in merge.items()} if isinstance(merge, dict) else live


def test_what_the_dashboard_adds_beside_stays(shelf: Bench) -> None:
    shelf.control.edit(
        shelf.id_of("Personality/hungry"), {"assistant": {"model": {"temperature": 1.5}}, "path": "team"}
    )
    shelf.control.edit(shelf.id_of("Scenario/table-for-two"), {"path": "team/tables"})
    assert shelf.changes() == {}
    shelf.edit("agents/judged.yaml", "You are hungry.", "You are starving.")
    shelf.apply()
    live = shelf.live("Personality/hungry")
    assert (live["assistant"]["model"]["temperature"], live["path"]) == (1.5, "team")


def test_a_scorecard_s_edge_is_sent_on_the_agent_whichever_side_says_it(shelf: Bench) -> None:
    card = shelf.id_of("Scorecard/service")
    assert shelf.live("Agent/waiter")["artifactPlan"]["scorecardIds"] == [card]
    assert "assistantIds" not in shelf.live("Scorecard/service")
    shelf.edit("agents/judged.yaml", "  assistantIds: [waiter]\n", "")
    shelf.edit(
        "agents/voices.yaml",
        "firstMessage: Good evening.",
        "artifactPlan: {scorecardIds: [service]}\n  firstMessage: Good evening.",
    )
    assert shelf.changes() == {}


def test_no_secret_of_a_suite_is_shown_or_kept(shelf: Bench) -> None:
    secret = shelf.environ["SLACK_HOOK"]
    assert shelf.live("SimulationSuite/evening")["slackWebhookUrl"] == secret
    kept = [p.read_text(errors="replace") for p in (shelf.folder / ".voiceops").rglob("*") if p.is_file()]
    assert kept
    assert not any("s3cr3t" in text for text in kept)
    shelf.edit("agents/judged.yaml", "simulationIds: [hungry-couple, calm-couple]", "simulationIds: [calm-couple]")
    shown = shelf.run("plan").out + shelf.run("plan", "--format", "json").out + shelf.apply().out
    assert "s3cr3t" not in shown
    assert "s3cr3t" not in shelf.run("show", "2", "--format", "json").out


def test_vapi_s_own_personalities_are_never_taken_for_ours(live: Bench) -> None:
    live.write(
        "agents/carl.yaml",
        "kind: Personality\nname: carl\n"
        "spec: {name: Confused Carl, assistant: {model: {provider: openai, model: gpt-4o}}}\n",
    )
    stock = "a0000000-0000-4000-8000-000000000001"
    assert "can't be managed" in live.run("import", "Personality/carl", stock, code=1).err
    live.apply()
    assert live.id_of("Personality/carl") != stock
    live.run("destroy", "--auto-approve", "--force")
    assert len(live.control.objects("/eval/simulation/personality")) == STOCK
    assert not any(r["path"].endswith(stock) for r in live.control.requests())


def test_what_was_deleted_elsewhere_comes_back_and_its_users_follow(shelf: Bench) -> None:
    for address in ("Scenario/table-for-two", "File/wines", "Dictionary/dishes"):
        shelf.control.delete(shelf.id_of(address))
    shelf.control.switches(clock_skew=20.0)
    changes = shelf.changes()
    assert {a: c for a, c in changes.items() if c == ["create"]}.keys() == {
        "Scenario/table-for-two",
        "File/wines",
        "Dictionary/dishes",
    }
    assert {"Simulation/hungry-couple", "KnowledgeBase/house", "Agent/host", "Agent/waiter"} <= changes.keys()
    shelf.apply()
    assert shelf.changes() == {}
    assert len(everything(shelf)) == COUNT


def test_a_saved_plan_holds_a_file_s_bytes_to_what_was_reviewed(shelf: Bench) -> None:
    shelf.write("agents/menu.md", "# Menu\n\nGnocchi 15\n")
    shelf.run("plan", "--out", str(shelf.folder / "plan.json"))
    shelf.write("agents/menu.md", "# Menu\n\nGnocchi 99\n")
    assert "come out otherwise" in shelf.run("apply", str(shelf.folder / "plan.json"), code=5).err
    shelf.write("agents/menu.md", "# Menu\n\nGnocchi 15\n")
    shelf.run("apply", str(shelf.folder / "plan.json"))
    assert shelf.changes() == {}


def test_two_environments_can_share_an_account(live: Bench) -> None:
    library(live)
    live.write("voiceops.yaml", "version: 1\nproject: shop\nenvironments: [live, test]\n")
    live.write("environments/test.yaml", 'naming: {suffix: " (test)"}\n')
    live.run("-e", "live", "apply", "--auto-approve")
    live.run("-e", "test", "apply", "--auto-approve")
    names = sorted(str(f["name"]) for f in live.control.objects("/file"))
    assert names == ["Our wines", "Our wines", "menu (test).md", "menu.md"]
    assert len(everything(live)) == 2 * COUNT
