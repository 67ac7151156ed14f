"""The children that check what may take long: they answer, are ended when they don't, and know no secret."""

from __future__ import annotations

import json
import os
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from voiceops.runtime.handlers.argument_checker import Checker

SCHEMA = {"properties": {"n": {"type": "integer"}, "t": {"type": "string"}}, "required": ["n"]}
LARGE = {"properties": {"it": {"type": "string", "pattern": r"(?:(?:.?){40}){40}[xz]"}}}


def ask(checker: Checker, schema: Any, arguments: Any, seconds: float = 20.0) -> tuple[dict[str, Any] | None, str]:
    raw = arguments if isinstance(arguments, bytes) else json.dumps(arguments).encode()
    return checker.check(json.dumps(schema).encode(), raw, time.monotonic() + seconds)


@pytest.fixture
def checker() -> Any:
    made = Checker()
    yield made
    made.close()


def test_children_answer_as_the_check_itself_does(checker: Checker) -> None:
    assert ask(checker, SCHEMA, {"n": 2.0, "t": None}) == ({"n": 2}, "")
    assert ask(checker, SCHEMA, {"t": "x"}) == (None, "n is missing")
    assert ask(checker, SCHEMA, b"[1]") == (None, "the arguments are no object")
    assert ask(checker, SCHEMA, rb'{"n": 1, "t": "\ud83d"}') == ({"n": 1, "t": "\ufffd"}, "")
    assert ask(checker, SCHEMA, b'{"n": 1, "t": ' + b"[" * 100_000 + b"]" * 100_000 + b"}")[0] is None
    assert ask(checker, {"type": "strin"}, {"n": 5}) == ({"n": 5}, "")
    assert len(checker._idle) == 1, "one was enough"


def test_what_takes_long_is_ended_and_the_next_one_is_answered(checker: Checker) -> None:
    started = time.monotonic()
    with pytest.raises(TimeoutError):
        ask(checker, LARGE, {"it": "ab" * 400_000}, 1.0)
    assert time.monotonic() - started < 3
    assert ask(checker, SCHEMA, {"n": 1}) == ({"n": 1}, "")


def test_children_that_died_are_replaced(checker: Checker) -> None:
    ask(checker, SCHEMA, {"n": 1})
    checker._idle[0].kill()
    checker._idle[0].wait()
    assert ask(checker, SCHEMA, {"n": 1}) == ({"n": 1}, "")


def test_no_more_children_than_there_are_places(checker: Checker) -> None:
    results: list[Any] = []
    threads = [threading.Thread(target=lambda: results.append(ask(checker, SCHEMA, {"n": 1}))) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert results == [({"n": 1}, "")] * 12
    assert 1 <= len(checker._idle) <= 2


def test_whoever_finds_no_place_in_time_is_told(checker: Checker) -> None:
    def takes_long() -> None:
        with pytest.raises(TimeoutError):
            ask(checker, LARGE, {"it": "ab" * 400_000}, 2.0)

    busy = [threading.Thread(target=takes_long) for _ in range(2)]
    for thread in busy:
        thread.start()
    time.sleep(0.3)
    with pytest.raises(TimeoutError):
        ask(checker, SCHEMA, {"n": 1}, 0.2)
    for thread in busy:
        thread.join(10)


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="no /proc here")
def test_children_hold_no_secret_and_end_with_their_parent(
    checker: Checker, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("VAPI_API_KEY", "a-key-of-some-length")
    (tmp_path / "json.py").write_text("raise SystemExit('the folder was imported')")
    monkeypatch.chdir(tmp_path)
    assert ask(checker, SCHEMA, {"n": 1}) == ({"n": 1}, "")
    (child,) = checker._idle
    assert b"a-key" not in Path(f"/proc/{child.pid}/environ").read_bytes()
    checker.close()
    assert child.returncode is not None
    with pytest.raises(ProcessLookupError):
        os.kill(child.pid, 0)
