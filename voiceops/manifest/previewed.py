"""The project in a preview: in the environment that it is made of, with names, a state and a runtime of its own."""

from __future__ import annotations

from dataclasses import replace

from voiceops.manifest.problems import Problems
from voiceops.manifest.project import Project, Safety
from voiceops.preview.registered import Preview

# Where Vapi finds nobody: a tool without a mock fails there, and calls no runtime of another environment. RFC 6761.
NO_RUNTIME = "https://no-runtime.invalid"


def previewed(project: Project, preview: Preview, problems: Problems) -> Project:
    """The project in a preview that is made of its environment."""
    check_state_of_its_own(project, problems)
    environment = preview.environment
    return replace(
        project,
        environment=environment,
        base=project.environment,
        preview=preview.name,
        state=project.state_as_written.replace("{environment}", environment),
        suffix="",
        runtime_url=preview.runtime or (NO_RUNTIME if project.runtime_url else None),
        drift="revert",
        drift_fields={},
        # Its budgets hold. Nobody is asked, and nothing has to be proven first: a preview is where things are proven.
        safety=Safety(
            max_turn_latency_ms=project.safety.max_turn_latency_ms,
            max_cost_per_minute=project.safety.max_cost_per_minute,
        ),
    )


def check_state_of_its_own(project: Project, problems: Problems) -> None:
    """A second environment has no state of its own where the address is one document for all of them."""
    scheme = project.state_as_written.partition("://")[0].lower()
    if scheme in ("http", "https") and "{environment}" not in project.state_as_written:
        problems.error(
            "preview-state",
            "a preview needs a state of its own, and this address is the same for every environment",
            project.origins["state"].mark if "state" in project.origins else project.mark,
            "Put {environment} into it: https://host/state/{environment}.",
        )
