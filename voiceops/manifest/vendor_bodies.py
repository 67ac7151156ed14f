"""From a manifest's spec to the vendor's body, where the two differ: names, phone lines, the runtime's credential.

Pure; works on located maps so that every field keeps its line.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from voiceops.errors import Mark
from voiceops.kinds.base import Kind
from voiceops.kinds.file import file_name
from voiceops.kinds.nodes import name_limit
from voiceops.kinds.twilio import TWILIO_SETTINGS
from voiceops.manifest.documents import Document
from voiceops.manifest.problems import Problems, did_you_mean
from voiceops.manifest.project import Project
from voiceops.manifest.schema_check import describe
from voiceops.model.located import Map, Seq
from voiceops.model.values import Ref, Secret, secret
from voiceops.preview.preview_names import live_name as live_name_in_preview
from voiceops.preview.preview_names import suffix_of

_MOST_NAME = 40  # characters of a credential's
_METHODS = ("GET", "POST")
WEBHOOK_SECRET = "VAPI_WEBHOOK_SECRET"
_TARGETS = ("assistantId", "squadId")  # who answers a line, in the API's own words


def live_name(project: Project, document: Document) -> str:
    """The live name of a manifest that doesn't set `spec.name`."""
    key = f"-{document.key}" if document.key is not None else ""
    return f"{project.prefix}{document.name}{key}{project.suffix}"


def default_name(project: Project, document: Document, kind: Kind, spec: Map) -> str:
    """The live name that a spec without a name gets; a file keeps the ending that tells its format."""
    name = live_name(project, document)
    path = spec.get("path")
    return file_name(name, path) if kind.upload and isinstance(path, str) else name


def named_for_preview(project: Project, kind: Kind, spec: Map) -> Map:
    """The spec with the preview's own live name, also where the manifest gives one; a file keeps its ending."""
    name = spec.get("name")
    if not isinstance(name, str):
        return spec
    ending = PurePosixPath(name).suffix if kind.upload else ""
    most = name_limit(kind.name)
    named = live_name_in_preview(name.removesuffix(ending), suffix_of(project.preview), most and most - len(ending))
    result = spec.clone()
    result["name"] = named + ending
    return result


@dataclass(slots=True)
class Line:
    """What a Phone manifest says beyond Vapi's body."""

    spec: Map  # Vapi's body
    twilio: Map | None  # the Twilio number's voice settings, by Twilio's own names; None: another provider
    answer: str
    target: str | None  # the agent or squad that answers, as an address
    purchase: bool
    release: bool
    problems: list[str] = field(default_factory=list)


def shape_phone(project: Project, document: Document, spec: Map, mark: Mark, problems: Problems) -> Line:
    """Split a Phone into the Vapi number and the Twilio number's voice settings."""
    body = spec.clone()
    address = document.address

    def take(key: str, default: Any, kind: type, allowed: tuple[Any, ...] = ()) -> tuple[Any, Mark]:
        return _taken(body, key, default, kind, allowed, mark=mark, address=address, problems=problems)

    answer, answer_mark = take("answer", "vapi", str, ("vapi", "runtime", "none"))
    purchase, purchase_mark = take("purchase", False, bool)
    release, _ = take("release", False, bool)
    twilio, twilio_mark = take("twilio", Map(), Map)
    provider = body.get("provider")
    if provider != "twilio":
        for wrong, key, here in (
            (answer == "runtime", "answer: runtime", answer_mark),
            (purchase, "purchase", purchase_mark),
            (bool(twilio), "twilio", twilio_mark),
        ):
            if wrong:
                problems.error("phone-provider", f"{key} needs provider: twilio", here, address=address)
    target = next((body[key] for key in _TARGETS if isinstance(body.get(key), Ref)), None)
    _check_target(body, answer, address, problems)
    if answer == "runtime" and project.runtime_url is None:
        problems.error(
            "runtime-missing",
            "answer: runtime needs runtime.url",
            answer_mark,
            "Set runtime.url in voiceops.yaml.",
            address,
        )
    # All three are always said, so that a line has one target and a binding made elsewhere shows as a change.
    bound = answer == "vapi"
    for key in _TARGETS:
        if not bound or key not in body:
            here = body.marks.get(key, mark)
            body.pop(key, None)
            body.put(key, None, here)
    if provider == "twilio":
        _add_account(project, body, mark)
        if "smsEnabled" not in body:
            body.put("smsEnabled", False, mark)
    settings = (
        _twilio_settings(project, document, twilio, answer, answer_mark, mark, problems)
        if provider == "twilio"
        else None
    )
    return Line(
        spec=body,
        twilio=settings,
        answer=answer,
        target=target.address if target else None,
        purchase=purchase is True,
        release=release is True,
    )


