"""`secrets rotate`: a stream of signed messages goes on through all of it, and none of them is refused."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.runtime.runtime_bench import Client, Serving, serving, spec_of
from tests.support.bench import Bench, bench
from tests.support.quick import quick
from voiceops.use.rotation_steps import RotationFacts, next_step
from voiceops.use.variables_file import set_variables

OLD = "the-webhook-secret-of-before"
NAME = "VAPI_WEBHOOK_SECRET"
AGENT = (
    "kind: Agent\nname: desk\nspec:\n  firstMessage: Hello\n  server: runtime\n"
    "  model: {provider: openai, model: gpt-4.1-mini, systemPrompt: Be kind.}\n"
)


@contextmanager
def shop(folder: Path, auth: str = "hmac") -> Iterator[Bench]:
    with bench(folder) as made:
        made.write(
            "voiceops.yaml",
            "version: 1\nproject: shop\nenvironments: [live]\n"
            f"runtime: {{url: 'https://voice.example.com', auth: {auth}}}\n",
        )
        made.write("agents/a.yaml", AGENT)
        made.write(".env", f"# ours\nOTHER=1\n{NAME}={OLD}\n")
        made.run("apply", "--auto-approve", **{NAME: None})
        yield made


@dataclass(slots=True)
class Traffic:
    """Vapi's messages: signed with what it has, and by a call under way with what it had when that began."""

    made: Bench
    auth: str
    server: Serving
    statuses: list[int] = field(default_factory=list)
    ending: bool = False
    under_way: bool = True

    def flow(self) -> None:
        while not self.ending:
            client = Client(self.server.port)
            for secret in [self.at_vapi(), *([OLD] if self.under_way else [])]:
                client.secret = secret
                body = json.dumps({"message": {"type": "hang", "call": {"id": "c"}}}).encode()
                headers = {
                    "hmac": client.signed(body),
                    "bearer": {"authorization": f"Bearer {secret}"},
                    "secret": {"x-vapi-secret": secret},
                }[self.auth]
                self.statuses.append(client.raw(body, headers).status)
            time.sleep(0.01)

    def at_vapi(self) -> str:
        (credential,) = self.made.control.objects("/credential")
        plan = credential["authenticationPlan"]
        return str(plan.get("secretKey") or plan["token"])


@contextmanager
def flowing(made: Bench, auth: str, server: Serving) -> Iterator[Traffic]:
    traffic = Traffic(made, auth, server)
    thread = threading.Thread(target=traffic.flow)
    thread.start()
    try:
        yield traffic
    finally:
        traffic.ending = True
        thread.join(20)


def runtime(made: Bench, auth: str, *secrets: str) -> Any:
    return serving(made.folder, spec_of(auth=auth), vapi_secrets=tuple(secret.encode() for secret in secrets))


def rotate(made: Bench, server: Client | None, *arguments: str, code: int | None = 2, **environ: str | None) -> str:
    url = ["--url", f"http://127.0.0.1:{server.port}"] if server is not None else []
    ran = made.run("secrets", "rotate", NAME, *url, *arguments, code=code, **{NAME: None, **environ})
    for secret in (OLD, new_of(made)):
        assert secret not in ran.out + ran.err
    return ran.out


def new_of(made: Bench) -> str:
    lines = (made.folder / ".env").read_text().splitlines()
    return next(line for line in lines if line.startswith(f"{NAME}=")).partition("=")[2]


@pytest.mark.parametrize("auth", ["hmac", "bearer", "secret"])
def test_no_message_is_refused(tmp_path: Path, auth: str) -> None:
    with shop(tmp_path, auth) as made, ExitStack() as stack:
        first = stack.enter_context(runtime(made, auth, OLD))
        traffic = stack.enter_context(flowing(made, auth, first))

        assert "No rotation is under way" in rotate(made, first, code=0)
        assert "→ 2 the runtime takes the new one and the old one" in rotate(made, first, "--generate")
        new = new_of(made)
        assert new != OLD
        assert len(new) > 40
        assert (made.folder / ".env").stat().st_mode & 0o777 == 0o600
        assert (made.folder / ".env").read_text().startswith("# ours\nOTHER=1\n")
        assert "refuses the new one" in rotate(made, first, "--auto-approve")
        assert traffic.at_vapi() == OLD

        both = stack.enter_context(runtime(made, auth, new, OLD))
        traffic.server = both
        assert "for 10 more minutes" in rotate(made, both, "--auto-approve")
        assert traffic.at_vapi() == new
        assert "✓ 3 Vapi has the new one" in rotate(made, both)
        assert "still gets messages with the old one" in rotate(made, both, "--grace", "0", "--watch", "0.3")
        traffic.under_way = False
        time.sleep(0.1)
        assert "The old one may go" in rotate(made, both, "--grace", "0", "--watch", "0.2")

        last = stack.enter_context(runtime(made, auth, new))
        traffic.server = last
        assert "is changed\n" in rotate(made, last, "--grace", "0", code=0)
        assert f"{NAME}_PREVIOUS" not in (made.folder / ".env").read_text()
        assert "No rotation is under way" in rotate(made, last, code=0)
        traffic.ending = True
        assert len(traffic.statuses) > 20
        assert set(traffic.statuses) == {200}
        assert made.run("plan", "--detailed-exitcode", **{NAME: None}).code == 0


