"""Which tests an environment has, and which of them are wanted. Pure: reads the graph, and scripts that were read.

A test of a suite is one of its simulations against one agent or squad: what Vapi judges is the single call.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from voiceops.errors import Mark, VoiceopsError
from voiceops.manifest.problems import did_you_mean
from voiceops.model.address import kind_of, name_of
from voiceops.model.graph import Graph, Resource, reaching, walk
from voiceops.model.json_in import as_list, maps_in
from voiceops.model.values import Outside, Ref
from voiceops.simulate.script import Script
from voiceops.testing.outcome import TestCase, TestKind

KINDS: tuple[TestKind, ...] = ("suite", "eval", "script")
_UNDER_TEST = ("Agent", "Squad")
_SHOWN = 12  # names in a hint


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadScript:
    """A call script in `tests/`."""

    name: str  # of the file, without its ending
    file: str  # from the project's folder
    script: Script
    source: str = ""  # its text


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """A test to run. What names an object is its address, or a live id where the manifest has one.

    `definition` is the simulation or the eval, `target` the agent or squad. `why_not` says why it can't be run.
    """

    case: TestCase
    suite: str = ""
    definition: str = ""
    target: str = ""
    on_squad: bool = False
    script: Script | None = None
    source: str = ""  # a script's text
    why_not: str = ""

    @property
    def needs(self) -> tuple[str, ...]:
        """The addresses that have to be live for it."""
        return tuple(name for name in (self.suite, self.definition, self.target) if "/" in name)


@dataclass(frozen=True, slots=True, kw_only=True)
class TestsWanted:
    """`names`: of tests or suites, patterns too; `agent`: a name or an address. Empty: all."""

    __test__ = False

    names: tuple[str, ...] = ()
    agent: str = ""
    kinds: tuple[TestKind, ...] = ()

    def takes(self, kind: TestKind) -> bool:
        """Is this kind of test wanted at all?"""
        return not self.kinds or kind in self.kinds


def choose(
    graph: Graph, scripts: Iterable[ReadScript], wanted: TestsWanted, lines_of: Graph | None = None
) -> tuple[Chosen, ...]:
    """The wanted tests, suites first, each sort by name; `lines_of`: whose phone lines reach them, where not these.

    Raises VoiceopsError for a name that no test or agent has.
    """
    agent = _agent(graph, wanted.agent) if wanted.agent else ""
    found = [*_of_suites(graph, agent), *_of_evals(graph, agent), *_of_scripts(graph, scripts)]
    chosen = [test for test in found if wanted.takes(test.case.kind)]
    if agent:
        chosen = [test for test in chosen if agent in test.case.agents]
    for name in wanted.names:
        if not any(_is_called(test, name) for test in chosen):
            raise _unknown(name, chosen if any(_is_called(test, name) for test in found) else found, wanted)
    if wanted.names:
        chosen = [test for test in chosen if any(_is_called(test, name) for name in wanted.names)]
    return tuple(_with_lines(graph, lines_of or graph, chosen))


def _of_suites(graph: Graph, agent: str) -> Iterator[Chosen]:
    for suite in _resources(graph, "SimulationSuite"):
        targets = [_named(item.get("targetId")) for item in maps_in(suite.body.get("targetAssignments"))]
        targets = [target for target in dict.fromkeys(targets) if target]
        if not targets and agent:
            targets = [agent]
        name = name_of(suite.address)
        # One that stands there twice is one test: Vapi's answer tells simulations apart by their ids.
        for played in dict.fromkeys(map(_named, as_list(suite.body.get("simulationIds")))):
            shown = f"{name} / {name_of(played) if '/' in played else played}"
            for target in targets or [""]:
                case = TestCase(
                    name=shown if len(targets) < 2 else f"{shown} ({name_of(target) if '/' in target else target})",
                    kind="suite",
                    agents=_under_test(graph, target),
                    manifest=graph.resources.get(played, suite).mark.place,
                )
                yield Chosen(
                    case=case,
                    suite=suite.address,
                    definition=played,
                    target=target,
                    on_squad=kind_of(target) == "Squad" or _is_squad(suite.body, target),
                    why_not="" if target else _no_target("suite", "targetAssignments", suite.mark),
                )


def _is_squad(body: Mapping[str, Any], target: str) -> bool:
    """Does a suite say of a live id that it is a squad's?"""
    given = maps_in(body.get("targetAssignments"))
    return any(item.get("targetId") == target and item.get("targetType") == "squad" for item in given)


