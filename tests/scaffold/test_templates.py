"""The templates of files: what their README says of them is so, and no variable is left over in what they write."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from jinja2 import meta

from tests.support.bench import REPOSITORY
from voiceops import templating
from voiceops.packaging.release import release_from
from voiceops.runtime.spec import LineSpec, RuntimeSpec, ToolSpec
from voiceops.scaffold.first_project import write_first_project
from voiceops.scaffold.pipeline import pipeline_files
from voiceops.scaffold.runtime_project import write_project
from voiceops.scaffold.stubs import stub_of

TEMPLATES = REPOSITORY / "templates"
RELEASE = release_from(f"https://x.example/voiceops_iac-1-py3-none-any.whl#sha256={'0' * 64}")


def described() -> dict[str, set[str]]:
    """Folder or file → the variables that the README gives it."""
    found: dict[str, set[str]] = {}
    for line in (TEMPLATES / "README.md").read_text().splitlines():
        if re.match(r"\| `", line):
            names, _, variables = line.strip("|").split("|")
            for name in re.findall("`([^`]+)`", names):
                found[name] = set(re.findall("`([^`]+)`", variables))
    return found


def test_the_readme_names_every_template_with_its_variables() -> None:
    said = described()
    used: dict[str, set[str]] = {name: set() for name in said}
    for path in TEMPLATES.rglob("*"):
        name = path.relative_to(TEMPLATES).as_posix()
        if not path.is_file() or name == "README.md" or re.fullmatch(r"lock/\w+\.txt", name):
            continue
        (place,) = (known for known in said if name == known or name.startswith(f"{known}/"))
        if path.suffix == ".j2":
            used[place] |= meta.find_undeclared_variables(templating._files().parse(path.read_text()))
    assert used == said


def test_no_name_is_one_that_tools_act_on_here() -> None:
    for path in TEMPLATES.rglob("*"):
        assert not path.name.startswith("."), "it would be in no wheel"
        assert path.name not in ("Dockerfile", "pyproject.toml", "conftest.py")


def unfilled(files: dict[str, bytes]) -> list[str]:
    return [name for name, content in files.items() if re.search(rb"\[\[|\]\]|\[%|%\]|\[#|#\]", content)]


def folder_files(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.mark.parametrize("with_runtime", [False, True])
@pytest.mark.parametrize("ci", [None, "github", "gitlab"])
def test_what_is_written_has_no_bracket_left(tmp_path: Path, with_runtime: bool, ci: str | None) -> None:
    target = tmp_path / "shop"
    names = write_first_project(target, with_runtime=with_runtime, ci=ci, release=RELEASE if ci else None)
    files = folder_files(target)
    assert set(names) <= files.keys()
    assert unfilled({name: files[name] for name in names}) == []
    assert all(content.endswith(b"\n") for content in files.values())
    assert ("agents/handlers/hours.py" in names) is with_runtime
    assert ("agents/tools.yaml" in names) is with_runtime
    assert b"project: shop\n" in files["voiceops.yaml"]
    assert (b"opening-hours" in files["agents/front-desk.yaml"]) is with_runtime


@pytest.mark.parametrize("answers", ["vapi", "runtime"])
def test_only_who_answers_twilio_is_asked_for_its_token(tmp_path: Path, answers: str) -> None:
    line = LineSpec(address="Phone/main", path="main", answer=answers)
    spec = RuntimeSpec(project="shop", environment="prod", url="https://v.example", auth="hmac", lines=(line,))
    write_project(tmp_path / "out", spec, tmp_path / "handlers", RELEASE)
    files = folder_files(tmp_path / "out")
    assert (b"TWILIO_AUTH_TOKEN" in files[".env.example"]) is (answers == "runtime")
    assert b"\n\n\n" not in files[".env.example"]
    assert unfilled(files) == []


def test_other_peoples_braces_stay(tmp_path: Path) -> None:
    text = pipeline_files("github", "shop", "dev", RELEASE)[".github/workflows/voiceops.yml"].decode()
    assert "${{ matrix.environment }}" in text
    assert 'VOICEOPS_ENV: "dev"' in text
    assert 'VOICEOPS_ENV: ""' in pipeline_files("gitlab", "shop", "", RELEASE)[".gitlab-ci.yml"].decode()


def test_a_tools_words_are_no_template() -> None:
    words = "[[ 7*7 ]] [% if x %] [# gone #] {{ 7*7 }}"
    parameters = {"properties": {"day": {"type": "string", "enum": [words], "description": words}}}
    text = stub_of(ToolSpec(name="t", address="Tool/t", handler="h:t", description=words, parameters=parameters))
    assert text.count(words) == 3
    compile(text, "h.py", "exec")


@pytest.mark.parametrize("name", ["123", "true", "null", "on", "1e5", "2024-01-01", "0x1f"])
def test_a_folder_whose_name_yaml_takes_for_something_else(tmp_path: Path, name: str) -> None:
    write_first_project(tmp_path / name, with_runtime=False, ci=None, release=None)
    assert f'project: "{name}"\n' in (tmp_path / name / "voiceops.yaml").read_text()


def test_a_folder_that_begins_with_a_digit_needs_no_quotes(tmp_path: Path) -> None:
    write_first_project(tmp_path / "2024-shop", with_runtime=False, ci=None, release=None)
    assert "project: 2024-shop\n" in (tmp_path / "2024-shop" / "voiceops.yaml").read_text()
