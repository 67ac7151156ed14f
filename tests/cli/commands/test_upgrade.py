"""`upgrade`: the diff, the files, and what an account then sees."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.support.bench import Bench

AGENT = """\
kind: Agent
name: desk
spec:
  firstMessage: Hello
  serverUrl: https://old.example/hook # ours
  endCallFunctionEnabled: true
  recordingEnabled: false
  responseDelaySeconds: 0.6
  model: {provider: openai, model: gpt-4o, systemPrompt: You answer.}
  voice: {provider: 11labs, voiceId: sarah, inputPunctuationBoundaries: ["."]}
"""
NEW = """\
kind: Agent
name: desk
spec:
  firstMessage: Hello
  server:
    url: https://old.example/hook # ours
  artifactPlan:
    recordingEnabled: false
  startSpeakingPlan:
    waitSeconds: 0.6
  model: {provider: openai, model: gpt-4o, systemPrompt: You answer., tools: [{type: endCall}]}
  voice: {provider: 11labs, voiceId: sarah, chunkPlan: {punctuationBoundaries: ["."]}}
"""
PATHS = [
    "artifactPlan",
    "endCallFunctionEnabled",
    "model.tools",
    "recordingEnabled",
    "responseDelaySeconds",
    "server",
    "serverUrl",
    "startSpeakingPlan",
    "voice.chunkPlan",
    "voice.inputPunctuationBoundaries",
]


def test_the_diff_and_nothing_else(live: Bench) -> None:
    live.write("agents/desk.yaml", AGENT + "  backchannelingEnabled: true\n")
    ran = live.run("upgrade")
    assert "--- a/agents/desk.yaml\n+++ b/agents/desk.yaml\n" in ran.out
    assert "-  serverUrl: https://old.example/hook # ours\n" in ran.out
    assert "+  server:\n+    url: https://old.example/hook # ours\n" in ran.out
    assert "agents/desk.yaml:11: spec.backchannelingEnabled stays: Vapi names no successor" in ran.out
    assert "5 old fields to rewrite (--write does it) in 1 file, 1 left." in ran.err
    assert (live.folder / "agents/desk.yaml").read_text().startswith(AGENT)
    assert live.run("upgrade", "--detailed-exitcode", code=2).out == ran.out
    assert live.writes() == []


def test_written(live: Bench) -> None:
    live.write("agents/desk.yaml", AGENT)
    ran = live.run("upgrade", "--write", "--format", "json")
    assert (live.folder / "agents/desk.yaml").read_text() == NEW
    assert ran.data["written"] is True
    assert ran.data["compared"] == ["live"]
    assert [(one["path"], one["line"], one["successor"]) for one in ran.data["files"][0]["rewritten"]] == [
        ("spec.serverUrl", 5, "server.url"),
        ("spec.endCallFunctionEnabled", 6, "model.tools with {type: endCall}"),
        ("spec.recordingEnabled", 7, "artifactPlan.recordingEnabled"),
        ("spec.responseDelaySeconds", 8, "startSpeakingPlan.waitSeconds"),
        ("spec.voice.inputPunctuationBoundaries", 10, "chunkPlan.punctuationBoundaries"),
    ]
    assert "deprecated" not in live.run("validate").out
    assert live.run("upgrade", "--write", "--detailed-exitcode").out == "No old fields.\n"
    assert sorted(path.name for path in (live.folder / "agents").iterdir()) == ["desk.yaml"]


def test_what_an_account_then_sees(live: Bench) -> None:
    live.write("agents/desk.yaml", AGENT)
    live.apply()
    live.run("upgrade", "--write")
    changes = [c for c in live.plan()["resource_changes"] if c["change"]["actions"] != ["no-op"]]
    assert [(c["address"], c["change"]["actions"]) for c in changes] == [("Agent/desk", ["update"])]
    assert sorted(field["path"] for field in changes[0]["change"]["paths"]) == PATHS
    live.apply()
    body = live.live("Agent/desk")
    assert body["server"]["url"] == "https://old.example/hook"
    assert body["model"]["tools"] == [{"type": "endCall"}]
    assert body["artifactPlan"]["recordingEnabled"] is False
    assert body["startSpeakingPlan"]["waitSeconds"] == 0.6
    assert body["voice"]["chunkPlan"]["punctuationBoundaries"] == ["."]
    old = ("serverUrl", "endCallFunctionEnabled", "recordingEnabled", "responseDelaySeconds")
    assert [key for key in old if body.get(key) is not None] == []
    assert live.changes() == {}


def test_defaults_patches_and_each_environment(live: Bench) -> None:
    project = "version: 1\nproject: shop\nenvironments: [live, prod]\ndefaultEnvironment: live\n"
    live.write("voiceops.yaml", project + "defaults:\n  Agent:\n    recordingEnabled: false # all\n")
    live.write(
        "environments/prod.yaml", "patches:\n  - target: Agent/desk\n    merge:\n      responseDelaySeconds: 1\n"
    )
    live.write("agents/desk.yaml", AGENT.replace("  recordingEnabled: false\n", ""))
    ran = live.run("upgrade", "--write", "--format", "json")
    assert ran.data["compared"] == ["live", "prod"]
    assert [file["file"] for file in ran.data["files"]] == [
        "voiceops.yaml",
        "environments/prod.yaml",
        "agents/desk.yaml",
    ]
    assert (
        (live.folder / "environments/prod.yaml")
        .read_text()
        .endswith("    merge:\n      startSpeakingPlan:\n        waitSeconds: 1\n")
    )


def test_another_meaning_is_refused_and_nothing_is_written(live: Bench) -> None:
    live.write(
        "voiceops.yaml",
        "version: 1\nproject: shop\nenvironments: [live]\ndefaults:\n  Agent:\n    server: {url: https://a.example}\n",
    )
    live.write("agents/desk.yaml", AGENT)
    live.write(
        "agents/other.yaml",
        AGENT.replace("desk", "other").replace("serverUrl: https://old.example/hook", "metadata: {}"),
    )
    ran = live.run("upgrade", "--write", code=1)
    assert "nothing was written: Agent/desk would mean something else in server, serverUrl" in ran.err
    assert (live.folder / "agents/desk.yaml").read_text() == AGENT
    live.run("upgrade", "--write", str(live.folder / "agents/other.yaml"))
    assert "recordingEnabled: false\n  startSpeakingPlan" in (live.folder / "agents/other.yaml").read_text()


def test_one_file(live: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    live.write("agents/desk.yaml", AGENT)
    live.write("agents/two.yaml", AGENT.replace("desk", "two"))
    live.run("upgrade", "--write", "agents/two.yaml")  # from the project's folder
    assert (live.folder / "agents/desk.yaml").read_text() == AGENT
    monkeypatch.chdir(live.folder / "agents")
    live.run("upgrade", "--write", "desk.yaml")  # from where the process stands
    assert (live.folder / "agents/desk.yaml").read_text() == NEW


def test_a_project_that_can_not_be_read_is_said(live: Bench) -> None:
    live.write("agents/desk.yaml", AGENT.replace("recordingEnabled: false", "videoRecordingEnabled: false"))
    ran = live.run("upgrade", "--write")
    assert "Not compared" in ran.err
    assert "unknown key videoRecordingEnabled" in ran.err
    assert "videoRecordingEnabled: false\n" in (live.folder / "agents/desk.yaml").read_text()
    live.run("validate")


@pytest.mark.parametrize(
    ("file", "message"),
    [
        ("agents/none.yaml", "there is no file agents/none.yaml"),
        ("agents", "agents is a folder: name its files"),
        ("../outside.yaml", "outside.yaml lies outside the project"),
        ("/etc/passwd", "passwd lies outside the project"),
        (".env", "dot file"),
        ("agents/desk.md", "agents/desk.md is no YAML file"),
        ("agents/broken.yaml", "agents/broken.yaml:2:1: error[yaml-syntax]"),
        ("agents/binary.yaml", "agents/binary.yaml is not UTF-8 text"),
    ],
)
def test_files_that_can_not_be_read(live: Bench, file: str, message: str) -> None:
    live.write("agents/desk.yaml", AGENT)
    live.write("agents/broken.yaml", "kind: [\n")
    live.write("../outside.yaml", AGENT)
    live.write(".env", "A=b\n")
    live.write("agents/desk.md", "You answer.\n")
    (live.folder / "agents/binary.yaml").write_bytes(b"\xff\xfe\x00")
    ran = live.run("upgrade", "--write", "agents/desk.yaml", file, code=1)
    assert message in ran.err
    assert (live.folder / "agents/desk.yaml").read_text() == AGENT


def test_all_files_or_none(live: Bench) -> None:
    live.write("agents/a.yaml", AGENT.replace("desk", "a"))
    live.write("agents/desk.yaml", AGENT)
    path = live.folder / "agents/desk.yaml"
    path.chmod(0o444)
    ran = live.run("upgrade", "--write", code=1)
    assert "agents/desk.yaml is read-only: nothing was written" in ran.err
    assert (live.folder / "agents/a.yaml").read_text() == AGENT.replace("desk", "a")
    assert sorted(os.listdir(live.folder / "agents")) == ["a.yaml", "desk.yaml"]


def test_what_a_file_is_besides_its_text_stays(live: Bench) -> None:
    path = live.folder / "agents/desk.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + AGENT.replace("\n", "\r\n").encode())
    path.chmod(0o640)
    live.run("upgrade", "--write")
    assert path.read_bytes() == b"\xef\xbb\xbf" + NEW.replace("\n", "\r\n").encode()
    assert path.stat().st_mode & 0o777 == 0o640


def test_a_link_stays_one(live: Bench) -> None:
    live.write("common/desk.yaml", AGENT)
    (live.folder / "agents/desk.yaml").symlink_to(Path("../common/desk.yaml"))
    live.run("upgrade", "--write")
    assert (live.folder / "agents/desk.yaml").is_symlink()
    assert (live.folder / "common/desk.yaml").read_text() == NEW


CREDENTIAL = """\
kind: Credential
name: hook
spec:
  provider: custom-credential
  authenticationPlan:
    type: bearer
    token: ${secret:SLACK_HOOK}
    headerName: X-Vapi-Secret
    bearerPrefixEnabled: false
"""


def test_a_credential_and_a_tool_that_are_there(live: Bench) -> None:
    secret = "https://old.example/hook\n  serverUrlSecret: ${secret:SLACK_HOOK}"
    agent = AGENT.replace("https://old.example/hook # ours", secret).replace(
        "You answer.}", "You answer., tools: [bye]}"
    )
    live.write("agents/desk.yaml", agent)
    live.write("agents/bye.yaml", "kind: Tool\nname: bye\nspec: {type: endCall}\n")
    assert "Write one first" in live.run("upgrade").out
    live.write("agents/hook.yaml", CREDENTIAL)
    assert live.run("upgrade", "--write", "--format", "json").data["compared"] == ["live"]
    text = (live.folder / "agents/desk.yaml").read_text()
    assert "  server:\n    url: https://old.example/hook\n    credentialId: hook\n" in text
    assert "tools: [bye]}" in text
    assert "Secret" not in text
