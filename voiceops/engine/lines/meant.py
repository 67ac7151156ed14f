"""What a line is meant to be: the manifest's and the state's word, without anything live."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Meant:
    """What the manifest and the state say about a line: whom it is meant to reach, and what it is known by."""

    address: str
    provider: str = "twilio"
    number: str = ""  # E.164, or a SIP URI; empty: Vapi gives one
    answer: str = "vapi"  # vapi | runtime | none: nobody answers, it only calls out
    target: str = ""  # Agent/NAME or Squad/NAME; empty: Vapi asks `server_url` for every call
    target_id: str = ""  # its live id; empty: not known
    server_url: str = ""
    voice_url: str = ""  # the runtime's own; empty: what Vapi's import wrote
    imported_url: str = ""  # what that was; empty: not known
    phone_id: str = ""  # of the Vapi number; empty: never applied
    account: str = ""  # the Twilio account that the number is in
    purchase: bool = False
