"""From a folder and an environment to a project, and to the graph of its manifests. Reads files, and nothing else."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from voiceops.adopt.pull_marker import marker
from voiceops.engine.review.estimate import Table
from voiceops.engine.review.plan_checks import Budgets, Checks
from voiceops.errors import Diagnostic, InvalidProject
from voiceops.kinds.schema import Facts
from voiceops.lints.run_lints import errors
from voiceops.manifest.compose import load_graph
from voiceops.manifest.plain_secrets import KnownSecrets
from voiceops.manifest.policies import read_policies
from voiceops.manifest.previewed import previewed
from voiceops.manifest.problems import Problems
from voiceops.manifest.project import Project, find_root, load_project, read_facts
from voiceops.model.env_values import trimmed
from voiceops.model.graph import Graph
from voiceops.use.opened import Opened
from voiceops.use.process_context import ProcessContext

_RULES_SECONDS = 60.0  # that a team's own rules may take with one plan


def open_project(
    folder: Path | str = ".", environment: str | None = None, context: ProcessContext | None = None
) -> Opened:
    """The project in `folder`, or in the nearest one above it, for use cases that don't need its manifests.

    `environment`: None takes VOICEOPS_ENV, else the project's default. Raises InvalidProject with every problem.
    """
    opened, problems = opened_with_problems(Path(folder), environment, context or ProcessContext())
    problems.raise_errors()
    return opened


def root_of(folder: Path) -> Path:
    """The project's folder: this one, or the nearest above with voiceops.yaml. Raises InvalidProject."""
    if not folder.is_dir():
        raise InvalidProject([Diagnostic(code="project-missing", summary=f"there is no folder {folder}")])
    return find_root(folder.resolve())


def facts_at(folder: Path) -> Facts | None:
    """The own facts of the project in the folder, or above it; None where there is no project, or it has none.

    Raises InvalidProject where they can't be used.
    """
    try:
        root = root_of(folder)
    except InvalidProject:
        return None
    return read_facts(root, Problems())


def variables_of(root: Path, context: ProcessContext) -> dict[str, str]:
    """The process's variables over those of `.env` beside voiceops.yaml; what of them is secret is printed no more.

    Raises InvalidProject where `.env` can't be read.
    """
    path = root / ".env"
    found: dict[str, str] = {}
    if path.is_file():
        from dotenv import dotenv_values

        try:
            values = dotenv_values(path, interpolate=False)
        except (OSError, UnicodeDecodeError) as error:
            raise InvalidProject([Diagnostic(code="file", summary=f".env can't be read: {error}")]) from None
        found = {key: value for key, value in values.items() if value is not None}
    environ = trimmed(found | dict(context.environ))
    context.redactor.learn(environ)
    return environ


def opened_with_problems(
    folder: Path, environment: str | None, context: ProcessContext, problems: Problems | None = None
) -> tuple[Opened, Problems]:
    """The project as far as it can be read, and what is wrong with it. Raises InvalidProject where that is too much."""
    root = root_of(folder)
    environ = variables_of(root, context)
    problems = Problems() if problems is None else problems
    chosen = environment or environ.get("VOICEOPS_ENV")
    preview = context.previews.get(chosen or "")
    if preview is not None:
        project = previewed(load_project(root, preview.source, environ, problems), preview, problems)
    else:
        project = load_project(root, chosen, environ, problems)
    if marker(root, project.environment).exists():
        what = f"a pull of {project.environment} was cut off, or is under way: its objects are not managed yet"
        problems.warning("pull-cut-off", what, project.mark, "`voiceops pull` finishes it.")
    return Opened(project, environ, context), problems


@dataclass(frozen=True, slots=True)
class Loaded(Opened):
    """A project with the graph of its manifests, and what is to be warned of."""

    graph: Graph
    warnings: tuple[Diagnostic, ...] = ()
    checks: Checks = field(default_factory=Checks)


def load(folder: Path | str = ".", environment: str | None = None, context: ProcessContext | None = None) -> Loaded:
    """Read and check the whole project in `folder`, or in the nearest one above it; no network.

    `environment`: None takes VOICEOPS_ENV, else the project's default. Raises InvalidProject with every problem.
    """
    opened, problems = opened_with_problems(Path(folder), environment, context or ProcessContext())
    return loaded_from(opened, problems)


def loaded_from(opened: Opened, problems: Problems | None = None) -> Loaded:
    """The manifests of an opened project. Raises InvalidProject with every problem, those that are known included."""
    problems = Problems() if problems is None else problems
    known = KnownSecrets(opened.environ, opened.context.redactor)
    checks = _checks(opened.project, problems)
    graph = load_graph(opened.project, opened.environ, problems, known)
    warnings = tuple(d for d in problems.all if d.severity == "warning")
    return Loaded(opened.project, opened.environ, opened.context, graph, warnings, checks)


def with_graph(opened: Opened, graph: Graph) -> Loaded:
    """The project with a graph that is not its manifests'. Raises InvalidProject for problems of its rules."""
    problems = Problems()
    checks = _checks(opened.project, problems)
    problems.raise_errors()
    return Loaded(opened.project, opened.environ, opened.context, graph, (), checks)


def check_lints(loaded: Loaded) -> None:
    """What `validate` would not pass is not planned either. Raises InvalidProject."""
    if found := errors(loaded.project, loaded.graph):
        raise InvalidProject(found)


def _checks(project: Project, problems: Problems) -> Checks:
    """What every plan of the project is held against; problems of its rules are collected."""
    budgets = Budgets(project.safety.max_turn_latency_ms, project.safety.max_cost_per_minute)
    return Checks(
        table=Table.of(project.estimates),
        budgets=budgets,
        policies=read_policies(project, problems),
        timer=_rules_timer,
    )


def _rules_timer() -> Callable[[], bool]:
    until = time.monotonic() + _RULES_SECONDS
    return lambda: time.monotonic() > until
