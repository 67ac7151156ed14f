"""`voiceops import gitops` and `import json`, from the folder to the plan that finds nothing to do."""

from __future__ import annotations

import hashlib
import json
import os
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.migrate.five_folders import (
    write_nested,
    write_newest,
    write_odd,
    write_oldest,
    write_organizations,
    write_two_states,
)
from tests.migrate.peer_folders import Peer, R, assistant, function, put
from tests.support.bench import Bench, Ran
from voiceops.migrate.payloads import read_payloads
from voiceops.model.address import address
from voiceops.sandbox.client import SandboxClient
from voiceops.sandbox.server import SandboxServer

OTHER_ORG = "00000000-0000-4000-8000-000000000002"
WITHOUT_KEYS: dict[str, str | None] = dict.fromkeys(("VAPI_API_KEY", "VAPI_BASE_URL", "TWILIO_ACCOUNT_SID"))


class Moved(Bench):
    """A folder with a checkout in it, two accounts, and the project that comes of it."""

    def voiceops(self, *arguments: str, code: int | None = 0, **environ: str | None) -> Ran:
        """A command with no keys in its environment: they come from the folder's files."""
        return self.run(*arguments, code=code, **{**WITHOUT_KEYS, **environ})

    def take(self, *arguments: str, code: int | None = 0, **environ: str | None) -> Ran:
        return self.voiceops("import", "gitops", "checkout", *arguments, code=code, **environ)

    @property
    def checkout(self) -> Path:
        return self.folder / "checkout"

    @property
    def project(self) -> Path:
        return self.folder / "checkout-voiceops"

    def there(self, *arguments: str, code: int | None = 0, **environ: str | None) -> Ran:
        """A command in the new project."""
        return Moved(self.project, self.server, self.control).voiceops(*arguments, code=code, **environ)

    def ids(self, environment: str) -> dict[str, str]:
        state = json.loads((self.project / f"state/{environment}/state.json").read_text())
        return {where: entry["id"] for where, entry in state["resources"].items()}


@pytest.fixture
def moved(tmp_path: Path) -> Iterator[Moved]:
    with SandboxServer() as server, server.control() as control:
        yield Moved(tmp_path, server, control)


@pytest.fixture
def other() -> Iterator[tuple[SandboxServer, SandboxClient]]:
    with SandboxServer(org_id=OTHER_ORG) as server, server.control() as control:
        yield server, control


def digests(root: Path) -> dict[str, str]:
    return {
        path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
        for path in sorted(root.rglob("*"))
    }


def uuids(peer: Peer) -> set[str]:
    return {uuid for (section, _), uuid in peer.uuids.items() if section != "credentials"}


def nothing_to_do(moved: Moved, environment: str, peer: Peer, control: SandboxClient) -> None:
    """The ids are kept, a plan is empty and an apply sends nothing."""
    assert set(moved.ids(environment).values()) == uuids(peer)
    moved.there("-e", environment, "plan", "--detailed-exitcode")
    moved.there("-e", environment, "apply", "--auto-approve")
    assert [r for r in control.requests() if r["method"] != "GET"] == []
    history = moved.there("-e", environment, "history", "--format", "json").data
    assert [entry["operation"] for entry in history] == ["import gitops"]


@pytest.mark.parametrize("write", [write_oldest, write_nested, write_newest, write_odd])
def test_a_checkout_of_one_organization(moved: Moved, write: Any) -> None:
    peer = write(moved.checkout, moved.server)
    before = digests(moved.checkout)
    moved.control.reset_requests()
    moved.take()
    lists = [r["path"] for r in moved.control.requests()]
    again = 1 if write is write_odd else 0  # who bears the name that nobody here has?
    assert len(lists) == len(set(lists)) + again, lists
    environment = "prod" if write is write_oldest else "acme"
    nothing_to_do(moved, environment, peer, moved.control)
    assert digests(moved.checkout) == before


