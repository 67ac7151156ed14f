"""What manifests and voiceops.yaml say of tests: whom an eval is run against, and `tests:`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.folder import Folder, errors
from voiceops.manifest.problems import Problems
from voiceops.manifest.project import Trials, load_project

AGENT = "kind: Agent\nname: a\nspec: {model: {provider: openai, model: gpt-4o}}\n---\n"
SQUAD = "kind: Squad\nname: team\nspec: {members: [{assistantId: a}]}\n---\n"
UUID = "00000000-0000-4000-8000-000000000000"


def an_eval(*lines: str) -> str:
    said = "".join(f"  {line}\n" for line in lines)
    return (
        "kind: Eval\nname: e\nspec:\n"
        + said
        + "  type: chat.mockConversation\n  messages: [{role: user, content: Hi}]\n"
    )


@pytest.mark.parametrize(
    ("line", "tested"),
    [
        ("agent: a", "Agent/a"),
        ("agent: Agent/a", "Agent/a"),
        ("squad: team", "Squad/team"),
        (f"agent: {UUID}", UUID),
        ("", None),
    ],
)
def test_an_eval_says_whom_it_is_run_against_and_vapi_is_not_told(
    tmp_path: Path, line: str, tested: str | None
) -> None:
    folder = Folder(tmp_path)
    folder.write("agents/all.yaml", AGENT + SQUAD + an_eval(*filter(None, [line])))
    found = folder.graph().resources["Eval/e"]
    assert found.extra.get("tests") == tested
    assert not {"agent", "squad", "assistantId", "squadId"} & found.body.keys()


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["agent: b"], ("reference", 8)),
        (["agent: team"], ("reference", 8)),
        (["agent: [a]"], ("schema-type", 8)),
        (["agent: ''"], ("schema-type", 8)),
        (["agent: a", "squad: team"], ("eval-target", 9)),
    ],
)
def test_whom_an_eval_can_not_be_run_against(tmp_path: Path, lines: list[str], expected: tuple[str, int]) -> None:
    folder = Folder(tmp_path)
    folder.write("agents/squad.yaml", SQUAD.removesuffix("---\n"))
    folder.write("agents/all.yaml", AGENT + an_eval(*lines))
    assert errors(folder) == [expected]


def test_how_tests_are_run_is_a_setting_that_an_environment_may_change(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    assert load_project(tmp_path, "dev", {}, Problems()).trials == Trials(min_pass=1.0, repeat=1, timeout=900.0)
    folder.project("tests: {minPass: 0.8, timeoutSeconds: 60}\n")
    folder.write("environments/prod.yaml", "tests: {repeat: 5}\n")
    assert load_project(tmp_path, "dev", {}, Problems()).trials == Trials(min_pass=0.8, repeat=1, timeout=60.0)
    assert load_project(tmp_path, "prod", {}, Problems()).trials == Trials(min_pass=0.8, repeat=5, timeout=60.0)


@pytest.mark.parametrize(
    "wrong", ["minPass: 0", "minPass: 2", "repeat: 0", "repeat: 1.5", "timeoutSeconds: no", "x: 1"]
)
def test_settings_of_tests_that_make_no_sense(tmp_path: Path, wrong: str) -> None:
    folder = Folder(tmp_path)
    folder.project(f"tests: {{{wrong}}}\n")
    assert [line for _, line in errors(folder)] == [5]
