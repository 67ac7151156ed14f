"""The files: what is rewritten reads as meant, and every other line stays as it is, comments and line ends included."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voiceops.manifest.strict_yaml import read_documents
from voiceops.model.located import plain
from voiceops.upgrade.file_upgrade import FileUpgrade, upgraded
from voiceops.upgrade.known_manifests import KnownManifests
from voiceops.upgrade.modern_body import modern

CASES = Path(__file__).parent.parent / "cases" / "upgrade"
TOOLS = KnownManifests(tools={"look-up": "function"})


def upgrade(text: str) -> FileUpgrade:
    return upgraded(text, "a.yaml", TOOLS)


def spec(text: str) -> Any:
    return plain(read_documents(text, "")[0][0], {})["spec"]


@pytest.mark.parametrize("name", ["agent", "others"])
@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_cases(name: str, ends: str) -> None:
    before, after = ((CASES / f"{name}{kind}.yaml").read_text() for kind in ("", ".expected"))
    assert upgrade(before.replace("\n", ends)).after == after.replace("\n", ends)


def agent(*lines: str) -> str:
    return "\n".join(["kind: Agent", "name: a", "spec:", *(f"  {line}" for line in lines), ""])


def rewritten(*lines: str) -> str:
    found = upgrade(agent(*lines))
    assert not found.left, found.left
    return found.after


def test_flow_style() -> None:
    before = "kind: Agent\nname: a\nspec: {serverUrl: https://x.example/a, firstMessage: hi, recordingEnabled: true}\n"
    after = (
        "kind: Agent\nname: a\nspec: {server: {url: https://x.example/a}, firstMessage: hi, "
        "artifactPlan: {recordingEnabled: true}}\n"
    )
    assert upgrade(before).after == after


def test_into_a_map_in_one_line() -> None:
    assert rewritten("artifactPlan: {transcriptPlan: {enabled: true}}  # kept", "recordingEnabled: ${var:x}") == agent(
        'artifactPlan: {transcriptPlan: {enabled: true}, recordingEnabled: "${var:x}"}  # kept'
    ).replace('"${var:x}"', '"${var:x}"')


def test_into_an_empty_map_and_an_empty_list() -> None:
    assert rewritten("stopSpeakingPlan: {}", "numWordsToInterruptAssistant: 2") == agent(
        "stopSpeakingPlan: {numWords: 2}"
    )
    model = "model: {provider: openai, model: gpt-4o, tools: []}"
    assert rewritten("endCallFunctionEnabled: true", model) == agent(model.replace("[]", "[{type: endCall}]"))


def test_json() -> None:
    before = '{"kind": "Agent", "name": "a", "spec": {"serverUrl": "/a", "hipaaEnabled": true}}'
    after = '{"kind": "Agent", "name": "a", "spec": {server: {url: "/a"}, compliancePlan: {hipaaEnabled: true}}}'
    assert upgrade(before).after == after


def test_the_last_field_goes() -> None:
    assert rewritten("startSpeakingPlan:", "  smartEndpointingEnabled: false # off", "firstMessage: hi") == agent(
        "startSpeakingPlan:", "  {} # off", "firstMessage: hi"
    )


def test_without_a_line_end() -> None:
    assert upgrade("kind: Agent\nname: a\nspec:\n  hipaaEnabled: true").after.endswith("\n    hipaaEnabled: true")


def test_a_comment_of_a_field_that_only_goes_stays() -> None:
    assert rewritten("# why", "backchannelingEnabled: false # no", "firstMessage: hi") == agent(
        "# why", "# no", "firstMessage: hi"
    )


def test_defaults_and_patches() -> None:
    defaults = "version: 1\ndefaults:\n  Agent:\n    recordingEnabled: false\n    endCallFunctionEnabled: true\n"
    found = upgrade(defaults)
    assert "    artifactPlan:\n      recordingEnabled: false\n" in found.after
    assert [kept.address for kept in found.left] == ["Agent/*"]
    patch = "patches:\n  - target: Agent/a\n    merge:\n      serverUrl: null\n      hipaaEnabled: true\n"
    assert upgrade(patch).after == (
        "patches:\n  - target: Agent/a\n    merge:\n      server:\n        url: null\n"
        "      compliancePlan:\n        hipaaEnabled: true\n"
    )


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        (["serverUrl: &url https://x.example", "firstMessage: *url"], "anchor"),
        (["firstMessage: &url https://x.example", "serverUrl: *url"], "alias"),
        (["server: &server {timeoutSeconds: 5}", "serverUrl: https://x.example"], "anchor"),
        (["serverUrl: !!str https://x.example"], "tag"),
        (["metadata: &m {a: 1}", "artifactPlan: *m", "recordingEnabled: true"], "alias"),
    ],
)
def test_anchors_and_aliases_are_left_to_people(lines: list[str], why: str) -> None:
    found = upgrade(agent(*lines))
    assert not found.changed
    assert why in found.left[0].reason


def test_odd_line_ends() -> None:
    assert "both kinds of line ends" in upgrade(agent("hipaaEnabled: true").replace("\n", "\r\n", 1)).left[0].reason
    assert "line breaks" in upgrade(agent("firstMessage: 'a\u2028b'", "hipaaEnabled: true")).left[0].reason


# Fields that are old, in the styles in which people write them, and what is none of ours.
OLD = [
    "serverUrl: https://x.example/hook",
    'serverUrl: "https://x.example/#a"',
    "recordingEnabled: ${var:recorded}",
    "recordingEnabled: false",
    "hipaaEnabled: true",
    "endCallFunctionEnabled: true",
    "dialKeypadFunctionEnabled: true",
    "forwardingPhoneNumber: +14155550100",
    "forwardingPhoneNumber: '+14155550100'",
    "numWordsToInterruptAssistant: 2",
    "responseDelaySeconds: 0.5",
    "llmRequestDelaySeconds: 0.1",
    "backgroundDenoisingEnabled: true",
    "backchannelingEnabled: false",
    "keypadInputPlan: {delimiters: '#'}",
    "smartEndpointingEnabled: livekit",
]
OTHERS = [
    "firstMessage: |\n    Hello,\n\n      how are you?",
    "firstMessage: 'It''s me'",
    "firstMessage: >-\n    folded\n    text",
    "metadata: {a: [1, 2], b: {serverUrl: no}}",
    "metadata:\n    serverUrl: no\n    list:\n    - 1\n    -   {x: y}",
    "artifactPlan:\n    transcriptPlan: {enabled: true}",
    "artifactPlan: {transcriptPlan: {enabled: true}}",
    "server:\n    timeoutSeconds: 5   # seconds",
    "server: {}",
    "startSpeakingPlan:\n      waitSeconds: 0.5",
    "startSpeakingPlan: {customEndpointingRules: []}",
    "endCallPhrases: [bye, 'so long']",
    "maxDurationSeconds:   600",
]
MODELS = [
    "model: {provider: openai, model: gpt-4o}",
    "model:\n    provider: openai\n    model: gpt-4o\n    tools:\n      - look-up # ours",
    "model:\n      provider: openai\n      model: gpt-4o",
    "model: {provider: openai, model: gpt-4o, tools: [look-up, {type: dtmf}]}",
]


def key(line: str) -> str:
    return line.partition(":")[0]


@st.composite
def manifests(draw: st.DrawFn) -> tuple[str, list[str]]:
    """A manifest, and the lines of it that are no old field's."""
    chosen = [*draw(st.lists(st.sampled_from(OLD + OTHERS), unique_by=key, max_size=12)), draw(st.sampled_from(MODELS))]
    lines, untouched = ["# top", "kind: Agent", "name: a", "spec:"], ["# top", "kind: Agent", "name: a", "spec:"]
    for number, entry in enumerate(draw(st.permutations(chosen))):
        for extra in draw(st.lists(st.sampled_from(["", "# c", "    # deep"]), max_size=2)):
            line = f"  {extra}{number}" if "#" in extra else ""
            lines.append(line)
        tail = draw(st.sampled_from(["", f" # t{number}"])) if "\n" not in entry else ""
        lines += f"  {entry}{tail}".split("\n")
        if entry in OTHERS and key(entry) not in ("artifactPlan", "server", "startSpeakingPlan"):
            untouched += f"  {entry}{tail}".split("\n")
    return "\n".join(lines) + draw(st.sampled_from(["", "\n", "\n\n"])), [line for line in untouched if line]