def _of_evals(graph: Graph, agent: str) -> Iterator[Chosen]:
    agents = [address for address in graph.resources if kind_of(address) == "Agent"]
    for item in _resources(graph, "Eval"):
        target = str(item.extra.get("tests") or agent or (agents[0] if len(agents) == 1 else ""))
        case = TestCase(
            name=name_of(item.address), kind="eval", agents=_under_test(graph, target), manifest=item.mark.place
        )
        yield Chosen(
            case=case,
            definition=item.address,
            target=target,
            on_squad=kind_of(target) == "Squad",
            why_not="" if target else _no_target("eval", "agent: NAME", item.mark),
        )


def _of_scripts(graph: Graph, scripts: Iterable[ReadScript]) -> Iterator[Chosen]:
    for item in scripts:
        script = item.script
        line = script.line
        target = script.agent or (line.target if line is not None else None) or ""
        case = TestCase(
            name=item.name, kind="script", agents=_under_test(graph, target), manifest=Mark(item.file, 1, 1).place
        )
        yield Chosen(case=case, target=target, script=script, source=item.source)


def _no_target(what: str, key: str, mark: Mark) -> str:
    return f"the {what} says not whom to test: write {key} in {mark.place}, or give --agent"


def _under_test(graph: Graph, target: str) -> tuple[str, ...]:
    """The agent or squad, and the agents that a squad has for members."""
    if not target or "/" not in target:
        return ()
    members = graph.dependencies(target) if kind_of(target) == "Squad" else ()
    return (target, *(address for address in members if kind_of(address) == "Agent"))


def _with_lines(graph: Graph, lines_of: Graph, chosen: Sequence[Chosen]) -> Iterator[Chosen]:
    """The tests with the place of the agent's manifest, and the phone lines that reach it."""
    lines = reaching(lines_of.edges, "Phone")
    for test in chosen:
        agent = next(iter(test.case.agents), "")
        reached = [line for line in lines.get(agent, ()) if line in lines_of.resources]
        reached = [line for line in dict.fromkeys(reached) if line.count("/") == 1]  # not their Twilio side
        known = graph.resources.get(agent) or graph.externals.get(agent)
        at = known.mark.place if known is not None else ""
        yield replace(test, case=replace(test.case, agent_at=at, lines=tuple(reached)))


def closure(graph: Graph, test: Chosen) -> frozenset[str]:
    """Every address that a test reaches: what it says, whom it tests, and all that those refer to."""
    # A suite's other simulations and targets are other tests.
    starts = [address for address in (test.definition, test.target) if address in graph.edges]
    reached = {address for start in starts for address in walk(graph.edges, start)}
    return frozenset(reached | ({test.suite} if test.suite else set()))


def _is_called(test: Chosen, name: str) -> bool:
    suite = name_of(test.suite) if test.suite else ""
    names = [test.case.name, suite, test.suite, test.definition, test.case.name.partition(" (")[0]]
    if test.definition and "/" in test.definition:
        names.append(name_of(test.definition))
    names = [known for known in names if known]
    pattern = name.replace("[", "[[]")  # of an instance: `support[acme]` is no set of letters
    return name in names or any(fnmatch.fnmatchcase(known, pattern) for known in names)


def _unknown(name: str, among: Sequence[Chosen], wanted: TestsWanted) -> VoiceopsError:
    known = list(dict.fromkeys(name_of(t.suite) if t.suite else t.case.name for t in among))
    narrowed = " of this sort" if wanted.kinds or wanted.agent else ""
    listed = f"Known: {', '.join(known[:_SHOWN])}{', …' if len(known) > _SHOWN else ''}." if known else ""
    return VoiceopsError(
        f"there is no test {name!r}{narrowed}",
        hint=" ".join(filter(None, (did_you_mean(name, known), listed or "The environment has no tests."))),
    )


def _agent(graph: Graph, name: str) -> str:
    """The address that `--agent` means. Raises VoiceopsError where nothing fits."""
    known = sorted(a for a in (*graph.resources, *graph.externals) if kind_of(a) in _UNDER_TEST)
    found = [address for address in known if name in (address, name_of(address))]
    if not found:
        names = [name_of(address) for address in known]
        listed = f"Known: {', '.join(sorted(names)[:_SHOWN])}." if names else "The environment has none."
        raise VoiceopsError(
            f"there is no agent or squad {name!r}", hint=" ".join(filter(None, (did_you_mean(name, names), listed)))
        )
    return found[0]  # an agent before a squad of the same name


def _resources(graph: Graph, kind: str) -> list[Resource]:
    return [graph.resources[address] for address in sorted(graph.resources) if kind_of(address) == kind]


def _named(value: Any) -> str:
    """The address that a body refers to, or the id that stands there."""
    if isinstance(value, (Ref, Outside)):
        return value.address
    return value if isinstance(value, str) else ""
