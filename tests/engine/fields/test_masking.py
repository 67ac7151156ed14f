"""What may be shown of a live object: the quick way, by the names of secrets, hides what the slow way hides."""

from __future__ import annotations

import random
from typing import Any

import pytest

from tests.truth.values import MISSING, Values
from voiceops.engine.fields.masking import HIDDEN, _visible, visible
from voiceops.kinds.nodes import body_node, secret_names
from voiceops.kinds.registry import KINDS
from voiceops.kinds.schema import root
from voiceops.model.values import leaves, set_path

NAMES = sorted(secret_names() | {"headers", "metadata", "name"})


def test_names_of_secrets_are_read_from_the_facts() -> None:
    assert {"apiKey", "serverUrlSecret", "secret", "authToken", "password"} <= secret_names()
    assert "name" not in secret_names()


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_the_quick_way_hides_what_the_slow_one_hides(kind: str) -> None:
    node = body_node(KINDS[kind], "create")
    hidden = 0
    for seed in range(40):
        live = _body(kind, seed)
        shown = visible(kind, live)
        assert shown == _visible(node, live, [])
        hidden += sum(leaf == HIDDEN for _, leaf in leaves(shown))
    assert hidden or kind in ("Dictionary", "File", "KnowledgeBase", "Scenario", "Scorecard", "Simulation")


def test_an_object_without_secrets_is_shown_as_it_is() -> None:
    live = {"name": "a", "model": {"provider": "openai", "messages": [{"role": "system", "content": "Be kind."}]}}

    assert visible("Agent", live) is live


def _body(kind: str, seed: int) -> dict[str, Any]:
    """A body out of the facts, with values under the names of secrets in some of its maps."""
    chosen, values = random.Random(seed), Values(seed)
    found = values.value(root(kind), 0)
    body: dict[str, Any] = found if found is not MISSING and isinstance(found, dict) else {}
    maps = [(), *{path[:end] for path, _ in leaves(body) for end in range(1, len(path)) if isinstance(path[end], str)}]
    for where in chosen.choices(sorted(maps, key=str), k=chosen.randint(0, 3)):
        name = chosen.choice(NAMES)
        set_path(body, (*where, name), {"x-api-key": "k", "x": "y"} if name == "headers" else "a value")
    return body
