"""The history beside the revisions: refusals, failures, changes by hand; what is kept, and for how long."""

from __future__ import annotations

import json
import random
import subprocess
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.apply.manifests import AGENT
from tests.state.stores import BACKENDS
from tests.support.bench import Bench
from voiceops.apply.history_notes import forget_old
from voiceops.apply.job import Retention
from voiceops.errors import VoiceopsError
from voiceops.model.state import State
from voiceops.state.folder import FolderStore
from voiceops.state.read_revisions import Revisions
from voiceops.use.roll_back import Past


def history(made: Bench, *arguments: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = made.run("history", "--format", "json", *arguments).data
    return found


def told(made: Bench) -> list[tuple[Any, ...]]:
    return [(e["number"], e["operation"], e["result"]) for e in history(made)]


def test_a_refused_apply_is_told_and_takes_no_number(desk: Bench) -> None:
    for name in ("agent", "tool", "line"):
        desk.remove(f"agents/{name}.yaml")
    desk.apply("-m", "too much", code=5)
    desk.apply("--force", "-m", "really")
    assert told(desk) == [(1, "apply", "ok"), (None, "apply", "refused"), (2, "apply", "ok")]
    refused = history(desk)[1]
    assert refused["message"] == "too much"
    shown = desk.run("show", refused["id"]).out
    assert "destroy-limit" in shown
    assert refused["origin"]["who"] in shown


def test_a_failed_apply_that_changed_nothing_is_no_revision_and_moves_nothing(desk: Bench) -> None:
    desk.edit("agents/agent.yaml", "Hello", "Second")
    desk.apply()
    desk.edit("agents/agent.yaml", "Second", "Broken")
    rule = desk.control.fault("status", method="PATCH", path="/assistant/", status=400, answer={"message": "no such"})
    desk.apply(code=1)
    desk.control.clear_faults(rule)
    assert told(desk)[2] == (None, "apply", "failed")
    assert "no such" in desk.run("show", history(desk)[2]["id"]).out
    desk.run("rollback", "--auto-approve")
    assert desk.live("Agent/desk")["firstMessage"] == "Hello", "the second was in force, so the first is older"


def test_an_account_that_cannot_be_reached_is_told(desk: Bench) -> None:
    desk.edit("agents/agent.yaml", "Hello", "Second")
    ran = desk.run("apply", "--auto-approve", code=1, VAPI_API_KEY="a-wrong-key-that-nobody-knows")
    assert told(desk)[-1] == (None, "apply", "failed")
    assert "a-wrong-key" not in ran.err + desk.run("show", history(desk)[-1]["id"], "--format", "json").out


def test_changes_of_the_state_by_hand_are_told(desk: Bench) -> None:
    desk.run("state", "mv", "Tool/lookup", "Tool/other")
    desk.run("state", "mv", "Tool/other", "Tool/lookup")
    old = desk.id_of("Tool/lookup")
    desk.run("state", "rm", "Tool/lookup")
    desk.run("import", "Tool/lookup", old)
    desk.run("state", "restore", "1")
    assert [(e["operation"], e["number"]) for e in history(desk)] == [
        ("apply", 1),
        ("state mv", None),
        ("state mv", None),
        ("state rm", None),
        ("import", None),
        ("state restore", None),
    ]
    assert all(e["origin"]["who"] for e in history(desk))
    assert history(desk)[1]["summary"] == "Tool/lookup is now Tool/other"
    assert [e["number"] for e in history(desk, "--revisions")] == [1]


def test_a_lock_that_is_taken_away_is_told(desk: Bench) -> None:
    """The holder is another process that hangs; its lock is taken, and the history says so."""
    import fcntl
    import os

    from voiceops.state.lock_holder import this_process

    path = desk.folder / ".voiceops/state/live/lock"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        holder = this_process("apply")
        os.pwrite(descriptor, json.dumps(holder.to_data()).encode(), 0)
        assert holder.id in desk.apply(code=4).err
        desk.run("state", "unlock", holder.id)
    finally:
        os.close(descriptor)
    assert told(desk)[-1] == (None, "state unlock", "ok")


def test_show_says_who_when_why_from_where_and_what_was_overwritten(desk: Bench) -> None:
    git(desk.folder, "init", "-q")
    git(desk.folder, "add", ".")
    git(desk.folder, "commit", "-qm", "all")
    commit = git(desk.folder, "rev-parse", "HEAD").strip()
    desk.control.edit(desk.id_of("Agent/desk"), {"firstMessage": "From the dashboard"})
    desk.edit("agents/agent.yaml", "Be kind", "Be very kind")
    desk.run(
        "apply",
        "--auto-approve",
        "-m",
        "kinder",
        GITHUB_ACTOR="ann",
        GITHUB_RUN_ID="77",
        GITHUB_SERVER_URL="https://github.example",
        GITHUB_REPOSITORY="acme/voice",
    )
    shown = desk.run("show", "2").out
    for part in (
        "Revision 2: apply, ok",
        "ann (by github)",
        "kinder",
        f"{commit} (dirty",
        "https://github.example/acme/voice/actions/runs/77",
        "+ Be very kind.",
        "Was live before, and was written over:",
        '"From the dashboard"',
    ):
        assert part in shown
    assert "* " in desk.run("history").out, "the revision in force is marked"


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=Ann", "-c", "user.email=ann@example.com"]
    return subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True, text=True).stdout


