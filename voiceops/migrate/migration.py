"""What was read of somebody else's folder: the objects of each environment, and everything that is to be told of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from voiceops.adopt.found import Found
from voiceops.errors import Diagnostic
from voiceops.migrate.env_file import OrgConnection
from voiceops.migrate.folder_walk import Skipped
from voiceops.model.address import address


@dataclass(frozen=True, slots=True)
class Renamed:
    """A resource whose manifest has another name than its file had."""

    kind: str
    old: str
    name: str

    def to_data(self) -> dict[str, str]:
        """For JSON output."""
        return {"kind": self.kind, "old": self.old, "name": self.name}


@dataclass(frozen=True, slots=True)
class Fileless:
    """An object that a state lists and no file stands for: it is left alone."""

    kind: str
    id: str
    uuid: str
    why: str

    def to_data(self) -> dict[str, str]:
        """For JSON output."""
        return {"kind": self.kind, "id": self.id, "uuid": self.uuid, "why": self.why}


@dataclass(frozen=True, slots=True, kw_only=True)
class MovedAccount:
    """One environment: an organization of the folder. Its objects' addresses are those of the other ones."""

    name: str
    found: tuple[Found, ...]
    ids: Mapping[str, str] = field(default_factory=dict)  # live id by address
    variables: Mapping[str, Any] = field(default_factory=dict)
    connection: OrgConnection = field(default_factory=OrgConnection)
    fileless: tuple[Fileless, ...] = ()
    creates: tuple[str, ...] = ()  # addresses of files that no live object is known for


@dataclass(frozen=True, slots=True, kw_only=True)
class Migration:
    """All of it; the account that the others are compared with is the first."""

    accounts: tuple[MovedAccount, ...]
    renamed: tuple[Renamed, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    notes: tuple[Diagnostic, ...] = ()  # references that were left out, or stay as they are
    equal_names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # addresses by `Kind "live name"`

    def keeping(self, refused: Mapping[str, tuple[str, ...]], ids: Mapping[str, str]) -> Migration:
        """The same, with what is refused of these addresses kept: their objects are live, so Vapi took it.

        `ids`: the live ids of addresses that stand in no file's name.
        """
        by_id = {ids[where]: said for where, said in refused.items() if ids.get(where)}

        def kept(one: Found) -> Found:
            said = refused.get(address(one.kind, one.wanted)) if one.wanted else by_id.get(one.id)
            return replace(one, refused=said) if said else one

        accounts = (replace(account, found=tuple(map(kept, account.found))) for account in self.accounts)
        return replace(self, accounts=tuple(accounts))
