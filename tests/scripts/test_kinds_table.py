"""docs/kinds.md is what the kinds and the facts say."""

from __future__ import annotations

import pytest
from make_kinds_table import OUT, main, page

from voiceops.kinds.registry import ALL, KINDS


def test_the_page_is_up_to_date() -> None:
    assert main(["--check"]) == 0, "run: python scripts/make_kinds_table.py"


def test_every_kind_stands_in_it_with_its_endpoint() -> None:
    text = page()
    assert all(f"| `{name}` |" in text for name in ALL)
    assert all(f"`{place.path}`" in text for kind in KINDS.values() for place in kind.collections())


@pytest.mark.parametrize(
    "place",
    [
        "`members[].assistantId` | `Agent`",
        "`model.toolIds[]` | `Tool`",
        "`server.credentialId` | `Credential`",
        "`artifactPlan.scorecardIds[]` | `Scorecard`",
        "`files[]` | `File`",
        "`targetAssignments[].targetId` | `Squad`",
        "`voice.pronunciationDictId` | `Dictionary`, sent as its `resourceId`",
        "`model.tools[].destinations[].assistantName` | `Agent`, sent as its live name",
    ],
)
def test_places_where_names_stand(place: str) -> None:
    assert f"| {place} |" in OUT.read_text(encoding="utf-8")
