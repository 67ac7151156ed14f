"""`events`: it makes no database by looking, and shows whatever came as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.bench import Bench
from voiceops.runtime.store.records import WAITING, EventRow
from voiceops.runtime.store.sqlite import SqliteBackend
from voiceops.sandbox.server import SandboxServer


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Bench]:
    with SandboxServer() as server, server.control() as control:
        bench = Bench(tmp_path / "shop", server, control)
        bench.write("voiceops.yaml", "version: 1\nproject: shop\nenvironments: [live]\n")
        (bench.folder / "agents").mkdir()
        yield bench


def test_a_database_that_is_not_there(shop: Bench, tmp_path: Path) -> None:
    missing = tmp_path / "data/runtmie.db"
    for arguments in (("list",), ("show", "5"), ("replay", "5"), ("replay", "--dead")):
        ran = shop.run("events", *arguments, code=1, VOICEOPS_RUNTIME_DB=str(missing))
        assert f"there is no database {missing}" in ran.err
        assert "VOICEOPS_RUNTIME_DB names it" in ran.err
    assert not missing.parent.exists()


def test_before_anything_was_served(shop: Bench) -> None:
    ran = shop.run("events", "list")
    assert (ran.out, ran.err) == ("", "No events: nothing was served here yet in the environment live.\n")
    assert shop.run("events", "list", "--format", "json").data == []
    assert "there is no event 5" in shop.run("events", "show", "5", code=1).err
    assert "0 of 1" in shop.run("events", "replay", "5", code=1).out
    assert "0 of 0" in shop.run("events", "replay", "--dead").out
    assert not (shop.folder / ".voiceops").exists()


BODIES: list[tuple[bytes, object]] = [
    (b'{"a": [1, "\xc3\xa9"]}', {"a": [1, "é"]}),
    (b'{"a": "\\ud83d"}', {"a": "\ufffd"}),
    (b'{"\\ude00": "\\ud83d\\ude00"}', {"\ufffd": "😀"}),
    (b'{"a": "\xff"}', {"a": "\ufffd"}),
    (b'\xef\xbb\xbf{"a": 1}', {"a": 1}),
    (b'{"a": NaN}', {"a": None}),
    (b'{"a": 1e999}', {"a": None}),
    (b"[" * 100_000, "[" * 100_000),
    (b"", ""),
    (b"a=b&c=d", "a=b&c=d"),
]


def test_whatever_came_is_shown_as_json(shop: Bench, tmp_path: Path) -> None:
    place = tmp_path / "runtime.db"
    store = SqliteBackend(place)
    store.open()
    rows = [
        EventRow(n, n.to_bytes(16, "big"), "hang", "c", 1.0, 1.0, WAITING, "", body)
        for n, (body, _) in enumerate(BODIES, 1)
    ]
    store.write([], [], rows, safe=False)
    store.close()
    for n, (_, shown) in enumerate(BODIES, 1):
        ran = shop.process("events", "show", str(n), VOICEOPS_RUNTIME_DB=str(place), PYTHONIOENCODING="utf-8")
        assert json.loads(ran.out, parse_constant=pytest.fail)["body"] == shown
    ran = shop.run("events", "show", str(2**64), code=None, VOICEOPS_RUNTIME_DB=str(place))
    assert ran.code == 1
