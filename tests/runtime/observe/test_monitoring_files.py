"""The alert rules and the Grafana dashboard in docs/ ask for figures that a runtime has."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml

from tests.runtime.runtime_bench import serving, spec_of, tool
from voiceops.runtime.observe.metrics_observer import _OUTCOMES

MONITORING = Path(__file__).parents[3] / "docs" / "monitoring"
HANDLERS = "def ok(): return 1\n@on_end_of_call\ndef ended(event): pass"


def test_every_figure_is_there(tmp_path: Path) -> None:
    rules = yaml.safe_load((MONITORING / "alerts.yaml").read_text())["groups"][0]["rules"]
    board = json.loads((MONITORING / "grafana.json").read_text())
    asked = [rule["expr"] for rule in rules] + [one["expr"] for panel in board["panels"] for one in panel["targets"]]
    names = {name for text in asked for name in re.findall(r"voiceops_[a-z_]+", text)}
    assert len(names) > 10
    with serving(tmp_path, spec_of(tool("look", "h:ok")), HANDLERS) as server:
        server.tool("look")
        text = server.get("/metrics").text
    described = (MONITORING.parents[1] / "voiceops/runtime/observe/metrics_observer.py").read_text()
    for name in names:
        assert re.search(rf"^{name}\b", text, re.MULTILINE) or f'"{name.removesuffix("_bucket")}"' in described, name
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])


@pytest.mark.parametrize("outcome", ["failed", "timeout", "busy", "missing", "lost"])
def test_what_counts_as_a_failure_of_a_tool(outcome: str) -> None:
    assert outcome in _OUTCOMES
    assert outcome in (MONITORING / "alerts.yaml").read_text()
