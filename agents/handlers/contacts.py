"""Contacts: keeps what callers leave, one JSON line each."""

import json
import os
import re
from datetime import UTC, datetime
from pathlib import Path

_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+\Z")


def capture_email(email: str, reason: str = "") -> str:
    """Keep a confirmed e-mail address; says what to tell the caller."""
    address = email.strip().lower()
    if not _ADDRESS.match(address):
        return "That address does not look complete. Please spell it once more."
    path = Path(os.environ.get("CONTACTS_FILE", "contacts.jsonl"))
    entry = {"at": datetime.now(UTC).isoformat(timespec="seconds"), "email": address, "reason": reason}
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(entry) + "\n")
    return "The address is kept; a colleague will write soon."