def _taken(
    body: Map,
    key: str,
    default: Any,
    kind: type,
    allowed: tuple[Any, ...],
    *,
    mark: Mark,
    address: str,
    problems: Problems,
) -> tuple[Any, Mark]:
    """A key that is voiceops' own, taken out of the body, with its place; the default where it is not of its kind."""
    if key not in body:
        return default, mark
    value, here = body.take(key)
    if value is None:
        return default, here
    if not isinstance(value, kind) or (allowed and value not in allowed):
        wanted = " or ".join(map(str, allowed)) or {"bool": "true or false", "Map": "a map"}.get(
            kind.__name__, "a text"
        )
        problems.error("schema-type", f"{key} must be {wanted}, not {describe(value)}", here, address=address)
        return default, here
    return value, here


def _check_target(body: Map, answer: str, address: str, problems: Problems) -> None:
    """A line has one target, and one that nobody answers has none."""
    named = [key for key in _TARGETS if body.get(key)]
    if len(named) > 1:
        problems.error("phone-target", "agent and squad exclude each other", body.marks["squadId"], address=address)
    if answer == "none" and named:
        problems.error(
            "phone-target",
            "answer: none is a line that nobody answers, but it names who does",
            body.marks[named[0]],
            "Take one of the two out.",
            address,
        )


def needs_runtime(spec: Map) -> bool:
    """A line without agent and squad: Vapi asks its server for every call (assistant-request)."""
    named = ("assistantId", "squadId", "agent", "squad", "workflowId", "server", "serverUrl")
    return not any(spec.get(key) for key in named)


def _add_account(project: Project, body: Map, mark: Mark) -> None:
    """The account by which Vapi imports the number: by API key where one is set, so that the token stays at home."""
    providers = project.providers
    if "twilioAccountSid" not in body:
        body.put("twilioAccountSid", providers.account_sid, mark)
    if any(key in body for key in ("twilioAuthToken", "twilioApiKey")):
        return
    if providers.api_key:
        body.put("twilioApiKey", providers.api_key, mark)
        body.put("twilioApiSecret", _sensitive(providers.api_secret), mark)
    else:
        body.put("twilioAuthToken", _sensitive(providers.auth_token), mark)


def _sensitive(value: Secret | str) -> Secret:
    return value if isinstance(value, Secret) else Secret((), (value,))


def _twilio_settings(
    project: Project,
    document: Document,
    given: Map,
    answer: str,
    answer_mark: Mark,
    mark: Mark,
    problems: Problems,
) -> Map:
    settings = Map()
    address = document.address
    path = document.name if document.key is None else f"{document.name}/{document.key}"
    if answer == "runtime":
        settings.put("voice_url", f"{project.runtime_url}/twilio/voice/{path}", answer_mark)
        settings.put("voice_method", "POST", answer_mark)
        settings.put("status_callback", f"{project.runtime_url}/twilio/status/{path}", answer_mark)
        settings.put("status_callback_method", "POST", answer_mark)
    else:
        # What Vapi's import writes there, recorded at the import: known only afterwards.
        settings.put("voice_url", Ref(address, "voice_url"), answer_mark)
        settings.put("voice_method", Ref(address, "voice_method"), answer_mark)
    settings.put("voice_application_sid", "", mark)
    settings.put("trunk_sid", "", mark)
    settings.put("voice_receive_mode", "voice", mark)
    for key, value in given.items():
        here = given.marks[key]
        field_name = TWILIO_SETTINGS.get(key)
        if field_name is None:
            problems.error(
                "schema-unknown-key", f"unknown key {key}", here, did_you_mean(key, TWILIO_SETTINGS), address
            )
            continue
        if value is None:
            continue
        if not isinstance(value, (str, Secret)):
            problems.error("schema-type", f"must be a text, not {describe(value)}", here, address=address)
            continue
        if field_name.endswith("_method") and value not in _METHODS:
            problems.error("schema-enum", f"{value!r} is not allowed here", here, "GET or POST.", address)
        if field_name == "friendly_name" and isinstance(value, str) and not 1 <= len(value) <= 64:
            problems.error("schema-range", f"must be 1 to 64 characters, is {len(value)}", here, address=address)
        if (
            field_name in ("voice_fallback_url", "status_callback")
            and isinstance(value, str)
            and not value.startswith(("http://", "https://"))
        ):
            problems.error("schema-pattern", f"{value!r} is no http(s) address", here, address=address)
        settings.put(field_name, value, here)
    return settings


