"""What an agent's next answer takes and what a minute with it costs, from its body and a table of ballpark figures.

The table is schema/estimates.json, which a project may override. A part that the table doesn't list takes its
provider's figures, or everybody's, and is named as assumed. Pure; what the figures mean is in docs/estimates.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from voiceops.engine.lines.twilio_number import BUYS
from voiceops.kinds.registry import LINES
from voiceops.kinds.schema import facts
from voiceops.model.address import is_twilio_side, kind_of, owner_of, twilio_side
from voiceops.model.estimates import AgentEstimate, Estimate, Estimates
from voiceops.model.graph import Graph, reaching
from voiceops.model.json_in import as_number
from voiceops.model.plan import DELETE, Change, Plan
from voiceops.model.values import merge_patch

_CHARACTERS_PER_WORD = 6  # a space included
_TOKENS_PER_WORD = 1.35
_CHARACTERS_PER_TOKEN = 4
_TOLL_FREE = tuple(f"+1{code}" for code in ("800", "833", "844", "855", "866", "877", "888"))


@dataclass(frozen=True, slots=True)
class Table:
    """The figures of one project."""

    data: Mapping[str, Any]

    @classmethod
    def of(cls, overrides: Mapping[str, Any] | None = None) -> Table:
        """The figures of schema/estimates.json, with a project's own laid over them."""
        return cls(merge_patch(facts("estimates"), overrides or {}))

    def number(self, *path: str) -> float:
        """A figure by its path; 0 where the table has none."""
        value: Any = self.data
        for key in path:
            value = value.get(key) if isinstance(value, Mapping) else None
        return _number(value)

    def figures(self, section: str, provider: str, model: str = "") -> tuple[Mapping[str, Any], bool]:
        """The figures of a provider's model (the longest listed beginning of its name), and whether it is listed."""
        entries: Mapping[str, Any] = self.data.get(section) or {}
        found = entries.get(provider) if provider != "default" else None
        if not isinstance(found, Mapping):
            return entries.get("default") or {}, False
        models: Mapping[str, Any] = found.get("models") or {}
        named = [name for name in models if model.startswith(name)]
        if not named:
            return found, not model or not models
        return {**found, **models[max(named, key=len)]}, True


def estimates(plan: Plan, graph: Graph, table: Table) -> Estimates:
    """Every agent before and after the plan, and the numbers' rent."""
    changes = {change.address: change for change in plan.changes}
    lines = reaching(graph.edges, *LINES)
    agents = []
    for address in sorted(_agents(graph, changes)):
        change, resource = changes.get(address), graph.resources.get(address)
        providers = _providers(graph, changes, lines.get(address) or (change.affects if change else ()))
        after = estimate(resource.body, providers, table) if resource is not None else None
        if change is None or change.is_no_op:
            before = after  # nothing changes, or the plan was not asked about it
        else:
            before = estimate(change.before, providers, table) if change.before else None
        if change is not None and change.actions == DELETE:
            after = None
        agents.append(AgentEstimate(address, before, after))
    before_rent, after_rent = _rents(graph, changes, table)
    return Estimates(
        agents=tuple(agents),
        numbers_before=before_rent,
        numbers_after=after_rent,
        currency=str(table.data.get("currency") or "USD"),
        date=str(table.data.get("date") or ""),
    )


def estimate(body: Mapping[str, Any], providers: Iterable[tuple[str, str]], table: Table) -> Estimate:
    """One agent. `providers` are the lines that lead to it: provider and number."""
    lines = list(providers)
    assumed = []
    model, known_model = table.figures("models", *_named(body.get("model")))
    latency = {"transcriber": 0, "endpointing": 0, "model": _whole(model.get("latencyMs")), "voice": 0, "wait": 0}
    cost = {"platform": table.number("platform", "costPerMinute")}
    if not known_model:
        assumed.append("model")
    if _number(model.get("speechPerMinute")):
        # Speech in, speech out: neither a transcriber nor a voice takes part.
        cost["model"] = _number(model.get("speechPerMinute"))
    else:
        transcriber, known_transcriber = table.figures("transcribers", *_named(body.get("transcriber")))
        voice, known_voice = table.figures("voices", *_named(body.get("voice")))
        assumed += [part for part, known in (("transcriber", known_transcriber), ("voice", known_voice)) if not known]
        latency["transcriber"] = _whole(transcriber.get("latencyMs"))
        latency["endpointing"] = _endpointing(body, table)
        latency["voice"] = _whole(voice.get("latencyMs"))
        cost["transcriber"] = _number(transcriber.get("costPerMinute"))
        cost["model"] = _model_cost(body, model, table)
        cost["voice"] = _words(table) * _CHARACTERS_PER_WORD / 1000 * _number(voice.get("perThousandCharacters"))
    latency["wait"] = _wait(body, table, latency["model"] + latency["voice"])
    latency["network"] = _whole(table.number("network", "phoneLatencyMs" if lines else "latencyMs"))
    cost["telephony"] = max((_telephony(table, *line)[0] for line in lines), default=0.0)
    return Estimate({part: value for part, value in latency.items() if value or part != "wait"}, cost, tuple(assumed))


def _named(part: Any) -> tuple[str, str]:
    if not isinstance(part, Mapping):
        return "default", ""
    return str(part.get("provider") or "default"), str(part.get("model") or "")


