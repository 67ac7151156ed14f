"""Answers without an end, without a shape, or with both: an error that says so, soon, in little memory."""

from __future__ import annotations

import gzip
import itertools
import json
import time
import tracemalloc
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest

from tests.support.odd_server import Answering, Asked, odd_server
from voiceops.errors import Ambiguous, ProviderError
from voiceops.kinds.registry import KINDS
from voiceops.model.json_in import DEEPEST, NoJson, parsed
from voiceops.net import receiving
from voiceops.providers.http import Api, Limiter
from voiceops.providers.twilio import Twilio
from voiceops.providers.vapi import LIMIT, Vapi

ACCOUNT = "AC" + "1" * 32
NUMBERS = f"/2010-04-01/Accounts/{ACCOUNT}/IncomingPhoneNumbers.json"
MIB = 1024 * 1024
UUID = "00000000-0000-4000-8000-000000000001"


async def vapi(url: str, use: Callable[[Vapi], Any], timeout: float = 5.0) -> Any:
    async with Api("Vapi", url, Limiter(4), str, timeout=timeout, pace=0.001) as api:
        return await use(Vapi(api))


async def numbers(url: str) -> list[dict[str, Any]]:
    async with Api("Twilio", url, Limiter(4), str, timeout=5.0, pace=0.001) as api:
        return await Twilio(api, ACCOUNT).all()


async def refused(answer: Answering, kind: str = "Tool", timeout: float = 5.0) -> ProviderError:
    """The error of a list that is answered so; it comes after few requests."""
    with odd_server(answer) as server:
        with pytest.raises(ProviderError) as caught:
            await vapi(server.url, lambda one: one.all(KINDS[kind]), timeout)
        assert len(server.requests) < 1_200
    assert caught.value.endpoint
    return caught.value


def page(start: int, count: int, day: int = 1) -> list[dict[str, Any]]:
    return [
        {"id": f"id-{n}", "createdAt": f"2026-01-{day:02}T00:00:{n % 60:02}.000Z"} for n in range(start, start + count)
    ]


# Lists that don't end.

FULL = sorted(page(0, LIMIT), key=lambda item: str(item["createdAt"]))
SHUFFLED = page(0, LIMIT)
_counter = itertools.count()


def fresh(count: int) -> list[dict[str, Any]]:
    start = next(_counter) * count
    return page(start, count, day=start % 28 + 1)


ENDLESS: dict[str, tuple[str, Answering]] = {
    "the same full page in order": ("Tool", lambda asked: asked.json(FULL)),
    "the same full page backwards": ("Tool", lambda asked: asked.json(FULL[::-1])),
    "the same full page in no order": ("Tool", lambda asked: asked.json(SHUFFLED)),
    "the same page of 100 whatever is asked": ("Tool", lambda asked: asked.json(SHUFFLED[:100])),
    "ever new objects in order": (
        "Tool",
        lambda asked: asked.json(sorted(fresh(LIMIT), key=lambda i: str(i["createdAt"]))),
    ),
    "ever new objects in no order": ("Tool", lambda asked: asked.json(fresh(LIMIT))),
    "one new object a page": (
        "Tool",
        lambda asked: asked.json(
            [*FULL[:-1], {"id": f"new-{asked.number}", "createdAt": f"2026-02-01T{asked.number:06}"}]
        ),
    ),
    "the same full page, in pages": ("StructuredOutput", lambda asked: asked.json({"results": FULL})),
    "the same page of 100, in pages": ("StructuredOutput", lambda asked: asked.json({"results": FULL[:100]})),
    "a total that is never reached": (
        "StructuredOutput",
        lambda asked: asked.json({"results": FULL, "metadata": {"totalItems": 5_000}}),
    ),
    "a total that grows": (
        "StructuredOutput",
        lambda asked: asked.json({"results": fresh(LIMIT), "metadata": {"totalItems": asked.number * LIMIT + 5}}),
    ),
    "one new object a page, in pages": (
        "StructuredOutput",
        lambda asked: asked.json({"results": [*FULL[:-1], {"id": f"new-{asked.number}"}]}),
    ),
}