def runtime_credential(project: Project, mark: Mark) -> Map:
    """The credential by which Vapi proves itself to the runtime, for each of the three ways.

    https://docs.vapi.ai/server-url/server-authentication
    """
    plan = Map()
    key = secret(WEBHOOK_SECRET)
    fields: dict[str, Any]
    if project.runtime_auth == "hmac":
        fields = {
            "type": "hmac",
            "secretKey": key,
            "algorithm": "sha256",
            "signatureHeader": "x-vapi-signature",
            "timestampHeader": "x-vapi-timestamp",
            "includeTimestamp": True,
            "payloadFormat": "{timestamp}.{body}",
            "signatureEncoding": "hex",
        }
    elif project.runtime_auth == "bearer":
        fields = {"type": "bearer", "token": key}
    else:
        fields = {"type": "bearer", "token": key, "headerName": "X-Vapi-Secret", "bearerPrefixEnabled": False}
    for name, value in fields.items():
        plan.put(name, value, mark)
    body = Map()
    body.put("provider", "custom-credential", mark)
    name = f"{project.prefix}{project.name} runtime{project.suffix}"
    if project.preview:
        name = live_name_in_preview(name, suffix_of(project.preview), _MOST_NAME)
    body.put("name", name[:_MOST_NAME], mark)
    body.put("authenticationPlan", plan, mark)
    return body


def link_outputs(key: str, agents: dict[str, Map], user: str, spec: Map) -> None:
    """Move the edge that an output's own manifest declares to the agents: there it is sent, once.

    `key` is the agent's list, `user` the output's address. Ids of unmanaged agents stay where they are.
    """
    if not isinstance(spec.get("assistantIds"), Seq):
        return
    ids, mark = spec.take("assistantIds")
    rest = Seq()
    for item, here in zip(ids, ids.marks, strict=True):
        agent = agents.get(item.address) if isinstance(item, Ref) else None
        if agent is None:
            rest.put(item, here)
            continue
        plan = agent.get("artifactPlan")
        if not isinstance(plan, Map):
            plan = Map()
            agent.pop("artifactPlan", None)
            agent.put("artifactPlan", plan, here)
        known = plan.get(key)
        linked = Seq()
        if isinstance(known, Seq):
            linked.extend(known)
            linked.marks.extend(known.marks)
            plan[key] = linked
        else:
            plan.pop(key, None)
            plan.put(key, linked, here)
        if not any(isinstance(item, Ref) and item.address == user for item in linked):
            linked.put(Ref(user), here)
    if rest:
        spec.put("assistantIds", rest, mark)


def tool_name(tool: Any) -> str | None:
    """The function name by which a model calls a tool."""
    if isinstance(tool, dict):
        function = tool.get("function")
        if isinstance(function, dict) and isinstance(function.get("name"), str):
            return str(function["name"])
        if isinstance(tool.get("name"), str):
            return str(tool["name"])
    return None


# What has a name of its own without being told, or can't be without one.
_NAMED = frozenset({"function", "handoff", "mcp", "knowledgeBase", "query"})


def default_tool_name(tool: Any) -> str | None:
    """As Vapi calls a tool that nobody named: its type, and `_tool` (`api_request_tool`)."""
    if not isinstance(tool, dict) or not isinstance(tool.get("type"), str) or tool["type"] in _NAMED:
        return None
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", tool["type"]).replace(".", "_").lower()
    return f"{words}_tool"
