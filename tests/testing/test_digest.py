"""What a test tests, as a digest: which edits change it, and what an environment may have of its own without changing
it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voiceops.errors import Mark
from voiceops.model.graph import Graph, Resource
from voiceops.model.plan import UPDATE, Change, Plan
from voiceops.model.values import Path, Ref, Secret, Template, copy, leaves, secret, set_path
from voiceops.testing.cases import Chosen
from voiceops.testing.digest import Content, case_digest
from voiceops.testing.gate import TestGate
from voiceops.testing.outcome import TestCase

RUNTIME = "https://voice.example.com"


def bodies(runtime: str = RUNTIME, suffix: str = "") -> dict[str, dict[str, Any]]:
    """A squad of two with tools of every sort, the eval of it, and beside them an agent that nobody reaches."""
    server = {"url": f"{runtime}/vapi/events", "credentialId": Ref("Credential/runtime"), "timeoutSeconds": 5}
    return {
        "Squad/team": {
            "name": f"team{suffix}",
            "members": [
                {"assistantId": Ref("Agent/desk"), "assistantOverrides": {"firstMessage": "Hello."}},
                {"assistantId": Ref("Agent/sales"), "assistantDestinations": [{"assistantName": f"desk{suffix}"}]},
            ],
        },
        "Agent/desk": {
            "name": f"desk{suffix}",
            "firstMessage": "Good day.",
            "model": {
                "provider": "openai",
                "messages": [{"role": "system", "content": "Open on Saturdays."}],
                "toolIds": [Ref("Tool/orders"), Ref("Tool/stock")],
            },
            "hooks": [{"on": "call.ending", "do": [{"type": "tool", "toolId": Ref("Tool/note")}]}],
            "artifactPlan": {"structuredOutputIds": [Ref("StructuredOutput/mood")]},
        },
        "Agent/sales": {"name": f"sales{suffix}", "voice": {"provider": "11labs", "speed": 1.1}},
        "Tool/orders": {"type": "function", "function": {"name": "orders"}, "server": server},
        "Tool/stock": {"type": "apiRequest", "url": f"{runtime}/stock", "description": "What there is."},
        "Tool/note": {"type": "function", "messages": [{"type": "request-start", "content": "One moment."}]},
        "StructuredOutput/mood": {"name": f"mood{suffix}", "schema": {"type": "string", "description": "How it was."}},
        "Eval/opens": {"name": f"opens{suffix}", "messages": [{"role": "user", "content": "Are you open?"}]},
        "Agent/alone": {"name": f"alone{suffix}", "firstMessage": "Nobody calls me."},
        "Credential/runtime": {"name": f"runtime{suffix}", "provider": "custom-credential", "token": secret("KEY")},
        "Phone/main": {"number": "+14155550100", "squadId": Ref("Squad/team")},
    }


REACHED = tuple(bodies())[:8]


def graph(found: dict[str, dict[str, Any]], order: Iterable[str] = (), **more: Any) -> Graph:
    resources = {
        address: Resource(
            address=address,
            kind=address.partition("/")[0],
            type="",
            name=found[address].get("name"),
            body=found[address],
            mark=Mark("agents/all.yaml", 1, 1),
            **more,
        )
        for address in (order or found)
    }
    return Graph("shop", "live", resources)


def of(kind: Any, target: str, definition: str = "", source: str = "") -> Chosen:
    case = TestCase(name="opens", kind=kind, agents=(target,))
    return Chosen(case=case, target=target, definition=definition, source=source)


OPENS = of("eval", "Squad/team", "Eval/opens")


def digest(found: dict[str, dict[str, Any]], runtime: str = RUNTIME, test: Chosen = OPENS, handlers: str = "h") -> str:
    return case_digest(Content(graph=graph(found), runtime=runtime, handlers=handlers), test)


def is_own(address: str, path: Path, leaf: Any) -> bool:
    """What is the environment's own: a live name, and a credential."""
    return path == ("name",) or path[-1] == "assistantName" or leaf == Ref("Credential/runtime")


EVERY = [(address, path, leaf) for address, body in bodies().items() for path, leaf in leaves(body)]
SAID = [place for place in EVERY if place[0] in REACHED and not is_own(*place)]
UNSAID = [place for place in EVERY if place[0] not in REACHED]


