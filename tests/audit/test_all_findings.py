"""Audits of accounts that nobody wrote by hand: generated ones, and one of forty assistants."""

from __future__ import annotations

import json

import pytest

from tests.adopt.live_objects import Account
from tests.support.account_of_forty import AccountOfForty
from tests.support.bench import Bench
from voiceops.audit.all_findings import findings
from voiceops.audit.audited_account import AuditedAccount, ManagedBy
from voiceops.audit.finding import CODES
from voiceops.audit.strange_lines import strange_lines
from voiceops.engine.lines.line_route import Seen
from voiceops.kinds.registry import KINDS
from voiceops.model.live import Snapshot
from voiceops.render.audit_text import render_audit, render_audit_markdown


def audited(seed: int, *, managed: bool = False) -> AuditedAccount:
    made = Account(seed, 12)
    objects = {
        KINDS[kind].type: {live["id"]: KINDS[kind].read(live) for live in bodies}
        for kind, bodies in made.bodies.items()
    }
    snapshot = Snapshot(objects, 1.8e9, 0.0)
    lines = tuple(strange_lines(Seen(snapshot=snapshot, today="2027-01-01"), [], ""))
    owners = {
        id_: ManagedBy("live", f"{KINDS[kind].name}/x-{number}")
        for kind in made.bodies
        for number, id_ in enumerate(objects[KINDS[kind].type] if managed else ())
    }
    return AuditedAccount(snapshot=snapshot, environment="live", owners=owners, lines=lines, today="2027-01-01")


@pytest.mark.parametrize("seed", range(25))
def test_any_account(seed: int) -> None:
    account = audited(seed)
    found = findings(account)
    json.dumps([one.to_data() for one in found])
    assert {one.code for one in found} <= set(CODES)
    assert all(one.what for one in found)
    everything = {id_ for objects in account.snapshot.objects.values() for id_ in objects}
    for one in found:
        assert one.id in everything
        if one.code == "dangling" and " called " not in one.what:
            assert not [id_ for id_ in everything if f" {id_}," in one.what]
    assert {one.id for one in found if one.code == "unmanaged"} == {o.id for o in account.objects}
    text = render_audit("shop · live", found)
    assert all(len(line) <= 80 or "·" in line for line in text.splitlines())
    assert "\x1b" not in render_audit_markdown("shop · live", found)


@pytest.mark.parametrize("seed", range(5))
def test_the_same_account_under_management(seed: int) -> None:
    found = findings(audited(seed, managed=True))
    assert not [one for one in found if one.code == "unmanaged"]
    assert all(one.address and one.environment == "live" for one in found)


def test_some_kinds_are_part_of_all() -> None:
    every = findings(audited(3))
    for kind in KINDS:
        assert findings(audited(3), [kind]) == [one for one in every if one.kind == kind]


def test_an_account_of_forty_assistants(live: Bench) -> None:
    account = AccountOfForty()
    account.plant(live.control)
    data = live.run("audit", "--format", "json", code=2).data
    assert data["summary"]["unmanaged"] == len(account.made)
    (dangling,) = [one for one in data["findings"] if one["code"] == "dangling"]
    assert dangling["name"] == "Survey after visit"
    assert [one["name"] for one in data["findings"] if one["code"] == "double"] == [
        "New Assistant",
        "Support (copy)",
        "end_call_tool",
        "lookup_patient",
    ]
    assert {one["name"] for one in data["findings"] if one["code"] == "unused" and one["kind"] == "Tool"} >= {
        "dtmf_tool",
        "test_tool",
    }
    out = live.run("audit", code=2).out
    live.run("pull")
    left = live.run("audit", "--format", "json", code=2).data
    assert left["summary"].keys() == {"dangling", "unused"}
    assert all(one["address"] for one in left["findings"])
    assert out.count("only outgoing and web calls can reach") == 2  # once for agents, once for squads