@pytest.mark.parametrize("name", ENDLESS)
async def test_a_list_without_an_end_is_an_error(name: str) -> None:
    kind, answer = ENDLESS[name]
    started = time.monotonic()

    error = await refused(answer, kind)

    assert "can't be read to its end" in error.summary
    assert time.monotonic() - started < 60


def twilio_page(following: Any, start: int = 0, count: int = 2) -> dict[str, Any]:
    items = [{"sid": f"PN{n}", "phone_number": f"+1415555{n:04}"} for n in range(start, start + count)]
    return {"incoming_phone_numbers": items, "next_page_uri": following}


CIRCLES: dict[str, Callable[[Asked], Any]] = {
    "a page that is its own next": lambda asked: twilio_page(NUMBERS + "?PageSize=1000", asked.number * 2),
    "two pages in a circle": lambda asked: twilio_page(f"{NUMBERS}?Page={asked.number % 2}", asked.number * 2),
    "three pages in a circle": lambda asked: twilio_page(f"{NUMBERS}?Page={asked.number % 3}", asked.number * 2),
    "the same numbers under new links": lambda asked: twilio_page(f"{NUMBERS}?Page={asked.number}"),
    "empty pages under new links": lambda asked: twilio_page(f"{NUMBERS}?Page={asked.number}", count=0),
    "ever new numbers": lambda asked: twilio_page(f"{NUMBERS}?Page={asked.number}", asked.number * 1000, 1000),
    "another host": lambda asked: twilio_page("https://evil.example" + NUMBERS),
    "another host without a scheme": lambda asked: twilio_page("//evil.example" + NUMBERS),
    "another port": lambda asked: twilio_page("http://127.0.0.1:1" + NUMBERS),
    "another account's list": lambda asked: twilio_page(NUMBERS.replace("AC1", "AC2")),
    "another path": lambda asked: twilio_page("/2010-04-01/Accounts.json"),
    "a path upwards": lambda asked: twilio_page(f"{NUMBERS}/../../x?Page=2"),
    "no address": lambda asked: twilio_page("http://[half"),
    "a number": lambda asked: twilio_page(7),
    "a list": lambda asked: twilio_page([NUMBERS]),
    "no list": lambda asked: {"incoming_phone_numbers": {"sid": "PN1"}},
    "a number without its sid": lambda asked: {"incoming_phone_numbers": [{"phone_number": "+1"}]},
    "a sid that is a number": lambda asked: {"incoming_phone_numbers": [{"sid": 5}]},
    "null among the numbers": lambda asked: {"incoming_phone_numbers": [None]},
    "a list alone": lambda asked: [{"sid": "PN1"}],
    "null": lambda asked: None,
}


@pytest.mark.parametrize("name", CIRCLES)
async def test_twilios_links_are_followed_only_onwards_and_only_there(name: str) -> None:
    with odd_server(lambda asked: asked.json(CIRCLES[name](asked))) as server:
        with pytest.raises(ProviderError) as caught:
            await numbers(server.url)
        assert len(server.requests) < 200
    assert NUMBERS in caught.value.endpoint


async def test_absolute_links_of_the_same_place_are_followed() -> None:
    def answer(asked: Asked) -> None:
        host = asked.handler.headers["host"]
        asked.json(twilio_page(f"http://{host}{NUMBERS}?Page=1" if asked.number == 1 else None, asked.number * 2))

    with odd_server(answer) as server:
        assert len(await numbers(server.url)) == 4


# Answers that don't end.


def drip(asked: Asked) -> None:
    asked.head(content_length="1000000")
    while not asked.stopping.wait(0.05):
        asked.handler.wfile.write(b" ")
        asked.handler.wfile.flush()


def drip_head(asked: Asked) -> None:
    asked.handler.wfile.write(b"HTTP/1.1 200 OK\r\nx-slow: ")
    while not asked.stopping.wait(0.05):
        asked.handler.wfile.write(b"a")
        asked.handler.wfile.flush()


