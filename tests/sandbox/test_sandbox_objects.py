"""Vapi's objects: created, read, changed in part, deleted, in every collection."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.sandbox.sandbox_bench import FUNCTION, MODEL, NOBODY, Bench
from voiceops.sandbox.catalog import COLLECTIONS, STOCK

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
SCHEMA = {"type": "object", "properties": {"ok": {"type": "boolean"}}}


def minimal(bench: Bench) -> dict[str, dict[str, Any]]:
    """The least that each collection takes, with objects to refer to."""
    assistant = bench.make("/assistant", {"name": "a"})["id"]
    personality = bench.make("/eval/simulation/personality", {"name": "p", "assistant": {"model": MODEL}})["id"]
    output = {"name": "o", "schema": {"type": "boolean"}, "type": "ai"}
    evaluation = {"structuredOutput": output, "comparator": "=", "value": True}
    scenario_body = {"name": "s", "instructions": "Ask.", "evaluations": [evaluation]}
    scenario = bench.make("/eval/simulation/scenario", scenario_body)["id"]
    simulation = {"scenarioId": scenario, "personalityId": personality}
    simulation_id = bench.make("/eval/simulation", simulation)["id"]
    return {
        "/assistant": {"name": "a"},
        "/tool": FUNCTION,
        "/squad": {"members": [{"assistantId": assistant}]},
        "/phone-number": {"provider": "vapi"},
        "/structured-output": {"name": "o", "schema": SCHEMA},
        "/credential": {"provider": "openai", "apiKey": "sk-1"},
        "/v2/knowledge-base": {"name": "k"},
        "/eval": {
            "type": "chat.mockConversation",
            "messages": [{"role": "user", "content": "Hi"}],
        },
        "/eval/simulation/personality": {"name": "p", "assistant": {"model": MODEL}},
        "/eval/simulation/scenario": scenario_body,
        "/eval/simulation/suite": {"name": "s", "simulationIds": [simulation_id]},
        "/eval/simulation": simulation,
        "/observability/scorecard": {"metrics": []},
    }


@pytest.mark.parametrize("path", [collection.path for collection in COLLECTIONS])
def test_an_object_goes_through_its_life(bench: Bench, path: str) -> None:
    body = minimal(bench)[path]
    made = bench.make(path, body)
    assert UUID.fullmatch(made["id"])
    assert TIME.fullmatch(made["createdAt"])
    assert made["createdAt"] == made["updatedAt"]
    assert made["orgId"]
    # Its own address shows more of a knowledge base than any other answer.
    assert bench.vapi.get(f"{path}/{made['id']}").json().items() >= made.items()

    name: dict[str, Any] = {"name": "renamed"} if path != "/tool" else {"async": True}
    if path == "/squad":
        name["members"] = body["members"]
    changed = bench.vapi.patch(f"{path}/{made['id']}", json=name)
    assert changed.status_code == 200, changed.text
    assert changed.json().items() >= name.items()
    assert changed.json()["createdAt"] == made["createdAt"]
    assert changed.json()["updatedAt"] >= made["updatedAt"]

    gone = bench.vapi.delete(f"{path}/{made['id']}")
    assert gone.status_code == 200
    assert gone.json() == changed.json()
    for method in ("GET", "PATCH", "DELETE"):
        response = bench.vapi.request(method, f"{path}/{made['id']}", json={} if method == "PATCH" else None)
        assert response.status_code == 404
        assert response.json()["error"] == "Not Found"
        assert made["id"] in response.json()["message"]


@pytest.mark.parametrize("header", [None, "Bearer wrong", "sandbox", "Basic c2FuZGJveDo="])
def test_without_the_key_there_is_no_answer(bench: Bench, header: str | None) -> None:
    bench.vapi.headers.pop("authorization")
    response = bench.vapi.get("/assistant", headers={"authorization": header} if header else {})
    assert response.status_code == 401
    assert response.json()["error"] == "Unauthorized"


@pytest.mark.parametrize(("method", "path"), [("GET", "/nothing"), ("PUT", "/assistant"), ("GET", "/assistant/")])
def test_a_route_that_is_not_there(bench: Bench, method: str, path: str) -> None:
    response = bench.vapi.request(method, path)
    assert response.status_code == 404
    assert response.json()["message"] == f"Cannot {method} {path}"


def test_a_patch_replaces_top_level_keys_whole(bench: Bench) -> None:
    made = bench.make("/assistant", {"name": "a", "firstMessage": "Hi", "model": {**MODEL, "temperature": 0.3}})
    changed = bench.vapi.patch(f"/assistant/{made['id']}", json={"model": MODEL}).json()
    assert changed["model"] == MODEL
    assert changed["firstMessage"] == "Hi"


@pytest.mark.parametrize(("cleared", "expected"), [("null", {"firstMessage": None}), ("omit", {})])
def test_null_clears(bench: Bench, cleared: str, expected: dict[str, None]) -> None:
    bench.control.switches(cleared=cleared)
    made = bench.make("/assistant", {"name": "a", "firstMessage": "Hi"})
    changed = bench.vapi.patch(f"/assistant/{made['id']}", json={"firstMessage": None}).json()
    assert {key: changed[key] for key in ("firstMessage",) if key in changed} == expected


def test_a_body_that_is_no_object(bench: Bench) -> None:
    for content in (b"{", b"[]", b"3"):
        response = bench.vapi.post("/assistant", content=content)
        assert response.status_code == 400
        assert isinstance(response.json()["message"], str)


def test_a_squads_update_holds_its_members(bench: Bench) -> None:
    made = bench.make("/squad", {"members": []})
    path = f"/squad/{made['id']}"
    assert bench.refused("PATCH", path, {"name": "s"}) == ["members should not be empty", "members must be an array"]
    bench.control.switches(patch_required=False)
    assert bench.vapi.patch(path, json={"name": "s"}).json()["members"] == []


@pytest.mark.parametrize("path", ["/tool", "/structured-output", "/eval"])
def test_an_update_must_not_name_the_type(bench: Bench, path: str) -> None:
    made = bench.make(path, minimal(bench)[path])
    assert bench.refused("PATCH", f"{path}/{made['id']}", {"type": made["type"]}) == ["property type should not exist"]
    bench.control.switches(patch_type="accept")
    assert bench.vapi.patch(f"{path}/{made['id']}", json={"type": "other"}).json()["type"] == made["type"]


def test_a_schema_keeps_its_type(bench: Bench) -> None:
    made = bench.make("/structured-output", {"name": "o", "schema": SCHEMA})
    path, change = f"/structured-output/{made['id']}", {"schema": {"type": "string"}}
    assert "schemaOverride" in bench.refused("PATCH", path, change)
    assert bench.vapi.patch(path, json={"schema": {"type": "object"}}).status_code == 200
    assert bench.vapi.patch(path, json=change, params={"schemaOverride": "true"}).json()["schema"]["type"] == "string"


@pytest.mark.parametrize(
    ("path", "body", "text"),
    [
        ("/phone-number", {"provider": "vapi", "assistantId": NOBODY}, f'Assistant with ID "{NOBODY}" not found'),
        ("/phone-number", {"provider": "vapi", "squadId": NOBODY}, f'Squad with ID "{NOBODY}" not found'),
        ("/squad", {"members": [{"assistantId": "support"}]}, 'Assistant with ID "support" not found'),
        ("/assistant", {"model": {**MODEL, "toolIds": [NOBODY]}}, f'Tool with ID "{NOBODY}" not found'),
        (
            "/assistant",
            {"artifactPlan": {"structuredOutputIds": [NOBODY]}},
            f'Structured output with ID "{NOBODY}" not found',
        ),
        (
            "/tool",
            {"type": "handoff", "destinations": [{"type": "assistant", "assistantId": "support"}]},
            'Assistant with ID "support" not found',
        ),
        (
            "/assistant",
            {"server": {"url": "https://a.example", "credentialId": NOBODY}},
            f'Credential with ID "{NOBODY}" not found',
        ),
    ],
)
def test_an_id_must_exist(bench: Bench, path: str, body: dict[str, Any], text: str) -> None:
    assert bench.refused("POST", path, body) == text
    bench.control.switches(references=False)
    assert bench.vapi.post(path, json=body).status_code == 201


def test_a_referenced_object_may_be_invisible_still(bench: Bench) -> None:
    bench.control.switches(lag=60)
    tool = bench.make("/tool", FUNCTION)
    assert bench.vapi.get(f"/tool/{tool['id']}").status_code == 404
    bench.make("/assistant", {"model": {**MODEL, "toolIds": [tool["id"]]}})


def test_stock_personalities_are_read_only(bench: Bench) -> None:
    path = "/eval/simulation/personality"
    assert [item["id"] for item in bench.vapi.get(path).json()] == [id_ for id_, _ in STOCK][::-1]
    id_ = STOCK[0][0]
    assert bench.vapi.get(f"{path}/{id_}").json()["orgId"] is None
    text = f"Personality {id_} not found or is a Vapi default (cannot be deleted)"
    assert bench.vapi.delete(f"{path}/{id_}").json()["message"] == text
    assert bench.vapi.patch(f"{path}/{id_}", json={"name": "mine"}).status_code == 404


@pytest.mark.parametrize(("path", "body", "code"), [("/assistant", {}, "assistant"), ("/tool", FUNCTION, "tool")])
def test_a_pinned_object_stays(bench: Bench, path: str, body: dict[str, Any], code: str) -> None:
    made = bench.make(path, body)
    bench.control.pin(made["id"])
    response = bench.vapi.delete(f"{path}/{made['id']}")
    assert response.status_code == 409
    assert response.json()["error"] == f"{code}_pinned"
    assert "statusCode" not in response.json()
    bench.control.unpin(made["id"])
    assert bench.vapi.delete(f"{path}/{made['id']}").status_code == 200


def test_versions_count_real_changes(bench: Bench) -> None:
    bench.control.switches(versions=True)
    made = bench.make("/assistant", {"name": "a"})
    assert made["latestVersion"] == "v1"
    path = f"/assistant/{made['id']}"
    assert bench.vapi.patch(path, json={"name": "a"}).json()["latestVersion"] == "v1"
    assert bench.vapi.patch(path, json={"name": "b"}).json()["latestVersion"] == "v2"


def test_equal_names_are_legal(bench: Bench) -> None:
    first, second = bench.make("/assistant", {"name": "same"}), bench.make("/assistant", {"name": "same"})
    assert first["id"] != second["id"]


def test_an_unpublished_read_only_key_is_read_over(bench: Bench) -> None:
    made = bench.make("/assistant", {"name": "a", "modelDeprecations": [{"model": "x"}]})
    assert "modelDeprecations" not in made
    for key in ("id", "orgId", "createdAt", "updatedAt", "latestVersion"):
        assert bench.refused("PATCH", f"/assistant/{made['id']}", {key: "x"}) == [f"property {key} should not exist"]


def test_a_bypassed_call_answers_with_twiml(bench: Bench) -> None:
    phone = bench.import_number().json()
    assistant = bench.make("/assistant", {"name": "a"})
    body = {
        "phoneNumberId": phone["id"],
        "phoneCallProviderBypassEnabled": True,
        "customer": {"number": "+14155550199"},
        "assistantId": assistant["id"],
    }
    call = bench.make("/call", body)
    assert call.pop("subscriptionLimits") == {"concurrencyBlocked": False}
    assert call["phoneCallProviderDetails"]["twiml"].startswith("<Response>")
    assert [item["id"] for item in bench.vapi.get("/call").json()] == [call["id"]]
    assert bench.vapi.get(f"/call/{call['id']}").json() == call
    assert bench.vapi.get("/call", params={"assistantId": NOBODY}).json() == []
    assert bench.vapi.patch(f"/call/{call['id']}", json={"name": "n"}).json()["name"] == "n"
    assert "Need one of" in bench.refused("POST", "/call", {})
    assert "not found" in bench.refused("POST", "/call", {**body, "assistantId": NOBODY})
    assert bench.vapi.delete(f"/call/{call['id']}").status_code == 200
    assert bench.vapi.get(f"/call/{call['id']}").status_code == 404
