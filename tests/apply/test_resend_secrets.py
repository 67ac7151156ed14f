"""Secrets that were never seen: adopted, then watched from the first time that they are at hand, or sent on request."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.bench import Bench, bench

CREDENTIAL = """kind: Credential
name: crm
spec:
  provider: custom-credential
  name: crm
  authenticationPlan: {type: bearer, token: "${secret:CRM_TOKEN}"}
"""
FIRST, SECOND = "first-value-of-the-token", "second-value-of-the-token"


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Bench]:
    """A project with a credential that was adopted while its secret was not at hand."""
    with bench(tmp_path) as made:
        made.control.create(
            "/credential",
            {
                "provider": "custom-credential",
                "name": "crm",
                "authenticationPlan": {"type": "bearer", "token": "what-is-live"},
            },
        )
        made.write("agents/crm.yaml", CREDENTIAL)
        made.run("import", "--by-name")
        made.control.reset_requests()
        yield made


def token(made: Bench) -> str:
    return str(made.live("Credential/crm")["authenticationPlan"]["token"])


def test_a_secret_that_was_never_seen_is_not_sent(made: Bench) -> None:
    made.run("apply", "--auto-approve", CRM_TOKEN=FIRST)
    assert made.writes() == []
    assert token(made) == "what-is-live"


def test_it_is_sent_once_it_changed(made: Bench) -> None:
    made.run("apply", "--auto-approve", CRM_TOKEN=FIRST)
    made.run("apply", "--auto-approve", CRM_TOKEN=FIRST)
    assert made.writes() == []
    assert "1 to update" in made.run("plan", CRM_TOKEN=SECOND).out
    made.run("apply", "--auto-approve", CRM_TOKEN=SECOND)
    assert token(made) == SECOND
    made.control.reset_requests()
    made.run("apply", "--auto-approve", CRM_TOKEN=SECOND)
    assert made.writes() == []


def test_it_is_sent_when_asked_for(made: Bench) -> None:
    made.run("apply", "--auto-approve", "--resend-secrets", "Credential/crm", CRM_TOKEN=FIRST)
    assert token(made) == FIRST
    assert len(made.writes()) == 1
    assert FIRST not in (made.folder / ".voiceops/state/live/state.json").read_text()
    made.control.reset_requests()
    assert "Nothing to do" in made.run("plan", CRM_TOKEN=FIRST).out
    made.run("apply", "--auto-approve", "--resend-secrets", "Credential/crm", CRM_TOKEN=FIRST)
    assert len(made.writes()) == 1


def test_a_send_that_fails_is_not_taken_for_done(made: Bench) -> None:
    made.control.fault("status", status=400, method="PATCH", times=1)
    made.run("apply", "--auto-approve", "--resend-secrets", "Credential/crm", code=None, CRM_TOKEN=FIRST)
    assert token(made) == "what-is-live"
    made.run("apply", "--auto-approve", "--resend-secrets", "Credential/crm", CRM_TOKEN=FIRST)
    assert token(made) == FIRST


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--resend-secrets", "Credential/crm"), "CRM_TOKEN is not set, and has to be sent"),
        (("--resend-secrets", "crm"), "is no address"),
        (("plan.json", "--resend-secrets", "Credential/crm"), "adds to what was reviewed"),
        (("--resend-secrets", "Credential/nothing"), "there is no Credential/nothing"),
    ],
)
def test_bad_input_is_one_error(made: Bench, arguments: tuple[str, ...], said: str) -> None:
    assert said in made.run("apply", "--auto-approve", *arguments, code=1).err