@pytest.mark.parametrize("when", ["before", "after"])
def test_killed_while_vapi_gets_the_new_one(tmp_path: Path, when: str) -> None:
    """Before Vapi has it, and after: run again, it ends well."""
    with quick(), shop(tmp_path) as made, ExitStack() as stack:
        first = stack.enter_context(runtime(made, "hmac", OLD))
        rotate(made, first, "--generate")
        new = new_of(made)
        both = stack.enter_context(runtime(made, "hmac", new, OLD))
        rule = made.control.fault("pause", when=when, method="PATCH", path="^/credential/", times=1)
        environ = {key: value for key, value in made.environ.items() if key != NAME}
        url = f"http://127.0.0.1:{both.port}"
        command = ["-C", str(made.folder), "secrets", "rotate", NAME, "--url", url, "--auto-approve"]
        process = subprocess.Popen(
            [sys.executable, "-m", "voiceops", *command],
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        made.control.wait_for_pause(rule, 60)
        process.kill()
        process.wait(10)
        made.control.clear_faults()
        made.run("state", "unlock", "--force", code=None, **{NAME: None})
        assert "✓ 3 Vapi has the new one" in rotate(made, both, "--auto-approve")
        (credential,) = made.control.objects("/credential")
        assert credential["authenticationPlan"]["secretKey"] == new
        last = stack.enter_context(runtime(made, "hmac", new))
        assert "is changed" in rotate(made, last, code=0)


def test_a_value_of_ones_own_set_by_the_process(tmp_path: Path) -> None:
    with shop(tmp_path) as made, ExitStack() as stack:
        made.remove(".env")
        printed = made.run("secrets", "rotate", NAME, "--generate", "--show", code=2, **{NAME: OLD}).out.strip()
        assert len(printed) > 40
        assert not (made.folder / ".env").exists()
        assert (
            "comes from the process's environment"
            in made.run("secrets", "rotate", NAME, "--generate", code=1, **{NAME: OLD}).err
        )
        both = stack.enter_context(runtime(made, "hmac", printed, OLD))
        url = f"http://127.0.0.1:{both.port}"
        pair = {NAME: printed, f"{NAME}_PREVIOUS": OLD}
        assert "is under way" in made.run("secrets", "rotate", NAME, "--generate", code=1, **pair).err
        ran = made.run("secrets", "rotate", NAME, "--url", url, "--auto-approve", code=2, **pair)
        assert printed not in ran.out + ran.err
        assert "✓ 3" in ran.out
        last = stack.enter_context(runtime(made, "hmac", printed))
        ran = made.run("secrets", "rotate", NAME, "--url", f"http://127.0.0.1:{last.port}", code=0, **pair)
        assert f"Unset {NAME}_PREVIOUS here, too." in ran.out


def test_a_secret_of_a_tool_is_sent_where_it_is_used(tmp_path: Path) -> None:
    with bench(tmp_path) as made:
        made.write(
            "agents/a.yaml",
            "kind: Credential\nname: crm\nspec: {provider: custom-credential, authenticationPlan: "
            "{type: bearer, token: '${secret:CRM_TOKEN}'}}\n",
        )
        made.run("apply", "--auto-approve", CRM_TOKEN="crm-one-of-some-length")
        ran = made.run("secrets", "rotate", "CRM_TOKEN", CRM_TOKEN="crm-one-of-some-length")
        assert "Every object that uses CRM_TOKEN has the value" in ran.out
        made.run("secrets", "rotate", "CRM_TOKEN", "--auto-approve", CRM_TOKEN="crm-two-of-some-length")
        (credential,) = made.control.objects("/credential")
        assert credential["authenticationPlan"]["token"] == "crm-two-of-some-length"
        ran = made.run("secrets", "rotate", "VAPI_API_KEY", CRM_TOKEN="crm-two-of-some-length")
        assert "Vapi takes several keys at once" in ran.out
        three = {"CRM_TOKEN": "crm-three-of-some-length"}
        ran = made.run("secrets", "rotate", "CRM_TOKEN", "--auto-approve", "--format", "json", **three)
        lines = [json.loads(line) for line in ran.out.splitlines()]
        assert [line["type"] for line in lines][-2:] == ["summary", "rotation"]
        told = lines[-1]
        assert (told["users"], told["step"], told["action"]) == (["Credential/crm"], 0, "none")
        assert three["CRM_TOKEN"] not in ran.out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["NOBODYS_TOKEN"], "nothing in live uses NOBODYS_TOKEN"),
        (["a b"], "NAME is no variable's name"),
        ([NAME, "--show"], "--show prints what --generate makes"),
        ([NAME, "--generate", "--show", "--format", "json"], "--show prints the new value and nothing else"),
        ([NAME, "--url", "voice"], "voice is no http(s) address"),
    ],
)
def test_bad_input(tmp_path: Path, arguments: list[str], said: str) -> None:
    with shop(tmp_path) as made:
        assert said in made.run("secrets", "rotate", *arguments, code=1).err