def test_old_accounts_are_taken_as_they_are(moved: Moved) -> None:
    """Refused values and unknown keys stay, and are said, each kind of warning once."""
    write_odd(moved.checkout, moved.server)
    ran = moved.take()
    assert "a-text-that-nobody-may-see" not in ran.out
    assert "schema-unknown-key" in ran.out
    desk = (moved.project / "agents/desk.yaml").read_text()
    assert "allowUnknown: true" in desk
    assert "maxDurationSeconds: ${var:longest}" in desk
    assert "warm-transfer-say-summary" in (moved.project / "agents/tools/transfer.yaml").read_text()
    assert "Agent/desk, whose own" in (moved.project / "agents/structured-outputs/map.yaml").read_text()
    assert "async: false" in (moved.project / "agents/tools/newer.yaml").read_text()  # a default that somebody wrote
    env = (moved.project / ".env").read_text()
    assert "'a-text-that-nobody-may-see'" in env
    assert "'a-token-of-ours'" in env


@pytest.mark.parametrize(("write", "names"), [(write_two_states, "dev prod"), (write_organizations, "day night")])
def test_a_checkout_of_two_organizations(
    moved: Moved, other: tuple[SandboxServer, SandboxClient], write: Any, names: str
) -> None:
    made = write(moved.checkout, moved.server, other[0])
    for control in (moved.control, other[1]):
        control.reset_requests()
    moved.take()
    for name, control in zip(names.split(), (moved.control, other[1]), strict=True):
        nothing_to_do(moved, name, made[name], control)


def test_one_of_two_organizations(moved: Moved, other: tuple[SandboxServer, SandboxClient]) -> None:
    made = write_organizations(moved.checkout, moved.server, other[0])
    moved.control.reset_requests()
    moved.take("--org", "day")
    nothing_to_do(moved, "day", made["day"], moved.control)
    assert not (moved.project / "environments").exists()


def test_the_project_reads_well(moved: Moved, other: tuple[SandboxServer, SandboxClient]) -> None:
    write_organizations(moved.checkout, moved.server, other[0])
    moved.take()
    assert (moved.project / "environments/day.yaml").read_text().partition("patches:")[2] == (
        "\n  - target: Tool/lookup\n    merge: {server: {url: https://day.example/lookup}}\n"
        '  - target: Agent/desk\n    merge: {model: {systemPrompt: "${file:prompts/desk.day.md}"}, '
        "voice: {voiceId: burt}}\n"
    )
    assert (moved.project / "agents/prompts/desk.day.md").read_text() == "You are the desk at day."
    assert "environments: [night]" in (moved.project / "agents/tools/alarm.yaml").read_text()
    assert "name: Desk" in (moved.project / "agents/desk.yaml").read_text()


def test_keys_stand_in_env_alone(moved: Moved) -> None:
    server = SandboxServer(api_key="a-key-that-nobody-may-see")
    with server, server.control() as control:
        write_oldest(moved.checkout, server)
        ran = moved.take()
        assert "a-key-that-nobody-may-see" not in ran.out + ran.err
        holding = [
            path.relative_to(moved.project).as_posix()
            for path in moved.project.rglob("*")
            if path.is_file() and b"a-key-that-nobody-may-see" in path.read_bytes()
        ]
        assert holding == [".env"]
        assert stat.S_IMODE((moved.project / ".env").stat().st_mode) == 0o600
        assert ".env\n" in (moved.project / ".gitignore").read_text()
        assert control.counts()


def test_what_is_live_otherwise_is_shown_and_left(moved: Moved) -> None:
    peer = write_oldest(moved.checkout, moved.server)
    moved.control.edit(peer.uuids["assistants", "plain"], {"firstMessage": "Edited"})
    moved.control.delete(peer.uuids["tools", "api-1"])
    moved.control.reset_requests()
    data = moved.take("--format", "json").data
    (prod,) = data["environments"]
    assert prod["differs"] == ["Agent/plain"]
    assert prod["missing"] == {"Tool/api-1": peer.uuids["tools", "api-1"]}
    assert len(prod["adopted"]) == 9
    plan = moved.there("plan", "--format", "json").data
    changes = {c["address"]: c["change"]["actions"] for c in plan["resource_changes"]}
    assert {where: actions for where, actions in changes.items() if actions != ["no-op"]} == {
        "Agent/plain": ["update"],
        "Tool/api-1": ["create"],
    }
    assert [r for r in moved.control.requests() if r["method"] != "GET"] == []


