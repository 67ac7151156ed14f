"""What a manifest is to be written for: one object, live or yet to be, with what its reader should know of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from voiceops.model.values import JSON


@dataclass(frozen=True, slots=True)
class Written:
    """A text of a body that goes into the manifest as it is, `${…}` and names included; other texts are escaped.

    `value` is what it stands for, where that is known: `${var:seconds}` for a number is none the schema refuses.
    """

    text: str
    value: JSON = field(default=None, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One object that a manifest is to be written for."""

    kind: str
    body: dict[str, JSON]  # as the API shows it, or a payload for it; `Written` texts may stand in it
    id: str = ""  # its live id; empty: it is nowhere live yet
    wanted: str = ""  # the manifest's name if it is free (a valid one); empty: a name out of the live one
    alias: str = ""  # what other bodies call it by where an id stands, beside its live id
    comments: tuple[str, ...] = ()  # said above its document
    environments: tuple[str, ...] = ()
    authored: bool = False  # somebody wrote the body: what the server would fill in is meant where it stands
    refused: tuple[str, ...] = ()  # what else than the schema refuses of it: kept as it is, under `allowUnknown`
    outside: str = ""
    """Why it can't be managed here: then its manifest only says which object it is (`external:`)."""

    def named(self) -> str:
        """Its live name, where it has one."""
        name = self.body.get("name")
        return name if isinstance(name, str) else ""


Numbers = Mapping[str, dict[str, Any]]
"""A Twilio account's numbers as it shows them, by the number."""
