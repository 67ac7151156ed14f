"""Round trips: whatever an account holds, pulled, leaves nothing to plan and nothing to send; and the manifests alone
make equal objects in an empty account.

Accounts are made from the schema (live_objects.py) and stand in the real sandbox; the commands are the real ones.
`VOICEOPS_PULLED` says how many objects of each kind are pulled (2,000 for a full run), `VOICEOPS_ROUND` which account
alone.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.adopt.live_objects import Account, Oddities, planted
from tests.support.bench import Bench, bench
from voiceops.kinds.registry import KINDS
from voiceops.model.address import kind_of
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
# What Vapi sets, and what a round of noise adds.
SERVERS = {
    *("id", "orgId", "createdAt", "updatedAt", "latestVersion", "modelDeprecations", "isDeleted", "workflowIds"),
    *("analyticsMetadata", "isServerUrlSecretSet", "sandboxInternal", "status", "url", "resourceId", "version_id"),
}


@pytest.mark.parametrize("seed", [int(one)] if (one := os.environ.get("VOICEOPS_ROUND")) else range(ACCOUNTS))
def test_nothing_is_left_to_do_and_the_manifests_alone_make_equal_objects(tmp_path: Path, seed: int) -> None:
    odd = Oddities(dangling=0.0) if seed % 2 else Oddities()
    account = Account(seed, IN_ONE, odd)
    switches = SWITCHES[seed % len(SWITCHES)]
    with bench(tmp_path / "first", numbers=(), data=planted(account, tmp_path / "first.db"), **switches) as made:
        made.run("pull", code=None)
        pulled = made.state()["resources"]
        assert made.changes() == {}
        made.run("plan", "--detailed-exitcode")
        made.control.reset_requests()
        made.apply()
        assert made.writes() == []
        assert made.state()["resources"].keys() == pulled.keys()
        before = dict(objects(made))
    again = Account(seed, 0)
    again.numbers = account.numbers
    with bench(tmp_path / "second", numbers=(), data=planted(again, tmp_path / "second.db"), validate=False) as made:
        for name in ("agents", ".env", "voiceops.yaml"):
            copied(tmp_path / "first" / name, made.folder / name)
        made.control.switches(references=False)
        made.apply()
        after = dict(objects(made))
    assert after.keys() == before.keys()
    for address, body in before.items():
        assert after[address] == body, address


def copied(source: Path, to: Path) -> None:
    """A file or a folder, where it is there."""
    if source.is_dir():
        shutil.copytree(source, to, dirs_exist_ok=True)
    elif source.exists():
        shutil.copyfile(source, to)


def objects(made: Bench) -> Iterator[tuple[str, Any]]:
    """Every managed object of Vapi's by its address, as the API shows it with every default and every secret; without
    what the server sets, ids as addresses, and lists of ids in no order."""
    made.control.switches(adversarial=True, credential_secrets="echo", phone_secrets="echo", defaults=True)
    entries = made.state()["resources"]
    names = {entry["id"]: address for address, entry in entries.items()}
    headers = {"Authorization": f"Bearer {made.server.api_key}"}
    with httpx.Client(base_url=made.server.vapi_url, headers=headers, verify=trust(made.server.vapi_url)) as client:
        for address, entry in entries.items():
            kind = KINDS.get(kind_of(address))
            if kind is None or kind.vendor != "vapi" or address.count("/") > 1:
                continue
            for path in [collection.path for collection in kind.collections()]:
                answer = client.get(f"{path}/{entry['id']}")
                if answer.status_code == 200:
                    yield address, bare(answer.json(), names)


def bare(value: Any, names: Mapping[str, str]) -> Any:
    """What two accounts have in common."""
    if isinstance(value, dict):
        return {key: bare(item, names) for key, item in value.items() if key not in SERVERS and item is not None}
    if isinstance(value, list):
        found = [bare(item, names) for item in value]
        return sorted(found) if found and all(isinstance(item, str) and item in names for item in value) else found
    return names.get(value, value) if isinstance(value, str) else value
