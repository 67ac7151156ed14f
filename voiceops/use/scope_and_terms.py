"""What a plan is about and how an apply is run, as whoever asks for it says; and what the planner makes of that."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from voiceops.engine.options import Options, Safety
from voiceops.errors import Refused, VoiceopsError
from voiceops.manifest.project import Project
from voiceops.model.address import twilio_side
from voiceops.model.graph import Graph
from voiceops.preview.preview_names import suffix_of
from voiceops.use.load_project import Loaded, check_lints
from voiceops.use.state_place import check_place


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What a plan is about, and how far it may go.

    `targets` are addresses, with what they need; `labels` chooses what carries all of them; `excluded` are addresses or
    patterns (`Agent/*`), with what depends on their changes. `force` passes safety.maxDestroyPercent, and never
    preventDestroy; `adopt` takes over unmanaged objects of the same name; `release_hold` brings back what was rolled
    back; `resend_secrets` are addresses whose secrets are sent, though nothing tells that they changed.
    """

    targets: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    excluded: tuple[str, ...] = ()
    destroy: bool = False
    refresh_only: bool = False
    force: bool = False
    adopt: bool = False
    release_hold: bool = False
    resend_secrets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """How an apply is run: `message` is kept in the history, `lock_timeout` is in seconds.

    `environment` is its name once more, which one with safety.confirm wants; `asked` says that a person is asked for it
    instead. `local_state`: the state in a pipeline's checkout is meant. `require_tests`: only what passed tests may be
    applied, as with safety.requireTests.
    """

    message: str = ""
    parallelism: int = 10
    lock_timeout: float = 0.0
    environment: str | None = None
    asked: bool = False
    local_state: bool = False
    require_tests: bool = False


def options_of(project: Project, scope: Scope) -> Options:
    """What the project and the scope ask of the planner."""
    return Options(
        drift=project.drift,
        drift_fields=project.drift_fields,
        account=project.providers.account_sid,
        marked=suffix_of(project.preview) if project.preview else "",
        safety=Safety(project.safety.max_destroy_percent, project.safety.max_destroy_minimum),
        targets=scope.targets,
        labels=scope.labels,
        excluded=scope.excluded,
        destroy=scope.destroy,
        refresh_only=scope.refresh_only,
        force=scope.force,
        adopt=scope.adopt,
        release_hold=scope.release_hold,
        resend=frozenset(scope.resend_secrets),
    )


def wanted(loaded: Loaded, scope: Scope) -> tuple[Graph, Options]:
    """The graph that is asked for, and the options to plan it with. Raises InvalidProject for what lints refuse,
    VoiceopsError for an address that no manifest has."""
    options = options_of(loaded.project, scope)
    for address in scope.resend_secrets:
        if address not in loaded.graph.resources:
            raise VoiceopsError(
                f"there is no {address} in the manifests", hint="`voiceops state list` shows addresses."
            )
    if not scope.destroy:
        if not scope.refresh_only:
            check_lints(loaded)
        return loaded.graph, options
    graph = loaded.graph
    # The manifests' labels and references choose what is destroyed, though none of them is asked for.
    options = replace(
        options,
        carried={address: resource.labels for address, resource in graph.resources.items()},
        uses=graph.edges,
    )
    # What the manifests say is somebody else's, or let go, is so before it was applied, too.
    theirs = {side for address in graph.externals for side in (address, twilio_side(address))}
    return Graph(graph.project, graph.environment, {}, forgotten=graph.forgotten | theirs), options


def check_adopts(project: Project) -> None:
    """Raises Refused in a preview: what it took over would be deleted with it."""
    if project.preview:
        raise Refused(
            f"the preview {project.preview} takes nothing over: it would be deleted with it",
            hint=f"Take it over in {project.base}: `voiceops -e {project.base} …`.",
        )


def check_terms(project: Project, terms: Terms, environ: Mapping[str, str]) -> None:
    """May this be applied at all: a protected environment wants its name, and in a pipeline its state has to be in a
    place that stays. Raises Refused."""
    check_place(project, local=terms.local_state, environ=environ)
    if not project.safety.confirm or terms.environment == project.environment:
        return
    if terms.environment is not None or not terms.asked:
        raise Refused(
            f"the environment {project.environment} is protected", hint=f"Give --confirm {project.environment}."
        )
