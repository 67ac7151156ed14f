"""A state that only the holders of an age identity can read."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from pyrage import x25519

from tests.apply.manifests import AGENT, TOOL
from tests.support.bench import Bench, bench
from voiceops.state.encrypted import Cipher, EncryptedStore
from voiceops.state.folder import FolderStore

IDENTITY = x25519.Identity.generate()
KEY = {"VOICEOPS_STATE_IDENTITY": str(IDENTITY)}


@pytest.fixture
def desk(live: Bench) -> Bench:
    recipients = f"encryption: {{recipients: [{IDENTITY.to_public()}]}}\n"
    live.write("voiceops.yaml", f"version: 1\nproject: shop\nenvironments: [live]\n{recipients}")
    live.write("agents/agent.yaml", AGENT)
    live.write("agents/tool.yaml", TOOL)
    return live


def held(made: Bench) -> bytes:
    return b"".join(p.read_bytes() for p in (made.folder / ".voiceops").rglob("*") if p.is_file())


def test_nothing_of_the_project_stands_in_the_state(desk: Bench) -> None:
    desk.run("apply", "--auto-approve", **KEY)
    assert desk.run("plan", "--format", "json", **KEY).data["summary"]["no_op"] == 2
    content = held(desk)
    assert content
    for word in (b"Agent/desk", b"Be kind", b"lookup", b"gpt-4.1-mini"):
        assert word not in content
    desk.edit("agents/agent.yaml", "Hello", "Good day")
    desk.run("apply", "--auto-approve", **KEY)
    desk.run("rollback", "--auto-approve", **KEY)
    assert "Agent/desk" in desk.run("state", "list", **KEY).out
    assert len(desk.run("history", "--format", "json", **KEY).data) >= 3


def test_without_the_identity_nothing_is_read_or_written(desk: Bench) -> None:
    desk.run("apply", "--auto-approve", **KEY)
    for arguments in (("plan",), ("apply", "--auto-approve"), ("state", "list")):
        assert "VOICEOPS_STATE_IDENTITY" in desk.run(*arguments, code=1).err
    other = {"VOICEOPS_STATE_IDENTITY": str(x25519.Identity.generate())}
    assert "can't read the state" in desk.run("plan", code=1, **other).err
    desk.write("voiceops.yaml", "version: 1\nproject: shop\nenvironments: [live]\n")
    assert "is encrypted" in desk.run("plan", code=1).err


@pytest.mark.parametrize("text", ["AGE-SECRET-KEY-1NONSENSE", "nonsense"])
def test_what_is_no_identity_is_said_and_not_shown(desk: Bench, text: str) -> None:
    ran = desk.run("plan", code=1, VOICEOPS_STATE_IDENTITY=text)
    assert "AGE-SECRET-KEY-1" in ran.err
    assert text == "AGE-SECRET-KEY-1NONSENSE" or text not in ran.err


def test_a_plain_state_is_refused_until_it_is_moved(live: Bench) -> None:
    live.write("agents/tool.yaml", TOOL)
    live.apply()
    live.write("agents/agent.yaml", AGENT)
    live.control.reset_requests()
    ran = live.run("apply", "--auto-approve", code=1, **KEY)
    assert "should be encrypted" in ran.err
    assert "state migrate" in ran.err
    assert live.control.counts()["requests"] == 0

    live.run("state", "migrate", ".voiceops/state", "sealed", **KEY)
    live.write("voiceops.yaml", "version: 1\nproject: shop\nenvironments: [live]\nstate: sealed\n")
    live.run("apply", "--auto-approve", **KEY)
    assert live.run("plan", "--format", "json", **KEY).data["summary"]["no_op"] == 2
    assert len(live.run("history", "--format", "json", **KEY).data) == 2
    for path in (live.folder / "sealed/live").rglob("*"):
        assert path.is_dir() or b"Be kind" not in path.read_bytes()


@pytest.mark.parametrize("what", ["state.json", "journal.jsonl", "revisions", "notes", "blobs"])
def test_what_is_put_in_clear_beside_it_is_not_taken(
    desk: Bench, tmp_path_factory: pytest.TempPathFactory, what: str
) -> None:
    """Somebody who may write there, and has no identity, can't tell us what was applied."""
    desk.run("apply", "--auto-approve", **KEY)
    plain = tmp_path_factory.mktemp("plain")
    with bench(plain) as other:
        other.write("agents/tool.yaml", TOOL)
        other.apply()
        source = plain / ".voiceops/state/live"
        folder = desk.folder / ".voiceops/state/live"
        if what == "journal.jsonl":
            record = {"record": "done", "address": "Agent/desk", "entry": None, "nonce": ""}
            with (folder / what).open("a", encoding="utf-8") as file:
                file.write(json.dumps(record) + "\n")
        elif what == "state.json":
            shutil.copy(source / what, folder / what)
        elif what == "revisions":
            shutil.copy(source / "revisions/000001.json", folder / "revisions/000001.json")
        elif what == "notes":
            note = {"id": "20260101T000000000Z-aaaa", "at": "2026-01-01T00:00:00+00:00", "operation": "x"}
            note |= {"result": "ok", "summary": "FORGED"}
            (folder / "notes").mkdir(exist_ok=True)
            (folder / "notes" / f"{note['id']}.json").write_text(json.dumps(note))
        else:
            (folder / "blobs").mkdir(exist_ok=True)
            (folder / "blobs" / ("a" * 64)).write_bytes(b"in clear")

    if what in ("state.json", "journal.jsonl"):
        assert "should be encrypted" in desk.run("plan", code=1, **KEY).err
    elif what == "revisions":
        assert "should be encrypted" in desk.run("history", code=1, **KEY).err
    else:
        assert "FORGED" not in desk.run("history", **KEY).out


async def test_blobs_keep_their_own_digest(tmp_path: Path) -> None:
    store = EncryptedStore(FolderStore(tmp_path, "live"), Cipher([], str(IDENTITY)))
    digest = await store.put_blob(b"menu")
    assert await store.put_blob(b"menu") == digest
    assert await store.get_blob(digest) == b"menu"
    assert await store.blobs() == [digest]
    assert b"menu" not in b"".join(p.read_bytes() for p in tmp_path.rglob("*") if p.is_file())
