"""What the API refuses for how fields stand together: the schema knows each of them by itself only."""

from __future__ import annotations

from collections.abc import Iterator

from voiceops.lints.context import Context
from voiceops.lints.rule import lint
from voiceops.lints.spot import Finding, Spot
from voiceops.manifest.resolve import UUID

_ID_LISTS = (
    "toolIds",
    "credentialIds",
    "structuredOutputIds",
    "scorecardIds",
    "fileIds",
    "simulationIds",
    "assistantIds",
)
_IDS = ("assistantId", "squadId", "toolId", "credentialId", "structuredOutputId", "knowledgeBaseId", "personalityId")
_WHO = ("assistantId", "assistantName", "assistant")


@lint("VO901", "destination-nobody", "A handoff that names nobody", "error", refused=True)
def destination_nobody(context: Context) -> Iterator[Finding]:
    for spot in context.index.maps_at("destinations", "assistantDestinations"):
        kind = spot.get("type")
        keys = _WHO if kind == "assistant" else ("squadId", "squad") if kind == "squad" else ()
        if isinstance(spot.path[-1], int) and keys and all(spot.get(key) is None for key in keys):
            yield spot.finding(
                f"the destination names no {kind}", "type", hint=f"Add {keys[0]} with the name of its manifest."
            )


@lint("VO902", "member-form", "A squad member that is nobody, or two at once", "error", refused=True)
def member_form(context: Context) -> Iterator[Finding]:
    for squad in context.bodies:
        for member in squad.items("members") if squad.resource.kind == "Squad" else ():
            named, inline = member.get("assistantId"), member.get("assistant")
            if named is None and inline is None:
                yield member.finding("the member names no agent", hint="Add agent: with the name of its manifest.")
            elif named is not None and inline is not None:
                yield member.finding("the member is two agents at once", "assistant", hint="Keep one of them.")
            elif inline is not None and member.get("assistantVersion") is not None:
                yield member.finding(
                    "assistantVersion needs an agent by name: an inline one has no versions",
                    "assistantVersion",
                    hint="Take it out.",
                )


@lint("VO903", "tool-twice", "One tool is attached to an agent twice")
def tool_twice(context: Context) -> Iterator[Finding]:
    for assistant in context.assistants:
        seen: list[object] = []
        for place in assistant.spot.items("model", "toolIds"):
            if place.value in seen:
                yield place.finding("this tool is attached already", hint="Take it out.")
            seen.append(place.value)
        for place in _versions(assistant.spot):
            if place.get("toolId") in seen:
                yield place.finding(
                    "toolIds names this tool too, and wins: the version given here is dropped",
                    "toolId",
                    hint="Name the tool in one of the two lists.",
                )


@lint("VO904", "id-of-one-account", "An id in a project with several environments")
def id_of_one_account(context: Context) -> Iterator[Finding]:
    if len(context.project.environments) < 2:
        return
    for key in (*_IDS, *_ID_LISTS):
        for spot, text in context.index.texts_at(key):
            named = isinstance(spot.path[-1], int) if key in _ID_LISTS else spot.path[-1] == key
            if named and isinstance(spot.value, str) and UUID.match(text):
                yield spot.finding(
                    "an id belongs to one account, and this project has several environments",
                    hint="Name a manifest, or take the id from a variable: ${var:name}, set in environments/NAME.yaml.",
                )


def _versions(spot: Spot) -> list[Spot]:
    return [place for place in spot.items("model", "toolRefs") if place.get("toolId") is not None]
