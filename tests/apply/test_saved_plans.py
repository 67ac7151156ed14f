"""`apply FILE`: the file says what was reviewed, the command line what is done."""

from __future__ import annotations

import json
import os
import shutil
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.apply.manifests import AGENT, TOOL
from tests.apply.test_signing import key, openssh_sign
from tests.support.bench import Bench

PLAIN = AGENT.replace("    tools: [lookup]\n", "")


@pytest.fixture
def desk(live: Bench) -> Bench:
    live.write("agents/agent.yaml", PLAIN)
    live.apply()
    return live


def keep(made: Bench, *arguments: str, code: int = 0) -> str:
    path = made.folder / "plan.json"
    made.run("plan", "--out", str(path), *arguments, code=code)
    made.control.reset_requests()
    return str(path)


def forge(path: str, change: Callable[[dict[str, Any]], Any]) -> None:
    data = json.loads(Path(path).read_text())
    change(data)
    Path(path).write_text(json.dumps(data))


# destroy, adopt and rollback are asked for again


def test_a_destroy_plan_needs_the_word_again(desk: Bench) -> None:
    kept = keep(desk, "--destroy")

    refused = desk.run("apply", kept, code=5)
    assert "destroys what is managed" in refused.err
    assert f"voiceops destroy {kept}" in refused.err
    assert desk.writes() == []
    desk.run("destroy", kept)
    assert desk.state()["resources"] == {}


def test_apply_with_the_same_flag_does_it_too(desk: Bench) -> None:
    kept = keep(desk, "--destroy")

    desk.run("apply", kept, "--destroy")

    assert desk.state()["resources"] == {}


def test_a_plan_that_does_not_destroy_is_not_destroyed_with(desk: Bench) -> None:
    desk.edit("agents/agent.yaml", "Hello", "Hi")
    kept = keep(desk)

    for command in (("destroy", kept), ("apply", kept, "--destroy")):
        assert "was not made with --destroy" in desk.run(*command, code=5).err
    assert desk.writes() == []


def test_an_adopting_plan_needs_its_flag_again(live: Bench) -> None:
    live.write("agents/agent.yaml", PLAIN)
    live.apply()
    live.run("state", "rm", "Agent/desk")
    kept = keep(live, "--adopt")

    assert "takes over unmanaged objects" in live.run("apply", kept, code=5).err
    assert "Agent/desk" not in live.state()["resources"]
    live.run("apply", kept, "--adopt")
    assert "Agent/desk" in live.state()["resources"]


def rollback_plan(made: Bench) -> str:
    for text in ("Hi", "Ho"):
        made.write("agents/agent.yaml", PLAIN.replace("Hello", text))
        made.apply()
    path = str(made.folder / "plan.json")
    made.run("rollback", "1", "--plan-only", "--out", path)
    made.control.reset_requests()
    return path


def test_a_rollback_plan_needs_the_command_again(desk: Bench) -> None:
    kept = rollback_plan(desk)

    refused = desk.run("apply", kept, code=5)
    assert f"voiceops rollback 1 {kept}" in refused.err
    assert "rolls back to revision 1, not to revision 2" in desk.run("rollback", kept, code=5).err
    assert "not to revision 2" in desk.run("rollback", "2", kept, code=5).err
    assert desk.writes() == []
    desk.run("rollback", "1", kept)
    assert desk.live("Agent/desk")["firstMessage"] == "Hello"


def test_the_plan_of_the_revision_that_rollback_would_choose_needs_no_number(desk: Bench) -> None:
    desk.edit("agents/agent.yaml", "Hello", "Hi")
    desk.apply()
    kept = str(desk.folder / "plan.json")
    Path(kept).write_text(desk.run("rollback", "--plan-only", "--format", "json").out)

    desk.run("rollback", kept)

    assert desk.live("Agent/desk")["firstMessage"] == "Hello"


def test_another_plan_is_no_rollback(desk: Bench) -> None:
    desk.edit("agents/agent.yaml", "Hello", "Hi")
    desk.apply()
    desk.edit("agents/agent.yaml", "Hi", "Ho")
    kept = keep(desk)

    assert "is no rollback" in desk.run("rollback", kept, code=5).err
    for arguments in (("1", "2"), ("0",), ("a.json", "b.json")):
        assert "at most" in desk.run("rollback", *arguments, code=1).err


# what somebody wrote into a file by hand


