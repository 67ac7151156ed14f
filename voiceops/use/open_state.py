"""The environment's state: its back end with every layer around it, and the ledger that is read from it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from voiceops.kinds.schema import using
from voiceops.state.checked import CheckedStore
from voiceops.state.encrypted import IDENTITY, Cipher, EncryptedStore
from voiceops.state.ledger import Ledger
from voiceops.state.masked import MaskedStore
from voiceops.state.open import open_store
from voiceops.state.siblings_by_name import SiblingsByName
from voiceops.state.store import Store
from voiceops.use.allowed_hosts import check_state
from voiceops.use.opened import Opened


def store_of(opened: Opened, location: str = "", *, plain: bool = False) -> Store:
    """The environment's state, or another place for it (`{environment}` in it is replaced).

    `plain`: what is in clear there is read although it should be encrypted. Nothing is connected yet. Raises
    StateError, and Refused where its credentials may not go there.
    """
    project, template = opened.project, location or opened.project.state_as_written
    place = location.replace("{environment}", project.environment) or project.state

    def of(environment: str, place: str) -> Store:
        return _layered(opened, environment, place, plain=plain)

    store = of(project.environment, place)
    check_state(opened, location)
    if place.lower().startswith("http") and template.replace("{environment}", project.environment) == place != template:
        return SiblingsByName(
            store, project.environment, lambda name: of(name, template.replace("{environment}", name))
        )
    return store


def _layered(opened: Opened, environment: str, place: str, *, plain: bool) -> Store:
    project, environ = opened.project, opened.environ
    store: Store = opened.context.around(
        open_store(place, project.root, environment, project=project.name, environ=environ)
    )
    identity = environ.get(IDENTITY, "")
    if project.recipients or identity:
        store = EncryptedStore(store, Cipher(project.recipients, identity), plain=plain)
    return MaskedStore(CheckedStore(store), opened.context.redactor)


@asynccontextmanager
async def open_ledger(opened: Opened) -> AsyncIterator[Ledger]:
    """The state as it is now; its back end stays connected for as long, and the project's own facts are meant.

    Raises StateError, Refused.
    """
    with using(opened.project.facts):
        async with store_of(opened) as store:
            yield await Ledger.open(store, opened.project.name, opened.project.environment)
