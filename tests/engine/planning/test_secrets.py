"""Secrets: compared by fingerprint, shown nowhere."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.world import (
    World,
    agent,
    changes,
    graph,
    paths_of,
    resource,
)
from voiceops.model.values import Fingerprint, Secret, secret

CREATE, UPDATE, DELETE, NO_OP = ("create",), ("update",), ("delete",), ("no-op",)
ASSISTANT = "vapi_assistant"


KEY = secret("API_KEY")
CREDENTIAL = resource("Credential/c", {"provider": "openai", "name": "c", "apiKey": KEY})


@pytest.mark.parametrize(
    ("applied", "at_hand", "expected", "shown"),
    [
        ("d1", "d1", (NO_OP, "unchanged"), None),
        ("d1", "d2", (UPDATE, "manifest_changed"), "(sensitive)"),
        ("d1", "", (NO_OP, "unchanged"), None),
        ("", "d1", (NO_OP, "unchanged"), None),
    ],
    ids=["unchanged", "changed", "not-at-hand", "was-not-at-hand"],
)
def test_a_secret_is_compared_by_its_fingerprint(
    applied: str, at_hand: str, expected: tuple[tuple[str, ...], str], shown: str | None
) -> None:
    world = World()
    world.manage(CREDENTIAL, owned={"provider": "openai", "name": "c", "apiKey": Fingerprint(("API_KEY",), applied)})

    plan = world.plan(graph(CREDENTIAL), fingerprints={KEY: Fingerprint(("API_KEY",), at_hand)} if at_hand else {})

    assert changes(plan) == {"Credential/c": expected}
    if shown:
        assert paths_of(plan, "Credential/c") == {"apiKey": (None, shown)}


def test_another_name_of_a_secret_that_is_not_at_hand_is_a_change() -> None:
    world = World()
    world.manage(CREDENTIAL, owned={"provider": "openai", "name": "c", "apiKey": Fingerprint(("OLD",), "d1")})

    plan = world.plan(graph(CREDENTIAL))

    assert paths_of(plan, "Credential/c") == {"apiKey": (None, "(sensitive, not checked)")}


def test_a_secret_that_the_api_echoes_is_neither_compared_nor_shown() -> None:
    world = World()
    world.manage(CREDENTIAL, owned={"provider": "openai", "name": "c", "apiKey": Fingerprint(("API_KEY",), "d1")})
    world.of("Credential/c")["apiKey"] = "sk-echoed"

    same = world.plan(graph(CREDENTIAL), fingerprints={KEY: Fingerprint(("API_KEY",), "d1")})
    other = world.plan(graph(CREDENTIAL), fingerprints={KEY: Fingerprint(("API_KEY",), "d2")})

    assert changes(same) == {"Credential/c": (NO_OP, "unchanged")}
    assert paths_of(other, "Credential/c") == {"apiKey": ("(sensitive)", "(sensitive)")}
    assert "sk-echoed" not in str(other.to_data(version="", timestamp=""))


def test_a_map_that_is_never_shown_because_it_holds_a_secret() -> None:
    """stored: ABSENT on the map, since the API answers without it; what was applied stands for what is live."""
    from voiceops.model.values import ABSENT

    def body(key: Any, kind: str = "hmac") -> dict[str, Any]:
        return {"provider": "custom-credential", "name": "c", "authenticationPlan": {"type": kind, "secretKey": key}}

    world = World()
    world.manage(
        resource("Credential/c", body(KEY)),
        owned=body(Fingerprint(("API_KEY",), "d1")),
        live_body={"provider": "custom-credential", "name": "c"},
        stored={("authenticationPlan",): ABSENT},
    )
    known = {KEY: Fingerprint(("API_KEY",), "d1")}

    assert changes(world.plan(graph(resource("Credential/c", body(KEY))), fingerprints=known)) == {
        "Credential/c": (NO_OP, "unchanged")
    }
    changed = world.plan(graph(resource("Credential/c", body(KEY, "bearer"))), fingerprints=known)
    assert paths_of(changed, "Credential/c") == {"authenticationPlan.type": ("hmac", "bearer")}


@pytest.mark.parametrize(
    "change",
    [
        {"tools": [{"name": "a", "server": {"headers": {"Authorization": Secret(("T",), ("Bearer ", ""))}}}]},
        {"tools": []},
        {},
        {"credentials": [{"provider": "openai", "apiKey": KEY}]},
        {"credentials": []},
    ],
    ids=["shorter-list", "emptied-list", "removed", "credentials-shorter", "credentials-emptied"],
)
def test_no_secret_of_a_live_list_shows_when_the_list_changes(change: dict[str, Any]) -> None:
    headers = {"headers": {"Authorization": "Bearer sk-live", "X-Trace": "on"}}
    items = [{"name": "a", "server": headers}, {"name": "b", "server": headers}]
    secrets = [{"provider": "openai", "apiKey": "sk-live"}, {"provider": "11labs", "apiKey": "sk-live"}]
    hidden = Fingerprint(("T",), "d")
    owned = {
        "name": "support",
        "model": {
            "provider": "openai",
            "model": "m",
            "tools": [{"type": "function", **i, "server": {"headers": {"Authorization": hidden}}} for i in items],
        },
        "credentials": [{**item, "apiKey": hidden} for item in secrets],
    }
    world = World()
    world.manage(
        agent(),
        owned=owned,
        live_body={
            "name": "support",
            "model": {"provider": "openai", "model": "m", "tools": [{"type": "function", **i} for i in items]},
            "credentials": secrets,
        },
    )
    wanted = {
        "model": {
            "provider": "openai",
            "model": "m",
            **({"tools": [{"type": "function", **i} for i in change["tools"]]} if "tools" in change else {}),
        },
        **({"credentials": change["credentials"]} if "credentials" in change else {}),
    }

    plan = world.plan(graph(agent(**wanted)))

    assert plan.active
    assert "sk-live" not in str(plan.to_data(version="", timestamp=""))


def test_a_live_list_that_drifted_shows_no_secret() -> None:
    world = World()
    world.manage(
        agent(),
        owned={"name": "support", "credentials": [{"provider": "openai", "apiKey": Fingerprint(("K",), "d")}]},
        live_body={
            "name": "support",
            "credentials": [
                {"provider": "openai", "apiKey": "sk-live"},
                {"provider": "11labs", "apiKey": "sk-live"},
            ],
        },
    )

    plan = world.plan(graph(agent(credentials=[{"provider": "openai", "apiKey": secret("K")}])))

    assert plan.drift
    assert "sk-live" not in str(plan.to_data(version="", timestamp=""))
