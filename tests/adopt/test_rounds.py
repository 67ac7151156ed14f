"""Round trips: whatever an account holds, pulled, leaves nothing to plan and nothing to send; and the manifests alone
make equal objects in an empty account.

Accounts are made from the schema (live_objects.py) and stand in the real sandbox; the commands are the real ones.
`VOICEOPS_PULLED` says how many objects of each kind are pulled (2,000 for a full run), `VOICEOPS_ROUND` which account
alone.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.adopt.live_objects import Account, Oddities, planted, stored
from tests.support.bench import Bench, bench
from voiceops.kinds.nodes import body_node, field_of, items_of, secret_names
from voiceops.kinds.registry import KINDS
from voiceops.kinds.schema import Node
from voiceops.model.address import is_twilio_side, kind_of
from voiceops.net.trust import trust

PULLED = int(os.environ.get("VOICEOPS_PULLED", "16"))
IN_ONE = int(os.environ.get("VOICEOPS_IN_ONE", "8"))  # objects of each kind in one account
ACCOUNTS = -(-PULLED // IN_ONE)
# What answers look like: as documented, with everything that an API may do to them, with secrets shown, hidden or not.
SWITCHES: tuple[dict[str, Any], ...] = (
    {},
    {"adversarial": True, "credential_secrets": "mask"},
    {"cleared": "omit", "credential_secrets": "echo"},
    {"adversarial": True, "phone_secrets": "omit", "list_order": "random"},
    {"defaults": False, "versions": False, "list_order": "asc"},
)
UNSEEN = "unseen"
# What the server or the command line adds on the way: the only type of outputs, the edge's other side, our own key.
GIVEN = {"assistantIds", "twilioAuthToken"}
FILLED = {"timeoutSeconds": 20, "targetAssignments": [], "type": "ai"}
UUID = re.compile(r"[0-9a-f]{8}-")
# What Vapi sets, and what a round of noise adds.
SERVERS = {
    *("id", "orgId", "createdAt", "updatedAt", "latestVersion", "modelDeprecations", "isDeleted", "workflowIds"),
    *("analyticsMetadata", "isServerUrlSecretSet", "sandboxInternal", "status", "resourceId", "versionId"),
}


@pytest.mark.parametrize("seed", [int(one)] if (one := os.environ.get("VOICEOPS_ROUND")) else range(ACCOUNTS))
def test_nothing_is_left_to_do_and_the_manifests_alone_make_equal_objects(tmp_path: Path, seed: int) -> None:
    odd = Oddities(dangling=0.0) if seed % 2 else Oddities()
    account = Account(seed, IN_ONE, odd)
    switches = SWITCHES[seed % len(SWITCHES)]
    with bench(tmp_path / "first", numbers=(), data=planted(account, tmp_path / "first.db"), **switches) as made:
        assert made.run("pull", "--format", "json").data["leftOut"] == []
        pulled = made.state()["resources"]
        assert made.changes() == {}
        made.run("plan", "--detailed-exitcode")
        made.control.reset_requests()
        made.apply()
        assert made.writes() == []
        assert made.state()["resources"].keys() == pulled.keys()
        before = dict(objects(made))
    others = [row for row in account.rows() if row.id not in {entry["id"] for entry in pulled.values()}]
    with bench(tmp_path / "second", numbers=(), data=stored(others, tmp_path / "second.db"), validate=False) as made:
        for name in ("agents", ".env", "voiceops.yaml"):
            copied(tmp_path / "first" / name, made.folder / name)
        made.control.switches(references=False)
        made.run("apply", "--auto-approve", **unset(made))
        after = dict(objects(made))
    assert after.keys() == before.keys()
    wrong = [
        text
        for address, body in before.items()
        for text in differences(body, after[address], body_node(KINDS[kind_of(address)]), address)
    ]
    assert not wrong, "\n".join(wrong)


def unset(made: Bench) -> dict[str, str]:
    """A value for each secret that the first account did not show."""
    texts = "\n".join(path.read_text(encoding="utf-8") for path in made.folder.rglob("agents/**/*.yaml"))
    held = (made.folder / ".env").read_text(encoding="utf-8") if (made.folder / ".env").exists() else ""
    names = set(re.findall(r"(?<!\$)\$\{secret:(\w+)\}", texts))
    names -= made.environ.keys()
    return {name: f"{UNSEEN}-{name}" for name in names if not re.search(rf"^{name}=", held, re.M)}


def differences(one: Any, other: Any, node: Node | None, path: str) -> Iterator[str]:
    """Where two objects are not the same. What says nothing is absent; a secret that was not shown may be anything."""
    if says_nothing(one, node) and says_nothing(other, node):
        return
    if isinstance(one, dict) and isinstance(other, dict):
        for key in one.keys() | other.keys():
            unasked = key in secret_names() and other.get(key) is None
            if not unasked and not all(is_filled(key, found.get(key)) for found in (one, other)):
                yield from differences(one.get(key), other.get(key), field_of(node, key, one, other), f"{path}.{key}")
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for index, (a, b) in enumerate(zip(one, other, strict=True)):
            yield from differences(a, b, items_of(node), f"{path}[{index}]")
    elif one != other and not (isinstance(other, str) and UNSEEN in other):
        yield f"{path}: {one!r:.200} came out as {other!r:.200}"


def says_nothing(value: Any, node: Node | None) -> bool:
    """Null, a default, a secret that nobody can ask for, or a map of nothing else."""
    if isinstance(value, dict):
        entries = ((key, item, field_of(node, key, value)) for key, item in value.items())
        return all(k in secret_names() or is_filled(k, item) or says_nothing(item, field) for k, item, field in entries)
    return value is None or (node is not None and "default" in node and node["default"] == value)


def is_filled(key: str, value: Any) -> bool:
    """Is it what the sandbox fills in beyond the defaults that the schema publishes?"""
    return value is None or (key in FILLED and value == FILLED[key])


def copied(source: Path, to: Path) -> None:
    """A file or a folder, where it is there."""
    if source.is_dir():
        shutil.copytree(source, to, dirs_exist_ok=True)
    elif source.exists():
        shutil.copyfile(source, to)


def objects(made: Bench) -> Iterator[tuple[str, Any]]:
    """Every managed object of Vapi's by its address, as the API shows it with its secrets; without what the server
    sets, ids as addresses, and lists of ids in no order."""
    made.control.switches(adversarial=False, defaults=True, credential_secrets="echo", phone_secrets="echo")
    entries = made.state()["resources"]
    names = {entry["id"]: address for address, entry in entries.items()}
    headers = {"Authorization": f"Bearer {made.server.api_key}"}
    shown: dict[str, dict[str, Any]] = {}
    with httpx.Client(base_url=made.server.vapi_url, headers=headers, verify=trust(made.server.vapi_url)) as client:
        for address, entry in entries.items():
            for kind in KINDS[kind_of(address)].collections() if not is_twilio_side(address) else ():
                answer = client.get(f"{kind.path}/{entry['id']}")
                if answer.status_code == 200:
                    shown[address] = kind.read(answer.json())
    names |= {body["resourceId"]: address for address, body in shown.items() if body.get("resourceId")}
    for address, body in shown.items():
        given = {*KINDS[kind_of(address)].attributes, *GIVEN, *(("number",) if body.get("provider") == "vapi" else ())}
        yield address, bare({key: item for key, item in body.items() if key not in given}, names)


def bare(value: Any, names: Mapping[str, str]) -> Any:
    """What two accounts have in common."""
    if isinstance(value, dict):
        found = {key: bare(item, names) for key, item in value.items() if key not in SERVERS}
        return {key: item for key, item in found.items() if item is not None} or None
    if isinstance(value, list):
        items = [bare(item, names) for item in value]
        return sorted(items) if items and all(isinstance(item, str) and UUID.match(item) for item in value) else items
    return names.get(value, value) if isinstance(value, str) else value
