"""Validate: schema, references, handlers and lints, in one environment or in all. No network, no keys."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from voiceops.engine.planning.shared_names import LiveNames, live_names, shared_names
from voiceops.errors import Diagnostic, InvalidProject
from voiceops.lints.run_lints import Linter
from voiceops.manifest.problems import Problems
from voiceops.manifest.project import environments_of
from voiceops.model.values import Secret
from voiceops.use.load_project import Loaded, load, root_of
from voiceops.use.process_context import ProcessContext

ALL = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What was found; `objects` is how many the largest environment has. `failed`: an error is among it."""

    diagnostics: tuple[Diagnostic, ...]
    objects: int = 0
    failed: bool = False


def validate(
    folder: Path | str = ".", environment: str | None = None, context: ProcessContext | None = None
) -> Checked:
    """Everything that is wrong with the project in `folder`; raises nothing for it.

    `environment`: None takes VOICEOPS_ENV, else the project's default; `all` takes each that the project names.
    """
    context = context or ProcessContext()
    problems = Problems()
    chosen: list[str | None] = [environment]
    try:
        root = root_of(Path(folder))
        if environment == ALL:
            chosen = list(environments_of(root, Problems()))
    except InvalidProject as error:
        return Checked(diagnostics=error.diagnostics, failed=True)
    linter = Linter(root)
    count, broken = 0, False
    names: dict[str, tuple[str, LiveNames]] = {}  # by environment, with the account as far as its key is at hand
    for name in chosen:
        try:
            loaded = load(root, name, context)
        except InvalidProject as error:
            problems.extend(linter.silenced(error.diagnostics))
            broken = True
        else:
            problems.extend(linter.check(loaded.project, loaded.graph, loaded.warnings))
            account = _account(loaded)
            problems.extend(
                shared_names(loaded.graph, {e: live for e, (other, live) in names.items() if other == account != ""})
            )
            names[loaded.project.environment] = account, live_names(loaded.graph.resources.values())
            count = max(count, len(loaded.graph.resources))
    if not broken:
        problems.extend(linter.unused())
    return Checked(diagnostics=tuple(problems.all), objects=count, failed=problems.failed)


def _account(loaded: Loaded) -> str:
    """Equal for environments whose keys lead to one account; empty where the key is not at hand, or it is a sandbox."""
    providers = loaded.project.providers
    if providers.sandbox:
        return ""
    key = providers.vapi_key
    value = loaded.environ.get(key.names[0], "") if isinstance(key, Secret) and len(key.names) == 1 else str(key)
    return f"{providers.vapi_url} {value}" if value else ""
