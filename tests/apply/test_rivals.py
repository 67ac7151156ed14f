"""Two at once on one state, signals, and edits in the dashboard between plan and write."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from tests.apply.manifests import AGENT, LINE, TOOL
from tests.support.bench import Bench, bench

ROUNDS = int(os.environ.get("VOICEOPS_TEST_ROUNDS", "6"))


def start(made: Bench, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "voiceops", "-C", str(made.folder), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        text=True,
        env=made.environ,
    )


def test_two_applies_at_once_make_everything_once(tmp_path: Path) -> None:
    with bench(tmp_path, latency=0.02) as made:
        made.write("agents/agent.yaml", AGENT)
        made.write("agents/line.yaml", LINE)
        tools = [TOOL] + [f"kind: Tool\nname: t{n}\nspec: {{type: dtmf}}\n" for n in range(5)]
        made.write("agents/tool.yaml", "---\n".join(tools))
        for number in range(ROUNDS):
            wait = ("--lock-timeout", "30") if number % 2 else ()
            rivals = [start(made, "apply", "--auto-approve", "-q", *wait) for _ in range(2)]
            ended = [(r.communicate(timeout=60), r.returncode) for r in rivals]
            codes = sorted(code for _, code in ended)
            assert codes in ([0, 0], [0, 4]), ended
            if codes == [0, 4]:
                assert not wait
                loser = next(texts for texts, code in ended if code == 4)
                assert "is locked by" in loser[1]
                assert "since" in loser[1]
            assert len(made.control.objects("/tool")) == 6
            assert len(made.control.objects("/assistant")) == 1
            assert made.changes() == {}
            made.run("destroy", "--auto-approve", "--force")
            made.control.switches(clock_skew=100.0 * (number + 1))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_after_the_requests_under_way(tmp_path: Path, number: signal.Signals) -> None:
    with bench(tmp_path) as made:
        made.write("agents/agent.yaml", AGENT)
        made.write("agents/tool.yaml", TOOL)
        rule = made.control.fault("pause", when="after", method="POST", path="^/tool$")
        running = start(made, "apply", "--auto-approve")
        made.control.wait_for_pause(rule)
        running.send_signal(number)
        assert running.stderr is not None
        heard = running.stderr.readline()  # it says that it has heard
        made.control.release(rule)
        out, err = running.communicate(timeout=90)
        err = heard + err
        assert running.returncode == 3, out + err
        assert "requests under way are finished" in err
        assert "Traceback" not in err
        assert len(made.control.objects("/tool")) == 1
        assert made.control.objects("/assistant") == []
        made.control.clear_faults()
        assert made.changes() == {"Agent/desk": ["create"]}
        made.apply()
        assert made.changes() == {}


def edited_meanwhile(made: Bench, edit: str) -> None:
    """An apply that has to wait for a slow tool before it writes the agent; the agent is edited meanwhile."""
    rule = made.control.fault("pause", when="before", method="POST", path="^/tool$")

    def meddle() -> None:
        made.control.wait_for_pause(rule)
        time.sleep(2.2)  # older than an object of the snapshot may be
        made.control.edit(made.id_of("Agent/desk"), {"firstMessage": edit})
        made.control.release(rule)

    helper = threading.Thread(target=meddle)
    helper.start()
    try:
        ran = made.apply(code=None)
    finally:
        helper.join()
        made.control.clear_faults()
    assert ran.code == 3, ran.out + ran.err
    assert "firstMessage was edited since the plan" in ran.out


def test_an_edit_between_plan_and_write_is_noticed(live: Bench) -> None:
    live.write("agents/agent.yaml", AGENT)
    live.write("agents/tool.yaml", TOOL)
    live.apply()
    live.write("agents/more.yaml", "kind: Tool\nname: bye\nspec: {type: endCall}\n")
    live.edit("agents/agent.yaml", "[lookup]", "[lookup, bye]")
    live.edit("agents/agent.yaml", "Hello", "Good day")
    edited_meanwhile(live, "Edited by somebody")
    assert live.live("Agent/desk")["firstMessage"] == "Edited by somebody"
    assert live.plan()["resource_drift"][0]["address"] == "Agent/desk"
    live.apply()
    assert live.live("Agent/desk")["firstMessage"] == "Good day"


def test_a_lock_that_was_taken_away_stops_its_holder(live: Bench) -> None:
    live.write("agents/agent.yaml", AGENT)
    live.write("agents/tool.yaml", TOOL)
    rule = live.control.fault("pause", when="before", method="POST", path="^/tool$")
    running = start(live, "apply", "--auto-approve")
    live.control.wait_for_pause(rule)
    held = live.apply(code=4).err
    lock = held.split("lock ")[-1].split(")")[0]
    live.run("state", "unlock", lock)
    live.control.release(rule)
    out, err = running.communicate(timeout=90)
    assert running.returncode == 3, out + err
    assert "lock of this state was taken away" in out
    assert live.control.objects("/assistant") == []
    live.control.clear_faults()
    live.control.switches(clock_skew=100)
    live.apply()
    assert live.changes() == {}
    assert len(live.control.objects("/tool")) == 1
