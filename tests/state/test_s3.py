"""State in object storage: careless stores are refused, damage is found, and nothing half-done counts."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest

from tests.state.backends import BUCKET, QUICK, bucket, key_of, s3_store, target
from voiceops.errors import Locked, StateError
from voiceops.state.bucket import Bucket, Object, Target
from voiceops.state.open import open_store
from voiceops.state.s3 import S3Store
from voiceops.state.s3_lock import Timing


class Wrapped(Bucket):
    """The real bucket, with a say in every write."""

    def __init__(self, on_write: Callable[[str], Any]) -> None:
        super().__init__(target())
        self.on_write = on_write

    async def create(self, key: str, content: bytes) -> str | None:
        self.on_write(key)
        return await super().create(key, content)

    async def replace(self, key: str, content: bytes, etag: str) -> str | None:
        self.on_write(key)
        return await super().replace(key, content, etag)


def _store(found: Bucket, root: Path, timing: Timing = QUICK) -> S3Store:
    return S3Store(found, "s3://b/p/dev", key_of(root), "dev", timing)


async def _lock(store: S3Store) -> None:
    async with store.lock("apply", 0):
        pass


@pytest.mark.parametrize("ignored", ["If-None-Match", "If-Match"])
async def test_a_store_that_ignores_a_condition_is_refused(ignored: str, tmp_path: Path) -> None:
    class Careless(Bucket):
        async def create(self, key: str, content: bytes) -> str | None:
            return await (self._put(key, content) if ignored == "If-None-Match" else super().create(key, content))

        async def replace(self, key: str, content: bytes, etag: str) -> str | None:
            return await (self._put(key, content) if ignored == "If-Match" else super().replace(key, content, etag))

    careless = Careless(target())
    for _ in range(2):
        with pytest.raises(StateError, match=f"conditional writes .{ignored}.") as caught:
            await _lock(_store(careless, tmp_path))
        assert "another store" in caught.value.hint


async def test_a_wave_of_intents_is_one_object(tmp_path: Path) -> None:
    written: list[str] = []

    store = _store(Wrapped(written.append), tmp_path)
    async with store.lock("apply", 0):
        written.clear()
        await asyncio.gather(*(store.append([{"n": n}]) for n in range(50)))
    assert len([key for key in written if "/journal/" in key]) <= 2


@pytest.mark.parametrize("meanwhile", ["cut", "gone"])
async def test_a_journal_that_is_cut_while_others_read_it(meanwhile: str, tmp_path: Path) -> None:
    """Environments in one place read each other's journals, without their locks."""
    store = s3_store(tmp_path)
    await store.write({"serial": 1}, if_serial=None)
    for number in range(3):
        await store.append([{"n": number}])

    class Late(Bucket):
        async def get(self, key: str) -> Object | None:
            if key.endswith("journal/000000002.json"):
                await (store.cut_journal([{"n": 1}]) if meanwhile == "cut" else store.remove())
            return await super().get(key)

    left = [{"n": 1}] if meanwhile == "cut" else []
    assert await _store(Late(target()), tmp_path).journal() == left


async def test_a_damaged_state_names_the_newest_good_copy(tmp_path: Path) -> None:
    key = f"{key_of(tmp_path)}/dev/state.json"

    store = s3_store(tmp_path)
    await store.write({"serial": 1, "text": "one"}, if_serial=None)
    await store.write({"serial": 2, "text": "two"}, if_serial=1, keep=[{"n": 1}])
    await store.append([{"n": 2}])
    found = await bucket().get(key)
    assert found is not None
    for content in (found.content.replace(b"two", b"2wo"), found.content[:-9], b"", b"[]"):
        await bucket().put(key, content)
        with pytest.raises(StateError, match="is damaged") as caught:
            await store.read()
        assert "voiceops state restore 2" in caught.value.hint
        with pytest.raises(StateError, match="is damaged"):
            await store.write({"serial": 3}, if_serial=2)
    assert await store.restore(2) == {"serial": 3, "text": "two"}
    assert await s3_store(tmp_path).journal() == [{"n": 1}, {"n": 2}]
    copy = f"{key_of(tmp_path)}/dev/states/000000003.json"
    await bucket().put(copy, b"?")
    await bucket().put(key, b"?")
    with pytest.raises(StateError, match="is damaged") as caught:
        await store.read()
    assert "restore 2" in caught.value.hint