def endless(asked: Asked) -> None:
    asked.head(transfer_encoding="chunked")
    while not asked.stopping.is_set():
        asked.handler.wfile.write(b"100000\r\n" + b" " * MIB + b"\r\n")


@cache
def packed_often(layers: int) -> bytes:
    packed = b" " * (160 * MIB)
    for _ in range(layers):
        packed = gzip.compress(packed, 1)
    return packed


def bomb(layers: int, **headers: str) -> Answering:
    return lambda asked: asked.raw(packed_often(layers), **headers)


@pytest.mark.parametrize("answer", [drip, drip_head], ids=["content", "head"])
async def test_a_byte_now_and_then_is_no_answer(answer: Answering) -> None:
    started = time.monotonic()

    error = await refused(answer, timeout=0.5)

    assert "did not end within 1 s" in error.summary
    assert time.monotonic() - started < 10


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (endless, "it is larger than 64 MiB"),
        (bomb(1, content_encoding="gzip"), "it is larger than 64 MiB"),
        (bomb(1, content_encoding="x-gzip"), "it is larger than 64 MiB"),
        (bomb(2, content_encoding="gzip, gzip"), "not asked for (gzip, gzip)"),
        (bomb(1, content_encoding="br"), "not asked for (br)"),
        (bomb(1, content_encoding="deflate"), "not asked for (deflate)"),
    ],
    ids=["chunks", "gzip", "x-gzip", "gzip twice", "brotli", "deflate"],
)
async def test_a_bomb_is_put_down_early(answer: Answering, why: str) -> None:
    packed_often(1), packed_often(2)
    tracemalloc.start()
    try:
        error = await refused(answer, timeout=20)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert why in error.summary
    assert peak < 250 * MIB


async def test_packed_answers_are_read() -> None:
    packed = gzip.compress(json.dumps([{"id": "a"}]).encode())
    with odd_server(lambda asked: asked.raw(packed, content_encoding="gzip")) as server:
        assert await vapi(server.url, lambda one: one.all(KINDS["Tool"])) == [{"id": "a"}]
        assert await vapi(server.url, lambda one: one.all(KINDS["Tool"])) == [{"id": "a"}]


@pytest.mark.parametrize("packed", [gzip.compress(b"[]")[:-9], b"nothing packed"], ids=["cut off", "not packed"])
async def test_a_broken_package_is_tried_again(packed: bytes) -> None:
    def answer(asked: Asked) -> None:
        asked.raw(packed if asked.number < 3 else gzip.compress(b"[]"), content_encoding="gzip")

    with odd_server(answer) as server:
        assert await vapi(server.url, lambda one: one.all(KINDS["Tool"])) == []
        assert len(server.requests) == 3


@pytest.mark.parametrize("answer", [drip, endless, lambda asked: asked.json([1]), lambda asked: asked.raw(b"[" * 500)])
async def test_a_create_without_a_usable_answer_may_have_worked(answer: Answering) -> None:
    with odd_server(answer) as server:
        with pytest.raises(Ambiguous, match="may or may not exist"):
            await vapi(server.url, lambda one: one.create(KINDS["Tool"], {"type": "dtmf"}), timeout=1.0)
        assert len(server.requests) == 1


async def test_an_error_answer_is_bounded_too() -> None:
    huge = json.dumps({"message": ["x" * 10_000] * 400}).encode()
    assert "larger than 1 MiB" in (await refused(lambda asked: asked.raw(huge, 400))).summary


async def test_keys_follow_no_redirect() -> None:
    error = await refused(lambda asked: asked.raw(b"", 302, location="https://evil.example/"))

    assert "leads elsewhere (302)" in error.summary
    assert "VAPI_BASE_URL" in error.hint


# Answers of another shape.

