"""A store that is never given a secret: whatever of one stands in what is to be kept is taken out first."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from voiceops.model.redactor import Redactor
from voiceops.model.values import map_leaves
from voiceops.state.store import Store
from voiceops.state.wrapper import StoreWrapper


class MaskedStore(StoreWrapper):
    """Any store. The history loses every secret that is known; the state, whose values are compared, those alone that
    are certainly keys: what only looks like one by its variable's name may be an id."""

    def __init__(self, inner: Store, redactor: Redactor) -> None:
        super().__init__(inner)
        self._redactor = redactor

    def _kept(self, data: Any) -> Any:
        certain = self._redactor.certain
        if not certain:
            return data
        try:
            encoded = msgspec.json.encode(data, enc_hook=str).decode()
        except UnicodeEncodeError:  # half a character
            encoded = json.dumps(data, ensure_ascii=False, default=str)
        if not any(form in encoded for form in certain):
            return data
        redactor = self._redactor
        return map_leaves(data, lambda leaf: redactor.text(leaf) if isinstance(leaf, str) else leaf)

    async def write(
        self, data: dict[str, Any], *, if_serial: int | None, keep: list[dict[str, Any]] | None = None
    ) -> None:
        await self.inner.write(self._kept(data), if_serial=if_serial, keep=None if keep is None else self._kept(keep))

    async def append(self, records: list[dict[str, Any]], *, urgent: bool = True) -> None:
        await self.inner.append(self._kept(records), urgent=urgent)

    async def cut_journal(self, keep: list[dict[str, Any]]) -> None:
        await self.inner.cut_journal(self._kept(keep))

    async def add_revision(self, number: int, data: dict[str, Any]) -> None:
        await self.inner.add_revision(number, self._redactor.data(data))

    async def add_note(self, id_: str, data: dict[str, Any]) -> None:
        await self.inner.add_note(id_, self._redactor.data(data))