async def test_the_journal_is_cut_with_the_state_even_when_its_objects_stay(tmp_path: Path) -> None:
    class Stays(Bucket):
        async def delete(self, keys: Any) -> None:
            """The process ends before it."""

    store = _store(Stays(target()), tmp_path)
    await store.append([{"n": 1}])
    await store.append([{"n": 2}])
    await store.write({"serial": 1}, if_serial=None, keep=[{"n": 2}])
    assert await s3_store(tmp_path).journal() == [{"n": 2}]
    await s3_store(tmp_path).append([{"n": 3}])
    assert await s3_store(tmp_path).journal() == [{"n": 2}, {"n": 3}]


async def test_who_writes_into_a_holders_journal_stops_it(tmp_path: Path) -> None:
    store = s3_store(tmp_path)
    async with store.lock("apply", 0):
        await store.append([{"n": 1}])
        await s3_store(tmp_path).append([{"n": 2}])
        with pytest.raises(Locked, match="somebody else"):
            await store.append([{"n": 3}])
        await store.cut_journal([])


async def test_two_writers_of_one_serial_can_not_both_win(tmp_path: Path) -> None:
    await s3_store(tmp_path).write({"serial": 1}, if_serial=None)
    tries = [s3_store(tmp_path).write({"serial": 2, "who": n}, if_serial=1) for n in range(6)]
    results = await asyncio.gather(*tries, return_exceptions=True)
    assert [type(result) for result in results].count(StateError) == 5
    assert results.count(None) == 1


async def test_a_write_whose_answer_was_lost_is_found_to_be_ours(tmp_path: Path) -> None:
    """The retry meets our own first try."""

    found = bucket()
    key = f"{key_of(tmp_path)}/x"
    first = await found.create(key, b"mine")
    assert first is not None
    assert await found.create(key, b"mine") == first
    assert await found.create(key, b"other") is None
    second = await found.replace(key, b"next", first)
    assert second is not None
    assert await found.replace(key, b"next", first) == second
    assert await found.replace(key, b"other", first) is None
    assert await found.replace(key + "-gone", b"other", first) is None


async def test_a_lease_that_can_not_be_renewed_runs_out_before_it_is_void(tmp_path: Path) -> None:
    timing = Timing(renew=0.2, void=1.2, pause=0.05)
    failing = threading.Event()

    def on_write(key: str) -> None:
        if failing.is_set():
            raise StateError("can't be reached")

    async with _store(Wrapped(on_write), tmp_path, timing).lock("apply", 0) as lease:
        await asyncio.sleep(1.5)
        await lease.check()
        failing.set()
        await asyncio.sleep(timing.safe + 0.1)
        with pytest.raises(Locked, match="ran out"):
            await lease.check()


class Slow(Bucket):
    """The real bucket, whose answers about the lock come late: what they tell has been done long since."""

    def __init__(self) -> None:
        super().__init__(target())
        self.done = asyncio.Event()
        self.loses_one = False

    async def create(self, key: str, content: bytes) -> str | None:
        return await self._late(key, await super().create(key, content))

    async def replace(self, key: str, content: bytes, etag: str) -> str | None:
        return await self._late(key, await super().replace(key, content, etag))

    async def _late(self, key: str, etag: str | None) -> str | None:
        if key.endswith("/lock"):
            self.done.set()
            await asyncio.sleep(0.1)
            if self.loses_one:
                self.loses_one = False
                raise StateError("can't be reached")
        return etag


async def test_a_lock_given_back_amid_its_renewal_is_free(tmp_path: Path) -> None:
    slow = Slow()
    async with _store(slow, tmp_path, Timing(renew=0.1)).lock("apply", 0):
        slow.done.clear()
        await slow.done.wait()  # a renewal, not yet answered
    await _lock(s3_store(tmp_path))


async def test_who_is_stopped_while_taking_the_lock_leaves_it_free(tmp_path: Path) -> None:
    await _lock(s3_store(tmp_path))
    slow = Slow()
    taking = asyncio.create_task(_lock(_store(slow, tmp_path)))
    await slow.done.wait()
    taking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await taking
    await _lock(s3_store(tmp_path))


async def test_a_renewal_whose_answer_was_lost_is_found_to_be_ours(tmp_path: Path) -> None:
    slow = Slow()
    async with _store(slow, tmp_path, Timing(renew=0.2)).lock("apply", 0) as lease:
        slow.loses_one = True
        slow.done.clear()
        await slow.done.wait()
        await asyncio.sleep(0.7)  # two more of them
        assert not slow.loses_one
        await lease.check()


