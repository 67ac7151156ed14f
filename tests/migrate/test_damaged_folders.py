"""Checkouts and payloads with a few bytes changed: each is read, or refused with places; never anything else."""

from __future__ import annotations

import random
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.migrate.five_folders import newest, odd, oldest, two_states
from tests.migrate.peer_folders import put
from voiceops.errors import InvalidProject, VoiceopsError
from voiceops.use.process_context import ProcessContext
from voiceops.use.take_over import import_folder

UUIDS = [f"{n:08x}-1111-4333-8444-555555555555" for n in range(60)]
PIECES = [
    b"", b"---\n", b"\n---\n", b"\0", b"\xff", b"\xef\xbb\xbf", b"\t", b"{", b"]", b": ", b"- ", b"&a ", b"*a ",
    b"<<: {}\n",     b"!!binary x", b"null", b"true", b"1e999", b"'", b'"', b"\r", b"${secret:X}", b"{{x}}",
    b" ## c", b"%TAG ! x\n",
    b"a: b: c\n", b"? \n", b"\xe2\x80\xa8", b"id: 1\n", b"[[[[", b"name:\n", b"name: []\n", b"\\ud83d", b"..", b"/",
]  # fmt: skip


def checkout(root: Path, choice: random.Random) -> None:
    """One of the made-up folders, with ids that nobody gave."""
    peer = choice.choice([oldest, two_states, newest, odd])()
    ids = iter(UUIDS)
    peer.uuids = {(section, id_): next(ids) for section, objects in peer.objects.items() for id_ in objects}
    peer.write(root, choice.choice(["resources", "resources/acme"]))
    put(root, ".vapi-state.acme.json", peer.state(choice.choice([1, 2, 3, 4, 5, 6])))
    put(root, ".env.acme", "VAPI_CREDENTIAL_X=1\n")


def damage(path: Path, choice: random.Random) -> None:
    content = path.read_bytes()
    for _ in range(choice.randint(1, 3)):
        at = choice.randint(0, len(content))
        to = min(len(content), at + choice.choice([0, 0, 1, 3, 20]))
        content = content[:at] + choice.choice(PIECES) + content[to:]
    path.write_bytes(content)


async def taken(form: Any, root: Path, choice: random.Random) -> None:
    """Read, written and loaded, without a network."""
    before = sorted(root.parent.iterdir())
    options: dict[str, Any] = {"offline": True, "skip_dangling": choice.random() < 0.7}
    refused: VoiceopsError | None = None
    try:
        done = await import_folder(form, root, context=ProcessContext(environ={}), **options)
        shutil.rmtree(done.folder)
    except VoiceopsError as error:
        refused = error
    assert sorted(root.parent.iterdir()) == before
    assert refused is None or refused.summary
    assert not isinstance(refused, InvalidProject) or all(one.summary for one in refused.diagnostics)


@pytest.mark.parametrize("seed", range(6))
async def test_a_damaged_checkout(tmp_path: Path, seed: int) -> None:
    choice = random.Random(seed)
    for n in range(12):
        root = tmp_path / f"c{n}"
        checkout(root, choice)
        files = sorted(path for path in root.rglob("*") if path.is_file())
        for path in choice.sample(files, min(len(files), choice.randint(1, 2))):
            damage(path, choice)
        await taken("gitops", root, choice)
        shutil.rmtree(root)


@pytest.mark.parametrize("seed", range(4))
async def test_damaged_payloads(tmp_path: Path, seed: int) -> None:
    choice = random.Random(seed)
    for n in range(12):
        root, peer = tmp_path / f"p{n}", choice.choice([oldest, two_states, newest, odd])()
        ids = iter(UUIDS)
        peer.uuids = {(section, id_): next(ids) for section, objects in peer.objects.items() for id_ in objects}
        for (section, id_), uuid in peer.uuids.items():
            body = {"id": uuid, **peer.sent(section, id_, peer.objects[section][id_])}
            put(root, choice.choice([f"{section}/{uuid}.json", f"{uuid}.json"]), body)
        files = sorted(path for path in root.rglob("*.json"))
        for path in choice.sample(files, choice.randint(0, 2)):
            damage(path, choice)
        await taken("json", root, choice)
        shutil.rmtree(root)
