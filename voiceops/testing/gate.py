"""Tests as a gate: may a plan be applied, by what tests have shown of the content that it would make live? Pure."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from voiceops.engine.planning.rollback_losses import LEFT_OUT as CANNOT_RETURN
from voiceops.errors import Diagnostic, Severity
from voiceops.model.address import kind_of, owner_of
from voiceops.model.graph import Graph
from voiceops.model.plan import Change, Plan, shown
from voiceops.model.values import SENSITIVE, SENSITIVE_UNCHECKED
from voiceops.model.wording import some_of
from voiceops.testing.cases import Chosen
from voiceops.testing.digest import LEFT_OUT, Content, case_digest, reached
from voiceops.testing.kept import KeptResult

_OF_TESTS = frozenset({"Personality", "Scenario", "Simulation", "SimulationSuite", "Eval"})
_CALLED = ("Agent", "Squad")
_AS_THEY_WERE = ("not_in_plan", CANNOT_RETURN)  # reasons of changes that are not sent
_NAMED = 8  # tests that a hint names


@dataclass(frozen=True, slots=True, kw_only=True)
class _Missing:
    """A test that has not passed; `without`: what it tests, too, and this plan leaves out."""

    test: Chosen
    why: str
    without: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TestGate:
    """`tests` with their digests, all that the environment has; `kept` by digest; `severity`: a warning, where it only
    says so; `returning`: of a rollback. `content` is what is asked for, `before` what is in force: where a plan leaves
    a part out, both are applied. `min_pass` is the share of a test's attempts that has to have passed; `unread` says
    whose results could not be read, `unplayable` what is wrong with scripts that are none.
    """

    __test__ = False

    content: Content
    before: Graph | None
    tests: Sequence[Chosen]
    kept: Mapping[str, KeptResult]
    environment: str
    severity: Severity = "error"
    min_pass: float = 1.0
    unread: Sequence[str] = ()
    returning: bool = False
    unplayable: Sequence[Diagnostic] = ()

    def __call__(self, plan: Plan) -> Iterator[Diagnostic]:
        """What speaks against the plan: each test of what changes that has not passed, and who is reached by none."""
        sent = {
            owner_of(change.address) for change in plan.changes if not change.is_no_op and not _only_secrets(change)
        }
        changed = {a for a in sent & self.graph.resources.keys() if kind_of(a) not in (*LEFT_OUT, *_OF_TESTS)}
        if not changed:
            return
        if not self.returning:  # scripts are today's: of what was they say nothing
            yield from (replace(problem, severity=self.severity) for problem in self.unplayable)
        covers = [(test, reached(self.graph, (*test.needs, test.target))) for test in self.tests if test.target]
        after, left = self._in_force_after(plan)
        missing: list[_Missing] = []
        for test, covered in covers:
            if covered & changed:
                digest = case_digest(after, test) if left else test.case.digest
                if why := self._why_not(test, digest):
                    without = tuple(sorted(covered & left)) if digest != test.case.digest else ()
                    missing.append(_Missing(test=test, why=why, without=without))
        run = self._to_run([one.test for one in missing if not one.without])  # said once: it runs all of them
        for one in missing:
            yield self._said(
                one.test.case.agents[0] if one.test.case.agents else one.test.target,
                f"the test {one.test.case.name} {one.why}",
                _apart(one.without) if one.without else run,
            )
            run = run if one.without else ""
        tested = frozenset[str]().union(*(covered for _, covered in covers)) if covers else frozenset()
        for address in sorted(self.graph.resources):
            if kind_of(address) in _CALLED and address not in tested and self._of(address) & changed:
                hint = "Write a suite, an eval or a call script for it: docs/testing.md says how."
                yield self._said(address, f"{address} changes, and no test reaches it", hint)

    @property
    def graph(self) -> Graph:
        """What is asked for."""
        return self.content.graph

    def _in_force_after(self, plan: Plan) -> tuple[Content, set[str]]:
        """What callers will get, and what of it the plan leaves out (`--target`, a saved plan), so that it stays."""
        seen = {owner_of(c.address) for c in plan.changes if c.reason not in _AS_THEY_WERE}
        left = {a for a in self.graph.resources if a not in seen and kind_of(a) not in (*LEFT_OUT, *_OF_TESTS)}
        if not left:
            return self.content, left
        old = self.before.resources if self.before is not None else {}
        resources = {a: one for a, one in self.graph.resources.items() if a not in left}
        resources |= {a: old[a] for a in left if a in old}
        return replace(self.content, graph=replace(self.graph, resources=resources)), left

    def _to_run(self, tests: Sequence[Chosen]) -> str:
        """What to type. What changes is not live yet: a suite or an eval can call it in a preview only."""
        if self.returning:
            return ""  # these are not the manifests of today: nothing that can be typed would run it on them
        if all(test.case.kind == "script" for test in tests):
            say = [f"Run it: voiceops -e {self.environment} test {_named(tests)}"]
        else:
            say = [
                "Run it in a preview, where this content is live:",
                f"voiceops preview up NAME --from {self.environment}",
                f"voiceops -e preview-NAME test {_named(tests)}",
            ]
        return "\n".join([*say, *(f"Not looked at: {why}" for why in self.unread)])

    def _of(self, called: str) -> set[str]:
        """An agent or a squad, and what it uses by itself: whom it hands a call to, or has for a member, is another."""
        found, waiting = {called}, [called]
        while waiting:
            for address in self.graph.dependencies(waiting.pop()):
                if address not in found and kind_of(address) not in _CALLED:
                    found.add(address)
                    waiting.append(address)
        return found

    def _why_not(self, test: Chosen, digest: str) -> str:
        """Why what is known of the test does not do; "" where it does."""
        known = self.kept.get(digest) if digest else None
        if known is not None and known.counts(self.min_pass):
            return ""
        if known is not None and known.passed:
            of = f"{known.passes} of {known.attempts} attempts"
            return f"passed {of} on this content in {known.environment}, {known.at}, which is not enough here"
        if known is not None:
            return f"did not pass when it was run on this content, {known.at}"
        before = [one for one in self.kept.values() if (one.name, one.kind) == (test.case.name, test.case.kind)]
        if not before:
            return "was never run on this content"
        last = max(before, key=lambda one: one.at)
        return f"was not run on this content: the last time, {last.at}, it was another one"

    def _said(self, address: str, summary: str, hint: str) -> Diagnostic:
        resource = self.graph.resources.get(address)
        mark = resource.mark if resource is not None else None
        return Diagnostic(
            code="tests-required", summary=summary, severity=self.severity, mark=mark, address=address, hint=hint
        )


def _named(tests: Sequence[Chosen]) -> str:
    """The tests as they are typed."""
    return " ".join(shlex.quote(test.case.name) for test in tests) if len(tests) <= _NAMED else "--changed"


def _apart(without: Sequence[str]) -> str:
    return (
        f"It tests {some_of(without, _NAMED)}, too, which this plan leaves out: nobody tested what would be live. "
        "Apply together what was tested together."
    )


def _only_secrets(change: Change) -> bool:
    """Is nothing sent but other secrets? No test would hear it, and a leaked secret has to be changed at once."""
    hidden = (SENSITIVE, SENSITIVE_UNCHECKED)
    return bool(change.fields) and all(shown(field.after) in hidden for field in change.fields)