def _endpointing(body: Mapping[str, Any], table: Table) -> int:
    """Milliseconds until the caller's turn is taken to be over."""
    transcriber = body.get("transcriber") if isinstance(body.get("transcriber"), Mapping) else {}
    plan = body.get("startSpeakingPlan") if isinstance(body.get("startSpeakingPlan"), Mapping) else {}
    assert isinstance(transcriber, Mapping)
    assert isinstance(plan, Mapping)
    provider, model = _named(transcriber)
    built_in: Mapping[str, Any] = (table.data.get("endpointing") or {}).get("builtIn") or {}
    named = next((name for name in sorted(built_in) if model.startswith(name)), None)
    if named is not None:
        return _whole(built_in[named])
    defaults: Mapping[str, Any] = (table.data.get("endpointing") or {}).get("transcriber") or {}
    silence = transcriber.get("endpointing", defaults.get(provider, defaults.get("default")))
    smart = plan.get("smartEndpointingPlan")
    if smart or plan.get("smartEndpointingEnabled"):
        by_provider: Mapping[str, Any] = (table.data.get("endpointing") or {}).get("smart") or {}
        name = str(smart.get("provider")) if isinstance(smart, Mapping) else str(plan.get("smartEndpointingEnabled"))
        return _whole(silence) + _whole(by_provider.get(name, by_provider.get("default")))
    waits = plan.get("transcriptionEndpointingPlan")
    share = table.number("endpointing", "noPunctuationShare")
    seconds = [
        _number(waits.get(key)) if isinstance(waits, Mapping) and key in waits else table.number("endpointing", key)
        for key in ("onPunctuationSeconds", "onNoPunctuationSeconds")
    ]
    return _whole(silence) + _whole(1000 * (seconds[0] * (1 - share) + seconds[1] * share))


def _wait(body: Mapping[str, Any], table: Table, pipeline: int) -> int:
    """`waitSeconds` is a minimum: it costs only what model and voice leave of it."""
    plan = body.get("startSpeakingPlan")
    given = plan.get("waitSeconds") if isinstance(plan, Mapping) else None
    seconds = table.number("endpointing", "waitSeconds") if given is None else _number(given)
    return max(0, _whole(1000 * seconds) - pipeline)


def _words(table: Table) -> float:
    return table.number("conversation", "wordsPerMinute") * table.number("conversation", "agentShare")


def _model_cost(body: Mapping[str, Any], figures: Mapping[str, Any], table: Table) -> float:
    """Every turn sends the prompt and what was said so far; only what the agent says comes out."""
    model = body.get("model")
    messages = model.get("messages") if isinstance(model, Mapping) else None
    prompt = sum(
        len(m["content"])
        for m in (messages if isinstance(messages, list) else ())
        if isinstance(m, dict) and isinstance(m.get("content"), str)
    )
    sent = prompt / _CHARACTERS_PER_TOKEN + table.number("conversation", "historyTokens")
    return (
        table.number("conversation", "turnsPerMinute") * sent * _number(figures.get("inputPerMillion"))
        + _words(table) * _TOKENS_PER_WORD * _number(figures.get("outputPerMillion"))
    ) / 1_000_000


def _telephony(table: Table, provider: str, number: str) -> tuple[float, float]:
    """A line's price a minute and a month."""
    figures, _ = table.figures("telephony", provider)
    if number.startswith(_TOLL_FREE) and isinstance(figures.get("tollFree"), Mapping):
        figures = figures["tollFree"]
    return _number(figures.get("costPerMinute")), _number(figures.get("perMonth"))


def _providers(graph: Graph, changes: Mapping[str, Change], lines: Iterable[str]) -> list[tuple[str, str]]:
    return [_line(graph, changes, address) for address in lines]


def _line(graph: Graph, changes: Mapping[str, Change], address: str) -> tuple[str, str]:
    resource, change = graph.resources.get(address), changes.get(address)
    body = resource.body if resource is not None else (change.before if change is not None else None) or {}
    return str(body.get("provider") or "default"), str(body.get("number") or "")


def _agents(graph: Graph, changes: Mapping[str, Change]) -> set[str]:
    named = {a for a, resource in graph.resources.items() if resource.kind == "Agent"}
    return named | {a for a, change in changes.items() if change.kind == "Agent" and a == owner_of(a)}


def _rents(graph: Graph, changes: Mapping[str, Change], table: Table) -> tuple[float, float]:
    """A number is paid for while the account has it: bought by the plan only after, given back only before."""
    phones = {a for a in {*graph.resources, *changes} if kind_of(a) in LINES and not is_twilio_side(a)}
    before = after = 0.0
    for address in sorted(phones):
        if address != owner_of(address):
            continue
        provider, number = _line(graph, changes, address)
        rent = _telephony(table, provider, number)[1]
        change = changes.get(twilio_side(address)) or changes.get(address)
        bought = change is not None and BUYS in change.notes
        given_back = change is not None and change.actions == DELETE and _given_back(change)
        before += 0.0 if bought else rent
        after += 0.0 if given_back else rent
    return round(before, 2), round(after, 2)


def _given_back(change: Change) -> bool:
    """Deleted at its provider; a Twilio number's settings alone are written back instead, and the number stays."""
    return not (is_twilio_side(change.address) and any("stays" in note for note in change.notes))


def _number(value: Any) -> float:
    return as_number(value) or 0.0


def _whole(value: Any) -> int:
    return round(_number(value))
