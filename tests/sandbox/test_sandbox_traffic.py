"""Versions, who gets which, and models that go: as the newest API has them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.sandbox_bench import OWNED, Bench

PATH = "/traffic-allocations"


@pytest.fixture
def split(bench: Bench) -> dict[str, Any]:
    """An assistant of three versions in an organization that may split traffic."""
    bench.control.switches(traffic_splitting=True)
    made = bench.make("/assistant", {"name": "a"})
    for name in ("b", "c"):
        assert bench.vapi.patch(f"/assistant/{made['id']}", json={"name": name}).status_code == 200
    return made


def _create(bench: Bench, assistant: dict[str, Any], *shares: tuple[str, float], **more: Any) -> Any:
    targets = [{"assistantVersion": version, "percentage": share} for version, share in shares]
    return bench.vapi.post(PATH, json={"assistantId": assistant["id"], "targets": targets, **more})


def test_an_organization_without_access_is_refused(bench: Bench) -> None:
    for answer in (
        bench.vapi.get(PATH),
        bench.vapi.get(PATH + "/latest", params={"assistantId": "x"}),
        bench.vapi.get(PATH + "/x"),
        bench.vapi.post(PATH, json={}),
    ):
        assert (answer.status_code, answer.json()["error"]) == (403, "Forbidden")


def test_the_newest_row_governs_and_none_goes(bench: Bench, split: dict[str, Any]) -> None:
    first = _create(bench, split, ("v1", 100))
    second = _create(bench, split, ("v1", 90), ("v3", 10), description="ten per cent")
    assert (first.status_code, second.status_code) == (201, 201)
    assert second.json()["allocationIntent"] == "explicit"
    assert [t["position"] for t in second.json()["targets"]] == [0, 1]
    latest = bench.vapi.get(PATH + "/latest", params={"assistantId": split["id"]}).json()["allocation"]
    assert latest == second.json() == bench.vapi.get(f"{PATH}/{latest['id']}").json()
    listed = bench.vapi.get(PATH, params={"assistantId": split["id"]}).json()
    assert [row["id"] for row in listed["results"]] == [second.json()["id"], first.json()["id"]]
    assert listed["metadata"]["totalItems"] == 2
    assert bench.vapi.delete(f"{PATH}/{latest['id']}").status_code == 404


def test_an_assistant_without_an_allocation_has_none(bench: Bench, split: dict[str, Any]) -> None:
    assert bench.vapi.get(PATH + "/latest", params={"assistantId": split["id"]}).json() == {}


def test_only_who_knows_the_row_in_effect_may_replace_it(bench: Bench, split: dict[str, Any]) -> None:
    first = _create(bench, split, ("v1", 100), expectedCurrentAllocationId=None).json()
    stale = _create(bench, split, ("v2", 100), expectedCurrentAllocationId="00000000-0000-4000-8000-000000000009")
    assert (stale.status_code, stale.json()["error"]) == (409, "stale_allocation")
    assert stale.json()["currentAllocationId"] == first["id"]
    assert _create(bench, split, ("v2", 100), expectedCurrentAllocationId=first["id"]).status_code == 201


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({"targets": [{"assistantVersion": "v1", "percentage": 99.999}]}, "total 100"),
        ({"targets": [{"assistantVersion": "v1", "percentage": 33.3333}]}, "at most 3 decimal places"),
        ({"targets": [{"assistantVersion": "v1", "percentage": 101}]}, "greater than 100"),
        ({"targets": [{"assistantVersion": "v1", "percentage": -1}]}, "less than 0"),
        ({"targets": [{"assistantVersion": "v1", "percentage": True}]}, "must be a number"),
        ({"targets": [{"assistantVersion": "v4", "percentage": 100}]}, "no published version"),
        ({"targets": [{"assistantVersion": "3", "percentage": 100}]}, "no published version"),
        ({"targets": []}, "at least 1"),
        ({"targets": [{"assistantVersion": "v1", "percentage": 50}] * 2}, "twice"),
        ({"targets": [{"assistantVersion": "v1", "percentage": 100, "name": "x"}]}, "name should not exist"),
        ({"allocationIntent": "explicit"}, "targets are required"),
        ({}, "targets are required"),
        (
            {"allocationIntent": "follow-latest", "targets": [{"assistantVersion": "v1", "percentage": 100}]},
            "no targets",
        ),
        ({"allocationIntent": "half"}, "one of the following"),
        ({"targets": [], "weight": 1}, "weight should not exist"),
    ],
)
def test_what_is_no_split_is_refused(bench: Bench, split: dict[str, Any], body: dict[str, Any], named: str) -> None:
    answer = bench.vapi.post(PATH, json={"assistantId": split["id"], **body})
    assert answer.status_code == 400
    assert named in str(answer.json()["message"])
    assert bench.vapi.get(PATH).json()["results"] == []


def test_thirds_make_a_whole(bench: Bench, split: dict[str, Any]) -> None:
    assert _create(bench, split, ("v1", 33.333), ("v2", 33.333), ("v3", 33.334)).status_code == 201


def test_an_end_is_followed_by_every_publish(bench: Bench, split: dict[str, Any]) -> None:
    _create(bench, split, ("v1", 100))
    bench.vapi.post(PATH, json={"assistantId": split["id"], "allocationIntent": "follow-latest"})
    bench.vapi.patch(f"/assistant/{split['id']}", json={"name": "d"})
    rows = bench.vapi.get(PATH).json()["results"]
    assert [row["actorType"] for row in rows] == ["system", "api-key", "api-key"]
    assert rows[0]["targets"] == []


@pytest.mark.parametrize(
    ("path", "body", "change"),
    [
        ("/assistant", {"name": "a"}, {"name": "b"}),
        ("/tool", {"type": "function", "function": {"name": "a"}}, {"function": {"name": "b"}}),
    ],
)
def test_a_change_of_content_is_a_new_version(
    bench: Bench, path: str, body: dict[str, Any], change: dict[str, Any]
) -> None:
    made = bench.make(path, body)
    assert made["latestVersion"] == "v1"
    assert bench.vapi.patch(f"{path}/{made['id']}", json=change).json()["latestVersion"] == "v2"
    assert bench.vapi.patch(f"{path}/{made['id']}", json=change).json()["latestVersion"] == "v2"


def test_squads_have_versions_too(bench: Bench) -> None:
    agent = bench.make("/assistant", {"name": "a"})
    squad = bench.make("/squad", {"name": "s", "members": [{"assistantId": agent["id"]}]})
    changed = bench.vapi.patch(f"/squad/{squad['id']}", json={"name": "t", "members": squad["members"]})
    assert (squad["latestVersion"], changed.json()["latestVersion"]) == ("v1", "v2")


def test_an_update_that_makes_a_draft_leaves_the_version(bench: Bench) -> None:
    bench.control.switches(drafts=True)
    made = bench.make("/assistant", {"name": "a"})
    assert bench.vapi.patch(f"/assistant/{made['id']}", json={"name": "b"}).json()["latestVersion"] == "v1"


def test_notices_name_the_slots_of_models_that_go(bench: Bench) -> None:
    bench.control.deprecations(
        {"provider": "openai", "model": "gpt-4o", "deprecationDate": "2026-01-01", "retirementDate": "2026-12-01"},
        {
            "provider": "deepgram",
            "model": "nova-2",
            "deprecationDate": "2026-01-01",
            "retirementDate": "2027-01-01",
            "replacementModel": "nova-3",
        },
    )
    agent = bench.make(
        "/assistant",
        {
            "model": {"provider": "openai", "model": "gpt-4.1", "fallbackModels": ["gpt-4.1-mini", "gpt-4o"]},
            "transcriber": {"provider": "deepgram", "model": "nova-2"},
        },
    )
    assert {(n["slot"], n["replacementStatus"]) for n in agent["modelDeprecations"]} == {
        ("model.fallbackModels[1]", "manual-action-required"),
        ("transcriber", "available"),
    }
    members = [{"assistantId": agent["id"], "assistantOverrides": {"model": {"provider": "openai", "model": "gpt-4o"}}}]
    squad = bench.make("/squad", {"members": members})
    assert [n["slot"] for n in squad["modelDeprecations"]] == ["members[0].assistantOverrides.model"]
    changed = bench.vapi.patch(f"/assistant/{agent['id']}", json={"model": None, "transcriber": None})
    assert "modelDeprecations" not in changed.json()


@pytest.mark.parametrize(("kind", "code"), [("personality", "personality_in_use"), ("scenario", "scenario_in_use")])
def test_what_a_simulation_uses_stays(bench: Bench, kind: str, code: str) -> None:
    path = f"/eval/simulation/{kind}"
    used = bench.control.create(path, {"name": "x"})
    run = bench.control.create("/eval/simulation", {"name": "s", f"{kind}Id": used["id"]})
    answer = bench.vapi.delete(f"{path}/{used['id']}")
    assert (answer.status_code, answer.json()["error"]) == (409, code)
    bench.vapi.delete(f"/eval/simulation/{run['id']}")
    assert bench.vapi.delete(f"{path}/{used['id']}").status_code == 200


def test_a_suite_is_copied(bench: Bench) -> None:
    suite = bench.control.create("/eval/simulation/suite", {"name": "x" * 80, "simulationIds": []})
    copy = bench.vapi.post(f"/eval/simulation/suite/{suite['id']}/duplicate")
    assert copy.status_code == 201
    assert copy.json()["id"] != suite["id"]
    assert copy.json()["name"].endswith(" (copy)")
    assert len(copy.json()["name"]) == 80
    assert bench.vapi.post("/eval/simulation/suite/none/duplicate").status_code == 404


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://sounds.example/office.mp3", {"valid": True}),
        ("ftp://sounds.example/a", {"valid": False, "reason": "invalid-url"}),
        ("office", {"valid": False, "reason": "invalid-url"}),
        ("http://127.0.0.1/a.mp3", {"valid": False, "reason": "blocked-address"}),
        ("http://localhost/a.mp3", {"valid": False, "reason": "blocked-address"}),
    ],
)
def test_a_background_sound_is_judged_by_its_address(bench: Bench, url: str, expected: dict[str, Any]) -> None:
    assert bench.vapi.post("/assistant/background-sound/validate", json={"url": url}).json() == expected


def test_runs_of_evals_are_searched_by_name(bench: Bench) -> None:
    bench.control.create("/eval/run", {"eval": {"name": "Refund check"}})
    bench.control.create("/eval/run", {"eval": {"name": "x"}, "target": {"assistant": {"name": "Refund desk"}}})
    bench.control.create("/eval/run", {"eval": {"name": "Booking"}})
    assert bench.vapi.get("/eval/run", params={"search": "refund"}).json()["metadata"]["totalItems"] == 2
    assert bench.vapi.get("/eval/run").json()["metadata"]["totalItems"] == 3


@pytest.mark.parametrize("status", ["active", "suspended", "closed"])
def test_twilios_account_has_a_status(bench: Bench, status: str) -> None:
    bench.control.switches(account_status=status)
    answer = bench.twilio.get(f"/2010-04-01/Accounts/{bench.server.account_sid}.json").json()
    assert answer["status"] == status


def test_a_number_that_vapi_blocked_says_so(bench: Bench) -> None:
    made = bench.make("/phone-number", {"provider": "vapi"})
    assert made["status"] == "active"
    bench.control.edit(made["id"], {"status": "blocked"})
    assert bench.vapi.get(f"/phone-number/{made['id']}").json()["status"] == "blocked"
    assert OWNED
