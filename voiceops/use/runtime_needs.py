"""What a project's manifests ask of the webhook runtime."""

from __future__ import annotations

from dataclasses import replace

from voiceops.errors import VoiceopsError
from voiceops.runtime.spec import RuntimeSpec, spec_of
from voiceops.use.load_project import Loaded


def runtime_spec(loaded: Loaded) -> RuntimeSpec:
    """Its tools, lines, agents and handlers. Raises VoiceopsError where the project has no runtime."""
    project = loaded.project
    if project.runtime_url is None:
        raise VoiceopsError(
            "the project has no runtime", hint="Set runtime.url in voiceops.yaml: where Vapi and Twilio reach it."
        )
    spec = spec_of(
        loaded.graph,
        project.runtime_url,
        project.runtime_auth,
        project.tool_seconds,
        allow_unknown=project.allow_unknown,
    )
    return replace(spec, privacy=project.privacy)