def test_another_account_is_nobodys(moved: Moved, other: tuple[SandboxServer, SandboxClient]) -> None:
    write_oldest(moved.checkout, moved.server)
    put(moved.checkout, ".env.prod", f"VAPI_TOKEN={other[0].api_key}\nVAPI_BASE_URL={other[0].vapi_url}\n")
    ran = moved.take(code=1)
    assert "prod: none of the 10 ids is live in the account that VAPI_API_KEY leads to" in ran.err
    assert sorted(path.name for path in moved.folder.iterdir()) == ["checkout"]


def test_without_keys_the_ids_wait(moved: Moved) -> None:
    peer = write_oldest(moved.checkout, moved.server)
    (moved.checkout / ".env.prod").unlink()
    moved.control.reset_requests()
    ran = moved.take()
    assert "VAPI_API_KEY is not set" in ran.out
    assert "voiceops -e prod import --from ids.prod.txt" in ran.out
    assert moved.control.requests() == []
    lines = (moved.project / "ids.prod.txt").read_text().splitlines()
    assert {line.split()[1] for line in lines} == uuids(peer)
    assert {line.split()[0] for line in lines} >= {"Agent/night-desk", "Tool/lookup"}


def test_ids_that_waited_are_adopted_later(moved: Moved) -> None:
    """What the report says to do next: set the keys, then `import --from`."""
    peer = write_oldest(moved.checkout, moved.server)
    moved.control.reset_requests()
    moved.take("--offline")
    moved.there("-e", "prod", "import", "--from", "ids.prod.txt")
    assert set(moved.ids("prod").values()) == uuids(peer)
    moved.there("plan", "--detailed-exitcode")
    assert [r for r in moved.control.requests() if r["method"] != "GET"] == []


def test_offline_asks_nobody(moved: Moved) -> None:
    write_oldest(moved.checkout, moved.server)
    moved.control.reset_requests()
    moved.take("--offline")
    assert moved.control.requests() == []
    assert (moved.project / "ids.prod.txt").exists()
    assert not (moved.project / "state").exists()


def test_a_first_look_leaves_nothing_behind(moved: Moved) -> None:
    write_oldest(moved.checkout, moved.server)
    ran = moved.take("--dry-run")
    assert ran.out.startswith("Nothing was written. There would be a project in ")
    assert sorted(path.name for path in moved.folder.iterdir()) == ["checkout"]


def test_the_report(moved: Moved, other: tuple[SandboxServer, SandboxClient]) -> None:
    write_two_states(moved.checkout, moved.server, other[0])
    put(moved.checkout, "resources/tools/notes.txt", "x")
    data = moved.take("--format", "json", "--dry-run").data
    assert data["objects"] == 10
    assert [one["name"] for one in data["environments"]] == ["prod", "dev"]
    assert data["environments"][1]["withoutFile"][0]["id"] == "long-gone"
    assert [one["file"] for one in data["skipped"]] == ["resources/tools/notes.txt"]
    assert data["secrets"]["set"] == ["VAPI_API_KEY_PROD", "VAPI_API_KEY_DEV"]


