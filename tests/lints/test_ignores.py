"""Comments that silence lints, and comments that silence nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.lints.projects import PROJECT, places, validate, write
from voiceops.lints.run_lints import Linter
from voiceops.manifest.compose import load_graph
from voiceops.manifest.problems import Problems
from voiceops.manifest.project import load_project

BAD = "kind: Agent\nname: a\nspec:\n  voice: {provider: vapi, voiceId: elliot}\n"


def _with(comment: str, line: int, *, behind: bool = False) -> str:
    lines = BAD.splitlines()
    if behind:
        lines[line - 1] += f" {comment}"
    else:
        lines.insert(line - 1, comment)
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize(
    "text",
    [
        _with("# voiceops: ignore[VO112]", 4, behind=True),
        _with("# voiceops: ignore[vapi-voice-name]", 4, behind=True),
        _with("  # voiceops: ignore[VO112]", 4),
        _with("#voiceops:ignore[VO112]", 4),
        _with("  # voiceops: ignore[VO112] since the clone is called so\n\n  # another comment", 4),
        _with("# voiceops: ignore-file[VO112]", 1),
        _with("# a file of agents\n# voiceops: ignore-file[ vapi-voice-name ]\n---", 1),
    ],
)
def test_a_comment_silences(text: str, tmp_path: Path) -> None:
    assert validate(tmp_path, {"agents/a.yaml": text}) == []


def test_several_in_one_comment(tmp_path: Path) -> None:
    text = BAD.replace("elliot}", "elliot} # voiceops: ignore[VO111, VO112]").replace(
        "name: a\n", "name: a\nallowUnknown: true\n"
    )
    text = text.replace("voiceId: elliot", "voiceId: elliot, stability: 1")
    assert validate(tmp_path, {"agents/a.yaml": text}) == []


@pytest.mark.parametrize(
    ("text", "expected", "said"),
    [
        (_with("# voiceops: ignore[VO112]", 1, behind=True), [("VO001", 1), ("VO112", 4)], "silences nothing"),
        (_with("# voiceops: ignore[VO101]", 4, behind=True), [("VO001", 4), ("VO112", 4)], "silences nothing"),
        (_with("# voiceops: ignore[VO101, VO112]", 4, behind=True), [("VO001", 4)], "ignore[VO101] silences nothing"),
        (_with("# voiceops: ignore[VO999]", 4, behind=True), [("VO001", 4), ("VO112", 4)], "no lint 'VO999'"),
        (_with("# voiceops: ignore", 4, behind=True), [("VO001", 4), ("VO112", 4)], "names no lint"),
        (_with("# voiceops: ignore[]", 4, behind=True), [("VO001", 4), ("VO112", 4)], "names no lint"),
        (_with("# voiceops: ignore-file[VO112]", 3), [("VO001", 3), ("VO112", 5)], "at the top"),
        (_with("# voiceops: ignore[VO112]", 5), [("VO001", 5), ("VO112", 4)], "silences nothing"),
    ],
)
def test_a_comment_that_does_nothing(text: str, expected: list[tuple[str, int]], said: str, tmp_path: Path) -> None:
    found = validate(tmp_path, {"agents/a.yaml": text})
    assert sorted((code, line) for code, _, line in places(found)) == expected, "\n".join(map(str, found))
    [unused] = [d for d in found if d.code == "VO001"]
    assert said in unused.summary
    assert unused.severity == "warning"


def test_a_comment_behind_a_value_is_not_about_the_next_line(tmp_path: Path) -> None:
    text = "kind: Agent\nname: a\nspec: # voiceops: ignore[VO112]\n  voice: {provider: vapi, voiceId: elliot}\n"
    assert [d.code for d in validate(tmp_path, {"agents/a.yaml": text})] == ["VO001", "VO112"]


def test_text_that_is_no_comment(tmp_path: Path) -> None:
    text = BAD.replace("elliot}", "Elliot}") + "  firstMessage: 'Press the hash#voiceops: ignore[VO112] key.'\n"
    assert validate(tmp_path, {"agents/a.yaml": text}) == []


def test_warnings_of_the_schema_can_be_ignored_and_errors_not(tmp_path: Path) -> None:
    old = "kind: Agent\nname: a\nspec:\n  backgroundDenoisingEnabled: true # voiceops: ignore[schema-deprecated]\n"
    assert validate(tmp_path, {"agents/a.yaml": old}) == []
    wrong = "kind: Agent\nname: a\nspec:\n  maxDurationSeconds: 1 # voiceops: ignore[schema-range]\n"
    assert [d.code for d in validate(tmp_path, {"agents/a.yaml": wrong})] == ["schema-range"]


def test_comments_of_manifests_that_this_environment_leaves_out(tmp_path: Path) -> None:
    text = "kind: Agent\nname: b\nspec: {firstMessage: Hi}\n---\n" + BAD.replace("spec:", "environments: [prod]\nspec:")
    text = text.replace("elliot}", "elliot} # voiceops: ignore[VO112]")
    files = {"voiceops.yaml": PROJECT + "environments: [dev, prod]\n", "agents/a.yaml": text}
    assert validate(tmp_path, files, "dev") == []
    assert validate(tmp_path, files, "prod") == []


def test_over_all_environments_a_comment_must_be_of_use_in_one(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "voiceops.yaml": PROJECT + "environments: [dev, prod]\nvariables: {voice: Elliot}\n",
            "environments/prod.yaml": "variables: {voice: elliot}\n",
            "agents/a.yaml": BAD.replace("elliot}", "'${var:voice}'} # voiceops: ignore[VO112]")
            + "  firstMessage: Hi # voiceops: ignore[VO203]\n",
        },
    )
    linter = Linter(tmp_path, tracked=())
    for environment in ("dev", "prod"):
        problems = Problems()
        project = load_project(tmp_path, environment, {}, problems)
        assert linter.check(project, load_graph(project, {}, problems)) == []
    assert places(linter.unused()) == [("VO001", "agents/a.yaml", 5)]


def test_in_a_handler(tmp_path: Path) -> None:
    files = {
        "voiceops.yaml": PROJECT + "runtime: {url: https://v.example}\n",
        "agents/handlers/h.py": "def f() -> str:\n    return 'wss://api.vapi.ai'\n",
        "agents/a.yaml": "kind: Agent\nname: a\nspec:\n  server: runtime\n"
        "  model: {provider: openai, model: gpt-4.1-mini, tools: [t]}\n---\nkind: Tool\nname: t\nspec:\n"
        "  type: function\n  function: {name: f, description: Does it.}\n  server: runtime\nhandler: h:f\n",
    }
    assert places(validate(tmp_path, files)) == [("VO406", "agents/handlers/h.py", 2)]
    files["agents/handlers/h.py"] = "def f() -> str:\n    return 'wss://api.vapi.ai'  # voiceops: ignore[VO406]\n"
    assert validate(tmp_path, files) == []
    files["agents/handlers/h.py"] = "def f() -> str:\n    return 'hi'  # voiceops: ignore[VO406]\n"
    assert places(validate(tmp_path, files)) == [("VO001", "agents/handlers/h.py", 2)]
