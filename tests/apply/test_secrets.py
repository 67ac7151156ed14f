"""Secrets planted everywhere: not one byte of them is written or printed, also when the API echoes them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.apply.manifests import AGENT, TOOL
from tests.support.bench import Bench, bench

PLANTED = {
    "VAPI_API_KEY": "planted-vapi-key-0001",
    "TWILIO_AUTH_TOKEN": "planted-twilio-token-0002",
    "VAPI_WEBHOOK_SECRET": "planted-webhook-secret-0003",
    "CRM_TOKEN": "planted-crm-token-0004",
    "VOICEOPS_STATE_KEY": "planted-state-key-0005",
    "HEADER_KEY": "planted-header-key-0006",
}
LITERAL = "planted-literal-0007"  # in a field that the API knows as secret
IN_HEADER = "planted-literal-header-0008"


def lay_out(made: Bench) -> None:
    made.write(
        "voiceops.yaml", "version: 1\nproject: shop\nenvironments: [live]\nruntime: {url: https://v.example.com}\n"
    )
    made.write("agents/agent.yaml", AGENT + "  server: runtime\n")
    made.write(
        "agents/tool.yaml",
        TOOL
        + "  server:\n    url: https://t.example.com\n    headers:\n"
        + f"      Authorization: Bearer ${{secret:HEADER_KEY}}\n      X-Api-Key: {IN_HEADER}\n",
    )
    made.write(
        "agents/credentials.yaml",
        "kind: Credential\nname: crm\nspec:\n  provider: custom-credential\n"
        "  authenticationPlan: {type: bearer, token: '${secret:CRM_TOKEN}'}\n---\n"
        f"kind: Credential\nname: deepgram\nspec: {{provider: deepgram, apiKey: {LITERAL}}}\n",
    )
    made.write(
        "agents/line.yaml", "kind: Phone\nname: line\nspec: {number: +14155550100, provider: twilio, agent: desk}\n"
    )


def search(made: Bench, printed: list[str]) -> list[str]:
    """Where planted texts turn up: in what was printed, and in every file but the manifests."""
    words = [*PLANTED.values(), LITERAL, IN_HEADER]
    found = [f"printed: {word}" for text in printed for word in words if word in text]
    for path in made.folder.rglob("*"):
        if path.is_file() and "agents" not in path.relative_to(made.folder).parts:
            content = path.read_bytes()
            found += [f"{path.name}: {word}" for word in words if word.encode() in content]
    return found


@pytest.mark.parametrize(
    "switches",
    [
        {},
        {"credential_secrets": "echo", "phone_secrets": "echo", "adversarial": True},
        {"credential_secrets": "mask", "echo_in_errors": True},
    ],
    ids=["omitted", "echoed", "masked, and echoed in errors"],
)
def test_no_secret_is_written_or_printed(tmp_path: Path, switches: dict[str, object]) -> None:
    with bench(tmp_path, api_key=PLANTED["VAPI_API_KEY"], auth_token=PLANTED["TWILIO_AUTH_TOKEN"], **switches) as made:
        lay_out(made)
        printed: list[str] = []

        def run(*arguments: str, code: int | None = 0, **environ: str) -> str:
            ran = made.run(*arguments, code=code, **(PLANTED | environ))
            printed.extend([ran.out, ran.err])
            return ran.out

        run("validate")
        run("plan", "-v")
        run("plan", "--format", "json", "--out", str(made.folder / "plan.json"))
        run("apply", "--auto-approve", "--format", "json")
        assert run("plan", "--detailed-exitcode") != ""
        for what in (
            ("state", "list"),
            ("state", "show", "Credential/crm"),
            ("history",),
            ("show", "1", "--format", "json"),
            ("drift",),
        ):
            run(*what)
        # A secret that changes is one update, and is not shown either.
        assert run("plan", CRM_TOKEN="planted-crm-token-0004b").count("~ Credential/crm") == 1
        run("apply", "--auto-approve", CRM_TOKEN="planted-crm-token-0004b")
        run("plan", "--detailed-exitcode", CRM_TOKEN="planted-crm-token-0004b")
        # Refused requests, with the body in the answer.
        echo = {"statusCode": 400, "message": [f"authenticationPlan.token must not be {PLANTED['CRM_TOKEN']}"]}
        made.control.fault("status", method="PATCH", path="/credential/", status=400, answer=echo)
        made.control.fault(
            "status",
            method="PATCH",
            path="/tool/",
            status=400,
            answer={"message": f"headers {PLANTED['HEADER_KEY']} {IN_HEADER}"},
        )
        made.edit("agents/tool.yaml", "Finds an order.", "Finds it.")
        run("apply", "--auto-approve", code=1)
        made.control.clear_faults()
        run("destroy", "--auto-approve", "--force")
        assert search(made, printed) == []


def test_a_secret_that_is_not_at_hand_is_not_needed_to_plan(live: Bench) -> None:
    lay_out(live)
    kept = ("CRM_TOKEN", "HEADER_KEY", "VOICEOPS_STATE_KEY")
    live.run("apply", "--auto-approve", **{name: PLANTED[name] for name in kept})
    plan = live.plan()
    assert plan["summary"]["no_op"] == 7
    unchecked = [d for d in plan["diagnostics"] if d["code"] == "secret-not-checked"]
    assert all("(sensitive, not checked)" in d["summary"] for d in unchecked)
    assert {d["address"] for d in unchecked} == {"Credential/crm", "Tool/lookup"}
    # An apply that does not send it does not need it, and still knows it afterwards.
    live.edit("agents/agent.yaml", "Hello", "Good day")
    live.apply()
    key = PLANTED["VOICEOPS_STATE_KEY"]
    changed = live.run("plan", "--format", "json", CRM_TOKEN="another", VOICEOPS_STATE_KEY=key).data
    assert changed["summary"]["update"] == 1


def test_without_a_secret_that_must_be_sent_nothing_is_sent(live: Bench) -> None:
    lay_out(live)
    ran = live.apply(code=1)
    assert "CRM_TOKEN is not set" in ran.err
    assert live.writes() == []


def test_a_new_secret_that_was_not_sent_is_sent_by_the_next_apply(live: Bench) -> None:
    """No answer shows a secret: that everything else is as it should be proves nothing."""
    live.write(
        "agents/credential.yaml",
        "kind: Credential\nname: crm\nspec:\n  provider: custom-credential\n"
        "  authenticationPlan: {type: bearer, token: '${secret:CRM_TOKEN}'}\n",
    )
    live.run("apply", "--auto-approve", CRM_TOKEN="the-old-token-0001")
    pause = live.control.fault("pause", when="before", method="PATCH", path="^/credential")
    process = subprocess.Popen(
        [sys.executable, "-m", "voiceops", "-C", str(live.folder), "apply", "--auto-approve"],
        env=live.environ | {"CRM_TOKEN": "the-new-token-0002"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    live.control.wait_for_pause(pause)
    process.kill()
    process.wait()
    live.control.clear_faults()
    live.control.reset_requests()
    live.run("apply", "--auto-approve", CRM_TOKEN="the-new-token-0002")
    assert [method for method, _ in live.writes()] == ["PATCH"]
