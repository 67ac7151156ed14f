"""Whatever the API answers, or doesn't: an apply ends with each thing there once, at the latest after some more."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.apply.manifests import AGENT, LINE, TOOL
from tests.support.bench import Bench, bench
from tests.support.faults import FAULTS
from tests.support.quick import quick

WRITES = {"creates": "POST", "updates": "PATCH", "deletes": "DELETE"}


@pytest.fixture
def quickly() -> Iterator[None]:
    with quick():
        yield


@pytest.fixture
def desk(live: Bench, quickly: None) -> Bench:
    for name, text in (("agent", AGENT), ("tool", TOOL), ("line", LINE)):
        live.write(f"agents/{name}.yaml", text)
    return live


def converges(made: Bench, *, most: int = 10) -> int:
    """Apply until it succeeds, then check that everything is there once. Returns how many applies it took."""
    for count in range(1, most + 1):
        ran = made.apply("--force", code=None)
        assert ran.code in (0, 1, 3), ran.err
        if ran.code == 0 and made.changes() == {}:
            return count
    raise AssertionError(f"no end after {most} applies:\n{ran.out}\n{ran.err}")


def each_once(made: Bench) -> None:
    held = {e["id"] for e in made.state()["resources"].values() if e["type"] != "twilio_phone_number"}
    found = [o["id"] for c in ("assistant", "tool", "phone-number") for o in made.control.objects(f"/{c}")]
    assert sorted(found) == sorted(held)


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("writes", WRITES)
def test_one_fault_in_every_write(desk: Bench, writes: str, fault: str) -> None:
    if writes != "creates":
        desk.apply()
        desk.edit("agents/agent.yaml", "Hello", "Good day")
        desk.edit("agents/tool.yaml", "Finds an order.", "Finds an order by its number.")
    if writes == "deletes":
        desk.remove("agents/line.yaml")
        desk.edit("agents/agent.yaml", "    tools: [lookup]\n", "")
        desk.remove("agents/tool.yaml")
    for vendor in ("vapi", "twilio"):
        desk.control.fault(**FAULTS[fault], vendor=vendor, method=WRITES[writes], times=1)
    taken = converges(desk)
    desk.control.clear_faults()
    each_once(desk)
    assert taken <= 3


@pytest.mark.parametrize("kind", ["reset", "status", "text"])
def test_a_fault_in_a_list_is_no_reason_to_change_anything(desk: Bench, kind: str) -> None:
    desk.apply()
    desk.control.reset_requests()
    desk.control.fault(
        kind, method="GET", path="^/(assistant|tool)$", times=3, **({"status": 500} if kind == "status" else {})
    )
    assert desk.changes() == {}
    desk.control.fault(kind, method="GET", path="^/assistant$", **({"status": 500} if kind == "status" else {}))
    ran = desk.apply(code=1)
    assert "/assistant" in ran.err
    assert desk.writes() == []


def test_nobody_listens(desk: Bench) -> None:
    ran = desk.run("plan", code=1, VAPI_BASE_URL="http://127.0.0.1:9")
    assert "no connection to Vapi" in ran.err
    assert "VAPI_BASE_URL" in ran.err


def test_a_wrong_key_is_said_plainly_and_never_shown(desk: Bench) -> None:
    ran = desk.run("plan", code=1, VAPI_API_KEY="a-wrong-key-of-mine")
    assert "Check the Vapi key" in ran.err
    assert "a-wrong-key-of-mine" not in ran.out + ran.err


def test_equal_nameless_tools_are_each_made_once(live: Bench, quickly: None) -> None:
    live.write(
        "agents/keys.yaml", "---\n".join(f"kind: Tool\nname: keys-{n}\nspec: {{type: dtmf}}\n" for n in range(4))
    )
    live.control.fault("reset", when="after", method="POST", path="^/tool$", nth=[1, 3])
    live.control.fault("status", when="before", method="POST", path="^/tool$", nth=[2], status=500)
    converges(live)
    assert len(live.control.objects("/tool")) == 4
    each_once(live)


def test_what_could_be_several_things_is_nobodys_guess(live: Bench, quickly: None) -> None:
    """Two objects that differ in what we did not send: nothing is created, both are named."""
    live.write("agents/tool.yaml", TOOL)
    rule = live.control.fault("reset", when="after", method="POST", path="^/tool$", times=1)
    other = live.control.fault("pause", when="before", method="GET", path="^/tool$", nth=[2])
    import threading

    def meddle() -> None:
        live.control.wait_for_pause(other)
        made = live.control.objects("/tool")[0]
        live.control.duplicate(made["id"], description="a copy from the dashboard")
        live.control.release(other)

    helper = threading.Thread(target=meddle)
    helper.start()
    ran = live.apply(code=5)
    helper.join()
    assert all(tool["id"] in ran.out + ran.err for tool in live.control.objects("/tool"))
    live.control.clear_faults(rule)
    assert len(live.control.objects("/tool")) == 2
    assert live.apply(code=5).err.count("voiceops import Tool/lookup") == 1


def test_an_object_that_turns_up_late_is_reported(live: Bench, quickly: None) -> None:
    live.write("agents/tool.yaml", TOOL)
    live.control.fault("reset", when="before", method="POST", path="^/tool$", times=1)
    live.apply()
    assert len(live.control.objects("/tool")) == 1
    live.control.duplicate(live.id_of("Tool/lookup"))
    warnings = [d for d in live.plan()["diagnostics"] if d["code"] == "probable-duplicate"]
    assert len(warnings) == 1
    assert live.changes() == {}


def test_the_clock_of_the_server_may_be_wrong(tmp_path: Path, quickly: None) -> None:
    for skew in (-86_400.0, 3_600.0, 0.0):
        folder = tmp_path / f"clock{skew:.0f}"
        folder.mkdir()
        with bench(folder, clock_skew=skew, lag=0.3) as made:
            made.write("agents/agent.yaml", AGENT)
            made.write("agents/tool.yaml", TOOL)
            made.control.fault("reset", when="after", method="POST", times=2)
            converges(made)
            each_once(made)
            made.control.switches(clock_skew=skew + 1_000)
            assert made.changes() == {}


SEEDS = int(os.environ.get("VOICEOPS_TEST_SEEDS", "20"))


@pytest.mark.parametrize("seed", range(SEEDS))
def test_one_request_in_five_goes_wrong(tmp_path: Path, quickly: None, seed: int) -> None:
    bought = "+14155550177"
    with bench(tmp_path, lag=0.2) as made:
        made.write("agents/agent.yaml", AGENT)
        made.write(
            "agents/tool.yaml",
            TOOL
            + "---\nkind: Tool\nname: keys-a\nspec: {type: dtmf}\n---\nkind: Tool\nname: keys-b\nspec: {type: dtmf}\n",
        )
        made.write("agents/line.yaml", LINE.replace("number: +14155550100", f"number: {bought}, purchase: true"))
        names = sorted(FAULTS)
        for number, name in enumerate(names):
            made.control.fault(**FAULTS[name], probability=0.2 / len(names), seed=seed * 100 + number)
        converges(made)
        made.edit("agents/agent.yaml", "Hello", "Good day")
        made.write("agents/more.yaml", "kind: Tool\nname: bye\nspec: {type: endCall}\n")
        converges(made)
        made.control.clear_faults()
        assert made.changes() == {}
        each_once(made)
        assert made.control.counts()["purchases"] == 1
