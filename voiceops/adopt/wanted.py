"""Which live objects a pull is about. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from voiceops.kinds.registry import KINDS


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which live objects are meant: those of these kinds, whose live name (or number) fits, or with these ids."""

    kinds: tuple[str, ...] = ()
    match: str = ""
    ids: tuple[str, ...] = ()

    def means(self, kind: str, live: Mapping[str, Any]) -> bool:
        """Is this live object meant?"""
        if self.ids and str(live.get("id")) not in self.ids:
            return False
        if self.kinds and kind not in self.kinds:
            return False
        texts = (KINDS[kind].name_of(dict(live)), live.get("name"), live.get("number"))
        return not self.match or any(fnmatchcase(str(text), self.match) for text in texts if text)

    @property
    def everything(self) -> bool:
        """Is nothing left out?"""
        return not (self.kinds or self.match or self.ids)
