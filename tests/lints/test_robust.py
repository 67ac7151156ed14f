"""Lints never fail, whatever stands where: with allowUnknown nearly anything reaches them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from voiceops.errors import Mark
from voiceops.lints.all_lints import LINTS
from voiceops.lints.context import Context
from voiceops.lints.texts import Texts
from voiceops.manifest.problems import Problems
from voiceops.manifest.project import Project, load_project
from voiceops.model.graph import Graph, Resource
from voiceops.model.values import Ref, Secret, Template

KEYS = [
    *("type", "provider", "model", "messages", "role", "content", "tools", "toolIds", "toolRefs", "function", "name"),
    *("parameters", "properties", "server", "url", "headers", "transcriber", "voice", "voiceId", "endpointing"),
    *("hooks", "on", "do", "options", "timeoutSeconds", "members", "assistant", "assistantId", "assistantOverrides"),
    *("destinations", "number", "squadId", "fallbackPlan", "voices", "transcribers", "firstMessage", "code", "body"),
    *("evaluations", "structuredOutput", "schema", "path", "comparator", "value", "environmentVariables", "async"),
    *("membersOverrides", "tools:append", "startSpeakingPlan", "smartEndpointingPlan", "serverMessages", "toolId"),
    *("assistantDestinations", "assistantName", "credentialId", "messagePlan", "idleMessages", "fallbackDestination"),
]
WORDS = [
    *("function", "code", "apiRequest", "handoff", "transferCall", "system", "deepgram", "flux-general-en", "vapi"),
    *("elliot", "assistant", "number", "customer.speech.timeout", "Use look_up and endCall.", "https://[x", "http://a"),
    *("args.x env.Y", "<Stream url='wss://api.vapi.ai'>", "+14155550100", "# A\n\n# A\n", "", "boolean", "11labs"),
]
LEAVES = (
    st.none()
    | st.booleans()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.integers(-10, 10**6)
    | st.sampled_from(WORDS)
    | st.sampled_from(["Agent/a", "Tool/b", "Squad/c", "Phone/d", "Agent/gone"]).map(Ref)
    | st.sampled_from([Secret(("K",), ("Bearer ", "")), Secret((), ("",)), Template(("x", Ref("Agent/a")))])
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=6),
    max_leaves=40,
)
BODIES = st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=10)


def _project(folder: Path) -> Project:
    (folder / "voiceops.yaml").write_text("version: 1\nproject: shop\nruntime: {url: https://v.example}\n")
    return load_project(folder, None, {}, Problems())


SETTINGS = st.dictionaries(st.sampled_from(["voice_url", "voice_fallback_url", "friendly_name"]), LEAVES)


@given(bodies=st.tuples(BODIES, BODIES, BODIES, BODIES, BODIES, SETTINGS))
def test_lints_never_fail(bodies: tuple[dict[str, Any], ...], tmp_path_factory: Any) -> None:
    project = _project(tmp_path_factory.mktemp("robust"))
    addresses = ("Agent/a", "Tool/b", "Squad/c", "Phone/d", "Scenario/e", "Phone/d/twilio")
    resources = {
        address: Resource(
            address=address,
            kind=address.partition("/")[0],
            type="vapi",
            name=None,
            body=body,
            mark=Mark("agents/a.yaml", 1, 1),
        )
        for address, body in zip(addresses, bodies, strict=True)
    }
    context = Context(project, Graph("shop", "dev", resources), Texts(project.root))
    for lint in LINTS.values():
        for finding in lint.check(context):
            assert finding.summary
