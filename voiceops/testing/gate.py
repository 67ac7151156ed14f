"""Tests as a gate: may a plan be applied, by what tests have shown of the content that it would make live? Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from voiceops.engine.planning.rollback_losses import LEFT_OUT as CANNOT_RETURN
from voiceops.errors import Diagnostic, Severity
from voiceops.model.address import kind_of, owner_of
from voiceops.model.graph import Graph
from voiceops.model.plan import Change, Plan, shown
from voiceops.model.values import SENSITIVE, SENSITIVE_UNCHECKED
from voiceops.testing.cases import Chosen
from voiceops.testing.digest import LEFT_OUT, Content, case_digest, reached
from voiceops.testing.kept import KeptResult

_OF_TESTS = frozenset({"Personality", "Scenario", "Simulation", "SimulationSuite", "Eval"})
_CALLED = ("Agent", "Squad")
_AS_THEY_WERE = ("not_in_plan", CANNOT_RETURN)  # reasons of changes that are not sent
_NAMED = 8  # tests that a hint names


@dataclass(frozen=True, slots=True, kw_only=True)
class TestGate:
    """`tests` with their digests, all that the environment has; `kept` by digest; `severity`: warning of a rollback.

    `content` is what is asked for, `before` what is in force: of a plan that leaves something out, both are applied.
    """

    __test__ = False

    content: Content
    before: Graph | None
    tests: Sequence[Chosen]
    kept: Mapping[str, KeptResult]
    environment: str
    severity: Severity = "error"

    def __call__(self, plan: Plan) -> Iterator[Diagnostic]:
        """What speaks against the plan: each test of what changes that has not passed, and who is reached by none."""
        sent = {
            owner_of(change.address) for change in plan.changes if not change.is_no_op and not _only_secrets(change)
        }
        changed = {a for a in sent & self.graph.resources.keys() if kind_of(a) not in (*LEFT_OUT, *_OF_TESTS)}
        if not changed:
            return
        covers = [(test, reached(self.graph, (*test.needs, test.target))) for test in self.tests if test.target]
        after = self._in_force_after(plan)
        needed = [test for test, covered in covers if covered & changed]
        if after is not self.content:
            needed = [replace(t, case=replace(t.case, digest=case_digest(after, t))) for t in needed]
        missing = [(test, why) for test in needed if (why := self._missing(test))]
        names = [f'"{test.case.name}"' if " " in test.case.name else test.case.name for test, _ in missing]
        run = f"voiceops -e {self.environment} test {' '.join(names) if len(names) <= _NAMED else '--changed'}"
        for test, why in missing:
            yield self._said(
                test.case.agents[0] if test.case.agents else test.target,
                f"the test {test.case.name} {why}",
                f"Run it on this content, here or in a preview: {run}",
            )
        tested = frozenset[str]().union(*(covered for _, covered in covers)) if covers else frozenset()
        for address in sorted(self.graph.resources):
            if kind_of(address) in _CALLED and address not in tested and self._of(address) & changed:
                hint = "Write a suite, an eval or a call script for it: docs/testing.md says how."
                yield self._said(address, f"{address} changes, and no test reaches it", hint)

    @property
    def graph(self) -> Graph:
        """What is asked for."""
        return self.content.graph

    def _in_force_after(self, plan: Plan) -> Content:
        """What callers will get: what the plan leaves out (`--target`, a saved plan) stays as it was."""
        seen = {owner_of(c.address) for c in plan.changes if c.reason not in _AS_THEY_WERE}
        left = {a for a in self.graph.resources if a not in seen and kind_of(a) not in (*LEFT_OUT, *_OF_TESTS)}
        if not left:
            return self.content
        old = self.before.resources if self.before is not None else {}
        resources = {a: one for a, one in self.graph.resources.items() if a not in left}
        resources |= {a: old[a] for a in left if a in old}
        return replace(self.content, graph=replace(self.graph, resources=resources))

    def _of(self, called: str) -> set[str]:
        """An agent or a squad, and what it uses by itself: whom it hands a call to, or has for a member, is another."""
        found, waiting = {called}, [called]
        while waiting:
            for address in self.graph.dependencies(waiting.pop()):
                if address not in found and kind_of(address) not in _CALLED:
                    found.add(address)
                    waiting.append(address)
        return found

    def _missing(self, test: Chosen) -> str:
        known = self.kept.get(test.case.digest) if test.case.digest else None
        if known is not None and known.passed:
            return ""
        if known is not None:
            return f"did not pass when it was run on this content, {known.at}"
        before = [one for one in self.kept.values() if (one.name, one.kind) == (test.case.name, test.case.kind)]
        if not before:
            return "was never run"
        last = max(before, key=lambda one: one.at)
        return f"was not run on this content: the last time, {last.at}, it was another one"

    def _said(self, address: str, summary: str, hint: str) -> Diagnostic:
        resource = self.graph.resources.get(address)
        mark = resource.mark if resource is not None else None
        return Diagnostic(
            code="tests-required", summary=summary, severity=self.severity, mark=mark, address=address, hint=hint
        )


def _only_secrets(change: Change) -> bool:
    """Is nothing sent but other secrets? No test would hear it, and a leaked secret has to be changed at once."""
    hidden = (SENSITIVE, SENSITIVE_UNCHECKED)
    return bool(change.fields) and all(shown(field.after) in hidden for field in change.fields)