def _more(data: dict[str, Any]) -> None:
    """A change that nobody planned, with its count."""
    more = json.loads(json.dumps(data["resource_changes"][0]).replace("Agent/desk", "Agent/night"))
    data["resource_changes"].append(more)
    data["summary"]["update"] += 1


HAND: dict[str, tuple[Callable[[dict[str, Any]], Any], str]] = {
    "destroy": (lambda d: d.update(destroy=True), "destroys what is managed"),
    "rollback": (lambda d: d["planned_with"].update(rollback_to=1), "rolls back to revision 1"),
    "rollback-to-a-ref": (lambda d: d["planned_with"].update(rollback_git="HEAD"), "rolls back to HEAD"),
    "adopt": (lambda d: d["planned_with"].update(adopt=True), "takes over unmanaged objects"),
    "a-value": (
        lambda d: d["resource_changes"][0]["change"]["paths"][0].update(after="Evil"),
        "would come out otherwise",
    ),
    "a-whole-value": (lambda d: d["resource_changes"][0]["change"]["after"].update(firstMessage="Evil"), "otherwise"),
    "a-before": (lambda d: d["resource_changes"][0]["change"]["paths"][0].update(before="Evil"), "otherwise"),
    "a-path": (
        lambda d: d["resource_changes"][0]["change"]["paths"][0].update(path="endCallMessage"),
        "would come out otherwise",
    ),
    "another-id": (lambda d: d["resource_changes"][0].update(id="1" * 36), "would come out otherwise"),
    "more": (_more, "would come out otherwise"),
    "environment": (lambda d: d.update(environment="prod"), "prod"),
    "org": (lambda d: d.update(org="another"), "another"),
    "a-key": (lambda d: d.update(force=True), "unknown field"),
    "a-type": (lambda d: d.update(destroy="false"), "destroy"),
    "plan-id": (lambda d: d.update(plan_id="../../etc"), "plan_id"),
    "a-count": (lambda d: d["summary"].update(update=0), "summary counts"),
}


@pytest.mark.parametrize("case", HAND)
def test_a_file_that_was_edited_by_hand_changes_nothing(desk: Bench, case: str) -> None:
    change, said = HAND[case]
    desk.edit("agents/agent.yaml", "Hello", "Hi")
    kept = keep(desk)
    forge(kept, change)

    refused = desk.run("apply", kept, code=5)

    assert said in refused.err
    assert desk.writes() == []
    assert desk.live("Agent/desk")["firstMessage"] == "Hello"


def test_what_is_no_plan_ends_in_a_sentence(desk: Bench) -> None:
    path = desk.folder / "plan.json"
    for content, code in (
        (b"", 1),
        (b"\xff\xfe", 1),
        (b"[" * 200_000, 1),
        (b'{"resource_changes": NaN}', 5),
        (b'{"resource_changes": 1e999}', None),
        (b"[]", 5),
        (b'"plan"', 5),
        (b'{"resource_changes": []}', 5),
        (b'{"format_version": {"a": 1}, "resource_changes": []}', 5),
    ):
        path.write_bytes(content)
        ran = desk.run("apply", str(path), code=code)
        assert ran.code in (1, 5)
        assert "plan.json" in ran.err


def test_what_is_no_file_is_not_waited_for(desk: Bench) -> None:
    os.mkfifo(desk.folder / "pipe")

    assert "it is no file" in desk.run("apply", str(desk.folder / "pipe"), code=1).err
    assert "is a directory" in desk.run("apply", str(desk.folder), code=1).err
    assert "can't be read" in desk.run("apply", str(desk.folder / "missing"), code=1).err


def test_a_file_that_is_too_large_is_not_read(desk: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.edit("agents/agent.yaml", "Hello", "Hi")
    kept = keep(desk)
    monkeypatch.setattr("voiceops.use.saved_plan.MOST_BYTES", 1024)

    assert "is larger than" in desk.run("apply", kept, code=1).err


def test_nobody_else_reads_a_kept_plan(desk: Bench) -> None:
    desk.write("plan.json", "old")
    (desk.folder / "plan.json").chmod(0o644)

    keep(desk)

    assert stat.S_IMODE((desk.folder / "plan.json").stat().st_mode) == 0o600


def test_a_kept_plan_of_every_sort_of_change_is_applied(desk: Bench) -> None:
    desk.write("agents/tool.yaml", TOOL)
    desk.apply()
    desk.remove("agents/tool.yaml")
    desk.write("agents/night.yaml", PLAIN.replace("name: desk", "name: night"))
    desk.edit("agents/agent.yaml", "Hello", "Hi")
    desk.control.edit(desk.id_of("Agent/desk"), {"endCallMessage": "by hand"})
    kept = keep(desk)

    desk.run("apply", kept)

    assert desk.changes() == {}
    assert desk.live("Agent/desk")["endCallMessage"] == "by hand"


# who made it

signing = pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="no OpenSSH here")


