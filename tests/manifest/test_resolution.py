"""From files to the desired graph: which files are read, and where each value and each problem stands."""

from __future__ import annotations

import pytest

from tests.support.folder import Folder, write_parts
from voiceops.model.values import parse_path

# where a problem is


def test_every_place_is_right_through_parts_and_defaults(folder: Folder) -> None:
    folder.project(
        """\
        defaults:
          Agent:
            startSpeakingPlan:
              waitSeconds: 99
        """
    )
    folder.write(
        "agents/parts.yaml",
        """\
        kind: Voice
        name: base
        spec:
          provider: 11labs
          voiceId: sarah
          chunkPlan:
            enabled: true
            formatPlan: {enabled: "yes"}
        """,
    )
    folder.write(
        "agents/a.yaml",
        """\
        kind: Agent
        name: a
        spec:
          model:
            provider: openai
            model: gpt-4o
            messages:
              - {role: system, content: Hi}
              - {role: user, content: Ho, extra: 1}
          voice: {from: base, speed: fast}
        """,
    )

    found = {
        (d.mark.file, d.mark.line, d.mark.column, d.mark.path.rpartition(":")[2])
        for d in folder.problems()
        if d.mark and d.severity == "error"
    }

    assert ("voiceops.yaml", 8, 7, "defaults.Agent.startSpeakingPlan.waitSeconds") in found
    assert ("agents/parts.yaml", 8, 18, "spec.voice.chunkPlan.formatPlan.enabled") in found or (
        "agents/parts.yaml", 8, 18, "spec.chunkPlan.formatPlan.enabled"
    ) in found  # fmt: skip
    assert ("agents/a.yaml", 9, 35, "spec.model.messages[1].extra") in found
    assert ("agents/a.yaml", 10, 23, "spec.voice.speed") in found
    assert len(found) == 4


def test_sources_lead_from_the_live_field_to_the_manifests_line(folder: Folder) -> None:
    write_parts(folder)
    folder.project("defaults: {Agent: {silenceTimeoutSeconds: 30}}\n")
    folder.write(
        "agents/a.yaml",
        """\
        kind: Agent
        name: a
        spec:
          model:
            provider: openai
            model: gpt-4o
            systemPrompt: Hi
          voice: {from: base, speed: 1.1}
        """,
    )

    resource = folder.graph().resources["Agent/a"]

    def place(path: str) -> tuple[str, int, str]:
        mark = resource.source_of(parse_path(path))
        return mark.file, mark.line, mark.path

    assert place("model.messages[0].content") == ("agents/a.yaml", 7, "spec.model.systemPrompt")
    assert place("voice.speed") == ("agents/a.yaml", 8, "spec.voice.speed")
    assert place("voice.voiceId") == ("agents/parts.yaml", 3, "Voice/base:spec.voiceId")
    assert place("silenceTimeoutSeconds")[:2] == ("voiceops.yaml", 5)
    assert place("name") == ("agents/a.yaml", 1, "name")
    assert place("nothing.here") == ("agents/a.yaml", 1, "kind")


# agents without a problem


def test_an_empty_project_is_an_empty_graph(folder: Folder) -> None:
    assert folder.graph().resources == {}


@pytest.mark.parametrize(
    ("path", "read"),
    [
        ("agents/deep/er/a.yaml", True),
        ("agents/a.yml", True),
        ("agents/.hidden/a.yaml", False),
        ("agents/a.json", False),
        ("elsewhere/a.yaml", False),
    ],
)
def test_which_files_are_read(folder: Folder, path: str, read: bool) -> None:
    folder.write(path, "kind: Agent\nname: a\nspec: {}\n")

    assert ("Agent/a" in folder.graph().resources) is read
