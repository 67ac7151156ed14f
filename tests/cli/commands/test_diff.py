"""`diff`: revisions, a revision against the manifests, and environments."""

from __future__ import annotations

from tests.apply.manifests import AGENT, LINE, TOOL
from tests.support.bench import Bench


def test_a_revision_against_another_and_against_the_manifests(desk: Bench) -> None:
    desk.edit("agents/agent.yaml", "Hello", "Good day")
    desk.write("agents/more.yaml", "kind: Tool\nname: bye\nspec: {type: endCall}\n")
    desk.apply()
    text = desk.run("diff", "1", "2").out
    assert "~ Agent/desk" in text
    assert 'firstMessage: "Hello" → "Good day"' in text
    assert "+ Tool/bye · only in revision 2" in text
    assert "2 of the objects differ" in text
    back = desk.run("diff", "2", "1", "--format", "json").data
    assert [(d["address"], d["difference"]) for d in back["differences"]] == [
        ("Agent/desk", "changed"),
        ("Tool/bye", "first_only"),
    ]
    assert back["differences"][0]["fields"] == [{"path": "firstMessage", "first": "Good day", "second": "Hello"}]

    assert "nothing differs" in desk.run("diff", "2", "--detailed-exitcode").out
    desk.edit("agents/agent.yaml", "Be kind.", "Be very kind.")
    changed = desk.run("diff", "2", "--detailed-exitcode", code=2).out
    assert "+ Be very kind." in changed
    assert "spec.model.systemPrompt (agents/agent.yaml:" in changed
    assert desk.run("diff", "2").code == 0


def test_what_is_no_question_is_an_error(desk: Bench) -> None:
    assert "no revision 9" in desk.run("diff", "9", code=1).err
    assert "one or two revisions" in desk.run("diff", code=1).err
    assert "one or two revisions" in desk.run("diff", "1", "2", "3", code=1).err
    assert "no environment" in desk.run("diff", "-e", "live", "-e", "liev", code=1).err


def test_secrets_never_show_and_never_differ_by_being_literal(desk: Bench) -> None:
    desk.write(
        "agents/crm.yaml",
        "kind: Credential\nname: crm\nspec:\n  provider: custom-llm\n  apiKey: sk-literal-s3cr3t\n",
    )
    desk.apply()
    assert "nothing differs" in desk.run("diff", "2").out
    shown = desk.run("diff", "1", "2").out
    assert "Credential/crm" in shown
    assert "s3cr3t" not in shown


PROJECT = """\
version: 1
project: shop
environments: [staging, prod]
defaultEnvironment: staging
runtime: {url: "https://voice.staging.example"}
"""


def two(made: Bench) -> None:
    """One account, two environments: prod has a patch, a setting and a number of its own."""
    made.write("voiceops.yaml", PROJECT)
    made.write("environments/staging.yaml", 'naming: {suffix: " (staging)"}\n')
    made.write(
        "environments/prod.yaml",
        "runtime: {url: https://voice.acme.example}\nsafety: {confirm: true}\n"
        "patches:\n- {target: Agent/desk, merge: {voice: {speed: 1.1}}}\n"
        '- {target: Phone/line, merge: {number: "+14155550101"}}\n',
    )
    made.write("agents/agent.yaml", AGENT + "  server: runtime\n")
    made.write("agents/tool.yaml", TOOL)
    made.write("agents/line.yaml", LINE)
    made.write("agents/test.yaml", "kind: Tool\nname: probe\nenvironments: [staging]\nspec: {type: endCall}\n")


def test_two_environments_differ_only_in_what_somebody_wrote(live: Bench) -> None:
    two(live)
    found = live.run("diff", "-e", "staging", "-e", "prod", "--format", "json").data
    differences = {d["address"]: d for d in found["differences"]}
    assert set(differences) == {"Agent/desk", "Phone/line", "Tool/probe"}
    # Neither the live name, nor the runtime's address, nor an id is a difference.
    assert differences["Agent/desk"]["fields"] == [{"path": "voice.speed", "first": 1.0, "second": 1.1}]
    assert [f["path"] for f in differences["Phone/line"]["fields"]] == ["number"]
    assert differences["Tool/probe"]["difference"] == "first_only"
    assert found["settings"]["runtime.url"] == ["https://voice.staging.example", "https://voice.acme.example"]
    assert found["settings"]["naming.suffix"] == [" (staging)", ""]
    assert found["live"] == {"staging": None, "prod": None}


def test_a_promotion_is_seen_until_it_is_applied(live: Bench) -> None:
    two(live)
    for name, more in (("staging", ()), ("prod", ("--confirm", "prod"))):
        live.run("-e", name, "apply", "--auto-approve", *more)
    live.edit("agents/agent.yaml", "Hello", "Good day")
    live.run("-e", "staging", "apply", "--auto-approve")
    text = live.run("-e", "staging", "diff", "-e", "prod").out
    assert "voice.speed: 1.0 → 1.1" in text
    live_part = text[text.index("Live:") :]
    assert "staging: revision 2" in live_part
    assert "as its manifests say" in live_part
    assert "prod: revision 1" in live_part
    assert "Agent/desk: not as the manifests say: firstMessage" in live_part
    live.run("-e", "prod", "apply", "--auto-approve", "--confirm", "prod")
    found = live.run("diff", "-e", "staging", "-e", "prod", "--format", "json", "--detailed-exitcode", code=2).data
    assert [found["live"][name]["pending"] for name in ("staging", "prod")] == [[], []]
    assert found["live"]["prod"]["revision"] == 2