@pytest.fixture
def signed(desk: Bench, tmp_path_factory: pytest.TempPathFactory) -> tuple[Bench, str, str, Path]:
    """A project with a change, its signed plan, the file of its signer, and the folder of keys."""
    folder = tmp_path_factory.mktemp("keys")
    private = key(folder)
    desk.edit("agents/agent.yaml", "Hello", "Hi")
    kept = keep(desk, "--sign", str(private))
    return desk, kept, f"{private}.pub", folder


@signing
def test_a_signed_plan_is_applied_and_the_history_says_whose_it_was(signed: tuple[Bench, str, str, Path]) -> None:
    made, kept, public, _ = signed

    made.run("apply", kept, "--verify", public)

    assert made.live("Agent/desk")["firstMessage"] == "Hi"
    assert "key@shop" in made.run("show", "2").out


@signing
def test_the_process_environment_asks_for_a_signature_and_no_file_of_the_folder_can(
    signed: tuple[Bench, str, str, Path],
) -> None:
    made, kept, public, folder = signed
    other = f"{key(folder, 'other')}.pub"
    made.write(".env", f"VOICEOPS_PLAN_SIGNERS={public}\n")

    assert "may not sign" in made.run("apply", kept, code=5, VOICEOPS_PLAN_SIGNERS=other).err
    assert made.writes() == []
    made.run("apply", kept, VOICEOPS_PLAN_SIGNERS=Path(public).read_text())


@signing
def test_an_unsigned_or_changed_plan_is_refused(signed: tuple[Bench, str, str, Path]) -> None:
    made, kept, public, folder = signed
    whole = Path(kept).read_bytes()

    Path(kept).write_bytes(whole + b"\n")
    assert "is not what key@shop signed" in made.run("apply", kept, "--verify", public, code=5).err
    Path(kept).write_bytes(whole)
    signature = Path(f"{kept}.sig")
    signature.write_bytes(openssh_sign(key(folder, "other"), whole))
    assert "may not sign" in made.run("apply", kept, "--verify", public, code=5).err
    signature.unlink()
    assert "is not signed" in made.run("apply", kept, "--verify", public, code=5).err
    assert "can't be read" in made.run("apply", kept, "--verify", "missing", code=1).err
    assert made.writes() == []
    made.run("apply", kept)


@signing
def test_openssh_signs_what_voiceops_verifies(signed: tuple[Bench, str, str, Path]) -> None:
    made, kept, public, folder = signed
    Path(f"{kept}.sig").write_bytes(openssh_sign(folder / "key", Path(kept).read_bytes()))

    made.run("apply", kept, "--verify", public)


@signing
def test_a_rollback_s_plan_is_signed_and_verified_as_well(signed: tuple[Bench, str, str, Path]) -> None:
    made, kept, public, folder = signed
    made.run("apply", kept)
    made.run("rollback", "1", "--plan-only", "--out", kept, "--sign", str(folder / "key"))
    other = f"{key(folder, 'other')}.pub"

    assert "may not sign" in made.run("rollback", "1", kept, "--verify", other, code=5).err
    made.run("rollback", "1", kept, "--verify", public)

    assert made.live("Agent/desk")["firstMessage"] == "Hello"


@signing
def test_a_key_with_a_passphrase_is_a_sentence_and_no_plan_is_kept(desk: Bench, tmp_path: Path) -> None:
    locked = key(tmp_path, "locked", passphrase="not empty")
    desk.edit("agents/agent.yaml", "Hello", "Hi")

    stopped = desk.run("plan", "--out", str(desk.folder / "plan.json"), "--sign", str(locked), code=1)

    assert "passphrase" in stopped.err
    assert "ssh-keygen -Y sign" in stopped.err
    assert not (desk.folder / "plan.json").exists()


def test_flags_that_mean_nothing_alone_are_errors(desk: Bench) -> None:
    assert "--out FILE" in desk.run("plan", "--sign", "key", code=1).err
    assert "none is given" in desk.run("apply", "--auto-approve", "--verify", "key", code=1).err
    assert "--plan-only" in desk.run("rollback", "--auto-approve", "--out", "x", code=1).err
