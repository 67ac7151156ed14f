"""Bodies as people's accounts and files hold them: no false alarm, and none that passes where the API answers 400.

Each is written into a manifest as it stands, without what only Vapi sets, and what comes of it is sent to a sandbox
that refuses as the API does. `loose` ones need allowUnknown.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.lints.projects import PROJECT, validate
from voiceops.errors import Diagnostic, InvalidProject
from voiceops.kinds.nodes import select
from voiceops.kinds.places import is_answered
from voiceops.kinds.registry import KINDS
from voiceops.kinds.schema import root
from voiceops.manifest.compose import load_graph
from voiceops.manifest.problems import Problems
from voiceops.manifest.project import load_project
from voiceops.model.values import Ref, Secret, Template
from voiceops.sandbox.server import SandboxServer

FOLDER = Path(__file__).parent.parent / "cases" / "payloads"
NAMES = {"agent": "Agent", "tool": "Tool", "squad": "Squad", "phone": "Phone"}
CASES = [
    (case.get("kind") or NAMES[path.stem], case)
    for path in sorted(FOLDER.glob("*.json"))
    for case in json.loads(path.read_text(encoding="utf-8"))
]
IDS = [f"{kind}: {case['about']}" for kind, case in CASES]
SOME_ID = "7f000000-0000-4000-8000-000000000000"


def body_type(kind: str, body: dict[str, Any]) -> str:
    node = root(kind)
    found = select(node, body) if node["type"] == "union" else node["of"]
    assert found is not None
    return str(found)


def written(kind: str, body: dict[str, Any], *, whole: bool = False, loose: bool = False) -> str:
    """A manifest that holds the body: JSON, which is YAML, as most exporters write it."""
    type_name = body_type(kind, body)
    spec = {key: value for key, value in body.items() if whole or not is_answered(type_name, key)}
    extra = {"allowUnknown": True} if loose else {}
    # Exporters escape what is not ASCII: an emoji is two escapes.
    return json.dumps({"kind": kind, "name": "one", **extra, "spec": spec}, indent=1) + "\n"


def errors(found: list[Diagnostic]) -> list[Diagnostic]:
    return [d for d in found if d.severity == "error"]


def compiled(folder: Path) -> dict[str, Any] | None:
    """The body that would be sent, with ids for references and texts for secrets; None where it is refused."""
    problems = Problems()
    try:
        graph = load_graph(load_project(folder, None, {}, problems), {}, problems)
    except InvalidProject:
        return None
    [body] = [r.body for r in graph.resources.values() if r.address.endswith("/one")]
    sent: dict[str, Any] = _plain(body)
    return sent


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, Ref):
        return SOME_ID
    return "a-secret-of-twenty-signs" if isinstance(value, (Secret, Template)) else value


@pytest.fixture(scope="module")
def api() -> Iterator[httpx.Client]:
    """A sandbox that checks every body; ids in bodies may be of another account."""
    with (
        SandboxServer() as server,
        server.control() as control,
        httpx.Client(
            base_url=server.vapi_url, headers={"authorization": f"Bearer {server.api_key}"}, trust_env=False, timeout=60
        ) as client,
    ):
        control.switches(references=False, unique_numbers=False)
        yield client


def test_there_are_enough() -> None:
    assert len(CASES) >= 60


@pytest.mark.parametrize(("kind", "case"), CASES, ids=IDS)
def test_no_false_alarm_and_none_that_the_api_refuses(
    kind: str, case: dict[str, Any], tmp_path: Path, api: httpx.Client
) -> None:
    loose = bool(case.get("loose"))
    found = validate(tmp_path, {"agents/one.json.yaml": written(kind, case["body"], loose=loose)})
    assert not errors(found), "\n".join(map(str, found))
    body = compiled(tmp_path)
    assert body is not None
    answer = api.post(KINDS[kind].path, json=body)
    if loose:
        assert answer.status_code in (201, 400)
    else:
        assert answer.status_code == 201, answer.text


@pytest.mark.parametrize(("kind", "case"), CASES, ids=IDS)
def test_a_loose_one_is_refused_without_allow_unknown_and_a_strict_one_is_not(
    kind: str, case: dict[str, Any], tmp_path: Path
) -> None:
    strict = errors(validate(tmp_path, {"agents/one.yaml": written(kind, case["body"])}))
    for_all = validate(
        tmp_path, {"voiceops.yaml": f"{PROJECT}allowUnknown: true\n", "agents/one.yaml": written(kind, case["body"])}
    )
    assert bool(strict) is bool(case.get("loose")), "\n".join(map(str, strict))
    assert not errors(for_all), "\n".join(map(str, for_all))


@pytest.mark.parametrize(("kind", "case"), CASES, ids=IDS)
def test_as_it_came_back_it_says_what_to_leave_out(kind: str, case: dict[str, Any], tmp_path: Path) -> None:
    body = case["body"]
    set_by_vapi = {key for key in body if is_answered(body_type(kind, body), key)}
    found = errors(validate(tmp_path, {"agents/one.yaml": written(kind, body, whole=True, loose=True)}))
    assert {d.mark.path.removeprefix("spec.") for d in found if d.mark} == set_by_vapi, "\n".join(map(str, found))
    assert all("leave it out" in d.hint for d in found)


BROKEN: list[tuple[str, Any]] = [
    ("name", "x" * 81),
    ("frobnicate", 1),
    ("maxDurationSeconds", 1),
    ("firstMessageMode", "sings"),
    ("model", {"provider": "openai"}),
    ("voice", {"provider": "11labs", "voiceId": "x", "speed": 9}),
    ("transcriber", {"provider": "deepgram", "endpointing": 5}),
    ("server", "https://hooks.shop.example"),
    ("hooks", [{"on": "never", "do": []}]),
    ("type", "unheard-of"),
    ("function", {"name": "with blanks"}),
    ("messages", [{"type": "request-start", "content": "x" * 1001}]),
    ("destinations", [{"type": "number", "number": "+14155550100", "transferPlan": {"mode": "sideways"}}]),
    ("members", "none"),
    ("members", [{"assistantOverrides": {"model": {"provider": "openai", "model": "gpt-4o", "temperature": 3}}}]),
    ("provider", "pigeon"),
    ("fallbackDestination", {"type": "pigeon"}),
    ("numberDesiredAreaCode", "4155"),
    ("schema", {"type": "strin"}),
    ("evaluations", []),
    ("keypadInputPlan", {"delimiters": "#"}),
    ("serverMessages", ["gossip"]),
    ("analysisPlan", {"summaryPlan": {"timeoutSeconds": 0}}),
    ("compliancePlan", {"hipaaEnabled": "yes"}),
]


@pytest.mark.parametrize(("key", "value"), BROKEN, ids=[f"{key}-{n}" for n, (key, _) in enumerate(BROKEN)])
def test_validate_is_never_content_where_the_api_answers_400(
    key: str, value: Any, tmp_path: Path, api: httpx.Client
) -> None:
    """One value broken in every payload: where the sandbox refuses what would be sent, `validate` said so."""
    refused = 0
    for number, (kind, case) in enumerate(CASES):
        if kind == "Phone" and case["body"].get("provider") == "twilio":
            continue
        body = {**case["body"], key: value}
        unknown = root(kind)["type"] == "union" and select(root(kind), body) is None
        type_name = body_type(kind, case["body"] if unknown else body)
        spec = {k: v for k, v in body.items() if not is_answered(type_name, k) or k == key}
        folder = tmp_path / str(number)
        folder.mkdir()
        text = json.dumps({"kind": kind, "name": "one", "allowUnknown": True, "spec": spec})
        found = validate(folder, {"agents/one.yaml": text})
        told = [d for d in found if d.code.startswith(("schema-", "VO", "reference", "phone-", "path"))]
        if errors(found):
            continue
        sent = compiled(folder)
        assert sent is not None
        answer = api.post(KINDS[kind].path, json=sent)
        if answer.status_code == 400:
            refused += 1
            named = [d for d in told if d.mark and d.mark.path.startswith(f"spec.{key}")]
            assert named or any("is missing" in d.summary for d in told), f"{kind} {case['about']}: {answer.text}"
    assert refused, "the sandbox refused it nowhere"
