"""A store in a place that can't list what is in it: whose states stand beside this one, the list of previews tells.

Over HTTP each environment is a document of its own, and the protocol knows no more than one address.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from voiceops.net.together import together
from voiceops.preview.preview_names import REGISTRY, environment_of
from voiceops.state.store import Store
from voiceops.state.wrapper import StoreWrapper


class SiblingsByName(StoreWrapper):
    """The same interface over the store of `environment`; `opened` gives the store of another one."""

    def __init__(self, inner: Store, environment: str, opened: Callable[[str], Store]) -> None:
        super().__init__(inner)
        self._environment = environment
        self._opened = opened

    async def siblings(self) -> list[dict[str, Any]]:
        listed = await self._opened(REGISTRY).read()
        found = await together(self._opened(name).read() for name in self._named(listed))
        return [data for data in (listed, *found) if data is not None and data.get("environment") != self._environment]

    async def sibling_journals(self) -> list[list[dict[str, Any]]]:
        listed = await self._opened(REGISTRY).read()
        return list(await together(self._opened(name).journal() for name in self._named(listed)))

    def _named(self, listed: dict[str, Any] | None) -> list[str]:
        """The previews, and what they are made of, without this one."""
        previews = (listed or {}).get("previews", {})
        names = {environment_of(name) for name in previews} | {preview["from"] for preview in previews.values()}
        return sorted(names - {self._environment})
