"""Every value of a project has exactly one place that counts, and it is the one that loading says."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.apply.manifests import AGENT, LINE, TOOL
from tests.support.bench import Bench, shop
from voiceops import use
from voiceops.explain.explained import Layer
from voiceops.explain.manifest_paths import paths_meant, written_path
from voiceops.explain.project_files import read_project_files
from voiceops.explain.substitutions import Surroundings
from voiceops.explain.value import layers
from voiceops.model.graph import Resource
from voiceops.model.values import Path as ValuePath

MIXED = """\
version: 1
project: shop
environments: [live]
runtime: {url: https://voice.example}
variables: {who: Ann, speeds: {slow: 0.8}}
defaults:
  Agent: {server: runtime, voice: {from: warm}}
  Voice: {provider: 11labs}
  Tool: {server: runtime}
"""
PARTS = """\
kind: Voice
name: base
spec: {voiceId: sarah, speed: 0.9, chunkPlan: {enabled: true, minCharacters: 20}}
---
kind: Voice
name: warm
spec: {from: base, stability: 0.4}
---
kind: Model
name: mini
spec: {provider: openai, model: gpt-4.1-mini, systemPrompt: "I am ${var:who}.", tools: [lookup, {type: endCall}]}
---
kind: Agent
name: many
forEach: {acme: {greeting: Hi}, bolt: {greeting: Hello}}
spec:
  firstMessage: ${each:value.greeting}
  model: {from: mini, temperature: 0.3}
---
kind: Squad
name: team
spec:
  members:
    - {agent: desk, assistantOverrides: {voice: warm, firstMessage: Yes}}
    - {assistant: {name: inline, model: mini, voice: {from: base, speed: 1.2}}}
"""
PATCHES = """\
patches:
  - {target: Agent/desk, merge: {voice: {speed: 1.1}, transcriber: {language: en}}}
  - {target: 'Agent/many[bolt]', merge: {firstMessage: Bolt}}
  - {target: Voice/base, merge: {chunkPlan: {minCharacters: 30}}}
naming: {prefix: 'x '}
"""


def mixed(bench: Bench) -> None:
    bench.write("voiceops.yaml", MIXED)
    bench.write("environments/live.yaml", PATCHES)
    bench.write("agents/parts.yaml", PARTS)
    bench.write("agents/desk.yaml", AGENT.replace("  voice: {provider: 11labs, voiceId: sarah, speed: 1.0}\n", ""))
    bench.write("agents/tool.yaml", TOOL)
    bench.write("agents/line.yaml", LINE)


def every_value(bench: Bench) -> Iterator[tuple[Resource, ValuePath, tuple[Layer, ...]]]:
    loaded = use.load(bench.folder, "live", use.ProcessContext(environ=bench.environ))
    files = read_project_files(loaded.project, loaded.environ)
    around = Surroundings(loaded.project, loaded.environ, loaded.environ)
    for resource in loaded.graph.resources.values():
        for path in resource.sources:
            yield resource, path, layers(files, around, resource, path)


@pytest.mark.parametrize("make", [shop, mixed])
def test_one_place_counts(live: Bench, make: object) -> None:
    assert callable(make)
    make(live)
    seen: dict[str, int] = {}
    for resource, path, found in every_value(live):
        (winner,) = [layer for layer in found if layer.wins]
        mark = resource.sources[path]
        assert (winner.mark.file, winner.mark.line, winner.mark.column) == (mark.file, mark.line, mark.column)
        assert (winner.what == "built-in") is (mark.path in ("name", "spec", "runtime")), (resource.address, path)
        assert (live.folder / winner.mark.file).exists()
        seen[winner.what] = seen.get(winner.what, 0) + 1
    assert seen.keys() >= {"manifest", "part", "defaults", "built-in"}
    assert min(seen.values()) > 1


@pytest.mark.parametrize("make", [shop, mixed])
def test_every_path_is_found_again(live: Bench, make: object) -> None:
    assert callable(make)
    make(live)
    for resource, path, _ in every_value(live):
        written = written_path(resource.sources[path])
        if written and ":" not in written:
            found = paths_meant(f"spec.{written}", resource.body, resource.sources)
            same_place = resource.sources[path][:3]
            assert any(resource.sources[one][:3] == same_place or one[: len(path)] == path for one in found), written


def test_loading_keeps_nothing_for_it(live: Bench, tmp_path: Path) -> None:
    """A plan reads no document twice: the second look is explain's own."""
    mixed(live)
    ran = live.process("validate", PYTHONPROFILEIMPORTTIME="1")
    assert "voiceops.explain" not in ran.err
    assert "voiceops.audit" not in ran.err
