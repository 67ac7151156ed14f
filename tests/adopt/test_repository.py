"""What is written for one object or a few: names, parts, secrets, lines, defaults, layout."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.folder import Folder
from voiceops.adopt.found import Found, Written
from voiceops.adopt.phone_lines import TwilioAccount
from voiceops.adopt.repository import Known, Repository, repository_of

ID = "5b6d2d1e-8a4f-4d55-9d0c-2a4b3c1f7{:03}"
SERVER = {"orgId": "o", "createdAt": "2026-01-01T00:00:00Z", "updatedAt": "2026-01-02T00:00:00Z"}
NUMBER = "+14155550100"
INBOUND = {"phone_number": NUMBER, "voice_url": "https://api.vapi.ai/twilio/inbound_call", "voice_method": "POST"}
KEY = "crm_0123456789abcdef0123"  # pragma: allowlist secret


def one(kind: str, n: int, /, **body: Any) -> Found:
    return Found(kind=kind, id=ID.format(n), body={"id": ID.format(n), **SERVER, **body})


def agent(n: int, name: str, **body: Any) -> Found:
    return one("Agent", n, name=name, **body)


def written(*found: Found, **known: Any) -> Repository:
    return repository_of(found, Known(**known))


def document(repository: Repository, path: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(repository.files[path])
    return found


def spec(repository: Repository, path: str) -> dict[str, Any]:
    found: dict[str, Any] = document(repository, path)["spec"]
    return found


def phone(n: int = 1, **body: Any) -> Found:
    return one(
        "Phone", n, **{"provider": "twilio", "number": NUMBER, "twilioAccountSid": "AC1", "name": "Main", **body}
    )


# names and files


@pytest.mark.parametrize(
    ("live", "name"),
    [
        ("Front Desk", "front-desk"),
        ("Größe München", "grosse-munchen"),
        ("lookupOrder", "lookup-order"),
        ("OpenAI", "openai"),
        ("Łódź — søster", "lodz-soster"),
        ("Поддержка", "agent-5b6d"),
        ("客服 EN", "en"),
        ("---", "agent-5b6d"),
        ("", "agent-5b6d"),
        ("x" * 80, "x" * 63),
        ("con", "con"),
        ("🎉 Party line!", "party-line"),
    ],
)
def test_a_manifest_is_called_after_the_live_name(live: str, name: str) -> None:
    assert list(written(agent(1, live)).ids) == [f"Agent/{name}"]


def test_equal_live_names_are_told_apart_by_age_and_say_so() -> None:
    old, new = agent(2, "Support", createdAt="2025-01-01"), agent(1, "Support", createdAt="2025-06-01")
    made = written(new, old)
    assert made.ids == {"Agent/support": old.id, "Agent/support-2": new.id}
    assert made.files["agents/support-2.yaml"].startswith(
        f"# Agent/support has the same live name; this one is {new.id}.\n"
    )
    assert f"this one is {old.id}" in made.files["agents/support.yaml"]


def test_names_files_and_parts_that_are_there_stay() -> None:
    known = {"names": {"Agent": ["support"]}, "files": ["agents/Support-2.yaml", "agents/prompts/support-2.md"]}
    prompt = {"provider": "openai", "model": "gpt-4o", "messages": [{"role": "system", "content": "Be kind."}]}
    made = written(agent(1, "support", model=prompt), **known)
    assert list(made.files) == ["agents/prompts/support-2-2.md", "agents/support-2-2.yaml"]
    assert document(made, "agents/support-2-2.yaml")["name"] == "support-2"


@pytest.mark.parametrize("name", ["con", "aux", "parts"])
def test_no_file_gets_a_name_that_means_something_else(name: str) -> None:
    assert list(written(agent(1, name)).files) == [f"agents/{name}-agent.yaml"]


def test_a_wanted_name_is_given_before_any_other() -> None:
    other = Found(kind="Agent", id=ID.format(2), wanted="desk", body={"name": "Anything"})
    assert written(agent(1, "Desk", createdAt="2020-01-01"), other).ids == {
        "Agent/desk": other.id,
        "Agent/desk-2": ID.format(1),
    }


def test_a_live_name_that_the_manifests_name_makes_is_not_written() -> None:
    assert "name" not in spec(written(agent(1, "desk (dev)"), suffix=" (dev)"), "agents/desk.yaml")
    assert spec(written(agent(1, "Desk (dev)"), suffix=" (dev)"), "agents/desk.yaml")["name"] == "Desk (dev)"
    assert spec(written(one("Agent", 1)), "agents/agent-5b6d.yaml")["name"] is None


def test_every_kind_has_a_folder() -> None:
    kinds = {"Tool": "tools", "Personality": "personalities", "StructuredOutput": "structured-outputs"}
    for kind, folder in kinds.items():
        assert next(iter(written(one(kind, 1, name="x", type="endCall")).files)).startswith(f"agents/{folder}/")


def test_what_is_nobodys_and_what_is_known_gets_no_manifest() -> None:
    stock = Found(kind="Personality", id="a0000000-0000-4000-8000-000000000001", body={"name": "Confused Carl"})
    made = written(stock, agent(1, "a", orgId=None), agent(2, "b"), ids={ID.format(2): "Agent/b"})
    assert not made.files
    assert not made.ids


# references


def test_ids_become_names_wherever_a_name_may_stand() -> None:
    tool, base = one("Tool", 2, type="endCall", function={"name": "hangUp"}), one("KnowledgeBase", 3, name="Prices")
    base.body["toolId"] = ID.format(4)
    made_with_it = one("Tool", 4, type="query", function={"name": "search"})
    hook = {"on": "customer.speech.timeout", "do": [{"type": "tool", "toolId": tool.id}]}
    model = {"provider": "openai", "model": "gpt-4o", "toolIds": [tool.id, ID.format(4), ID.format(9)]}
    made = written(agent(1, "desk", model=model, hooks=[hook]), tool, base, made_with_it)
    found = spec(made, "agents/desk.yaml")
    assert found["model"]["tools"] == ["hang-up", "KnowledgeBase/prices", ID.format(9)]
    assert found["hooks"][0]["do"][0]["toolId"] == "hang-up"
    assert f"# model.toolIds[2]: nothing live has the id {ID.format(9)}.\n" in made.files["agents/desk.yaml"]
    assert "Tool/search" not in made.ids


def test_the_tool_of_a_managed_knowledge_base_is_the_bases() -> None:
    model = {"provider": "openai", "model": "gpt-4o", "toolIds": [ID.format(4)]}
    known = {
        "ids": {ID.format(3): "KnowledgeBase/prices"},
        "attributes": {("toolId", ID.format(4)): "KnowledgeBase/prices"},
    }
    tool = one("Tool", 4, type="query", function={"name": "search"})
    made = written(agent(1, "desk", model=model), tool, **known)
    assert spec(made, "agents/desk.yaml")["model"]["tools"] == ["KnowledgeBase/prices"]
    assert list(made.ids) == ["Agent/desk"]


def test_a_transfer_goes_by_the_live_name_whatever_manifests_are_called() -> None:
    to = {"type": "assistant", "assistantName": "support"}
    tool = one("Tool", 3, type="transferCall", destinations=[to, {"type": "assistant", "assistantName": "Care"}])
    made = written(agent(1, "Support"), agent(2, "Care"), tool)
    assert list(made.ids) == ["Tool/transfer-call", "Agent/care", "Agent/support-2"]
    found = spec(made, "agents/tools/transfer-call.yaml")["destinations"]
    assert [one["assistantName"] for one in found] == ["support", "care"]
    assert document(made, "agents/tools/transfer-call.yaml")["allowUnknown"] is True


def test_an_object_that_is_not_taken_this_time_keeps_its_id() -> None:
    model = {"provider": "openai", "model": "gpt-4o", "toolIds": [ID.format(9)]}
    text = written(agent(1, "desk", model=model), others={ID.format(9): "hangUp"}).files["agents/desk.yaml"]
    assert f"{ID.format(9)} is hangUp, which no manifest has yet." in " ".join(text.replace("\n# ", " ").split())


def test_a_dictionary_is_named_and_its_version_follows_it() -> None:
    inner = {"id": "prov1der1d", "version_id": "v7", "name": "Names", "rules": []}
    held = one("Dictionary", 2, provider="11labs", resource=inner, resourceId="prov1der1d")
    locator = {"pronunciationDictionaryId": "prov1der1d", "versionId": "v7"}
    voice = {"provider": "11labs", "voiceId": "sarah", "pronunciationDictionaryLocators": [locator]}
    now = spec(written(agent(1, "desk", voice=voice), held), "agents/desk.yaml")["voice"]
    assert now["pronunciationDictionaryLocators"] == [{"pronunciationDictionaryId": "names"}]
    locator["versionId"] = "v6"
    pinned = spec(written(agent(1, "desk", voice=voice), held), "agents/desk.yaml")["voice"]
    assert pinned["pronunciationDictionaryLocators"] == [{"pronunciationDictionaryId": "names", "versionId": "v6"}]


def test_what_stands_in_a_manifest_as_it_is() -> None:
    found = Found(
        kind="Agent",
        alias="desk",
        body={"name": "Desk", "firstMessage": Written("${var:hi} there"), "endCallMessage": "pay ${amount}"},
        environments=("prod",),
    )
    squad = Found(kind="Squad", body={"name": "Care", "members": [{"assistantId": "desk"}]})
    made = written(found, squad)
    assert spec(made, "agents/desk.yaml")["firstMessage"] == "${var:hi} there"
    assert spec(made, "agents/desk.yaml")["endCallMessage"] == "pay $${amount}"
    assert document(made, "agents/desk.yaml")["environments"] == ["prod"]
    assert spec(made, "agents/squads/care.yaml")["members"] == [{"assistantId": "desk"}]


# parts and prompts

VOICE = {"provider": "11labs", "voiceId": "sarah", "model": "eleven_turbo_v2_5", "stability": 0.5}


def test_what_two_agents_share_is_taken_out_and_named_by_what_it_is() -> None:
    fast = {**VOICE, "speed": 1.1}
    made = written(
        *(agent(n, f"a{n}", voice=VOICE) for n in (1, 2)),
        *(agent(n, f"a{n}", voice=fast) for n in (3, 4)),
        agent(5, "a5", voice={**VOICE, "speed": 0.9}),
    )
    assert [part.address for part in made.shared] == ["Voice/sarah", "Voice/sarah-fast"]
    assert made.shared[0].used_by == ("Agent/a1", "Agent/a2")
    assert spec(made, "agents/a1.yaml")["voice"] == "sarah"
    assert spec(made, "agents/a3.yaml")["voice"] == "sarah-fast"
    assert spec(made, "agents/a5.yaml")["voice"] == {"from": "sarah", "speed": 0.9}


def test_a_part_that_is_declared_is_used_by_one_alone() -> None:
    made = written(agent(1, "desk", voice=VOICE), parts={"Voice/warm": VOICE}, names={"Voice": ["warm"]})
    assert spec(made, "agents/desk.yaml")["voice"] == "warm"
    assert not made.shared


def test_a_part_is_told_from_one_that_is_declared() -> None:
    fast = {**VOICE, "speed": 1.1}
    made = written(
        *(agent(n, f"a{n}", voice=fast) for n in (1, 2)), parts={"Voice/sarah": VOICE}, names={"Voice": ["sarah"]}
    )
    assert [part.address for part in made.shared] == ["Voice/sarah-fast"]


def test_servers_of_one_host_are_told_apart_by_what_only_one_has() -> None:
    here = {"url": "https://hooks.crm.example/vapi"}
    made = written(
        *(agent(n, f"a{n}", server={**here, "headers": {"X-Team": "a"}}) for n in (1, 2, 3)),
        *(agent(n, f"a{n}", server=here) for n in (4, 5)),
    )
    assert [part.address for part in made.shared] == ["Server/crm", "Server/crm-headers"]
    assert spec(made, "agents/a4.yaml")["server"] == "crm"


def test_a_second_time_only_what_is_new_is_written_and_it_uses_what_is_there() -> None:
    first = written(agent(1, "a", voice=VOICE), agent(2, "b", voice=VOICE))
    known = {
        "ids": {id_: address for address, id_ in first.ids.items()},
        "names": {"Agent": ["a", "b"], "Voice": ["sarah"]},
        "parts": {"Voice/sarah": VOICE},
        "files": list(first.files),
    }
    slow = {"provider": "vapi", "voiceId": "Elliot", "speed": 0.9}
    later = [agent(3, "a", voice=VOICE), agent(4, "c", voice={**VOICE, "speed": 1.1})]
    later += [agent(n, f"e{n}", voice=slow) for n in (5, 6)]
    again = written(agent(1, "a", voice=VOICE), agent(2, "b", voice=VOICE), *later, **known)
    assert sorted(again.ids) == ["Agent/a-2", "Agent/c", "Agent/e5", "Agent/e6"]
    assert not again.files.keys() & first.files.keys()
    assert spec(again, "agents/a-2.yaml")["voice"] == "sarah"
    assert spec(again, "agents/c.yaml")["voice"] == {"from": "sarah", "speed": 1.1}
    assert [part.address for part in again.shared] == ["Voice/elliot"]
    assert "agents/parts-2.yaml" in again.files


@pytest.mark.parametrize(
    "content", ["Be kind.\n", "a\r\nb\r", "${env:HOME} {{name}}", "x" * 200_000, "---\nkind: Tool\n"]
)
def test_the_prompt_is_a_file_to_the_last_byte(content: str) -> None:
    messages = [{"role": "system", "content": content}, {"role": "user", "content": "Hi"}]
    made = written(agent(1, "desk", model={"provider": "openai", "model": "gpt-4o", "messages": messages}))
    assert made.files["agents/prompts/desk.md"] == content
    assert spec(made, "agents/desk.yaml")["model"]["systemPrompt"] == "${file:prompts/desk.md}"
    assert spec(made, "agents/desk.yaml")["model"]["messages"] == messages[1:]


@pytest.mark.parametrize("content", ["\ufeffBe kind.", ""])
def test_a_prompt_that_no_file_would_bring_stands_in_the_manifest(content: str) -> None:
    model = {"provider": "openai", "model": "gpt-4o", "messages": [{"role": "system", "content": content}]}
    made = written(agent(1, "desk", model=model))
    assert list(made.files) == ["agents/desk.yaml"]
    assert spec(made, "agents/desk.yaml")["model"]["systemPrompt"] == content


def test_two_system_messages_stay_messages() -> None:
    messages = [{"role": "system", "content": "One.\nTwo."}, {"role": "system", "content": "Three."}]
    made = written(agent(1, "desk", model={"provider": "openai", "model": "gpt-4o", "messages": messages}))
    found = spec(made, "agents/desk.yaml")["model"]
    assert [m["content"] for m in found["messages"]] == ["${file:prompts/desk.md}", "Three."]


def test_the_projects_own_server_is_called_runtime() -> None:
    server = {"url": "https://voice.example/vapi/events", "credentialId": ID.format(8)}
    known = {
        "runtime_url": "https://voice.example",
        "runtime_credential": ID.format(8),
        "ids": {ID.format(8): "Credential/runtime"},
    }
    slow = {**server, "timeoutSeconds": 5}
    made = written(agent(1, "a", server=server), agent(2, "b", server=server), agent(3, "c", server=slow), **known)
    assert spec(made, "agents/a.yaml")["server"] == "runtime"
    assert spec(made, "agents/c.yaml")["server"] == {"from": "runtime", "timeoutSeconds": 5}
    assert not made.shared
    elsewhere = written(agent(1, "a", server={**server, "credentialId": ID.format(7)}), **known)
    assert spec(elsewhere, "agents/a.yaml")["server"]["url"] == server["url"]


# defaults


def test_defaults_of_the_project_change_nothing(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.project(
        "defaults:\n  Agent: {server: runtime, silenceTimeoutSeconds: 30, firstMessageInterruptionsEnabled: true,\n"
        "    artifactPlan: {recordingEnabled: false}, model: {temperature: 0.9, systemPrompt: Be kind.}}\n"
    )
    defaults = {
        "server": "runtime",
        "silenceTimeoutSeconds": 30,
        "firstMessageInterruptionsEnabled": True,
        "artifactPlan": {"recordingEnabled": False},
        "model": {"temperature": 0.9, "systemPrompt": "Be kind."},
    }
    system = [{"role": "system", "content": "First."}, {"role": "system", "content": "Second."}]
    model = {"provider": "openai", "model": "gpt-4o", "maxTokens": 90}
    bodies: list[dict[str, Any]] = [
        {"name": "A", "silenceTimeoutSeconds": 30, "model": {**model, "messages": system}},
        {"name": "B", "firstMessageInterruptionsEnabled": False, "model": {**model, "temperature": 0.2}},
        {"name": "C", "artifactPlan": {"videoRecordingEnabled": True}, "model": model},
    ]
    made = repository_of(
        [one("Agent", n, **body) for n, body in enumerate(bodies)], Known(defaults={"Agent": defaults})
    )
    for path, text in made.files.items():
        folder.write(path, text)
    graph = folder.graph()
    for name, body in zip("abc", bodies, strict=True):
        desired = graph.resources[f"Agent/{name}"].body
        assert without_nulls(desired) == without_nulls(body)
    assert "silenceTimeoutSeconds" not in spec(made, "agents/a.yaml")


def without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        found = {key: without_nulls(item) for key, item in value.items() if item is not None}
        return {key: item for key, item in found.items() if item != {}}
    return [without_nulls(item) for item in value] if isinstance(value, list) else value


# secrets


def test_one_value_has_one_name_wherever_it_stands() -> None:
    server = {"url": "https://api.crm.example/v1", "headers": {"X-Api-Key": KEY, "Accept": "text/html"}}
    tool = one("Tool", 2, type="function", function={"name": "lookup"}, server=server)
    prompt = {
        "provider": "openai",
        "model": "gpt-4o",
        "messages": [{"role": "system", "content": f"Use {KEY}, {KEY}!"}],
    }
    made = written(agent(1, "desk", model=prompt, metadata={"note": f"key {KEY}"}), tool)
    assert [(s.name, s.value) for s in made.secrets] == [("CRM_API_KEY", KEY)]
    assert not [path for path, text in made.files.items() if KEY in text]
    assert (
        spec(made, "agents/desk.yaml")["model"]["systemPrompt"] == "Use ${secret:CRM_API_KEY}, ${secret:CRM_API_KEY}!"
    )
    assert spec(made, "agents/tools/lookup.yaml")["server"]["headers"]["X-Api-Key"] == "${secret:CRM_API_KEY}"
    assert KEY not in repr(made.secrets)


@pytest.mark.parametrize(
    ("body", "says", "name"),
    [
        (
            {"server": {"url": "https://x.example", "headers": {"Authorization": f"Bearer {KEY}"}}},
            "Bearer ${secret:X_TOKEN}",
            "X_TOKEN",
        ),
        ({"metadata": {"crmApiToken": KEY}}, "${secret:DESK_CRM_API_TOKEN}", "DESK_CRM_API_TOKEN"),
        (
            {"metadata": {"hook": f"https://x.example/?token={KEY}"}},
            "https://x.example/?token=${secret:DESK_KEY}",
            "DESK_KEY",
        ),
        ({"credentials": [{"provider": "openai", "apiKey": KEY}]}, "${secret:DESK_API_KEY}", "DESK_API_KEY"),
    ],
)
def test_what_is_secret_by_its_place_or_its_look(body: dict[str, Any], says: str, name: str) -> None:
    made = written(agent(1, "desk", **body))
    assert [s.name for s in made.secrets] == [name]
    assert says in made.files["agents/desk.yaml"].replace('"', "")
    assert KEY not in made.files["agents/desk.yaml"]


def test_a_header_that_comes_from_the_call_is_no_secret() -> None:
    server = {"url": "https://x.example", "headers": {"Authorization": "Bearer {{token}}"}}
    made = written(agent(1, "desk", server=server))
    assert not made.secrets
    assert spec(made, "agents/desk.yaml")["server"]["headers"] == {"Authorization": "Bearer {{token}}"}


def test_secrets_that_no_answer_shows_are_named() -> None:
    made = written(
        one("Credential", 1, provider="openai", name="OpenAI"),
        one("Credential", 2, provider="groq", name="Groq", apiKey="****"),
    )
    assert [(s.name, s.value, s.address) for s in made.secrets] == [
        ("GROQ_API_KEY", None, "Credential/groq"),
        ("OPENAI_API_KEY", None, "Credential/openai"),
    ]


def test_a_secret_that_the_project_has_keeps_its_name() -> None:
    server = {"url": "https://x.example", "headers": {"Authorization": KEY}}
    made = written(agent(1, "desk", server=server), secrets={"CRM_TOKEN": KEY, "X_TOKEN": None})
    assert spec(made, "agents/desk.yaml")["server"]["headers"]["Authorization"] == "${secret:CRM_TOKEN}"
    assert not made.secrets


# lines


def test_a_line_that_vapi_answers() -> None:
    made = written(
        phone(assistantId=ID.format(2), smsEnabled=False),
        agent(2, "Desk"),
        twilio=TwilioAccount("AC1"),
        numbers={NUMBER: {**INBOUND, "friendly_name": "Main line", "status_callback": "https://x.example/s"}},
    )
    assert spec(made, "agents/phones/main.yaml") == {
        "number": 14155550100,  # a reader of YAML 1.1 takes it for one
        "provider": "twilio",
        "name": "Main",
        "agent": "desk",
        "twilio": {"friendlyName": "Main line", "statusCallback": "https://x.example/s"},
    }


@pytest.mark.parametrize(
    ("settings", "who"),
    [
        ({"voice_url": "https://u:p@crm.example/voice?token=abc"}, "the voice URL https://crm.example/voice at Twilio"),
        ({"voice_url": ""}, "nobody"),
        ({"voice_url": "https://demo.twilio.com/welcome/voice/"}, "Twilio's demo"),
        ({"trunk_sid": "TK1"}, "the SIP trunk TK1"),
        ({"voice_application_sid": "AP1"}, "the TwiML application AP1"),
    ],
)
def test_a_number_that_something_else_answers_is_named_and_left_alone(settings: dict[str, str], who: str) -> None:
    made = written(
        phone(assistantId=ID.format(2)),
        agent(2, "Desk"),
        twilio=TwilioAccount("AC1"),
        numbers={NUMBER: {**INBOUND, **settings}},
    )
    text = made.files["agents/phones/main.yaml"]
    assert who in " ".join(text.replace("\n# ", " ").split())
    assert "bound to Agent/desk" in text
    assert document(made, "agents/phones/main.yaml")["external"] == {"number": 14155550100}
    assert "Phone/main" not in made.ids
    assert made.externals == {"Phone/main": ID.format(1)}


def test_numbers_of_other_accounts_and_doubles_are_left_alone() -> None:
    other = written(phone(), twilio=TwilioAccount("AC1"), numbers={})
    assert "another Twilio account" in other.files["agents/phones/main.yaml"]
    assert "no keys for Twilio" in written(phone(), numbers=None).files["agents/phones/main.yaml"]
    twice = written(phone(1), phone(2), twilio=TwilioAccount("AC1"), numbers={NUMBER: INBOUND})
    assert list(twice.ids) == ["Phone/main"]
    assert document(twice, "agents/phones/main-2.yaml")["external"] == {"id": ID.format(2)}


def test_nobody_answers_a_line_without_a_target() -> None:
    made = written(phone(name=None), twilio=TwilioAccount("AC1"), numbers={NUMBER: INBOUND})
    assert spec(made, "agents/phones/line-0100.yaml")["answer"] == "none"


ANSWERED = {
    "phone_number": NUMBER,
    "voice_url": "https://voice.example/twilio/voice/old-line",
    "voice_method": "POST",
    "status_callback": "https://voice.example/twilio/status/old-line",
    "status_callback_method": "POST",
}


def test_a_line_that_the_projects_runtime_answers(tmp_path: Path) -> None:
    known = {"twilio": TwilioAccount("AC1"), "runtime_url": "https://voice.example"}
    made = written(phone(smsEnabled=False), **known, numbers={NUMBER: ANSWERED})
    found = spec(made, "agents/phones/old-line.yaml")
    assert found["answer"] == "runtime"
    assert "twilio" not in found
    folder = Folder(tmp_path)
    folder.write("agents/phones/old-line.yaml", made.files["agents/phones/old-line.yaml"])
    environ = {"TWILIO_ACCOUNT_SID": "AC1", "TWILIO_AUTH_TOKEN": KEY}
    side = folder.graph("dev", environ).resources["Phone/old-line/twilio"].body
    assert {key: side[key] for key in ANSWERED if key != "phone_number"} == {
        key: value for key, value in ANSWERED.items() if key != "phone_number"
    }


@pytest.mark.parametrize(
    ("body", "settings", "known"),
    [
        ({"assistantId": ID.format(2)}, {}, {}),  # two would answer
        ({}, {"status_callback": ""}, {}),
        ({}, {"voice_url": "https://voice.example/twilio/voice/old/line"}, {}),
        ({}, {}, {"names": {"Phone": ["old-line"]}}),  # another manifest has the name
        ({}, {}, {"runtime_url": "https://other.example"}),
    ],
)
def test_nor_does_it_seem_so(body: dict[str, Any], settings: dict[str, str], known: dict[str, Any]) -> None:
    given = {"twilio": TwilioAccount("AC1"), "runtime_url": "https://voice.example", **known}
    made = written(phone(**body), **given, numbers={NUMBER: {**ANSWERED, **settings}})
    assert len(made.externals) == 1


def test_both_targets_of_a_line() -> None:
    made = written(
        phone(assistantId=ID.format(2), squadId=ID.format(3)),
        agent(2, "Desk"),
        twilio=TwilioAccount("AC1"),
        numbers={NUMBER: INBOUND},
    )
    assert document(made, "agents/phones/main.yaml")["lifecycle"] == {"ignoreChanges": ["squadId"]}


def test_numbers_that_vapi_does_not_know_are_told_of_once(tmp_path: Path) -> None:
    known: dict[str, Any] = {
        "spare": [NUMBER],
        "numbers": {NUMBER: {**INBOUND, "voice_url": "", "friendly_name": "Old"}},
    }
    made = written(**known)
    text = made.files["agents/phones/not-in-vapi.yaml"]
    assert "# kind: Phone\n# name: old\n" in text
    folder = Folder(tmp_path)
    folder.write("agents/phones/not-in-vapi.yaml", text)
    assert not folder.graph().resources
    assert not written(**known, files=list(made.files)).files


# what no manifest can say


def test_entries_that_are_compared_as_a_whole_hold_no_secret() -> None:
    items = [{"text": "key", "alias": "sk-proj-" + "Abcd1234" * 4}]  # pragma: allowlist secret
    made = written(one("Dictionary", 1, provider="cartesia", resource={"id": "x", "name": "Names", "items": items}))
    assert "items" not in spec(made, "agents/dictionaries/names.yaml")
    assert made.notes == ("Dictionary/names: a manifest can't say items; it stays as it is",)


def test_lines_of_one_number_are_told_apart_by_id() -> None:
    numbers = {NUMBER: {**INBOUND, "voice_url": ""}}
    made = written(phone(1), phone(2, name="Other"), twilio=TwilioAccount("AC1"), numbers=numbers)
    assert document(made, "agents/phones/main.yaml")["external"] == {"id": ID.format(1)}
    assert document(made, "agents/phones/other.yaml")["external"] == {"id": ID.format(2)}


def test_half_a_character_and_a_number_without_end_stay_as_they_are() -> None:
    made = written(agent(1, "desk", firstMessage="\ud83d", metadata={"a": float("inf"), "b": [1, "\udc00"], "c": "x"}))
    assert spec(made, "agents/desk.yaml") == {"metadata": {"c": "x"}}
    assert made.notes == (
        "Agent/desk: a manifest can't say firstMessage, metadata.a and metadata.b[1]; it stays as it is",
    )


def test_what_the_schema_refuses_is_allowed_and_said() -> None:
    made = written(agent(1, "desk", brandNew={"a": None}, silenceTimeoutSeconds="soon"))
    assert document(made, "agents/desk.yaml")["allowUnknown"] is True
    assert spec(made, "agents/desk.yaml") == {"silenceTimeoutSeconds": "soon", "brandNew": {"a": None}}
    text = made.files["agents/desk.yaml"]
    assert "# Not in the published schema: brandNew.\n" in text
    assert "silenceTimeoutSeconds: must be a number, not the text 'soon'." in text