@pytest.mark.parametrize(
    ("files", "arguments", "said"),
    [
        ({"checkout-voiceops/x": ""}, (), "checkout-voiceops is there already"),
        ({}, ("--out", "checkout/new"), "in which nothing is written"),
        ({}, ("--out", "checkout"), "in which nothing is written"),
        ({"here": ""}, ("--out", "here"), "here is there already"),
        ({}, ("--org", "nobody"), "has no organization 'nobody'"),
    ],
)
def test_what_is_in_the_way(moved: Moved, files: Mapping[str, str], arguments: tuple[str, ...], said: str) -> None:
    write_oldest(moved.checkout, moved.server)
    for name, content in files.items():
        put(moved.folder, name, content)
    before = digests(moved.folder)
    moved.control.reset_requests()
    ran = moved.take(*arguments, code=1)
    assert said in ran.err
    assert digests(moved.folder) == before
    assert moved.control.requests() == []


def test_a_folder_that_is_not_there(moved: Moved) -> None:
    assert "there is no folder" in moved.take(code=1).err
    os.mkdir(moved.checkout)
    assert "is no VapiAI/gitops checkout" in moved.take(code=1).err


def payloads(moved: Moved) -> Peer:
    """What a backup script wrote: each object as the API shows it."""
    peer = write_oldest(moved.folder / "aside", moved.server)
    for collection, folder in (("/assistant", "assistants"), ("/tool", "tool"), ("/structured-output", "x")):
        for body in moved.control.objects(collection):
            put(moved.checkout, f"{folder}/{body['id']}.json", "\ufeff" + json.dumps(body))
    return peer


def test_payloads_with_ids(moved: Moved) -> None:
    peer = payloads(moved)
    put(moved.checkout, "notes.md", "x")
    moved.control.reset_requests()
    here: dict[str, Any] = {"VAPI_API_KEY": moved.server.api_key, "VAPI_BASE_URL": moved.server.vapi_url}
    ran = moved.voiceops("import", "json", "checkout", **here)
    assert "10 objects adopted" in ran.out
    assert "notes.md: no payload" in ran.out
    assert set(moved.ids("prod").values()) == uuids(peer)
    moved.there("plan", "--detailed-exitcode", **here)
    assert [r for r in moved.control.requests() if r["method"] != "GET"] == []


def test_what_a_lint_refuses_of_a_live_object_is_kept(moved: Moved) -> None:
    output = moved.control.create("/structured-output", {"name": "Outcome", "schema": {"type": "object"}})
    compared = {"structuredOutputId": output["id"], "comparator": "=", "value": True}
    scenario = {"name": "Books", "instructions": "Book.", "evaluations": [compared]}
    put(moved.checkout, "structured-outputs/o.json", output)
    put(moved.checkout, "scenarios/s.json", moved.control.create("/eval/simulation/scenario", scenario))
    here: dict[str, Any] = {"VAPI_API_KEY": moved.server.api_key, "VAPI_BASE_URL": moved.server.vapi_url}
    moved.voiceops("import", "json", "checkout", **here)
    moved.there("plan", "--detailed-exitcode", **here)
    new = {key: value for key, value in scenario.items() if key != "evaluations"} | {"evaluations": [compared]}
    put(moved.folder / "other", "scenarios/new.json", new)  # not live: the lint is right until Vapi says otherwise
    put(moved.folder / "other", "structured-outputs/o.json", output)
    moved.voiceops("import", "json", "other", **here)
    assert "allowUnknown" not in (moved.folder / "other-voiceops/agents/scenarios/books.yaml").read_text()


def test_payloads_without_ids_are_created(moved: Moved) -> None:
    put(
        moved.checkout,
        "desk.json",
        '{"name": "Desk \\ud83d\\ude00", "model": {"provider": "openai", "model": "gpt-4o"}}',
    )
    put(moved.checkout, "tools/t.json", {"type": "endCall"})
    here: dict[str, Any] = {"VAPI_API_KEY": moved.server.api_key, "VAPI_BASE_URL": moved.server.vapi_url}
    data = moved.voiceops("import", "json", "checkout", "--format", "json", **here).data
    assert data["objects"] == 2
    assert len(data["environments"][0]["creates"]) == 2
    moved.there("apply", "--auto-approve", **here)
    assert [one["name"] for one in moved.control.objects("/assistant")] == ["Desk \U0001f600"]
    assert len(moved.control.objects("/tool")) == 1