@given(st.sampled_from(SAID), st.text(min_size=1).filter(lambda text: RUNTIME not in text))
def test_an_edit_of_whatever_is_reached_changes_it(place: tuple[str, Path, Any], text: str) -> None:
    address, path, leaf = place
    found = copy(bodies())
    set_path(found[address], path, text)
    assert (digest(found) != digest(bodies())) == (leaf != text)


@given(st.sampled_from(UNSAID), st.text(min_size=1))
def test_an_edit_of_what_is_not_reached_does_not(place: tuple[str, Path, Any], text: str) -> None:
    address, path, _ = place
    found = copy(bodies())
    set_path(found[address], path, text)
    assert digest(found) == digest(bodies())


@given(st.sampled_from(REACHED), st.sampled_from(["maxDurationSeconds", "x"]), st.integers())
def test_a_field_more_changes_it(address: str, key: str, value: int) -> None:
    found = copy(bodies())
    found[address][key] = value
    assert digest(found) != digest(bodies())


@given(st.text(alphabet="abc ()", max_size=8), st.sampled_from([RUNTIME, "http://127.0.0.1:8080", "https://a.b/c"]))
def test_another_environment_of_equal_content_has_the_same(suffix: str, runtime: str) -> None:
    assert digest(bodies(runtime, suffix), runtime) == digest(bodies())


@given(st.permutations(list(bodies())))
def test_neither_the_order_of_manifests_nor_that_of_ids_means_anything(order: list[str]) -> None:
    found = copy(bodies())
    found["Agent/desk"]["model"]["toolIds"].reverse()
    content = Content(graph=graph(found, order), runtime=RUNTIME, handlers="h")
    assert case_digest(content, OPENS) == digest(bodies())


def test_the_order_of_messages_and_members_does() -> None:
    found = copy(bodies())
    found["Squad/team"]["members"].reverse()
    assert digest(found) != digest(bodies())


def test_handlers_count_where_a_tool_has_one_or_a_script_plays() -> None:
    assert digest(bodies(), handlers="other") == digest(bodies())
    with_handlers = {
        source: case_digest(
            Content(graph=graph(bodies(), handler="orders:find"), runtime=RUNTIME, handlers=source), OPENS
        )
        for source in ("one", "two")
    }
    assert with_handlers["one"] != with_handlers["two"]
    script = of("script", "Agent/alone", source="say: hello")
    assert digest(bodies(), test=script, handlers="one") != digest(bodies(), test=script, handlers="two")
    assert digest(bodies(), test=script) != digest(bodies(), test=of("script", "Agent/alone", source="say: bye"))


@pytest.mark.parametrize(
    "body",
    [
        {"credentialIds": [Ref("Credential/runtime")]},
        {"url": f"{RUNTIME}/x"},
        {"server": {"url": Template((f"{RUNTIME}/", Ref("Agent/alone")))}},
        {"token": Secret((), ("written out",))},
        {"assistantName": None},
        {},
    ],
)
def test_bodies_that_hold_little_but_the_environments_own(body: dict[str, Any]) -> None:
    found = bodies() | {"Agent/sales": body}
    assert digest(found).startswith("sha256:")
    assert digest(found) != digest(bodies())


def test_a_squad_that_changes_wants_a_test_of_its_own() -> None:
    """Tests of its members say nothing of how they work together; they need none where the squad alone changes."""

    def said(changed: str, *targets: str) -> list[str]:
        change = Change(address=changed, kind="", type="", name=None, id="1", actions=UPDATE, reason="manifest_changed")
        plan = Plan(project="shop", environment="live", org="", account="", changes=(change,))
        tests = [of("eval", target, "Eval/opens") for target in targets]
        gate = TestGate(content=Content(graph=graph(bodies())), before=None, tests=tests, kept={}, environment="live")
        return [d.address for d in gate(plan) if "no test reaches it" in d.summary]

    assert said("Squad/team", "Agent/desk", "Agent/sales") == ["Squad/team"]
    assert said("Agent/desk", "Agent/desk", "Agent/sales") == []
    assert said("Squad/team", "Squad/team") == []
    assert said("Tool/note", "Agent/sales") == ["Agent/desk"]
