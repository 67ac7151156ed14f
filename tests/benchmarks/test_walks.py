"""How far one reads to follow a change of a prompt, a rollback and a tool call. A number here grows only with a
thing that every change passes: the last ones are previews, the prompts' places, and words that many files had each in
their own way."""

from __future__ import annotations

from benchmarks.walks import walks

MOST = {  # modules that are entered, and moves between them; a wait more or less is no failure
    "a prompt change": (148, 653),
    "a rollback": (132, 593),
    "a tool call": (22, 50),
}


def test_no_walk_grows_longer() -> None:
    found = {walk.name: (len(walk.modules), walk.moves) for walk in walks()}
    longer = {
        name: count for name, count in found.items() if any(a > b for a, b in zip(count, MOST[name], strict=True))
    }
    assert found.keys() == MOST.keys()
    assert not longer, f"`python -m benchmarks.walks NAME` shows where; at most {MOST}"