KINDS: list[tuple[dict[str, Any], str]] = [
    ({"name": "a", "model": {"provider": "openai"}, "voice": {}}, "Agent"),
    ({"type": "function", "function": {"name": "f"}}, "Tool"),
    ({"members": [], "name": "s"}, "Squad"),
    ({"provider": "twilio", "number": "+14155550100"}, "Phone"),
    ({"provider": "openai", "apiKey": "x"}, "Credential"),
    ({"name": "o", "type": "ai", "schema": {"type": "string"}, "model": {}}, "StructuredOutput"),
    ({"scenarioId": "x", "personalityId": "y"}, "Simulation"),
    ({"simulationIds": []}, "SimulationSuite"),
    ({"name": "s", "instructions": "x", "evaluations": []}, "Scenario"),
    ({"name": "p", "assistant": {}}, "Personality"),
    ({"type": "chat.mockConversation", "messages": []}, "Eval"),
]


@pytest.mark.parametrize(("body", "kind"), KINDS, ids=[kind for _, kind in KINDS])
def test_the_kind_of_a_payload_by_its_keys(tmp_path: Path, body: dict[str, Any], kind: str) -> None:
    put(tmp_path, "x.json", body)
    (account,) = read_payloads(tmp_path).accounts
    assert [one.kind for one in account.found] == [kind]


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({}, "it holds no .json file of an object"),
        ({"x.json": "{}"}, "x.json:1:1: error[payload-kind]: neither its folder nor its keys tell what it is"),
        ({"x.json": '{"members": [], "schema": {}}'}, "it could be Squad or StructuredOutput"),
        ({"x.json": "[1]"}, "x.json:1:1: error[resource-form]: one object a file, not a list"),
        ({"x.json": "{"}, "the file is no JSON"),
        ({"squads/x.json": b"\xff\xfe"}, "squads/x.json:1:1: error[file]: it is not UTF-8 text"),
        (
            {"a/tools/x.json": {"id": OTHER_ORG, "type": "endCall"}, "b/tools/x.json": {"id": OTHER_ORG}},
            "b/tools/x.json:1:1: error[payload-twice]",
        ),
    ],
)
def test_what_is_no_folder_of_payloads(moved: Moved, files: Mapping[str, Any], said: str) -> None:
    os.mkdir(moved.checkout)
    for name, content in files.items():
        put(moved.checkout, name, content)
    ran = moved.voiceops("import", "json", "checkout", code=1)
    assert said in ran.err
    assert sorted(path.name for path in moved.folder.iterdir()) == ["checkout"]


def test_addresses_are_what_the_report_says(moved: Moved) -> None:
    write_oldest(moved.checkout, moved.server)
    data = moved.take("--format", "json").data
    for one in data["renamed"]:
        assert address(one["kind"], one["name"]) in moved.ids("prod")


def many(agents: int, tools: int, outputs: int) -> Peer:
    """As large folders are: each agent with three tools, an output and a prompt of ten kilobytes."""
    schema = {"type": "object", "properties": {f"p{n}": {"type": "string", "description": "x" * 40} for n in range(10)}}
    return Peer(
        objects={
            "tools": {
                f"tool-{n}": function(f"tool_{n}", server={"url": f"https://crm{n % 5}.example/t"})
                for n in range(tools)
            },
            "structuredOutputs": {
                f"out-{n}": {"name": f"Out {n}", "type": "ai", "schema": schema} for n in range(outputs)
            },
            "assistants": {
                f"agent-{n}": assistant(
                    f"Agent {n}",
                    model={"toolIds": [R("tools", f"tool-{(3 * n + k) % tools}") for k in range(3)]},
                    artifactPlan={"structuredOutputIds": [R("structuredOutputs", f"out-{n % outputs}")]},
                )
                for n in range(agents)
            },
        },
        prompts={f"agent-{n}": f"# Agent {n}\n" + "Answer the caller, and say no more.\n" * 280 for n in range(agents)},
    )


