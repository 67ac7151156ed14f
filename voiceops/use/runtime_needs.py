"""What a project's manifests ask of the webhook runtime."""

from __future__ import annotations

from dataclasses import replace

from voiceops.errors import VoiceopsError
from voiceops.runtime.spec import RuntimeSpec, spec_of
from voiceops.use.load_project import Loaded

_UNNAMED = "https://runtime.invalid"  # of a project without a runtime: nobody but its call scripts calls theirs


def runtime_spec(loaded: Loaded) -> RuntimeSpec:
    """Its tools, lines, agents and handlers. Raises VoiceopsError where the project has no runtime."""
    if loaded.project.runtime_url is None:
        raise VoiceopsError(
            "the project has no runtime", hint="Set runtime.url in voiceops.yaml: where Vapi and Twilio reach it."
        )
    return _spec_at(loaded, loaded.project.runtime_url)


def scripts_spec(loaded: Loaded) -> RuntimeSpec:
    """The same for call scripts: they have a runtime of their own, also in a project that has none."""
    return _spec_at(loaded, loaded.project.runtime_url or _UNNAMED)


def _spec_at(loaded: Loaded, url: str) -> RuntimeSpec:
    project = loaded.project
    spec = spec_of(loaded.graph, url, project.runtime_auth, project.tool_seconds, allow_unknown=project.allow_unknown)
    return replace(spec, privacy=project.privacy)
