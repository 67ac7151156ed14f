"""The sentence that a wrong key gets, wherever it stands."""

from __future__ import annotations

from typing import Any

import pytest

from voiceops.model.data_form import Wrong
from voiceops.state.state_forms import check_entry, check_note, check_record, check_state

ENTRY: dict[str, Any] = {"kind": "Tool", "type": "vapi_tool", "id": "t-1", "owned": {}}
STATE: dict[str, Any] = {
    "lineage": "l",
    "serial": 1,
    "project": "p",
    "environment": "e",
    "salt": "00",
    "binding": {},
    "resources": {"Tool/x": ENTRY},
}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"serial": "1"}, "serial must be a whole number, not a text"),
        ({"serial": -1}, "serial is no number of its kind"),
        ({"serial": True}, "serial must be a whole number, not true or false"),
        ({"binding": []}, "binding must be a map, not a list"),
        ({"salt": None}, "salt must be a text, not null"),
        ({"resources": {"Tool/x": 5}}, "resources.Tool/x must be a map, not a whole number"),
        ({"resources": {"Nonsense/x": ENTRY}}, "of a kind that this voiceops doesn't know"),
        ({"resources": {"Agent/x": ENTRY}}, "of a kind that this voiceops doesn't know, or of another"),
        ({"resources": {"x": ENTRY}}, "an address that is none"),
        ({"gone": {"a": "b"}}, "gone.* must be a number, not a text"),
        ({"gone": {"a": -5}}, "gone.a is no time"),
    ],
)
def test_a_state_says_which_key_is_wrong(change: dict[str, Any], says: str) -> None:
    check_state(STATE)
    with pytest.raises(Wrong) as caught:
        check_state(STATE | change)
    assert says in str(caught.value)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"id": "../../phone-number/1"}, "has an id that is none"),
        ({"id": ""}, "has an id that is none"),
        ({"deposed": ["a?b=c"]}, "has an id that is none"),
        ({"owned": "x"}, "e.owned must be a map, not a text"),
        ({"recordedAt": 1e15}, "e.recordedAt is no time"),
        ({"stored": {'["': 1}}, "has a key that is no path"),
        ({"type": "vapi_assistant"}, "has a type that is not its kind's"),
    ],
)
def test_an_entry(change: dict[str, Any], says: str) -> None:
    with pytest.raises(Wrong) as caught:
        check_entry("Tool/x", ENTRY | change, "e")
    assert says in str(caught.value)


@pytest.mark.parametrize("value", ["\ud83d", {"\ud83d": 1}, ["\ud83d"]])
@pytest.mark.parametrize("key", ["kind", "type", "id", "owned", "recordedAt", "protected", "stored", "\ud83d"])
def test_half_a_character_anywhere_is_no_traceback(key: str, value: Any) -> None:
    for check in (
        lambda: check_state(STATE | {"resources": {"Tool/x": ENTRY | {key: value}}}),
        lambda: check_state(STATE | {key: value}),
        lambda: check_record({"record": "done", "address": "Tool/x", "entry": ENTRY | {key: value}}),
        lambda: check_record({"record": "intent", "action": value, key: value}),
        lambda: check_note({"id": "a", "at": value, key: value}),
    ):
        try:
            check()
        except Wrong:
            continue
