"""Two environments of one account that give the same live names are told so."""

from __future__ import annotations

from pathlib import Path

from tests.support.bench import bench

PROJECT = "version: 1\nproject: shop\nenvironments: [blue, green]\ndefaultEnvironment: blue\n"
AGENT = """kind: Agent
name: {name}
spec: {{firstMessage: Hello, model: {{provider: openai, model: gpt-4.1-mini}}}}
"""


def test_plan_and_validate_name_the_other_environment(tmp_path: Path) -> None:
    with bench(tmp_path) as made:
        made.write("voiceops.yaml", PROJECT)
        for name in ("desk", "sales", "night", "vip"):
            made.write(f"agents/{name}.yaml", AGENT.format(name=name))
        made.run("-e", "blue", "apply", "--auto-approve")
        said = "shares this account, and gives the same live names: Agent/desk, Agent/night, Agent/sales and 1 more"
        assert f"blue {said}" in made.run("-e", "green", "plan").out
        assert "shares this account" not in made.run("-e", "blue", "plan").out
        assert f"blue {said}" in made.run("validate", "-e", "all").out
        assert "shares this account" not in made.run("validate", "-e", "all", VAPI_API_KEY=None).out
        made.write("environments/green.yaml", 'naming: {suffix: " (green)"}\n')
        assert "shares this account" not in made.run("-e", "green", "plan").out
        assert "shares this account" not in made.run("validate", "-e", "all").out


def test_other_accounts_have_other_names(tmp_path: Path) -> None:
    with bench(tmp_path) as made:
        made.write("voiceops.yaml", PROJECT)
        made.write("agents/desk.yaml", AGENT.format(name="desk"))
        made.write("environments/green.yaml", 'providers: {vapi: {apiKey: "${secret:GREEN_KEY}"}}\n')
        assert "shares this account" not in made.run("validate", "-e", "all", GREEN_KEY="another-key").out
