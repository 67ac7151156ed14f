"""Models that Vapi is going to retire, and what taking its replacement changes: latency and cost, by estimate. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from voiceops.engine.lines.traffic_split import retirements
from voiceops.engine.review.estimate import Table, estimate
from voiceops.kinds.registry import KINDS, LINES
from voiceops.model.graph import Graph, reaching
from voiceops.model.values import ABSENT, JSON, Path, get_path, parse_path
from voiceops.upgrade.retiring_model import ModelProposal

RETIRING_KINDS = ("Agent", "Squad")


def proposals(
    live: Mapping[str, Mapping[str, Mapping[str, Any]]], addresses: Mapping[str, str], graph: Graph, table: Table
) -> Iterator[ModelProposal]:
    """A proposal for each notice that a live object carries, by address, then by id.

    `live` are the objects by kind and id, `addresses` the manifests' addresses by live id.
    """
    lines = reaching(graph.edges, *LINES)
    found = [
        (addresses.get(id_, ""), kind, id_, body) for kind, of_kind in live.items() for id_, body in of_kind.items()
    ]
    for address, kind, id_, body in sorted(found, key=lambda one: (not one[0], *one[:3])):
        resource = graph.resources.get(address)
        name = KINDS[kind].name_of(dict(body)) or ""
        named = f" '{name}'" if name else ""
        title = f"{KINDS[kind].title}{named} ({id_})"
        for retirement in retirements(body):
            path = _model_path(retirement.slot, body)
            before, after = None, None
            if kind == "Agent" and path:
                providers = [_line(graph, line) for line in lines.get(address, ())]
                before = estimate(body, providers, table)
                if retirement.replacement:
                    after = estimate(_with(body, path, retirement.replacement), providers, table)
            yield ModelProposal(
                kind=kind,
                id=id_,
                name=name,
                title=address if resource is not None else title,
                address=address if resource is not None else "",
                retirement=retirement,
                path=path,
                mark=resource.sources.get(path) if resource is not None and path else None,
                before=before,
                after=after,
            )


def _model_path(slot: str, body: Mapping[str, Any]) -> Path:
    """Where the model's name stands in the body; empty where the notice means no such place."""
    try:
        path = parse_path(slot)
    except ValueError:
        return ()
    held = get_path(dict(body), path)
    if isinstance(held, str):  # a fallback may be a bare name
        return path
    return (*path, "model") if isinstance(get_path(dict(body), (*path, "model")), str) and held is not ABSENT else ()


def _with(value: Any, path: Path, model: JSON) -> Any:
    """A body with another value at a path that it has."""
    if not path:
        return model
    first, *rest = path
    if isinstance(value, list):
        return [_with(item, tuple(rest), model) if index == first else item for index, item in enumerate(value)]
    return {key: _with(item, tuple(rest), model) if key == first else item for key, item in value.items()}


def _line(graph: Graph, address: str) -> tuple[str, str]:
    body = graph.resources[address].body
    return str(body.get("provider") or "default"), str(body.get("number") or "")
