"""Files, knowledge bases and pronunciation dictionaries."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.sandbox_bench import Bench


def upload(bench: Bench, **fields: str) -> dict[str, Any]:
    files = {"file": ("prices.txt", b"a: 1\r\nb: \xff", "text/plain")}
    response = bench.vapi.post("/file", files=files, data=fields)
    assert response.status_code == 201, response.text
    found: dict[str, Any] = response.json()
    return found


def test_a_file(bench: Bench) -> None:
    made = upload(bench, purpose="assistant", metadata='{"managed": "yes"}')
    assert made["name"] == made["originalName"] == "prices.txt"
    assert (made["bytes"], made["mimetype"], made["status"]) == (10, "text/plain", "done")
    assert (made["purpose"], made["metadata"]) == ("assistant", {"managed": "yes"})
    path = f"/file/{made['id']}"
    assert bench.vapi.get(path).json() == made
    assert bench.vapi.patch(path, json={"name": "new"}).json()["name"] == "new"
    assert bench.refused("PATCH", path, {"metadata": {}}) == ["property metadata should not exist"]
    assert bench.refused("PATCH", path, {"name": "x" * 41}) == ["name must be shorter than or equal to 40 characters"]
    assert [item["id"] for item in bench.vapi.get("/file", params={"purpose": "assistant"}).json()] == [made["id"]]
    assert bench.vapi.get("/file", params={"purpose": "composer-attachment"}).json() == []
    assert bench.vapi.delete(path).json()["id"] == made["id"]
    assert bench.vapi.get(path).status_code == 404


def test_a_file_that_is_none(bench: Bench) -> None:
    assert bench.vapi.post("/file", json={"file": "x"}).json()["message"] == ["file should not be empty"]
    response = bench.vapi.post("/file", files={"file": ("a", b"1")}, data={"metadata": "[1]"})
    assert response.status_code == 400


def test_files_are_worked_on_for_a_while(bench: Bench) -> None:
    bench.control.switches(settle=60)
    assert upload(bench)["status"] == "processing"


def test_a_knowledge_base_has_files(bench: Bench) -> None:
    file = upload(bench)
    base = bench.make("/v2/knowledge-base", {"name": "prices"})
    path = f"/v2/knowledge-base/{base['id']}/file"
    attached = bench.make(path, {"fileId": file["id"]})
    assert (attached["fileId"], attached["status"]) == (file["id"], "ready")
    assert "already" in bench.refused("POST", path, {"fileId": file["id"]})
    assert bench.vapi.get(path).json() == [attached]
    assert bench.vapi.delete(f"{path}/{file['id']}").status_code == 200
    assert bench.vapi.get(path).json() == []
    assert bench.vapi.delete(f"{path}/{file['id']}").status_code == 404
    bench.make(path, {"fileId": file["id"]})
    bench.vapi.delete(f"/file/{file['id']}")
    assert bench.vapi.get(path).json() == []


def test_a_knowledge_base_comes_with_the_tool_that_searches_it(bench: Bench) -> None:
    base = bench.make("/v2/knowledge-base", {"name": "prices"})
    assert {"files", "toolId"} & base.keys() == set()
    path = f"/v2/knowledge-base/{base['id']}"
    file = upload(bench)
    attached = bench.make(f"{path}/file", {"fileId": file["id"]})
    shown = bench.vapi.get(path).json()
    assert shown["files"] == [attached]
    tool = bench.vapi.get(f"/tool/{shown['toolId']}").json()
    assert (tool["type"], tool["knowledgeBaseId"]) == ("knowledgeBase", base["id"])
    assert "files" not in bench.vapi.get("/v2/knowledge-base").json()[0]
    bench.vapi.delete(f"/tool/{tool['id']}")
    assert bench.vapi.get(path).json()["toolId"] is None
    again = bench.make("/v2/knowledge-base", {"name": "prices"})
    bench.vapi.delete(f"/v2/knowledge-base/{again['id']}")
    assert bench.vapi.get("/tool").json() == []


@pytest.mark.parametrize("provider", ["11labs", "cartesia"])
def test_a_pronunciation_dictionary(bench: Bench, provider: str) -> None:
    path = f"/provider/{provider}/pronunciation-dictionary"
    made = bench.make(path, {"name": "d", "rules": [1], "items": [{"text": "a", "alias": "ay"}]})
    assert (made["provider"], made["resourceName"]) == (provider, "pronunciation-dictionary")
    assert made["resource"]["name"] == "d"
    assert bench.vapi.get(path).json()["results"] == [made]
    one = f"{path}/{made['id']}"
    changed = bench.vapi.patch(one, json={"rules": [2]}).json()
    assert changed["resource"]["rules"] == [2]
    assert changed["resource"]["version_id"] != made["resource"]["version_id"]
    assert bench.vapi.delete(one).status_code == 200
    assert bench.vapi.get(one).status_code == 404


def test_elevenlabs_takes_rules_alone(bench: Bench) -> None:
    path = "/provider/11labs/pronunciation-dictionary"
    one = f"{path}/{bench.make(path, {'name': 'd', 'rules': [1]})['id']}"
    assert bench.refused("PATCH", one, {"name": "x"}).startswith("Rules are required")
    assert bench.refused("PATCH", one, {"rules": [2], "name": "x"}).startswith("Only rules can be updated")


def test_cartesia_adds_and_takes_away(bench: Bench) -> None:
    path = "/provider/cartesia/pronunciation-dictionary"
    one = f"{path}/{bench.make(path, {'name': 'd', 'items': [{'text': 'a'}, {'text': 'b'}]})['id']}"
    changed = bench.vapi.patch(one, json={"itemsToAdd": [{"text": "c"}], "itemsToRemove": [{"text": "a"}]}).json()
    assert changed["resource"]["items"] == [{"text": "b"}, {"text": "c"}]
    assert bench.refused("PATCH", one, {"items": []}) == "property items should not exist"
