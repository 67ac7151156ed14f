"""Two organizations of one checkout: each environment of the project means what its organization alone would mean."""

from __future__ import annotations

import copy
import json
import random
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.migrate.peer_folders import assistant, function, put
from voiceops.adopt.env_lines import env_text
from voiceops.migrate.gitops import read_gitops
from voiceops.migrate.new_project import new_project
from voiceops.model.values import encode
from voiceops.use.load_project import load
from voiceops.use.process_context import ProcessContext

VOICES = [
    {"provider": "11labs", "voiceId": "burt", "stability": 0.5, "similarityBoost": 0.75, "model": "eleven_turbo_v2_5"},
    {"provider": "11labs", "voiceId": "andrea", "stability": 0.5, "chunkPlan": {"enabled": True, "minCharacters": 10}},
    {"provider": "11labs", "voiceId": "andrea", "stability": 0.5, "chunkPlan": {"enabled": False}},
    {"provider": "cartesia", "voiceId": "0a1b2c3d-1111-4333-8444-555555555555", "model": "sonic-2"},
    {"provider": "vapi", "voiceId": "Elliot"},
]
TRANSCRIBERS = [
    {"provider": "deepgram", "model": "nova-2", "language": "en"},
    {"provider": "deepgram", "model": "nova-3", "language": "en", "keyterm": ["voiceops"]},
    {"provider": "deepgram", "model": "nova-3", "language": "multi"},
]
PROMPTS = ["You answer.", "You answer.\n\nAnd more: ${this}, {{that}}.", "# Other\n", ""]
SERVERS = [
    {"url": "https://a.example/x", "timeoutSeconds": 20},
    {"url": "https://b.example/x", "timeoutSeconds": 20},
    {"url": "https://b.example/x", "headers": {"x-tenant": "b", "authorization": "Bearer abcdefghijkl"}},
    {"url": "https://b.example/x", "headers": {"authorization": "Bearer of-another-one"}},
]


def organization(choice: random.Random, base: dict[str, Any] | None = None) -> dict[str, Any]:
    """Files by name; of a copy most are the same, some differ in a part, some are gone or new."""
    files: dict[str, Any] = {}
    for n in range(4):
        files[f"tools/t{n}.yml"] = function(f"t{n}", server=copy.deepcopy(choice.choice(SERVERS)))
    for n in range(5):
        more: dict[str, Any] = {"voice": choice.choice(VOICES), "transcriber": choice.choice(TRANSCRIBERS)}
        if choice.random() < 0.5:
            more["analysisPlan"] = {"summaryPlan": {"enabled": choice.random() < 0.5, "timeoutSeconds": 5}}
        if choice.random() < 0.3:
            more["endCallPhrases"] = choice.sample(["bye", "thanks", "off"], 2)
        if choice.random() < 0.5:
            more["server"] = copy.deepcopy(choice.choice(SERVERS))
        model = {"toolIds": [f"t{k}" for k in choice.sample(range(4), 2)], "temperature": choice.choice([0, 0.5])}
        files[f"assistants/a{n}.md"] = (assistant(f"Agent {n}", model=model, **more), choice.choice(PROMPTS))
    if base is not None:
        kept = {name: file for name, file in base.items() if choice.random() < 0.6}
        files = {name: kept.get(name, file) for name, file in files.items()}
        if choice.random() < 0.3:
            del files["assistants/a4.md"]
        if choice.random() < 0.3:
            files["tools/more.yml"] = function("more")
    return files


def write(root: Path, name: str, files: dict[str, Any], variables: dict[str, Any]) -> None:
    for file, content in files.items():
        body, prompt = content if isinstance(content, tuple) else (content, None)
        text = yaml.safe_dump(body, sort_keys=False)
        put(root, f"resources/{name}/{file}", text if prompt is None else f"---\n{text}---\n{prompt}\n")
    put(root, f".vapi-state.{name}.json", {"assistants": {}, "variables": variables})


def graph(root: Path, checkout: Path, environment: str, org: str | None) -> dict[str, Any]:
    """The bodies that a project of this checkout asks for in one environment, secrets by their values."""
    project = new_project("made", read_gitops(checkout, org))
    for name, text in project.files.items():
        put(root, name, text)
    put(root, ".env", env_text(project.variables))
    loaded = load(root, environment, ProcessContext(environ={}))
    bodies = {where: json.dumps(encode(resource.body)) for where, resource in loaded.graph.resources.items()}
    for name, value in sorted(project.variables.items()):
        bodies = {where: text.replace(json.dumps([name]), json.dumps([value])) for where, text in bodies.items()}
    return {where: json.loads(text) for where, text in bodies.items()}


@pytest.mark.parametrize("seed", range(25))
def test_an_environment_means_what_its_organization_means(tmp_path: Path, seed: int) -> None:
    choice = random.Random(seed)
    one = organization(choice)
    write(tmp_path / "checkout", "one", one, {"x": 1})
    write(tmp_path / "checkout", "two", organization(choice, one), {"x": 2})
    write(tmp_path / "checkout", "three", organization(choice, one), {"y": 2})
    for name in ("one", "two", "three"):
        together = graph(tmp_path / f"all-{name}", tmp_path / "checkout", name, None)
        alone = graph(tmp_path / f"only-{name}", tmp_path / "checkout", name, name)
        assert together == alone


def test_one_file_of_two_equal_organizations(tmp_path: Path) -> None:
    """Nothing is said twice where nothing differs."""
    files = organization(random.Random(1))
    for name in ("one", "two"):
        write(tmp_path, name, files, {})
    project = new_project("made", read_gitops(tmp_path))
    assert not any("patches" in text for name, text in project.files.items() if name.startswith("environments/"))
    assert [name for name in project.files if name.endswith((".one.md", ".two.md"))] == []


def test_variables_that_only_one_has(tmp_path: Path) -> None:
    files = {"assistants/a.md": (assistant("A", firstMessage="{{greeting}}"), "Hi")}
    write(tmp_path / "c", "one", files, {"greeting": "Hello ${you}"})
    write(tmp_path / "c", "two", files, {"greeting": ["a list"]})
    write(tmp_path / "c", "zoo", files, {})
    said = {
        name: graph(tmp_path / name, tmp_path / "c", name, None)["Agent/a"]["firstMessage"] for name in ("one", "zoo")
    }
    assert said == {"one": "Hello ${you}", "zoo": "{{greeting}}"}
