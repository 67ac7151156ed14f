"""What live bodies name, over accounts made by hand."""

from __future__ import annotations

from typing import Any

from voiceops.audit.audited_account import AuditedAccount
from voiceops.audit.dangling import dangling
from voiceops.audit.unused import unused
from voiceops.kinds.registry import KINDS
from voiceops.model.live import Snapshot


def account(*objects: tuple[str, dict[str, Any]], **more: Any) -> AuditedAccount:
    by_type: dict[str, dict[str, Any]] = {kind.type: {} for kind in KINDS.values()}
    for kind, live in objects:
        by_type[KINDS[kind].type][live["id"]] = live
    return AuditedAccount(snapshot=Snapshot(by_type, 0.0, 0.0), **more)


def test_a_file_that_is_gone_from_its_base() -> None:
    (one,) = dangling(account(("KnowledgeBase", {"id": "k", "name": "k", "files": ["gone"]})))
    assert (one.id, one.path) == ("k", "files[0]")


def test_what_was_made_a_moment_ago_may_not_be_listed_yet() -> None:
    agent = ("Agent", {"id": "a", "name": "a", "model": {"provider": "openai", "toolIds": ["t"]}})
    assert [one.id for one in dangling(account(agent))] == ["a"]
    assert list(dangling(account(agent, settling=frozenset({"t"})))) == []


def test_what_was_deleted_a_moment_ago_may_be_listed_yet() -> None:
    agent = ("Agent", {"id": "a", "name": "a", "model": {"provider": "openai", "toolIds": ["t"]}})
    tool = ("Tool", {"id": "t", "type": "function"})
    assert list(dangling(account(agent, tool))) == []
    assert [one.id for one in dangling(account(agent, tool, gone=frozenset({"t"})))] == ["a"]


def test_a_kind_that_could_not_be_listed_is_not_judged() -> None:
    agent = ("Agent", {"id": "a", "name": "a", "model": {"provider": "openai", "toolIds": ["t"]}})
    assert list(dangling(account(agent, unread={"Tool": "403"}))) == []
    assert list(unused(account(("Tool", {"id": "t", "type": "function"}), unread={"Agent": "403"}))) == []


def test_vapis_own_objects_are_there_though_no_list_shows_them() -> None:
    personality = "a0000000-0000-4000-8000-000000000001"
    found = dangling(account(("Simulation", {"id": "s", "name": "s", "personalityId": personality})))
    assert list(found) == []


def test_a_union_of_a_provider_that_nobody_knows_yet() -> None:
    agent = ("Agent", {"id": "a", "name": "a", "model": {"provider": "brand-new", "toolIds": ["gone"]}})
    (one,) = dangling(account(agent))
    assert one.path == "model.toolIds[0]"


def test_a_use_in_a_place_that_nobody_knows_yet() -> None:
    agent = ("Agent", {"id": "a", "name": "a", "brandNew": {"deep": ["t"]}})
    assert [one.id for one in unused(account(agent, ("Tool", {"id": "t", "type": "function"})))] == ["a"]
