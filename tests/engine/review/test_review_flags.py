"""What a reviewer must see first: found in the plan's data, whatever form its differences have."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voiceops.engine.review.review_flags import (
    ABILITY,
    LINE,
    MODEL,
    NUMBER,
    RULE,
    ReviewFlag,
    review_flags,
    sentence_changes,
)
from voiceops.model.plan import CREATE, DELETE, UPDATE, Change, FieldChange, Plan
from voiceops.model.values import ABSENT, JSON, Fingerprint, Outside, Path, Ref, Secret, Template

OLD, NEW, DESK, TEAM = (f"0000000{n}-0000-4000-8000-000000000000" for n in range(4))


def changed(
    kind: str, before: dict[str, Any], after: dict[str, Any], *paths: Path, name: str = "x", **given: Any
) -> Change:
    """A change with these differences: whole top-level fields, or the paths given."""

    def at(value: JSON, path: Path) -> JSON:
        for step in path:
            try:
                value = value[step]  # type: ignore[index, call-overload]
            except (KeyError, IndexError, TypeError):
                return ABSENT
        return value

    found = paths or tuple((key,) for key in {**before, **after} if before.get(key) != after.get(key))
    fields = tuple(FieldChange(path=p, source="", before=at(before, p), after=at(after, p)) for p in found)
    return Change(
        address=f"{kind}/{name}",
        kind=kind,
        type="x",
        name=name,
        id=None,
        actions=given.pop("actions", UPDATE),
        reason=given.pop("reason", "manifest_changed"),
        before=before,
        after=after,
        fields=fields,
        **given,
    )


def there(address: str, id_: str) -> Change:
    kind = address.partition("/")[0]
    return Change(address=address, kind=kind, type="x", name="n", id=id_, actions=("no-op",), reason="no_change")


def flags(*changes: Change) -> list[ReviewFlag]:
    known = (there("Tool/old", OLD), there("Tool/new", NEW), there("Agent/desk", DESK), there("Squad/team", TEAM))
    plan = Plan(project="p", environment="e", org="o", account="", changes=(*changes, *known))
    return list(review_flags(plan))


def tools(*ids: str, **more: Any) -> dict[str, Any]:
    return {"model": {"provider": "openai", "model": "gpt-4o", "toolIds": list(ids), **more}}


END = {"type": "endCall"}
MOVE = {"type": "transferCall", "destinations": [{"type": "number", "number": "+14155550199"}]}
MEMBER = {"assistantId": DESK, "assistantDestinations": [{"type": "assistant", "assistantName": "Returns"}]}

LEAVES: list[tuple[str, str, dict[str, Any], dict[str, Any], tuple[Path, ...], str]] = [
    ("whole list", "Agent", tools(OLD, NEW), tools(NEW), (), "tool Tool/old leaves"),
    ("a leaf", "Agent", tools(OLD, NEW), tools(NEW), (("model", "toolIds", 0),), "tool Tool/old leaves"),
    (
        "all of it",
        "Agent",
        tools(OLD),
        {"model": {"provider": "openai", "model": "gpt-4o"}},
        (),
        "tool Tool/old leaves",
    ),
    ("inline", "Agent", tools(tools=[END]), tools(tools=[]), (), "tool endCall leaves"),
    ("a reference", "Agent", tools(OLD), {"model": {"toolIds": [Ref("Tool/new")]}}, (), "tool Tool/old leaves"),
    ("pinned", "Agent", tools(toolRefs=[{"toolId": OLD}]), tools(toolRefs=[]), (), "tool Tool/old leaves"),
    (
        "a destination inside",
        "Agent",
        tools(tools=[MOVE]),
        tools(tools=[{**MOVE, "destinations": []}]),
        (),
        "destination +14155550199 leaves of tool transferCall",
    ),
    ("of a tool", "Tool", MOVE, {**MOVE, "destinations": []}, (), "destination +14155550199 leaves"),
    (
        "another number",
        "Tool",
        MOVE,
        {**MOVE, "destinations": [{"type": "number", "number": "+14155550111"}]},
        (),
        "destination +14155550199 leaves",
    ),
    ("a member", "Squad", {"members": [MEMBER]}, {"members": []}, (), "member Agent/desk leaves"),
    (
        "a handover",
        "Squad",
        {"members": [MEMBER]},
        {"members": [{"assistantId": DESK}]},
        (),
        "destination Returns leaves of member Agent/desk",
    ),
    (
        "overrides",
        "Squad",
        {"membersOverrides": {"tools:append": [END]}},
        {"membersOverrides": {}},
        (),
        "tool endCall leaves",
    ),
    (
        "a hook",
        "Agent",
        {"hooks": [{"on": "call.ending", "do": [{"type": "transfer", "destination": {"number": "+1555"}}]}]},
        {"hooks": []},
        (),
        "destination +1555 leaves",
    ),
    (
        "a fallback",
        "Phone",
        {"fallbackDestination": {"type": "number", "number": "+1555"}},
        {"fallbackDestination": None},
        (),
        "fallback to +1555 leaves",
    ),
]


@pytest.mark.parametrize(
    ("kind", "before", "after", "paths", "said"), [row[1:] for row in LEAVES], ids=[r[0] for r in LEAVES]
)
def test_an_ability_leaves(kind: str, before: dict[str, Any], after: dict[str, Any], paths: Any, said: str) -> None:
    found = [flag for flag in flags(changed(kind, before, after, *paths)) if flag.kind == ABILITY]
    assert [flag.text for flag in found][:1] == [said]
    assert found[0].address == f"{kind}/x"
    # The other way round it comes: nothing to be warned of, but for one that took its place.
    back = [flag.text for flag in flags(changed(kind, after, before, *paths)) if flag.kind == ABILITY]
    assert said not in back


def test_what_moves_stays() -> None:
    same = [changed("Agent", tools(OLD, NEW), tools(NEW, OLD)), changed("Agent", tools(OLD), tools(OLD, NEW))]
    same.append(changed("Agent", tools(tools=[END, MOVE]), tools(tools=[MOVE, END])))
    same.append(changed("Agent", {"firstMessage": "Hi"}, {"firstMessage": "Hello"}))
    same.append(changed("Agent", {}, tools(OLD), actions=CREATE))
    same.append(changed("Agent", tools(OLD), {}, actions=DELETE))
    # A tool that is replaced by a new one of the same manifest.
    same.append(changed("Agent", tools(OLD), {"model": {**tools()["model"], "toolIds": [Ref("Tool/old")]}}))
    assert [flag for flag in flags(*same) if flag.kind == ABILITY] == []


def spoken(before: str | None, after: str | None, path: Path = ("firstMessage",)) -> list[ReviewFlag]:
    change = changed("Agent", {"firstMessage": before}, {"firstMessage": after})
    fields = (FieldChange(path=path, source="", before=before, after=ABSENT if after is None else after),)
    from dataclasses import replace

    return flags(replace(change, fields=fields))


@pytest.mark.parametrize(
    ("before", "after", "text"),
    [
        ("Be kind. Never promise a refund.", "Be kind.", "a rule leaves"),
        ("Always ask for the name.", "Ask for the name.", "a rule changes"),
        ("You may give refunds.", "You may not give refunds.", "a rule changes"),
        ("Callers MUST be told.", "Callers may be told.", "a rule changes"),
        ("Don't guess. Hello.", "Hello.", "a rule leaves"),
        ("Don’t guess. Hello.", "Hello.", "a rule leaves"),
        ("You shouldn't guess.", "You can guess.", "a rule changes"),
        ("In an emergency call 911.", "Call us.", "a rule leaves"),
        ("Emergencies: dial 112!", "Dial us!", "a rule leaves"),
        ("This call is recorded.", "", "a rule leaves"),
        ("This call is recorded.", None, "a rule leaves"),
        ("Do not say prices.\nHello", "Hello", "a rule leaves"),
    ],
)
def test_rules(before: str, after: str | None, text: str) -> None:
    found = [flag for flag in spoken(before, after) if flag.kind == RULE]
    assert [flag.text for flag in found] == [text]
    assert found[0].before is not None


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("Never promise. Hello.", "Hello. Never promise."),
        ("Never\npromise", "Never\npromise\n"),
        ("Never  promise.", "Never promise."),
        ("Never promise.", "Never promise. Always smile."),
        ("Nothing notable here.", "Nothing knotty there."),
        ("A mustard sandwich.", "A ham sandwich."),
        ("Hello.", "Hello there."),
    ],
)
def test_no_rule_changes(before: str, after: str) -> None:
    assert [flag for flag in spoken(before, after) if flag.kind == RULE] == []


@pytest.mark.parametrize(
    ("before", "after", "text"),
    [
        ("It costs $40.", "It costs $45.", "$40 → $45"),
        ("It costs 40 €.", "It costs 45 €.", "40 € → 45 €"),
        ("Ready in 24 hours.", "Ready in 48 hours.", "24 → 48"),
        ("Ready in twenty-four hours.", "Ready in forty-eight hours.", "twenty-four → forty-eight"),
        ("Call +1 (415) 555-0100 now.", "Call +1 (415) 555-0111 now.", "+1 (415) 555-0100 → +1 (415) 555-0111"),
        ("We give 10% off.", "We give 15% off.", "10% → 15%"),
        ("Open 9:00 to 17:30.", "Open 9:00 to 18:30.", "17:30 → 18:30"),
        ("Version 1.5 costs 1,200 dollars.", "Version 1.5 costs 1,300 dollars.", "1,200 → 1,300"),
        ("Within 30 days you may return it.", "You may return it.", "a number leaves: 30"),
    ],
)
def test_numbers(before: str, after: str, text: str) -> None:
    found = [flag for flag in spoken(f"Hello. {before}", f"Hello. {after}") if flag.kind == NUMBER]
    assert [flag.text for flag in found] == [text if "leaves" in text else f"a number changes: {text}"]


def test_texts_are_looked_for_wherever_an_agent_speaks_from() -> None:
    for path in (
        ("model", "messages", 0, "content"),
        ("voicemailMessage",),
        ("endCallMessage",),
        ("hooks", 0, "do", 0, "exact"),
        ("members", 1, "assistantOverrides", "firstMessage"),
        ("messagePlan", "idleMessages", 0),
    ):
        assert [flag.kind for flag in spoken("Never say that.", "Say that.", path)] == [RULE]
    for path in (("name",), ("server", "url"), ("metadata", "note")):
        assert spoken("Never say that.", "Say that.", path) == []
    whole = changed(
        "Agent",
        {"model": {"messages": [{"role": "system", "content": "Never lie. Be kind."}]}},
        {"model": {"messages": [{"role": "system", "content": "Be kind."}]}},
    )
    assert [flag.path for flag in flags(whole)] == ["model.messages[0].content"]


def test_models() -> None:
    def model(name: str) -> dict[str, Any]:
        return {"provider": "openai", "model": name}

    (found,) = flags(changed("Agent", {"model": model("gpt-4o")}, {"model": model("gpt-5")}))
    assert (found.kind, found.path, found.before, found.after) == (MODEL, "model.model", "gpt-4o", "gpt-5")
    squad = [{"members": [{"assistantOverrides": {"model": model(name)}}]} for name in ("a", "b")]
    (found,) = flags(changed("Squad", *squad))
    assert found.path == "members[0].assistantOverrides.model.model"
    leaf = changed("Agent", {"model": model("a")}, {"model": {**model("a"), "provider": "x"}}, ("model", "provider"))
    assert [(flag.before, flag.after) for flag in flags(leaf)] == [("openai", "x")]
    assert flags(changed("Agent", {"voice": {"model": "a"}}, {"voice": {"model": "b"}})) == []


@pytest.mark.parametrize(
    ("before", "after", "old", "new"),
    [
        ({"assistantId": DESK}, {"assistantId": Ref("Agent/night")}, "Agent/desk", "Agent/night"),
        ({"assistantId": DESK}, {"squadId": TEAM}, "Agent/desk", "Squad/team"),
        ({"assistantId": DESK}, {}, "Agent/desk", "nobody"),
        ({}, {"assistantId": DESK}, "nobody", "Agent/desk"),
        (
            {"voice_url": "https://a.example/x"},
            {"voice_url": "https://b.example/x"},
            "https://a.example/x",
            "https://b.example/x",
        ),
        (
            {"voice_url": "https://a.example/x"},
            {"voice_url": Ref("Phone/x", "voice_url")},
            "https://a.example/x",
            "Vapi",
        ),
    ],
)
def test_a_line_is_rebound(before: dict[str, Any], after: dict[str, Any], old: str, new: str) -> None:
    (found,) = [flag for flag in flags(changed("Phone", before, after)) if flag.kind == LINE]
    assert (found.before, found.after) == (old, new)
    assert found.to_data()["kind"] == "line"


@given(st.text("ab .!?\n", max_size=60), st.text("ab .!?\n", max_size=60))
def test_sentences_account_for_themselves(before: str, after: str) -> None:
    pairs = sentence_changes(before, after)
    assert all(old for old, _ in pairs)
    assert sentence_changes(before, before) == []
    used = [new for _, new in pairs if new]
    assert len(used) <= len(after)


# Values that are no text yet, or must not be one.
NO_TEXTS = (
    (Outside("Agent/billing"), "Agent/billing"),
    (Ref("Agent/desk"), "Agent/desk"),
    (Fingerprint(("OWNER",), "digest"), "(sensitive)"),
    (Secret(("OWNER",), ("", "")), "(sensitive)"),
    (Template(("x", Ref("Agent/desk"))), "(known after apply)"),
)


@pytest.mark.parametrize(("value", "said"), NO_TEXTS)
@pytest.mark.parametrize(
    "before",
    [
        lambda value: {"fallbackDestination": {"type": "number", "number": value}},
        lambda value: {"forwardingPhoneNumber": value},
        lambda value: {"hooks": [{"do": [{"destination": {"number": value}}]}]},
        lambda value: {"assistantId": value},
        lambda value: {"server": {"url": value}},
        lambda value: {"model": {"toolIds": [value]}},
        lambda value: {"model": {"tools": [{"type": "function", "function": {"name": value}}]}},
        lambda value: {"members": [{"assistantId": value}]},
    ],
)
def test_what_is_no_text_is_said_in_words(value: JSON, said: str, before: Any) -> None:
    body = before(value)
    empty = {key: [] if isinstance(item, list) else {} for key, item in body.items()}
    after = {key: "" if key == "assistantId" else empty[key] for key in body}
    found = flags(changed("Phone", body, after))
    assert found
    assert all(said in f"{flag.text} {flag.before}" for flag in found)
    assert not any(type(value).__name__ + "(" in str(flag.to_data()) for flag in found)
