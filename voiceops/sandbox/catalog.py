"""Vapi's collections as data: a row each. What they share is vapi.py's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from voiceops.kinds.schema import in_force


@dataclass(frozen=True, slots=True, kw_only=True)
class Collection:
    """One collection; `kind` names the schema of its bodies in the facts, which may not know it."""

    path: str
    title: str
    kind: str
    listing: Literal["array", "page"] = "array"
    page_path: str = ""  # where the same objects are listed in pages
    patch_refuses: tuple[str, ...] = ()
    ignored: frozenset[str] = frozenset()  # read-only keys that may be sent and mean nothing
    filters: tuple[str, ...] = ()  # query parameters that select by equality
    searched: tuple[tuple[str, ...], ...] = (("name",), ("number",))  # where `search` looks, in pages
    pinned: str = ""  # the code of the 409 that answers a DELETE of a pinned one
    versioned: bool = False
    used_by: tuple[str, str, str] | None = None  # a collection and its key that names one, and the 409 of a DELETE

    @property
    def known(self) -> bool:
        """Whether the facts describe the bodies."""
        return self.kind in in_force().roots


CALLS = "/call"
FILES = "/file"
KNOWLEDGE = "/v2/knowledge-base"
PHONES = "/phone-number"
TOOLS = "/tool"
PERSONALITIES = "/eval/simulation/personality"

COLLECTIONS = (
    Collection(
        path="/assistant",
        title="Assistant",
        kind="Agent",
        ignored=frozenset({"modelDeprecations"}),
        pinned="assistant_pinned",
        versioned=True,
    ),
    Collection(
        path=TOOLS,
        title="Tool",
        kind="Tool",
        patch_refuses=("type",),
        pinned="tool_pinned",
        versioned=True,
    ),
    Collection(path="/squad", title="Squad", kind="Squad", ignored=frozenset({"modelDeprecations"}), versioned=True),
    Collection(path=PHONES, title="Phone number", kind="Phone", page_path="/v2/phone-number"),
    Collection(
        path="/structured-output",
        title="Structured output",
        kind="StructuredOutput",
        listing="page",
        patch_refuses=("type",),
        filters=("id", "name"),
    ),
    Collection(path="/credential", title="Credential", kind="Credential"),
    Collection(path=KNOWLEDGE, title="Knowledge base", kind="KnowledgeBase"),
    Collection(
        path="/eval",
        title="Eval",
        kind="Eval",
        listing="page",
        patch_refuses=("type",),
        filters=("id",),
    ),
    Collection(
        path=PERSONALITIES,
        title="Personality",
        kind="Personality",
        used_by=("/eval/simulation", "personalityId", "personality_in_use"),
    ),
    Collection(
        path="/eval/simulation/scenario",
        title="Scenario",
        kind="Scenario",
        filters=("name",),
        used_by=("/eval/simulation", "scenarioId", "scenario_in_use"),
    ),
    Collection(
        path="/eval/simulation/suite",
        title="Simulation suite",
        kind="SimulationSuite",
        filters=("name",),
    ),
    Collection(
        path="/eval/simulation",
        title="Simulation",
        kind="Simulation",
    ),
    Collection(
        path="/observability/scorecard",
        title="Scorecard",
        kind="Scorecard",
        listing="page",
        filters=("id",),
    ),
)

DICTIONARY_PROVIDERS = ("11labs", "cartesia")  # Vapi's own voices take either's

BY_PATH = {collection.path: collection for collection in COLLECTIONS}

# What a reference of the facts points at: a title for messages, and a collection.
TARGETS = {collection.kind: (collection.title, collection.path) for collection in COLLECTIONS} | {
    "File": ("File", FILES)
}

# The personalities that every org has, and none can change.
STOCK = tuple(
    (f"a0000000-0000-4000-8000-00000000000{n}", name)
    for n, name in enumerate(
        (
            "Confused Carl",
            "Decisive Dana",
            "Hurried Hana",
            "Chatty Charlie",
            "Frustrated Fran",
            "Quiet Quinn",
            "Skeptical Sam",
        ),
        start=1,
    )
)
