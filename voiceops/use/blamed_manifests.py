"""Which of the manifests that were written for live objects can't be read, or are refused by lints, and why."""

from __future__ import annotations

from voiceops.adopt.repository import Repository
from voiceops.errors import InvalidProject
from voiceops.model.address import owner_of


def blamed(error: InvalidProject, repository: Repository) -> dict[str, list[str]]:
    """The sentences of the error by the new manifests' addresses; what is said of anything else is left out."""
    found: dict[str, list[str]] = {}
    for said in (d for d in error.diagnostics if d.severity == "error"):
        address = owner_of(said.address)
        if address not in repository.ids and said.mark is not None:
            address = repository.places.get(said.mark.file, "")
        if address in repository.ids:
            where = f"{said.mark.path}: " if said.mark is not None and said.mark.path else ""
            found.setdefault(address, []).append(f"{where}{said.summary}")
    return found


def as_comments(sentences: list[str]) -> tuple[str, ...]:
    """For the head of the manifest."""
    return tuple(dict.fromkeys(f"{one}." for one in sentences))
