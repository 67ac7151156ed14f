"""`voiceops test` against a sandbox: suites, evals and scripts, from the command to the report."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.support.bench import Bench, Ran
from tests.support.waiting import wait_until
from tests.use.tests_bench import EVAL, RUNTIME, desk_shop, suite, verdicts

ORDERS = suite("orders", "open", "close")


def run(shop: Bench, *arguments: str, code: int | None = 0) -> Ran:
    return shop.run("test", "--format", "json", *arguments, code=code)


def the_attempt(ran: Ran, name: str, number: int = 0) -> dict[str, Any]:
    (result,) = [result for result in ran.data["results"] if result["name"] == name]
    found: dict[str, Any] = result["attempts"][number]
    return found


def test_suites_and_evals_pass_as_the_agent_is_live(tmp_path: Path) -> None:
    with desk_shop(tmp_path, ORDERS, EVAL) as shop:
        ran = run(shop)
        assert verdicts(ran) == {"orders / open": "passed", "orders / close": "passed", "hours": "passed"}
        assert the_attempt(ran, "orders / open")["transcript"][0] == {
            "role": "assistant", "text": "Hello, this is the shop.", "at": None,
        }  # fmt: skip
        # One run for the suite, and one for the eval; what is live was only read.
        assert sorted(shop.writes()) == [("POST", "/eval/run"), ("POST", "/eval/simulation/run")]


def test_a_change_that_breaks_a_test_is_named_with_its_agent_and_its_lines(tmp_path: Path) -> None:
    with desk_shop(tmp_path, ORDERS, EVAL) as shop:
        shop.edit("agents/all.yaml", "from nine to six.", "whenever we like.")
        shop.apply()
        ran = run(shop, code=1)
        assert set(verdicts(ran).values()) == {"failed"}
        failed = next(result for result in ran.data["results"] if result["name"] == "orders / open")
        assert (failed["agents"], failed["agentAt"], failed["lines"]) == (
            ["Agent/desk"], "agents/all.yaml:1", ["Phone/main"],
        )  # fmt: skip
        assert "told is false, should be true" in failed["attempts"][0]["reason"]
        eval_attempt = the_attempt(ran, "hours")
        assert eval_attempt["transcript"][eval_attempt["turn"] - 1]["role"] == "assistant"
        text = shop.run("test", code=1).out
        assert "agents/all.yaml:1" in text
        assert "Phone/main" in text


def test_what_is_not_live_is_not_run(tmp_path: Path) -> None:
    with desk_shop(tmp_path, EVAL) as shop:
        shop.write("agents/more.yaml", ORDERS)
        ran = run(shop, code=3)
        assert verdicts(ran) == {"orders / open": "not run", "orders / close": "not run", "hours": "passed"}
        assert the_attempt(ran, "orders / open")["reason"].endswith("is not live yet: voiceops -e live apply")


def test_what_makes_it_live_depends_on_where_it_runs(tmp_path: Path) -> None:
    with desk_shop(tmp_path, EVAL) as shop:
        shop.run("preview", "up", "one")
        shop.edit("agents/all.yaml", "Hello", "Good day")
        (said,) = shop.run("-e", "preview-one", "test", "--format", "json").data["warnings"]
        assert said.endswith("First: voiceops preview up one")
        shop.edit("voiceops.yaml", "[live]", "[live]\nsafety: {requireTests: true}")
        (said,) = run(shop).data["warnings"]
        assert said.endswith("First: voiceops preview up NAME --from live"), "an apply waits for tests"


def test_what_is_tested_is_what_is_live_and_a_difference_is_said(tmp_path: Path) -> None:
    with desk_shop(tmp_path, EVAL) as shop:
        shop.edit("agents/all.yaml", "from nine to six.", "whenever we like.")
        ran = run(shop)
        assert verdicts(ran) == {"hours": "passed"}
        assert "Agent/desk is not live as the manifests have it" in ran.data["warnings"][0]
        assert "Agent/desk" in ran.err


def test_flaky_is_told_from_failing(tmp_path: Path) -> None:
    with desk_shop(tmp_path, ORDERS) as shop:
        shop.control.outcome("failed", what="simulation", name="close", nth=[2])
        ran = run(shop, "--repeat", "3", code=1)
        assert verdicts(ran) == {"orders / open": "passed", "orders / close": "flaky"}
        shop.control.clear_outcomes()
        shop.control.outcome("failed", what="simulation", name="close", nth=[2])
        shop.write("voiceops.yaml", (tmp_path / "voiceops.yaml").read_text() + "tests: {minPass: 0.6, repeat: 3}\n")
        assert verdicts(run(shop, code=0)) == {"orders / open": "passed", "orders / close": "flaky"}


def test_only_some_simulations_of_a_suite(tmp_path: Path) -> None:
    with desk_shop(tmp_path, ORDERS) as shop:
        assert verdicts(run(shop, "orders / close")) == {"orders / close": "passed"}
        assert shop.control.runs()["started"] == {"simulation": 1}


@pytest.mark.parametrize(
    ("outcome", "reason"),
    [("canceled", "it was cancelled at Vapi"), ("error", "Vapi could not play it: ")],
)
def test_what_vapi_can_not_play_is_not_run(tmp_path: Path, outcome: str, reason: str) -> None:
    with desk_shop(tmp_path, ORDERS) as shop:
        shop.control.outcome(outcome, what="simulation", name="close")
        ran = run(shop, code=3)
        assert verdicts(ran) == {"orders / open": "passed", "orders / close": "not run"}
        assert the_attempt(ran, "orders / close")["reason"].startswith(reason)


def test_payment(tmp_path: Path) -> None:
    with desk_shop(tmp_path, ORDERS, suite("more", "a"), payment="insufficient_credits", call_slots=2) as shop:
        ran = run(shop, code=3)
        assert set(verdicts(ran).values()) == {"not run"}
        assert the_attempt(ran, "orders / open")["reason"].startswith("Vapi asks for money before it runs")
        assert "402" in ran.err
        assert len(shop.writes()) == 1  # what Vapi refuses the account, it refuses every test


def test_a_time_limit_cancels_the_run(tmp_path: Path) -> None:
    with desk_shop(tmp_path, ORDERS, EVAL) as shop:
        shop.write("voiceops.yaml", (tmp_path / "voiceops.yaml").read_text() + "tests: {timeoutSeconds: 1}\n")
        shop.control.outcome("hang", what="simulation", name="close")
        ran = run(shop, code=3)
        assert verdicts(ran)["hours"] == "passed"
        assert "longer than 1 s (tests.timeoutSeconds)" in the_attempt(ran, "orders / close")["reason"]
        assert [method for method, _ in shop.writes()].count("PATCH") == 1


def test_the_budget_starts_nothing_more_and_cancels_what_runs(tmp_path: Path) -> None:
    with desk_shop(tmp_path, ORDERS, suite("more", "a", "b"), EVAL, call_slots=4) as shop:
        shop.control.outcome("hang", what="simulation")
        shop.control.outcome("hang", what="eval")
        ran = run(shop, "--budget", "0.02", code=3)
        reasons = {attempt["reason"] for result in ran.data["results"] for attempt in result["attempts"]}
        assert reasons == {
            "cancelled: the budget of 0.02 min was over", "not started: the budget of 0.02 min was over",
        }  # fmt: skip
        assert sorted(method for method, _ in shop.writes()) == ["DELETE", "PATCH", "POST", "POST"]


def test_without_tests_it_says_what_to_write(tmp_path: Path) -> None:
    with desk_shop(tmp_path) as shop:
        ran = shop.run("test", code=0)
        assert "the environment live has no tests" in ran.out + ran.err
        assert shop.control.requests() == []


def test_where_none_is_of_the_sort_that_was_asked_for_it_says_so(tmp_path: Path) -> None:
    with desk_shop(tmp_path, EVAL) as shop:
        ran = run(shop, "--agent", "desk", "--kind", "suite", "--kind", "script")
        assert ran.data["warnings"] == ["none of the 1 test of live is of the sort suite or script and about desk"]


def test_a_preview_names_the_lines_of_what_it_is_made_of(tmp_path: Path) -> None:
    with desk_shop(tmp_path, EVAL) as shop:
        shop.edit("agents/all.yaml", "from nine to six.", "whenever we like.")
        shop.run("preview", "up", "one")
        ran = shop.run("-e", "preview-one", "test", "--format", "markdown", code=1)
        assert "- lines that reach it: `Phone/main`" in ran.out
        assert "- agent: `Agent/desk` in `agents/all.yaml:1`" in ran.out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nothing"], r"there is no test 'nothing'"),
        (["--agent", "nobody"], r"there is no agent or squad 'nobody'"),
        (["--kind", "unit"], r"unit"),
        (["--repeat", "0"], r"--repeat"),
        (["--budget", "0"], r"--budget"),
        (["--budget", "nan"], r"'nan' is no number"),
    ],
)
def test_bad_input_is_a_line(tmp_path: Path, arguments: list[str], said: str) -> None:
    with desk_shop(tmp_path, EVAL) as shop:
        ran = shop.run("test", *arguments, code=1)
        assert re.search(said, ran.err)
        assert len(ran.err.strip().splitlines()) <= 2


HANDLER = "def hours() -> str:\n    print('this goes nowhere')\n    return 'nine to six'\n"
TOOL = (
    "kind: Tool\nname: hours\nspec: {type: function, function: {name: hours}, server: runtime}\nhandler: shop:hours\n"
)
SCRIPT = "agent: desk\nsteps:\n  - caller: When are you open?\n  - tool: hours\n    expect: {}\n  - hangup\n"


def _with_scripts(shop: Bench, **texts: str) -> None:
    shop.write("voiceops.yaml", RUNTIME)
    shop.write("agents/handlers/shop.py", HANDLER)
    shop.write("agents/tool.yaml", TOOL)
    for name, text in texts.items():
        shop.write(f"tests/{name}.yaml", text)


def test_scripts_run_the_projects_handlers_and_need_no_key(tmp_path: Path) -> None:
    with desk_shop(tmp_path) as shop:
        good = SCRIPT.replace("{}", "nine")
        _with_scripts(shop, good=good, bad=SCRIPT.replace("{}", "midnight"))
        keys = dict.fromkeys(("VAPI_API_KEY", "VAPI_WEBHOOK_SECRET", "TWILIO_AUTH_TOKEN"))
        ran = shop.run("test", "--format", "json", code=1, **keys)
        assert verdicts(ran) == {"good": "passed", "bad": "failed"}
        attempt = the_attempt(ran, "bad")
        assert "tests/bad.yaml:4:5" in attempt["reason"]
        assert attempt["transcript"][attempt["turn"] - 1]["text"] == "nine to six"
        assert shop.control.requests() == []  # no vendor was asked anything
        assert not list(tmp_path.rglob("*.db"))


def test_a_handler_that_fails_says_why_and_one_that_ends_the_runtime_is_not_run(tmp_path: Path) -> None:
    with desk_shop(tmp_path) as shop:
        _with_scripts(shop, good=SCRIPT.replace("{}", "nine"))
        shop.write("agents/handlers/shop.py", "def hours() -> str:\n    raise LookupError('no such day')\n")
        ran = run(shop, code=1)
        assert (
            "should contain 'nine' (tests/good.yaml:4:5); hours: LookupError at shop.py:2: no such day"
            in (the_attempt(ran, "good")["reason"])
        )
        shop.write("agents/handlers/shop.py", "import os\n\ndef hours() -> str:\n    os._exit(3)\n")
        ran = run(shop, code=3)
        assert the_attempt(ran, "good")["reason"] == "the runtime ended meanwhile, with exit 3"


LINE = "line: night-line\nsteps:\n  - caller: When are you open?\n  - hangup\n"


def test_a_script_for_a_line_is_a_test_wherever_the_line_is_and_in_previews_of_it(tmp_path: Path) -> None:
    with desk_shop(tmp_path) as shop:
        _with_scripts(shop, line=LINE)
        shop.edit("voiceops.yaml", "[live]", "[live, more]\ndefaultEnvironment: live")
        phone = "kind: Phone\nname: night-line\nenvironments: [live]\nspec: {provider: vapi, agent: desk}\n"
        shop.write("agents/night.yaml", phone)
        digests = set()
        shop.run("preview", "up", "one")
        for environment in ("live", "preview-one"):
            ran = shop.run("-e", environment, "test", "--format", "json")
            assert verdicts(ran) == {"line": "passed"}
            digests |= {result["digest"] for result in ran.data["results"]}
        assert len(digests) == 1
        assert verdicts(shop.run("-e", "more", "test", "--format", "json")) == {}
        shop.edit("tests/line.yaml", "night-line", "nigth-line")
        assert "there is no line nigth-line" in shop.run("-e", "more", "test", code=1).err


def test_a_handler_that_does_not_load_and_scripts_that_are_none(tmp_path: Path) -> None:
    with desk_shop(tmp_path) as shop:
        _with_scripts(shop, good=SCRIPT.replace("{}", "nine"))
        shop.write("agents/handlers/shop.py", HANDLER + "raise RuntimeError('no orders')\n")
        ran = run(shop, code=3)
        assert verdicts(ran) == {"good": "not run"}
        assert "no orders" in the_attempt(ran, "good")["reason"]
        shop.write("tests/odd.yaml", "steps: [sing]\n")
        shop.write("tests/worse.yaml", "steps: 3\n")
        ran = shop.run("test", code=1)
        assert "tests/odd.yaml:1:9" in ran.err
        assert "tests/worse.yaml:1" in ran.err


def test_scripts_without_a_runtime(tmp_path: Path) -> None:
    with desk_shop(tmp_path) as shop:
        shop.write("tests/good.yaml", "agent: desk\nsteps:\n  - caller: When are you open?\n  - hangup\n")
        assert verdicts(run(shop)) == {"good": "passed"}


def test_forty_suites_run_as_many_at_once_as_the_account_may_and_waste_little(tmp_path: Path) -> None:
    """Ten calls at once, of a second each: at most 1.3 times the ideal, the reading before aside. Once in three times,
    for the machine may be busy."""
    assert any(_seconds_of_forty_suites(tmp_path / str(n)) <= 4 * 1.3 for n in range(3))


def _seconds_of_forty_suites(folder: Path) -> float:
    suites = [suite(f"s{n}", f"s{n}-a") for n in range(40)]
    folder.mkdir()
    with desk_shop(folder, *suites, call_slots=20, run_seconds=1.0) as shop:
        ran = run(shop)
        assert set(verdicts(ran).values()) == {"passed"}
        posts = [r for r in shop.control.requests(method="POST") if r["path"] == "/eval/simulation/run"]
        assert len(posts) == 40
        runs = shop.control.objects("/eval/simulation/run")
        assert shop.control.runs()["mostAtOnce"]["simulation"] <= 10
        times = sorted(datetime.fromisoformat(one[key]) for one in runs for key in ("queuedAt", "endedAt"))
        return (times[-1] - times[0]).total_seconds()


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_ctrl_c_cancels_what_runs_at_vapi(tmp_path: Path, sent: signal.Signals) -> None:
    """So does a pipeline that is cancelled, and a terminal that is closed."""
    with desk_shop(tmp_path, ORDERS, EVAL) as shop:
        shop.control.outcome("hang")
        running = subprocess.Popen(
            [sys.executable, "-m", "voiceops", "-C", str(tmp_path), "test"],
            env=shop.environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        wait_until(lambda: sum(shop.control.runs()["started"].values()) == 3)
        running.send_signal(sent)
        _, err = running.communicate(timeout=60)
        assert running.returncode == 1
        assert err.endswith("Stopped.\n"), err
        assert "Traceback" not in err
        assert sorted(method for method, _ in shop.writes()) == ["DELETE", "PATCH", "POST", "POST"], err
