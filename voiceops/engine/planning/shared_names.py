"""Live names that two environments of one account give at once: who looks for one finds the other. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from voiceops.errors import Diagnostic
from voiceops.kinds.registry import kind_of_type
from voiceops.model.graph import Graph, Resource
from voiceops.model.wording import some_of

_SHOWN = 3

# (type, live name) → address
LiveNames = Mapping[tuple[str, str], str]


def live_names(resources: Iterable[Resource]) -> dict[tuple[str, str], str]:
    """The live names that these give; of a line its number."""
    return {(r.type, r.name): r.address for r in resources if r.name and kind_of_type(r.type) is not None}


def shared_names(graph: Graph, others: Mapping[str, LiveNames]) -> list[Diagnostic]:
    """A warning for each other environment with live names of this one; `others` by environment, of one account."""
    own = live_names(graph.resources.values())
    found = []
    for environment, names in sorted(others.items()):
        both = sorted(own[key] for key in own.keys() & names.keys())
        if both:
            found.append(
                Diagnostic(
                    code="shared-name",
                    severity="warning",
                    address=both[0],
                    mark=graph.resources[both[0]].mark,
                    summary=f"{environment} shares this account, and gives the same live names: "
                    f"{some_of(both, _SHOWN)}",
                    hint=f'Tell them apart: `naming: {{suffix: " ({graph.environment})"}}` in '
                    f"environments/{graph.environment}.yaml, or an account of its own.",
                )
            )
    return found