def comments(text: str) -> Counter[str]:
    return Counter(re.findall(r"# (?:c|t|deep)\d+", text))


@given(manifests())
def test_every_other_line_stays(made: tuple[str, list[str]]) -> None:
    text, untouched = made
    found = upgrade(text)
    after = iter(found.after.split("\n"))
    assert all(line in after for line in untouched)  # in this order
    assert comments(found.after) == comments(text)
    assert modern("Agent", spec(found.after), TOOLS) == modern("Agent", spec(text), TOOLS)
    assert not upgrade(found.after).changed
    same = upgrade(text.replace("\n", "\r\n"))
    assert same.after == found.after.replace("\n", "\r\n")


def test_a_file_of_many_documents() -> None:
    one = agent("hipaaEnabled: true", "backchannelingEnabled: true", "firstMessage: |", "  ---", "  text")
    texts = [
        "# top\n",
        *(f"---{' # a comment' if n % 2 else ''}\n" + one.replace("a\n", f"a{n}\n", 1) for n in range(30)),
    ]
    found = upgrade("".join(texts))
    assert len(found.rewritten) == len(found.left) == 30
    assert found.after.count("compliancePlan:\n    hipaaEnabled: true\n") == 30
    lines = found.before.split("\n")
    assert all("hipaaEnabled" in lines[rewritten.mark.line - 1] for rewritten in found.rewritten)
    assert all("backchannelingEnabled" in lines[left.mark.line - 1] for left in found.left)
    assert [left.address for left in found.left][:2] == ["Agent/a0", "Agent/a1"]
