"""What stands in a body on its way into a manifest, beside JSON: names, secrets, prompts, and parts of their own."""

from __future__ import annotations

from dataclasses import dataclass, field

from voiceops.model.values import JSON, Path


@dataclass(frozen=True, slots=True)
class Name:
    """A manifest's name where the API has an id."""

    text: str


@dataclass(frozen=True, slots=True)
class Hidden:
    """A text that is secret; `value` is None where the API does not show it."""

    value: str | None
    path: Path
    host: str = ""  # of the address that it is sent to, where there is one


@dataclass(frozen=True, slots=True)
class Prompt:
    """A text that reads better as a file of its own."""

    text: str
    called: str = ""  # whose it is, where the manifest holds several


@dataclass(slots=True)
class PartHere:
    """A value that may stand in a manifest of its own. `own` are the keys that stay with the user."""

    kind: str
    value: dict[str, JSON]
    own: dict[str, JSON] = field(default_factory=dict)