def test_only_what_was_applied_is_returned_to(desk: Bench) -> None:
    """An apply of one target is a revision of what was live then, not of all that the manifests said."""
    desk.edit("agents/agent.yaml", "Hello", "Not yet")
    desk.edit("agents/tool.yaml", "Finds an order.", "Finds any order.")
    desk.apply("--target", "Tool/lookup")
    desk.edit("agents/tool.yaml", "Finds any order.", "Third")
    desk.apply()
    assert desk.live("Agent/desk")["firstMessage"] == "Not yet"
    desk.run("rollback", "--auto-approve")
    assert desk.live("Tool/lookup")["function"]["description"] == "Finds any order."
    assert desk.live("Agent/desk")["firstMessage"] == "Hello"


@pytest.mark.parametrize("written", [False, True], ids=["before the revision", "after it"])
def test_an_apply_that_was_killed_after_its_last_request_is_one_revision(desk: Bench, written: bool) -> None:
    desk.edit("agents/agent.yaml", "Hello", "Second")
    state = (desk.folder / ".voiceops/state/live/state.json").read_bytes()
    desk.apply()
    # As if the process had died before it wrote revision and state: the journal has it all.
    record = {"record": "done", "nonce": "", "address": "Agent/desk", "entry": desk.state()["resources"]["Agent/desk"]}
    if not written:
        (desk.folder / ".voiceops/state/live/revisions/000002.json").unlink()
    (desk.folder / ".voiceops/state/live/state.json").write_bytes(state)
    (desk.folder / ".voiceops/state/live/journal.jsonl").write_text(json.dumps(record) + "\n")
    desk.apply("-m", "again")
    assert told(desk) == [(1, "apply", "ok"), (2, "apply", "ok")]
    desk.run("rollback", "--auto-approve")
    assert desk.live("Agent/desk")["firstMessage"] == "Hello"


def test_old_revisions_are_forgotten_but_not_the_way_back(desk: Bench) -> None:
    desk.write("voiceops.yaml", "version: 1\nproject: shop\nenvironments: [live]\nhistory: {keep: 2}\n")
    for text in ("Second", "Third", "Fourth", "Fifth"):
        desk.write("agents/agent.yaml", AGENT.replace("Hello", text))
        desk.apply()
    assert [e["number"] for e in history(desk)] == [4, 5]
    desk.run("rollback", "--auto-approve")
    assert desk.live("Agent/desk")["firstMessage"] == "Fourth"
    # 6 stands for 4, which is in force: it stays, however old it gets.
    assert [e["number"] for e in history(desk)] == [4, 5, 6]
    assert "no older" in desk.run("rollback", "--auto-approve", code=1).err


