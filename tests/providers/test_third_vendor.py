"""A vendor is one package: a third one is planned, applied, recovered and destroyed, and no engine knows of it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from tests.providers.shelf.kind import LABEL
from tests.providers.shelf.provider import PROMISES, Shelf
from tests.providers.shelf.server import Labels, shelf
from tests.support.bench import Bench
from tests.support.world import agent, graph, resource
from voiceops.apply.job import Job
from voiceops.apply.revisions import Request
from voiceops.apply.run import Outcome, apply, plan
from voiceops.engine.options import Options
from voiceops.errors import ProviderError
from voiceops.kinds.registry import KINDS, also
from voiceops.model.graph import Graph, Resource
from voiceops.providers.http import Api, Limiter
from voiceops.providers.secret_values import Secrets
from voiceops.providers.snapshot_reader import Accounts
from voiceops.providers.vapi import Vapi
from voiceops.state.checked import CheckedStore
from voiceops.state.folder import FolderStore
from voiceops.state.ledger import Ledger


@pytest.fixture
def labels() -> Iterator[Labels]:
    with shelf() as made, also(LABEL):
        yield made


def label(name: str, text: str, colour: str = "red") -> Resource:
    return resource(f"Label/{name}", {"text": text, "colour": colour})


@asynccontextmanager
async def job(live: Bench, labels: Labels | None, wanted: Graph, folder: Path) -> AsyncIterator[Job]:
    async with AsyncExitStack() as stack:
        headers = {"authorization": f"Bearer {live.server.api_key}"}
        vapi = await stack.enter_async_context(Api("Vapi", live.server.vapi_url, Limiter(4), str, headers=headers))
        others = {}
        if labels is not None:
            api = Api("Shelf", labels.url, Limiter(PROMISES.most_at_once or 4), str, promises=PROMISES, pace=0.01)
            others["shelf"] = Shelf(await stack.enter_async_context(api))
        yield Job(
            graph=wanted,
            ledger=await Ledger.open(CheckedStore(FolderStore(folder / "state", "live")), "shop", "live"),
            accounts=Accounts(Vapi(vapi), None, others),
            secrets=Secrets({}),
            options=Options(settle=1.0),
        )


async def applied(live: Bench, labels: Labels, wanted: Graph, folder: Path) -> Outcome:
    async def yes(_: object) -> bool:
        return True

    async with job(live, labels, wanted, folder) as made:
        outcome = await apply(made, Request(), lambda _: None, yes)
    async with job(live, labels, wanted, folder) as made:
        assert not (await plan(made)).active
    return outcome


async def test_its_objects_are_made_changed_and_destroyed(live: Bench, labels: Labels, tmp_path: Path) -> None:
    both = graph(label("exit", "This way out"), label("till", "Pay here"), agent())
    async with job(live, labels, both, tmp_path) as made:
        found = await plan(made)
        assert {change.address: change.actions for change in found.active} == {
            "Agent/support": ("create",),
            "Label/exit": ("create",),
            "Label/till": ("create",),
        }
    assert not labels.writes
    await applied(live, labels, both, tmp_path)
    assert sorted(one["text"] for one in labels.held.values()) == ["Pay here", "This way out"]

    number = next(number for number, one in labels.held.items() if one["text"] == "Pay here")
    labels.held[number]["note"] = "of the shop's own"
    await applied(live, labels, graph(label("till", "Pay here", "blue"), agent()), tmp_path)
    assert labels.held == {
        number: {"number": number, "text": "Pay here", "colour": "blue", "note": "of the shop's own"}
    }

    await applied(live, labels, Graph("shop", "live", {}), tmp_path)
    assert labels.held == {}


async def test_a_lost_answer_is_looked_for_in_its_list(live: Bench, labels: Labels, tmp_path: Path) -> None:
    labels.drop = 1
    await applied(live, labels, graph(label("exit", "This way out")), tmp_path)
    assert [method for method, _ in labels.writes] == ["POST"]
    assert len(labels.held) == 1


async def test_what_it_promises_decides_whether_a_creation_is_sent_again(
    live: Bench, labels: Labels, tmp_path: Path
) -> None:
    """503 is no answer of Vapi's, and Shelf's word that nothing was done."""
    labels.busy = 2
    await applied(live, labels, graph(label("exit", "This way out")), tmp_path)
    assert [method for method, _ in labels.writes] == ["POST"]


async def test_an_edit_is_drift_and_is_reverted(live: Bench, labels: Labels, tmp_path: Path) -> None:
    wanted = graph(label("exit", "This way out"))
    await applied(live, labels, wanted, tmp_path)
    one = next(iter(labels.held.values()))
    one["colour"] = "green"
    async with job(live, labels, wanted, tmp_path) as made:
        assert [drift.address for drift in (await plan(made)).drift] == ["Label/exit"]
    await applied(live, labels, wanted, tmp_path)
    assert one["colour"] == "red"


async def test_a_kind_without_an_account_says_which_is_missing(live: Bench, labels: Labels, tmp_path: Path) -> None:
    wanted = graph(label("exit", "This way out"))
    async with job(live, None, wanted, tmp_path) as made:
        with pytest.raises(ProviderError, match="no Shelf account is configured"):
            made.accounts.of(KINDS["Label"])
