"""The control endpoint: what a test may do that no customer can."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.sandbox_bench import NOBODY, OWNED, Bench
from voiceops.sandbox.switches import Switches


def test_an_edit_in_the_dashboard(bench: Bench) -> None:
    body: dict[str, Any] = {
        "name": "a",
        "model": {
            "provider": "openai",
            "model": "gpt-4o",
            "messages": [{"role": "system", "content": "Be kind."}],
        },
    }
    made = bench.make("/assistant", body)
    edited = bench.control.edit(made["id"], {"model": {"temperature": 0.5}, "nonsense": 1})
    assert edited["model"] == {**body["model"], "temperature": 0.5}
    assert edited["nonsense"] == 1
    assert edited["updatedAt"] >= made["updatedAt"]
    edited = bench.control.edit(made["id"], set_={"model.messages[0].content": "Be brief.", "model.messages[1]": {}})
    assert edited["model"]["messages"] == [{"role": "system", "content": "Be brief."}, {}]
    edited = bench.control.edit(made["id"], unset=("nonsense", "model.messages[1]", "model.messages[0].role"))
    assert "nonsense" not in edited
    assert edited["model"]["messages"] == [{"content": "Be brief."}]
    assert bench.vapi.get(f"/assistant/{made['id']}").json()["model"] == edited["model"]


def test_objects_come_and_go(bench: Bench) -> None:
    made = bench.control.create("/assistant", {"name": "x" * 99, "id": NOBODY})
    assert bench.vapi.get(f"/assistant/{NOBODY}").json()["name"] == "x" * 99
    copy = bench.control.duplicate(made["id"], name="copy")
    assert copy["id"] != made["id"]
    assert [item["name"] for item in bench.vapi.get("/assistant").json()] == ["copy", "x" * 99]
    bench.control.delete(made["id"])
    assert bench.vapi.get(f"/assistant/{NOBODY}").status_code == 404
    with pytest.raises(ValueError, match="no such object"):
        bench.control.object(NOBODY)


def test_requests_are_counted(bench: Bench) -> None:
    bench.vapi.get("/assistant")
    bench.vapi.post("/assistant", json={"name": "a"})
    bench.vapi.post("/assistant", json={"name": 1})
    bench.twilio.get(f"{bench.numbers_path}.json")
    bench.control.fault("status", method="DELETE")
    bench.vapi.delete(f"/assistant/{NOBODY}")
    counts = bench.control.counts()
    assert counts["vapi"] == {"requests": 4, "writes": 3, "executedWrites": 2}
    assert counts["twilio"] == {"requests": 1, "writes": 0, "executedWrites": 0}
    assert counts["by"]["vapi POST /assistant"] == 2
    first, second = bench.control.requests("vapi", "POST")
    assert (first["status"], first["body"]) == (201, '{"name":"a"}')
    assert (second["status"], second["executed"]) == (400, True)
    assert [entry["fault"] for entry in bench.control.requests(method="DELETE")] == ["fault-1"]
    bench.control.reset_requests()
    assert bench.control.counts()["requests"] == 0


@pytest.mark.parametrize(
    "change",
    [{"gravity": 1}, {"lag": "long"}, {"list_order": "up"}, {"adversarial": 1}, {"demo_url": 1}, {"lag": True}],
)
def test_a_switch_has_its_type(bench: Bench, change: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(change))):
        bench.control.switches(**change)
    assert bench.control.switches() == Switches().to_data()


def test_switches_are_read_from_text() -> None:
    changed = Switches().changed({"lag": "1.5", "concurrency": "3", "adversarial": "true", "list_order": "asc"})
    assert (changed.lag, changed.concurrency, changed.adversarial, changed.list_order) == (1.5, 3, True, "asc")


def test_as_new(bench: Bench) -> None:
    bench.make("/assistant", {})
    bench.control.edit_number(OWNED, voice_url="https://mine.example/")
    bench.control.switches(lag=9)
    bench.control.fault("reset")
    bench.control.reset()
    assert bench.vapi.get("/assistant").json() == []
    assert len(bench.vapi.get("/eval/simulation/personality").json()) == 7
    assert bench.control.number(OWNED)["voice_url"] == "https://demo.twilio.com/welcome/voice/"
    assert bench.control.switches()["lag"] == 0


def test_only_from_this_machine(bench: Bench) -> None:
    response = bench.vapi.get("/_sandbox/switches", headers={"host": "attacker.example"})
    assert response.status_code == 403
    assert bench.vapi.get("/_sandbox/nothing").status_code == 404
    assert bench.twilio.get("/_sandbox/switches").status_code == 404


def test_the_dump_holds_everything(bench: Bench) -> None:
    bench.make("/credential", {"provider": "openai", "apiKey": "sk-1"})
    dump = bench.control.dump()
    assert dump["/credential"][0]["apiKey"] == "sk-1"
    assert dump["twilio:number"][0]["phone_number"] == OWNED