@pytest.mark.parametrize("backend", BACKENDS)
async def test_age_counts_too(backend: str, tmp_path: Path) -> None:
    now = datetime(2026, 6, 1, tzinfo=UTC)

    store = BACKENDS[backend](tmp_path, "dev")
    async with store, store.lock("apply", 0):
        for number in range(1, 6):
            at = (now - timedelta(days=50 - 10 * number)).isoformat()
            revision = {"number": number, "at": at, "result": "ok", "target": None, "digest": str(number)}
            await store.add_revision(number, revision)
            await store.add_note(f"n{number}", {"id": f"n{number}", "at": at})
        state = State(lineage="l", project="p", environment="dev", salt="00", revision=5, in_force=3)
        await forget_old(Revisions(store), state, Retention(keep=100, days=25), now)
        # 3 is in force and 2 is what a rollback returns to; 1 is too old.
        assert [revision["number"] for revision in await store.revisions()] == [2, 3, 4, 5]
        assert [note["id"] for note in await store.notes()] == ["n3", "n4", "n5"]


async def test_results_of_tests_push_no_refusal_out(tmp_path: Path) -> None:
    store = FolderStore(tmp_path, "dev")
    async with store.lock("apply", 0):
        for number in range(9):
            note: dict[str, Any] = {"id": f"n{number}", "at": datetime.now(UTC).isoformat()}
            await store.add_note(f"n{number}", note if number < 2 else note | {"tests": {"d": {}}})
        state = State(lineage="l", project="p", environment="dev", salt="00")
        await forget_old(Revisions(store), state, Retention(keep=2, days=10))
    assert [note["id"] for note in await store.notes()] == ["n0", "n1", "n7", "n8"]


def revision_of(number: int, dice: random.Random) -> dict[str, Any]:
    target = dice.randrange(1, number) if number > 1 and dice.random() < 0.4 else None
    result = dice.choice(["ok", "ok", "failed"])
    return {"number": number, "at": "2026-01-01T00:00:00+00:00", "result": result, "target": target, "digest": "d"}


@pytest.mark.parametrize("seed", range(150))
async def test_the_way_back_stays_in_any_history(seed: int, tmp_path: Path) -> None:
    """What is kept beyond the newest is just what a rollback needs, whatever was applied, failed and rolled back."""
    dice = random.Random(seed)
    count = dice.randrange(1, 14)
    made = [revision_of(number, dice) for number in range(1, count + 1)]
    for revision in made:
        revision["digest"] = f"d{revision['target'] or revision['number']}"
    in_force = dice.choice([0, count, *range(1, count + 1)])
    holds = {f"d{number}": {"revision": number} for number in range(1, count + 1) if dice.random() < 0.2}
    state = State(
        lineage="l", project="p", environment="dev", salt="00", revision=count, in_force=in_force, holds=holds
    )
    keep = dice.randrange(1, 5)

    needed = {count, in_force}
    with suppress(VoiceopsError):
        before = FolderStore(tmp_path / "before", "dev")
        async with before.lock("apply", 0):
            for revision in made:
                await before.add_revision(revision["number"], revision)
        needed.add((await Past(Revisions(before), await before.revision_numbers()).goal(state))["number"])
    needed |= {revision["target"] for revision in made if revision["number"] in needed and revision["target"]}
    expected = [n for n in range(1, count + 1) if n > count - keep or n in needed]

    store = FolderStore(tmp_path, "dev")
    async with store.lock("apply", 0):
        for revision in made:
            await store.add_revision(revision["number"], revision)
        await forget_old(Revisions(store), state, Retention(keep=keep, days=10_000))
    assert await store.revision_numbers() == expected
