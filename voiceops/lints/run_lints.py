"""Running the lints: over one environment's graph, or over several environments of one project."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from voiceops.errors import Diagnostic, Mark
from voiceops.kinds.schema import using
from voiceops.lints.all_lints import LINTS, UNUSED
from voiceops.lints.context import Context
from voiceops.lints.ignores import Ignores
from voiceops.lints.rule import Lint
from voiceops.lints.spot import Finding
from voiceops.lints.texts import Texts
from voiceops.lints.tracked_files import tracked_env_files
from voiceops.manifest.problems import Problems
from voiceops.manifest.project import PROJECT_FILE, Project
from voiceops.model.graph import Graph


class Linter:
    """Lints one project. Comments that silence nothing are known only after the last environment."""

    def __init__(self, root: Path, *, tracked: Iterable[str] | None = None) -> None:
        self._texts = Texts(root)
        self._ignores = Ignores(self._texts, LINTS)
        self._tracked = tuple(tracked_env_files(root) if tracked is None else tracked)

    def check(self, project: Project, graph: Graph, warnings: Iterable[Diagnostic] = ()) -> list[Diagnostic]:
        """What the lints find, with those of the given warnings that no comment silences."""
        with using(project.facts):
            return self._check(project, graph, warnings)

    def _check(self, project: Project, graph: Graph, warnings: Iterable[Diagnostic]) -> list[Diagnostic]:
        context = Context(project, graph, self._texts, self._tracked)
        found = Problems()
        said: set[tuple[str, Mark]] = set()  # in a lint's words, so that the schema's are not needed
        for lint in LINTS.values():
            for finding in lint.check(context):
                if lint.instead_of:
                    said.add((lint.instead_of, finding.mark))
                if not self._ignores.silences(lint.code, finding.mark, finding.via):
                    found.add(_diagnostic(lint, finding, graph))
        found.extend(self.silenced(d for d in warnings if d.mark is None or (d.code, d.mark) not in said))
        self._ignores.judge(self._lines_of(context))
        return list(found.all)

    def _lines_of(self, context: Context) -> dict[str, set[int]]:
        """The lines that some value of the environment comes from, of the files with comments."""
        commented = {file for file in context.files if self._ignores.has(file)}
        lines: dict[str, set[int]] = {PROJECT_FILE: {1}, f"environments/{context.project.made_of}.yaml": {1}}
        for resource in context.graph.resources.values() if commented else ():
            for mark in (resource.mark, *resource.sources.values()):
                if mark.file in commented:
                    lines.setdefault(mark.file, set()).add(mark.line)
        return lines | {file: {1} for file in context.handler_files()}

    def silenced(self, diagnostics: Iterable[Diagnostic]) -> list[Diagnostic]:
        """The diagnostics without the warnings that a comment silences."""
        return [d for d in diagnostics if d.severity == "error" or not self._ignores.silences(d.code, d.mark)]

    def unused(self) -> list[Diagnostic]:
        """Comments that silenced nothing in any environment that was checked."""
        found = Problems()
        found.extend(LINTS[UNUSED].diagnostic(finding) for finding in self._ignores.leftovers())
        return list(found.all)


def _diagnostic(lint: Lint, finding: Finding, graph: Graph) -> Diagnostic:
    """The finding as it counts where it stands: some manifests may try what Vapi is thought to refuse."""
    resource = graph.resources.get(finding.address)
    return lint.diagnostic(finding, allowed=resource is not None and resource.allows_at(finding.via or finding.mark))


def errors(project: Project, graph: Graph) -> list[Diagnostic]:
    """What certainly fails live, as `validate` finds it: for a plan, before anything is sent."""
    texts = Texts(project.root)
    context, ignores = Context(project, graph, texts, ()), Ignores(texts, LINTS)
    found = Problems()
    with using(project.facts):
        for rule in LINTS.values():
            for finding in rule.check(context) if rule.severity == "error" else ():
                if not ignores.silences(rule.code, finding.mark, finding.via):
                    found.add(_diagnostic(rule, finding, graph))
    return [diagnostic for diagnostic in found.all if diagnostic.severity == "error"]


def lint(
    project: Project,
    graph: Graph,
    warnings: Iterable[Diagnostic] = (),
    *,
    tracked: Iterable[str] | None = None,
) -> list[Diagnostic]:
    """Everything about one environment, sorted by file and line. `tracked` None: ask git for its `.env` files."""
    linter = Linter(project.root, tracked=tracked)
    found = Problems()
    found.extend(linter.check(project, graph, warnings))
    found.extend(linter.unused())
    return list(found.all)
