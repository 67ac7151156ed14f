"""Whatever a body holds, the sandbox answers, and never with its own failure: every POST and PATCH, with odd values.

VOICEOPS_FUZZ=5000 tries as many bodies for each request.
"""

from __future__ import annotations

import json
import random
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.sandbox.sandbox_bench import FUNCTION, MODEL, NOBODY, OWNED, Bench
from tests.support.mutations import TIMES
from voiceops.kinds.schema import Node, root, type_of
from voiceops.sandbox.catalog import COLLECTIONS, DICTIONARY_PROVIDERS
from voiceops.sandbox.schema_walk import choose

_COUNT = TIMES or 60
_ODD: list[Any] = [
    *(None, True, False, 0, -1, 1e308, -0.5, 10**30, "", " ", "x" * 5000, "\x00", "\ud800", "é", "٣٣٣", "abc"),
    *("+1", OWNED, NOBODY, "null", "2020-01-01", "-", "1" * 400, [], {}, [[]], [None], [{}], [[[]]], {"": None}),
    *({"id": []}, {"name": {}}, ["a", 1, None], {"provider": 3}, {"type": []}, [NOBODY, 5], {"a": {"b": {"c": []}}}),
]
_DEEP: Any = []
for _ in range(300):
    _DEEP = [_DEEP]

SEEDS: dict[str, dict[str, Any]] = {
    "/assistant": {"name": "a", "model": MODEL},
    "/tool": FUNCTION,
    "/phone-number": {"provider": "vapi", "name": "n", "numberDesiredAreaCode": "415"},
    "/call": {"assistant": {"model": MODEL}, "phoneCallProviderBypassEnabled": True, "customer": {"number": OWNED}},
    "/traffic-allocations": {
        "assistantId": NOBODY,
        "allocationIntent": "explicit",
        "targets": [{"assistantVersion": "v1", "percentage": 100}],
    },
}


def sent_to(bench: Bench, method: str, path: str, body: Any) -> None:
    """One request, and an answer that is no failure of the sandbox's."""
    content = json.dumps(body).encode("utf-8", "surrogatepass")
    answer = bench.vapi.request(method, path, content=content, headers={"content-type": "application/json"})
    assert answer.status_code < 500, (method, path, body, answer.text[:300])
    answer.json()


def fields_of(node: Node | None) -> dict[str, Node]:
    """The fields that a body may have, of every variant."""
    if node is None:
        return {}
    if node["type"] == "union":
        return {k: v for name in node["variants"].values() for k, v in type_of(name)["fields"].items()}
    return dict(type_of(node["of"])["fields"]) if "of" in node else {}


def odd(body: Any, node: Node | None, chance: random.Random, depth: int = 0) -> Any:
    """The body with one value that is none, or one key more."""
    fields = fields_of(node)
    if not isinstance(body, dict) or depth > 3 or (depth and chance.random() < 0.3):
        return chance.choice([*_ODD, _DEEP])
    known = {**dict.fromkeys(fields), **body}
    key = chance.choice([*known, "extra"])
    inner = fields.get(key)
    inner = choose(inner, body.get(key)) if inner is not None else None
    value = odd(body.get(key), inner if inner and inner["type"] in ("object", "union") else None, chance, depth + 1)
    return {**body, key: value}


def paths() -> list[tuple[str, str]]:
    found = [(c.path, c.kind if c.known else "") for c in COLLECTIONS]
    found += [(f"/provider/{p}/pronunciation-dictionary", "") for p in DICTIONARY_PROVIDERS]
    return [*found, ("/call", ""), ("/traffic-allocations", ""), ("/eval/simulation/background-sound/validate", "")]