def test_a_large_folder_is_quick(moved: Moved, record_property: Callable[[str, object], None]) -> None:
    peer = many(180, 143, 60)
    peer.push(moved.server)
    peer.write(moved.checkout, "resources/acme")
    put(moved.checkout, ".vapi-state.acme.json", peer.state(5))
    put(moved.checkout, ".env.acme", f"VAPI_TOKEN={moved.server.api_key}\nVAPI_BASE_URL={moved.server.vapi_url}\n")
    moved.control.reset_requests()
    before = time.thread_time()  # the sandbox has a thread of its own
    ran = moved.take("--format", "json")
    seconds = time.thread_time() - before
    (acme,) = ran.data["environments"]
    assert len(acme["adopted"]) == 383
    assert acme["differs"] == []
    assert len(moved.control.requests()) <= 6
    assert seconds < 5
    record_property("figure", f"import gitops of 383 objects: {seconds:.1f} s CPU")


def test_a_default_that_the_folder_says_is_compared(moved: Moved) -> None:
    """`firstMessageInterruptionsEnabled: false` is what the server fills in; here somebody meant it."""
    peer = Peer(objects={"assistants": {"desk": assistant("Desk", "Hi", firstMessageInterruptionsEnabled=False)}})
    peer.push(moved.server)
    peer.write(moved.checkout, "resources/acme")
    put(moved.checkout, ".vapi-state.acme.json", peer.state(5))
    put(moved.checkout, ".env.acme", f"VAPI_TOKEN={moved.server.api_key}\nVAPI_BASE_URL={moved.server.vapi_url}\n")
    moved.control.edit(peer.uuids["assistants", "desk"], {"firstMessageInterruptionsEnabled": True})
    assert moved.take("--format", "json").data["environments"][0]["differs"] == ["Agent/desk"]


def named(name: str) -> Peer:
    """A squad that hands over to an agent by its live name."""
    member = {
        "assistantId": R("assistants", "desk"),
        "assistantDestinations": [{"type": "assistant", "assistantName": name, "message": ""}],
    }
    return Peer(
        objects={
            "assistants": {"desk": assistant("Desk", "Hi")},
            "squads": {"all": {"name": "All", "members": [member]}},
        }
    )


def test_an_agent_of_others_is_external(moved: Moved, other: tuple[SandboxServer, SandboxClient]) -> None:
    ids = {}
    for name, server in (("one", moved.server), ("two", other[0])):
        with server.control() as control:
            ids[name] = control.create("/assistant", assistant("Night Desk"))["id"]
        peer = named("Night Desk")
        peer.push(server)
        peer.write(moved.checkout, f"resources/{name}")
        put(moved.checkout, f".vapi-state.{name}.json", peer.state(5))
        put(moved.checkout, f".env.{name}", f"VAPI_TOKEN={server.api_key}\nVAPI_BASE_URL={server.vapi_url}\n")
    moved.take()
    assert "${var:agent-night-desk}" in (moved.project / "agents/night-desk.yaml").read_text()
    assert "assistantName: night-desk" in (moved.project / "agents/squads/all.yaml").read_text()
    for name, id_ in ids.items():
        assert id_ not in moved.ids(name).values()
        moved.there("-e", name, "plan", "--detailed-exitcode")


@pytest.mark.parametrize("count", [0, 2])
def test_a_name_that_nobody_or_several_have_stays_a_text(moved: Moved, count: int) -> None:
    for _ in range(count):
        moved.control.create("/assistant", assistant("Night Desk"))
    peer = named("Night Desk")
    peer.push(moved.server)
    peer.write(moved.checkout, "resources/acme")
    put(moved.checkout, ".vapi-state.acme.json", peer.state(5))
    put(moved.checkout, ".env.acme", f"VAPI_TOKEN={moved.server.api_key}\nVAPI_BASE_URL={moved.server.vapi_url}\n")
    ran = moved.take()
    assert "no Agent is called 'Night Desk'" in ran.out
    assert not (moved.project / "agents/night-desk.yaml").exists()
    moved.there("plan", "--detailed-exitcode")


