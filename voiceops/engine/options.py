"""How to plan: what the project and the command say, and the policy for an edited field."""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from voiceops.model.graph import Resource
from voiceops.model.live import SETTLE
from voiceops.model.values import JSON, Fingerprint, Path, Secret


@dataclass(frozen=True, slots=True)
class Safety:
    """`safety:` of the project: deletes and replacements above this percentage of the managed objects are refused."""

    max_destroy_percent: float = 20
    max_destroy_minimum: int = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How to plan. `fingerprints` holds what is known of the secrets at hand; `siblings` ids of other environments."""

    adopt: bool = False
    drift: str = "revert"
    drift_fields: Mapping[str, str] = field(default_factory=dict)
    targets: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    excluded: tuple[str, ...] = ()  # addresses, or patterns with * and ?
    # The manifests' labels by address, where the graph is not the manifests': `destroy` plans from an empty one.
    carried: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    uses: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # and what they refer to
    destroy: bool = False
    force: bool = False
    refresh_only: bool = False
    safety: Safety = field(default_factory=Safety)
    fingerprints: Mapping[Secret, Fingerprint] = field(default_factory=dict)
    # The fingerprint of a live text, under the state's salt and key; None: live texts can't be compared.
    fingerprint_live: Callable[[str], Fingerprint] | None = None
    siblings: frozenset[str] = frozenset()
    marked: str = ""  # what the live names of this environment alone hold: an object without it is nobody's twin here
    account: str = ""
    vapi_url: str = ""  # where Vapi's API is: its own host beside vapi.ai
    settle: float = SETTLE
    resend: frozenset[str] = frozenset()  # addresses whose secrets are sent, though nothing tells that they changed
    release_hold: bool = False  # bring back what was rolled back, after all
    returning: Mapping[str, str] | None = None  # of a rollback: the last id of every address that was ours before


def policy_for(options: Options, resource: Resource, path: Path) -> str:
    """revert, keep or refuse for one field: the most specific of `drift.fields`, else the default."""
    source = resource.source_of(path).path
    found: list[tuple[bool, int, int, str]] = []
    for pattern, policy in options.drift_fields.items():
        address, _, field_pattern = pattern.partition(":")
        exact = resource.address == address  # also an instance, whose brackets are no pattern
        inside = source == field_pattern or source.startswith((f"{field_pattern}.", f"{field_pattern}["))
        if (exact or fnmatch.fnmatchcase(resource.address, address)) and (not field_pattern or inside):
            found.append((exact, len(field_pattern), len(address), policy))
    return max(found)[-1] if found else options.drift


def live_differs(options: Options, applied: Fingerprint, live: JSON) -> bool | None:
    """Is a live text another than the secret that was applied there? None where that can't be told: the API does not
    show it, or the fingerprint is missing or was made under another key."""
    if options.fingerprint_live is None or not applied.digest or not isinstance(live, str):
        return None
    found = options.fingerprint_live(live)
    return found.digest != applied.digest if found.key == applied.key else None