@pytest.mark.parametrize(("path", "kind"), paths(), ids=lambda value: value or "-")
def test_odd_bodies_are_answered(bench: Bench, path: str, kind: str) -> None:
    bench.control.switches(traffic_splitting=True)
    chance = random.Random(path)
    assistant = bench.make("/assistant", {"name": "there", "model": MODEL})["id"]
    seed = json.loads(json.dumps(SEEDS.get(path, {"name": "x"})).replace(NOBODY, assistant))
    for body in (*_ODD, _DEEP):
        sent_to(bench, "POST", path, body)
    for key in (*fields_of(root(kind) if kind else None), *seed):
        for value in _ODD:
            sent_to(bench, "POST", path, {**seed, key: value})
    for _ in range(_COUNT):
        sent_to(bench, "POST", path, odd(seed, root(kind) if kind else None, chance))
    made = bench.vapi.get(path).json()
    rows = made if isinstance(made, list) else made.get("results", [])
    node = root(kind, "update") if kind else None
    for row in rows[:3]:
        for key in (*fields_of(node), *seed):
            for value in chance.sample(_ODD, 12):
                sent_to(bench, "PATCH", f"{path}/{row['id']}", {key: value})
        for _ in range(_COUNT // 2):
            sent_to(bench, "PATCH", f"{path}/{row['id']}", odd(seed, node, chance))
    assert bench.vapi.get(path).status_code < 500, "what was taken can be listed"
    for row in rows[:50]:
        assert bench.vapi.get(f"{path}/{row['id']}").status_code < 500


def test_odd_forms_are_answered(bench: Bench) -> None:
    texts = ["", " ", "x", "+1", OWNED, "+" + "9" * 400, "\x00", "\ud800", "é", "null", "PN" + "0" * 32, "-1", "٣"]
    names = (
        *("PhoneNumber", "AreaCode", "VoiceUrl", "VoiceMethod", "VoiceFallbackUrl", "VoiceFallbackMethod", "SmsUrl"),
        *("StatusCallback", "StatusCallbackMethod", "FriendlyName", "VoiceApplicationSid", "TrunkSid", "Extra"),
        *("VoiceReceiveMode", "AddressSid", "EmergencyStatus", "IdentitySid", "BundleSid", "ApiVersion", "AccountSid"),
    )
    listed = bench.twilio.get(f"{bench.numbers_path}.json").json()["incoming_phone_numbers"]
    places = [f"{bench.numbers_path}.json", f"{bench.numbers_path}/{listed[0]['sid']}.json"]
    places += [bench.numbers_path.replace("IncomingPhoneNumbers", "Applications") + ".json"]
    for place in places:
        for raw in (b"%ff=%fe", b"&&&=", b"\xff\xfe", b"a" * 100_000):
            assert bench.twilio.post(place, content=raw).status_code < 500
        for name in names:
            for text in texts:
                content = urlencode({name: text.encode("utf-8", "surrogatepass")}).encode()
                answer = bench.twilio.post(place, content=content)
                assert answer.status_code < 500, (place, name, text)
    for query in (
        "Page=x",
        "PageSize=-1",
        "Page=99999999999999999999",
        "PageToken=%ff",
        "PageToken=PA",
        "PhoneNumber=*(",
    ):
        assert bench.twilio.get(f"{bench.numbers_path}.json?{query}").status_code < 500


def test_what_is_no_json(bench: Bench) -> None:
    for raw in (b"{", b"\xff\xfe{}", b"[" * 100_000, b'{"name": 1e999}', b"nul", b'"\\ud800"', b'{"name": NaN}'):
        for method, path in (
            ("POST", "/assistant"),
            ("POST", "/call"),
            ("POST", "/file"),
            ("PATCH", f"/tool/{NOBODY}"),
        ):
            answer = bench.vapi.request(method, path, content=raw)
            assert answer.status_code < 500, (method, path, raw[:20])
    for depth in (400, 800, 900, 960, 990, 3000):
        raw = (
            b'{"assistant": {"model": {"provider": "openai", "model": "x"}, "metadata": ' + b"[" * depth + b"]" * depth
        )
        assert bench.vapi.post("/call", content=raw + b"}}").status_code < 500, depth


@pytest.mark.parametrize("given", ["abc", "41", "4155", "٣٣٣", "4 5", "-41"])
def test_an_area_code_has_three_digits(bench: Bench, given: str) -> None:
    message = bench.refused("POST", "/phone-number", {"provider": "vapi", "numberDesiredAreaCode": given})
    assert any("numberDesiredAreaCode must" in text for text in message)