def test_a_key_that_is_refused_leaves_nothing(moved: Moved) -> None:
    write_oldest(moved.checkout, moved.server)
    put(moved.checkout, ".env.prod", f"VAPI_TOKEN=another\nVAPI_BASE_URL={moved.server.vapi_url}\n")
    before = digests(moved.folder)
    ran = moved.take("--out", "a/b/c", code=1)
    assert "another" not in ran.err
    assert digests(moved.folder) == before


def test_a_key_goes_to_no_strange_host(moved: Moved) -> None:
    """The folder names a host; only who runs the command can allow it."""
    write_oldest(moved.checkout, moved.server)
    put(moved.checkout, ".env.prod", "VAPI_TOKEN=a-key\nVAPI_BASE_URL=https://api.evil.example\n")
    ran = moved.take(code=5)
    assert "the Vapi key is not sent to https://api.evil.example" in ran.err
    assert sorted(path.name for path in moved.folder.iterdir()) == ["checkout"]


def test_killed_and_run_again_it_is_as_if_once(moved: Moved) -> None:
    peer = write_oldest(moved.checkout, moved.server)
    moved.control.reset_requests()
    rule = moved.control.fault("pause", when="before", method="GET", path="^/tool")
    environ = {k: v for k, v in moved.environ.items() if k not in WITHOUT_KEYS}
    command = [sys.executable, "-m", "voiceops", "-C", str(moved.folder), "import", "gitops", "checkout"]
    with subprocess.Popen(command, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        moved.control.wait_for_pause(rule, timeout=60)
        process.kill()
    moved.control.clear_faults()
    assert not moved.project.exists()
    for left in moved.folder.glob(".checkout-voiceops.*"):
        assert stat.S_IMODE(left.stat().st_mode) == 0o700
    moved.take()
    nothing_to_do(moved, "prod", peer, moved.control)


def test_a_disk_that_takes_no_more_leaves_nothing(moved: Moved) -> None:
    """Files of a kilobyte at most: a prompt is cut off."""
    peer = many(1, 1, 1)
    peer.push(moved.server)
    peer.write(moved.checkout, "resources/acme")
    before = digests(moved.folder)
    script = "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (1024, 1024)); import signal; "
    script += "signal.signal(signal.SIGXFSZ, signal.SIG_IGN); from voiceops.cli.main import run; sys.exit(run())"
    ran = subprocess.run(
        [sys.executable, "-B", "-c", script, "-C", str(moved.folder), "import", "gitops", "checkout"],
        env=moved.environ,
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 1
    assert "Traceback" not in ran.stderr
    assert "File too large" in ran.stderr
    assert digests(moved.folder) == before


@pytest.mark.parametrize("name", ["\x1b[31mred", "a\nb", "\u202eevil", "::error::x", "x" * 200, "-", "a b"])
def test_names_of_files_do_not_act(moved: Moved, name: str) -> None:
    peer = Peer(objects={"assistants": {name: assistant("Desk", "Hi")}})
    peer.push(moved.server)
    peer.write(moved.checkout, "resources/acme")
    put(moved.checkout, f"resources/acme/assistants/{name}.txt", "x")
    put(moved.checkout, ".vapi-state.acme.json", peer.state(5))
    put(moved.checkout, ".env.acme", f"VAPI_TOKEN={moved.server.api_key}\nVAPI_BASE_URL={moved.server.vapi_url}\n")
    ran = moved.take()
    assert "\x1b" not in ran.out + ran.err
    assert "\u202e" not in ran.out + ran.err
    assert not any(line.startswith("::") for line in ran.out.splitlines())
    assert list(moved.ids("acme").values()) == [peer.uuids["assistants", name]]
    moved.there("plan", "--detailed-exitcode")
