"""Generated requests to everything that the sandbox serves, and every answer held against the facts.

scripts/check_fidelity.py does the same with the vendors' own descriptions.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent.parent / "scripts"))

fidelity = pytest.importorskip("fidelity")

DOCUMENT = fidelity.describe()
COLLECTIONS = [path for path in DOCUMENT["paths"] if "{" not in path]


@pytest.mark.parametrize("collection", COLLECTIONS)
def test_every_answer_is_as_described(collection: str) -> None:
    operations = fidelity.served(DOCUMENT, [collection, f"{collection}/{{id}}"])
    report = fidelity.check(fidelity.describe(), operations, fidelity.Vapi(), examples=4)
    assert report.failures == {}
    assert len(report.cases) == 5
    made = sum(count for status, count in report.statuses.items() if status == "POST 201")
    assert made >= 1, f"nothing could be made: {report.refusals}"


def test_an_answer_that_does_not_fit_is_found() -> None:
    document = fidelity.describe()
    document["components"]["schemas"]["LiveCreateEvalDTO"]["properties"]["messages"] = {"type": "integer"}
    operations = fidelity.served(document, ["/eval", "/eval/{id}"])
    report = fidelity.check(document, operations, fidelity.Vapi(), examples=4)
    assert any(key.startswith("POST /eval: Response violates schema") for key in report.failures)
