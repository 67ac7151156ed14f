"""What has to be known of a project's other manifests where an old field is rewritten. Pure data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from voiceops.model.located import Map


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownManifests:
    """`tools`: the types of Tool manifests by name. `credentials`: the names of those Credential manifests that send a
    secret as `X-Vapi-Secret`, as old fields did, by the secret as it is written (`${secret:HOOK}`)."""

    tools: Mapping[str, str] = field(default_factory=dict)
    credentials: Mapping[str, str] = field(default_factory=dict)


NOTHING_KNOWN = KnownManifests()


def known_manifests(documents: Iterable[Any]) -> KnownManifests:
    """What a project's documents tell."""
    tools: dict[str, str] = {}
    credentials: dict[str, str] = {}
    for value in documents:
        spec = value.get("spec") if isinstance(value, Map) else None
        if not isinstance(spec, Map):
            continue
        if value.get("kind") == "Tool":
            tools[str(value.get("name"))] = str(spec.get("type"))
        everywhere = "environments" not in value and "forEach" not in value
        if value.get("kind") == "Credential" and everywhere and (token := _as_vapi_secret(spec)):
            credentials.setdefault(token, str(value.get("name")))
    return KnownManifests(tools=tools, credentials=credentials)


def _as_vapi_secret(spec: Map) -> str:
    """The secret that a credential sends as the old fields did; empty where it sends it otherwise."""
    plan = spec.get("authenticationPlan")
    if spec.get("provider") != "custom-credential" or not isinstance(plan, Map) or plan.get("type") != "bearer":
        return ""
    header, token = plan.get("headerName"), plan.get("token")
    bare = plan.get("bearerPrefixEnabled") is False
    same = bare and isinstance(header, str) and header.lower() == "x-vapi-secret"
    return token if same and isinstance(token, str) and token.startswith("${secret:") else ""
