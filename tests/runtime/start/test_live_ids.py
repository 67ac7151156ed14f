"""Live ids and the revision from a state, in clear or encrypted, as `apply` has left it."""

from __future__ import annotations

from pathlib import Path

import pytest
from pyrage import x25519

from tests.support.bench import bench
from voiceops.errors import StateError
from voiceops.runtime.start.live_ids import known_from, revisions_from

AGENT = "kind: Agent\nname: support\nspec: {model: {provider: openai, model: gpt-4o}}\n"
PLACE = ".voiceops/state"


def applied(folder: Path, **environ: str) -> str:
    """A folder in which `apply` has run; the id that its agent has."""
    with bench(folder) as shop:
        shop.write("agents/support.yaml", AGENT)
        shop.process("apply", "--auto-approve", **environ)
        (agent,) = shop.control.objects("/assistant")
        return str(agent["id"])


async def read(folder: Path, environ: dict[str, str]) -> tuple[str, list[int]]:
    place = (PLACE, folder, "shop", "live", environ)
    return (await known_from(*place)())["Agent/support"], [number for _, number in await revisions_from(*place)()]


async def test_a_state_in_clear(tmp_path: Path) -> None:
    id_ = applied(tmp_path)
    assert await read(tmp_path, {}) == (id_, [1])


async def test_an_encrypted_state_is_read_with_its_identity(tmp_path: Path) -> None:
    identity = str(x25519.Identity.generate())
    id_ = applied(tmp_path, VOICEOPS_STATE_IDENTITY=identity)
    assert await read(tmp_path, {"VOICEOPS_STATE_IDENTITY": identity}) == (id_, [1])
    with pytest.raises(StateError, match="encrypted"):
        await read(tmp_path, {})
    with pytest.raises(StateError, match="this identity can't read"):
        await read(tmp_path, {"VOICEOPS_STATE_IDENTITY": str(x25519.Identity.generate())})


async def test_a_state_in_clear_is_refused_where_it_should_be_encrypted(tmp_path: Path) -> None:
    applied(tmp_path)
    with pytest.raises(StateError):
        await read(tmp_path, {"VOICEOPS_STATE_IDENTITY": str(x25519.Identity.generate())})
