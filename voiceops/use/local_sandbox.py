"""The sandbox that an environment with `providers: sandbox` runs on: where it keeps its data, and its keys."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from voiceops.kinds.twilio import TWILIO_TYPE
from voiceops.manifest.project import Project
from voiceops.manifest.vendor_bodies import WEBHOOK_SECRET
from voiceops.model.graph import Graph
from voiceops.use.load_project import Loaded

KEYS = ("VAPI_API_KEY", "TWILIO_AUTH_TOKEN", WEBHOOK_SECRET)


def sandbox_of(loaded: Loaded) -> AbstractContextManager[Any]:
    """The embedded sandbox, holding the numbers that the manifests take to be there."""
    from voiceops.sandbox.server import SandboxServer  # both vendors: a live environment needs none of it

    project = loaded.project
    data = _folder(project) / f"{project.made_of}.db"
    return SandboxServer(data=data, numbers=owned_numbers(loaded.graph), facts=project.facts)


def owned_numbers(graph: Graph) -> list[str]:
    """The Twilio numbers that the manifests take to be in the account."""
    lines = [r for r in graph.resources.values() if r.type == TWILIO_TYPE and not r.purchase]
    return sorted({str(line.name) for line in lines if line.name})


def sandbox_keys(project: Project, environ: Mapping[str, str]) -> dict[str, str]:
    """The variables with the sandbox's keys, never the live ones; and with a webhook secret where none is set: a
    newcomer needs no key."""
    path = _folder(project) / "webhook-secret"
    if not environ.get(WEBHOOK_SECRET) and not path.exists():
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(32), encoding="ascii")
    webhook = environ.get(WEBHOOK_SECRET) or path.read_text(encoding="ascii").strip()
    return {**environ, **dict.fromkeys(KEYS[:2], "sandbox"), WEBHOOK_SECRET: webhook}


def filled_in(project: Project, environ: Mapping[str, str]) -> Mapping[str, str]:
    """The variables; on the sandbox its keys where none are set, and the secret that apply has sent. Writes nothing."""
    if not project.providers.sandbox:
        return dict(environ)
    path = project.root / ".voiceops" / "sandbox" / "webhook-secret"
    secret = path.read_text(encoding="ascii").strip() if path.is_file() else ""
    known = dict(zip(KEYS, ("sandbox", "sandbox", secret), strict=True))
    return {**environ, **{name: value for name, value in known.items() if value and not environ.get(name)}}


def _folder(project: Project) -> Path:
    folder = project.root / ".voiceops" / "sandbox"
    folder.mkdir(parents=True, exist_ok=True)
    return folder