ODD: dict[str, Any] = {
    "null": None,
    "a number": 5,
    "a text": "hello",
    "true": True,
    "a map without a list": {"a": 1},
    "a map in place of its list": {"results": {"id": "a"}},
    "null among the objects": [{"id": "a"}, None],
    "a text among the objects": [{"id": "a"}, "b"],
    "a list among the objects": [[{"id": "a"}]],
    "an object without an id": [{"name": "a"}],
    "an id that is a number": [{"id": 7}],
    "an id that is null": [{"id": None}],
    "an id that is a list": [{"id": ["a"]}],
    "an id that is empty": [{"id": ""}],
    "an id that leads elsewhere": [{"id": "../phone-number/x"}],
    "an id with a query": [{"id": "a?force=true"}],
    "an id that is dots": [{"id": ".."}],
    "an id with a line end": [{"id": "a\nb"}],
}


@pytest.mark.parametrize("name", ODD)
@pytest.mark.parametrize("kind", ["Tool", "StructuredOutput", "Agent", "Phone"])
async def test_a_list_of_another_shape_names_what_came(name: str, kind: str) -> None:
    error = await refused(lambda asked: asked.json(ODD[name]), kind)

    assert "has an unknown shape: expected" in error.summary
    assert error.endpoint == f"GET {KINDS[kind].path}"
    assert error.hint


@pytest.mark.parametrize("name", ["null", "a number", "a text", "true", "an object without an id"])
async def test_one_object_of_another_shape(name: str) -> None:
    value = ODD[name][0] if isinstance(ODD[name], list) else ODD[name]
    with odd_server(lambda asked: asked.json(value)) as server:
        for use in (
            lambda one: one.get(KINDS["Tool"], "a"),
            lambda one: one.update(KINDS["Tool"], "a", {"name": "b"}),
        ):
            with pytest.raises(ProviderError, match="unknown shape"):
                await vapi(server.url, use)


@pytest.mark.parametrize(
    "odd",
    [
        {"createdAt": 5},
        {"updatedAt": ["x"]},
        {"orgId": {"a": 1}},
        {"name": 7},
        {"model": {"messages": 5}},
        {"function": "x"},
        {"metadata": None},
    ],
)
async def test_one_odd_field_stops_nothing(odd: dict[str, Any]) -> None:
    with odd_server(lambda asked: asked.json([{"id": "a"} | odd, {"id": "b"}])) as server:
        assert [item["id"] for item in await vapi(server.url, lambda one: one.all(KINDS["Tool"]))] == ["a", "b"]


@pytest.mark.parametrize("total", ["2", 2, True, None, -1, 2.0, "two", [2], "9" * 400])
async def test_an_odd_total_is_no_total(total: Any) -> None:
    answer = {"results": page(0, 2), "metadata": {"totalItems": total}}
    with odd_server(lambda asked: asked.json(answer)) as server:
        if total == "9" * 400:
            with pytest.raises(ProviderError, match="2 of 999"):
                await vapi(server.url, lambda one: one.all(KINDS["StructuredOutput"]))
        else:
            assert len(await vapi(server.url, lambda one: one.all(KINDS["StructuredOutput"]))) == 2


@pytest.mark.parametrize(
    "content",
    [
        b"[" * 101 + b"]" * 101,
        b'{"a":' * 101 + b"1" + b"}" * 101,
        b'[{"a":' * 60 + b"1" + b"}]" * 60,
        b"[" * 100_000,
        b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
        b'["]]]]]]]]",' * 101 + b"1" + b"]" * 101,
        b'["\\"]]]]",' * 101 + b"1" + b"]" * 101,
        ("[" * 150 + "]" * 150).encode("utf-16"),
    ],
)
def test_json_beyond_any_depth(content: bytes) -> None:
    with pytest.raises(NoJson):
        parsed(content)


@pytest.mark.parametrize(
    "value",
    [
        ["[" * 500, "{" * 500],
        {"a": '"' + "[" * 300, "b": "\\"},
        ["\\" * 7 + '"' + "[" * 200],
        eval("[" * 90 + "]" * 90),
        [{"a": [{}] * 1000}] * 10,
    ],
)
def test_brackets_in_texts_are_no_depth(value: Any) -> None:
    assert parsed(json.dumps(value).encode()) == value


