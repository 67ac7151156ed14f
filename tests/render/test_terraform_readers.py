"""The plan's JSON as others read it: terraform-compliance, a published tool for Terraform's plans."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.render.plans import small

TOOL = Path(sys.executable).parent / "terraform-compliance"
FEATURE = """
Feature: agents
  Scenario: voices
    Given I have vapi_assistant defined
    When it has voice
    Then it must contain voice
    And it must contain voiceId
    And its value must match the "^{pattern}" regex
"""


@pytest.mark.parametrize(("pattern", "code"), [("paula$", 0), ("sarah$", 1)])
def test_terraform_compliance_reads_it(tmp_path: Path, pattern: str, code: int) -> None:
    plan, _ = small()
    file = tmp_path / "plan.json"
    file.write_text(json.dumps(plan.to_data(version="1", timestamp="2026-01-01T00:00:00+00:00")), encoding="utf-8")
    features = tmp_path / "features"
    features.mkdir()
    (features / "a.feature").write_text(FEATURE.replace("{pattern}", pattern), encoding="utf-8")

    ended = subprocess.run([TOOL, "-f", features, "-p", file], capture_output=True, text=True, timeout=120, check=False)

    assert ended.returncode == code, ended.stdout + ended.stderr
    assert "2 scenarios" not in ended.stdout
    assert "1 scenarios" in ended.stdout