def test_a_bearer_is_sent_to_no_strangers_address(tmp_path: Path) -> None:
    with shop(tmp_path, "bearer") as made:
        made.control.reset_requests()
        assert "is not sent to https://voice.example.com" in made.run("secrets", "rotate", NAME, code=5).err
        assert made.writes() == []


STATES: list[tuple[dict[str, Any], tuple[int, str]]] = [
    ({"at_vapi": "old", "previous": False}, (1, "hand")),
    ({"at_vapi": "other", "previous": False}, (1, "hand")),
    ({"at_vapi": "new", "previous": False, "new_at_runtime": "refused"}, (2, "hand")),
    ({"at_vapi": "new", "previous": False, "new_at_runtime": "silent"}, (0, "none")),
    ({"at_vapi": "old", "previous": True, "new_at_runtime": "silent"}, (2, "hand")),
    ({"at_vapi": "old", "previous": True, "new_at_runtime": "refused"}, (2, "hand")),
    ({"at_vapi": "old", "previous": True, "new_at_runtime": "accepted", "old_at_runtime": "refused"}, (2, "hand")),
    ({"at_vapi": "old", "previous": True, "new_at_runtime": "accepted", "old_at_runtime": "accepted"}, (3, "send")),
    ({"at_vapi": "other", "previous": True, "new_at_runtime": "accepted", "old_at_runtime": "accepted"}, (3, "send")),
    ({"at_vapi": "new", "previous": True, "new_at_runtime": "refused", "old_at_runtime": "accepted"}, (2, "hand")),
    ({"at_vapi": "new", "previous": True, "new_at_runtime": "accepted", "old_at_runtime": "refused"}, (5, "drop")),
    (
        {
            "at_vapi": "new",
            "previous": True,
            "new_at_runtime": "accepted",
            "old_at_runtime": "accepted",
            "grace": 9,
        },
        (4, "wait"),
    ),
    (
        {"at_vapi": "new", "previous": True, "new_at_runtime": "accepted", "old_at_runtime": "accepted", "used": 1},
        (4, "wait"),
    ),
    ({"at_vapi": "new", "previous": True, "new_at_runtime": "accepted", "old_at_runtime": "accepted"}, (5, "hand")),
    ({"at_vapi": "other", "previous": False, "webhook": False}, (3, "send")),
]


@pytest.mark.parametrize(("seen", "wanted"), STATES)
def test_where_it_stands(seen: dict[str, Any], wanted: tuple[int, str]) -> None:
    step = next_step(RotationFacts(name=NAME, url="https://voice.example.com", **seen))
    assert (step.number, step.action) == wanted


def test_the_new_one_is_never_sent_before_the_runtime_takes_both() -> None:
    for at_vapi in ("new", "old", "other"):
        for new in ("accepted", "refused", "silent", "not asked"):
            for old in ("accepted", "refused", "silent", "not asked"):
                for previous in (True, False):
                    facts = RotationFacts(
                        name=NAME, previous=previous, at_vapi=at_vapi, new_at_runtime=new, old_at_runtime=old
                    )
                    if next_step(facts).action == "send":
                        assert (new, old, previous) == ("accepted", "accepted", True)


def test_a_file_of_variables_keeps_what_is_not_ours(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_text("A=1\n\n# note\nexport B=2\nB_MORE=3\n")
    set_variables(path, {"B": "new", "C": "x"})
    assert path.read_text() == "A=1\n\n# note\nB_MORE=3\nB=new\nC=x\n"
    set_variables(path, {"C": None})
    assert path.read_text() == "A=1\n\n# note\nB_MORE=3\nB=new\n"
    assert list(tmp_path.iterdir()) == [path]