async def test_the_clock_of_this_machine_does_not_matter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time", lambda: 0.0)

    async with s3_store(tmp_path).lock("apply", 0) as lease:
        with pytest.raises(Locked):
            await _lock(s3_store(tmp_path))
        await lease.check()


def test_without_a_date_nothing_is_taken_for_old() -> None:
    from voiceops.state.bucket import _age

    assert _age({"last-modified": "Wed, 25 Nov 2026 02:00:00 GMT"}) == 0
    assert _age({"last-modified": "x", "date": "y"}) == 0
    then, now = "Wed, 25 Nov 2026 02:00:00 GMT", "Wed, 25 Nov 2026 02:01:01 GMT"
    assert _age({"last-modified": then, "date": now}) == 61


@pytest.mark.parametrize(
    ("status", "code", "message", "hint"),
    [
        (403, "AccessDenied", "AccessDenied", "s3:PutObject"),
        (404, "NoSuchBucket", "NoSuchBucket", "Make the bucket"),
        (501, "NotImplemented", "NotImplemented", "conditional"),
    ],
)
async def test_what_a_store_refuses_is_said(status: int, code: str, message: str, hint: str, tmp_path: Path) -> None:
    body = f"<Error><Code>{code}</Code><Message>no</Message></Error>".encode()

    class Quiet(WSGIRequestHandler):
        def log_message(self, format: str, *args: Any) -> None:
            """Nothing."""

    def app(environ: Any, start: Any) -> list[bytes]:
        environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        start(f"{status} no", [("content-type", "application/xml"), ("content-length", str(len(body)))])
        return [body]

    server = make_server("127.0.0.1", 0, app, handler_class=Quiet)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        location = f"s3://{BUCKET}/p?endpoint=http://127.0.0.1:{server.server_port}"
        with pytest.raises(StateError, match=message) as caught:
            await _lock(open_store(location, tmp_path, "dev", environ=_keys()))  # type: ignore[arg-type]
        assert hint in caught.value.hint
    finally:
        server.shutdown()
        server.server_close()


def _keys() -> dict[str, str]:
    return {"AWS_ACCESS_KEY_ID": "AKIATEST", "AWS_SECRET_ACCESS_KEY": "very-secret"}


async def test_a_store_that_is_not_there_is_said(tmp_path: Path) -> None:
    location = f"s3://{BUCKET}/p?endpoint=http://127.0.0.1:9"
    with pytest.raises(StateError, match="can't be reached") as caught:
        await open_store(location, tmp_path, "dev", environ=_keys()).read()
    assert "very-secret" not in str(caught.value)


def test_settings_come_from_the_address_and_from_what_aws_tools_read() -> None:
    environ = _keys() | {
        "AWS_ENDPOINT_URL": "http://one",
        "AWS_ENDPOINT_URL_S3": "http://two",
        "AWS_REGION": "eu-west-1",
    }
    found = Target.of("b", {}, environ)
    assert (found.endpoint, found.region) == ("http://two", "eu-west-1")
    assert Target.of("b", {"endpoint": "http://three", "region": "r"}, environ).endpoint == "http://three"
    assert "very-secret" not in repr(found)


@pytest.mark.parametrize("location", ["s3://", "s3:///prefix", "s3://b/p?endpont=x"])
def test_an_address_that_makes_no_sense_is_refused(location: str, tmp_path: Path) -> None:
    with pytest.raises(StateError):
        open_store(location, tmp_path, "dev")


async def test_what_the_objects_are_called(tmp_path: Path) -> None:
    async def check() -> list[str]:
        store = s3_store(tmp_path)
        await _lock(store)
        await store.write({"serial": 1}, if_serial=None)
        await store.append([{"n": 1}])
        await store.add_revision(1, {"number": 1})
        digest = await store.put_blob(b"x")
        found: Object | None = await bucket().get(f"{key_of(tmp_path)}/dev/state.json")
        assert found is not None
        assert json.loads(found.content)["state"] == {"serial": 1}
        root = f"{key_of(tmp_path)}/dev/"
        return [key.removeprefix(root).replace(digest, "DIGEST") for key in await bucket().keys(root)]

    assert await check() == [
        "blobs/DIGEST",
        "journal/000000001.json",
        "lock",
        "probe",
        "revisions/000001.json",
        "state.json",
        "states/000000001.json",
    ]