def test_what_is_no_number_in_json_is_none() -> None:
    assert parsed(b"[NaN, Infinity, -Infinity, 1e999, 1e3, 2.5]") == [None, None, None, None, 1000.0, 2.5]
    with pytest.raises(NoJson):
        parsed(b"9" * 5_000)


async def test_half_a_character_goes_back_as_it_came() -> None:
    def answer(asked: Asked) -> None:
        asked.json({"id": "a", "name": "\ud83d"})

    with odd_server(answer) as server:
        live, _ = await vapi(server.url, lambda one: one.update(KINDS["Tool"], "a", {"name": "\ud83d"}))
    assert live["name"] == "\ud83d"


async def test_a_body_is_made_anew_after_a_wait() -> None:
    seen = []

    def answer(asked: Asked) -> None:
        seen.append(asked.number)
        asked.json({"id": "a"}, 200 if asked.number == 3 else 503)

    made = []

    async def renew() -> dict[str, int]:
        made.append(len(seen))
        return {"n": len(seen)}

    with odd_server(answer) as server:
        await vapi(server.url, lambda one: one.api.call("PATCH", "/tool/a", body={"n": 0}, renew=renew))
    assert made == [1, 2]


@pytest.mark.parametrize("proxy", ["nonsense", "ftp://proxy.example", "socks9://x", "http://[half"])
async def test_a_proxy_that_is_none_is_named(proxy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", proxy)
    monkeypatch.delenv("NO_PROXY", raising=False)
    with pytest.raises(ProviderError) as caught:
        await vapi("http://vapi.example", lambda one: one.all(KINDS["Tool"]))
    assert "HTTP_PROXY" in caught.value.hint or "no connection" in caught.value.summary


def test_the_bounds_are_what_the_docs_say() -> None:
    assert (receiving.MOST, receiving.PATIENCE, DEEPEST) == (64 * MIB, 60.0, 100)


@pytest.mark.parametrize(
    "answer",
    [
        {"id": UUID, "type": "endCall"},
        {"id": UUID},
        {"id": UUID, "name": "desk"},
        {"id": UUID, "type": "function", "function": {"name": "other"}},
        {"id": UUID, "provider": "twilio", "number": "+1"},
        {"id": UUID, "createdAt": "2026-01-01T00:00:00.000Z"},
    ],
)
async def test_an_answer_about_another_object_is_no_proof(answer: dict[str, Any]) -> None:
    body = {"type": "function", "function": {"name": "lookup"}}
    with odd_server(lambda asked: asked.json(answer)) as server, pytest.raises(Ambiguous, match="another object"):
        await vapi(server.url, lambda one: one.create(KINDS["Tool"], body))


@pytest.mark.parametrize(
    ("kind", "body", "answer"),
    [
        ("Phone", {"provider": "vapi", "name": "line"}, {"provider": "vapi", "name": "line", "number": "+14155550100"}),
        ("Tool", {"type": "dtmf"}, {"type": "dtmf", "function": {"name": "dtmf_tool"}}),
        ("Agent", {"name": "a"}, {"name": "a", "voice": None}),
        ("Agent", {}, {}),
    ],
)
async def test_what_the_server_adds_is_no_difference(kind: str, body: dict[str, Any], answer: dict[str, Any]) -> None:
    with odd_server(lambda asked: asked.json({"id": UUID} | answer)) as server:
        live, _ = await vapi(server.url, lambda one: one.create(KINDS[kind], body))
        assert live["id"] == UUID


async def test_an_id_of_another_form_is_no_object_of_vapis() -> None:
    with odd_server(lambda asked: asked.json({"id": "x", "type": "dtmf"})) as server, pytest.raises(Ambiguous):
        await vapi(server.url, lambda one: one.create(KINDS["Tool"], {"type": "dtmf"}))
