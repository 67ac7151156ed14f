"""Holds the sandbox against an OpenAPI description: generated requests, and every answer against its schema.

`describe` makes such a description of the project's own facts; scripts/check_fidelity.py takes the vendor's.
"""

from __future__ import annotations

import base64
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from voiceops.kinds.schema import Node, facts, root
from voiceops.sandbox.catalog import COLLECTIONS
from voiceops.sandbox.server import SandboxServer

CHECKS = (not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance)
METHODS = ("post", "get", "patch", "delete")
REFUSALS = ("400", "404")  # seen and documented elsewhere; descriptions leave them out


@dataclass(slots=True)
class Report:
    """What was asked, and what did not fit."""

    cases: Counter[str] = field(default_factory=Counter)  # by operation
    statuses: Counter[str] = field(default_factory=Counter)
    refusals: Counter[str] = field(default_factory=Counter)  # texts of 400s, without the fields
    failures: dict[str, int] = field(default_factory=dict)  # by operation, title and the beginning of the message

    def failed(self, operation: str, failure: Failure) -> None:
        key = f"{operation}: {failure.title}: {' '.join(failure.message.split())[:200]}"
        self.failures[key] = self.failures.get(key, 0) + 1


# the description


def describe() -> dict[str, Any]:
    """An OpenAPI description of what the facts know of the API."""
    writer = _Writer()
    paths: dict[str, Any] = {}
    for collection in COLLECTIONS:
        if collection.path == "/phone-number":
            continue  # imports need a number of the other vendor's
        body = writer.request(root(collection.kind))
        live = writer.live(root(collection.kind))
        listed = {"type": "array", "items": live}
        if collection.listing == "page":
            listed = {"type": "object", "required": ["results", "metadata"], "properties": {"results": listed}}
        paths[collection.path] = {
            "post": _operation(body, "201", live),
            "get": _operation(None, "200", listed, parameters=[_query("limit", 0, 1000)]),
        }
        update = writer.request(root(collection.kind, "update"), leaving_out=collection.patch_refuses)
        paths[f"{collection.path}/{{id}}"] = {
            "get": _operation(None, "200", live, parameters=[_id()]),
            "patch": _operation(update, "200", live, parameters=[_id()]),
            "delete": _operation(None, "200", live, parameters=[_id()]),
        }
    return {
        "openapi": "3.1.0",
        "info": {"title": "facts", "version": "1"},
        "paths": paths,
        "components": {"schemas": writer.schemas},
    }


def _operation(
    body: dict[str, Any] | None, status: str, answer: dict[str, Any], parameters: list[Any] | None = None
) -> dict[str, Any]:
    made: dict[str, Any] = {
        "parameters": parameters or [],
        "responses": {status: {"description": "", "content": {"application/json": {"schema": answer}}}},
    }
    if body is not None:
        made["requestBody"] = {"required": True, "content": {"application/json": {"schema": body}}}
    return made


def _id() -> dict[str, Any]:
    return {"name": "id", "in": "path", "required": True, "schema": {"type": "string", "format": "uuid"}}


def _query(name: str, low: int, high: int) -> dict[str, Any]:
    return {"name": name, "in": "query", "schema": {"type": "integer", "minimum": low, "maximum": high}}


_SCALAR = ("minimum", "maximum", "minLength", "maxLength", "pattern", "enum", "minItems", "maxItems")


class _Writer:
    """Types as schemas: closed for requests; for answers open, and without required keys, for secrets are left out."""

    def __init__(self) -> None:
        self.schemas: dict[str, Any] = {}

    def request(self, node: Node, leaving_out: Iterable[str] = ()) -> dict[str, Any]:
        if not leaving_out or node["type"] != "object":
            return self._node(node, "")
        reached = self._node(node, "")
        named = self.schemas[reached["$ref"].rpartition("/")[2]]
        kept = {key: value for key, value in named["properties"].items() if key not in leaving_out}
        return {**named, "properties": kept, "required": [key for key in named["required"] if key in kept]}

    def live(self, node: Node) -> dict[str, Any]:
        keys = ("id", "orgId", "createdAt", "updatedAt")
        return {"allOf": [{"type": "object", "required": list(keys)}, self._node(node, "Live")]}

    def _node(self, node: Node, prefix: str) -> dict[str, Any]:
        made = self._plain(node, prefix)
        return {"anyOf": [made, {"type": "null"}]} if prefix or node.get("nullable") else made

    def _plain(self, node: Node, prefix: str) -> dict[str, Any]:
        kept = {key: node[key] for key in _SCALAR if key in node}
        match node["type"]:
            case "any":
                return {}
            case "object" if "of" in node:
                return self._type(node["of"], prefix)
            case "object":
                return {"type": "object"}
            case "array":
                return {"type": "array", "items": self._node(node.get("items", {"type": "any"}), prefix), **kept}
            case "union":
                options = [self._variant(node["by"], choice, name, prefix) for choice, name in node["variants"].items()]
                return {"anyOf": [*options, *(self._node(other, prefix) for other in node.get("others", []))]}
            case "anyOf":
                return {"anyOf": [self._node(option, prefix) for option in node["options"]]}
        if node.get("open"):
            kept.pop("enum", None)
        if node.get("reference") or node.get("format") == "uuid":
            kept["format"] = "uuid"
        return {"type": node["type"], **kept}

    def _variant(self, by: str, choice: str, name: str, prefix: str) -> dict[str, Any]:
        chosen = {"type": "object", "required": [by], "properties": {by: {"const": choice}}}
        return {"allOf": [self._type(name, prefix), chosen]}

    def _type(self, name: str, prefix: str) -> dict[str, Any]:
        key = prefix + re.sub(r"\W", "-", name)
        if key not in self.schemas:
            self.schemas[key] = {}
            definition = facts()["types"][name]
            fields = {k: self._node(f, prefix) for k, f in definition["fields"].items() if f.get("in") != "path"}
            made: dict[str, Any] = {"type": "object", "properties": fields}
            if not prefix:
                made |= {"required": definition["required"], "additionalProperties": bool(definition.get("free"))}
            self.schemas[key] = made
        return {"$ref": f"#/components/schemas/{key}"}


# the check


class Vapi:
    """How Vapi's side of a sandbox is asked."""

    def base_url(self, server: SandboxServer) -> str:
        return server.vapi_url

    def headers(self, server: SandboxServer) -> dict[str, str]:
        return {"authorization": f"Bearer {server.api_key}"}

    def fill(self, case: Any, path: str, server: SandboxServer, turn: int) -> None:
        """Ids of objects that exist, in turn."""
        if "{id}" not in path:
            return
        with server.control() as control:
            known = [o["id"] for o in control.objects(path.partition("/{")[0]) if o.get("orgId") is not None]
        if known:
            case.path_parameters["id"] = known[turn % len(known)]


class Twilio:
    """How Twilio's side is asked."""

    def base_url(self, server: SandboxServer) -> str:
        return server.twilio_url

    def headers(self, server: SandboxServer) -> dict[str, str]:
        pair = f"{server.account_sid}:{server.auth_token}".encode()
        return {"authorization": f"Basic {base64.b64encode(pair).decode()}"}

    def fill(self, case: Any, path: str, server: SandboxServer, turn: int) -> None:
        case.path_parameters["AccountSid"] = server.account_sid
        if "{CountryCode}" in path:
            case.path_parameters["CountryCode"] = "US"
        if "{Sid}" in path:
            with server.control() as control:
                known = [number["sid"] for number in control.numbers()]
            if known:
                case.path_parameters["Sid"] = known[turn % len(known)]


def check(
    document: dict[str, Any],
    operations: Iterable[tuple[str, str]],
    side: Vapi | Twilio,
    *,
    examples: int = 10,
    **switches: Any,
) -> Report:
    """Ask a fresh sandbox everything; objects that are made are what later requests are about."""
    report = Report()
    for path in document["paths"].values():
        for method in METHODS:
            for status in REFUSALS:
                path.get(method, {}).get("responses", {}).setdefault(status, {"description": ""})
    schema = schemathesis.openapi.from_dict(document)
    numbers = [f"+1415555{n:04}" for n in range(100, 150)]
    # Generated ids name nothing: whether they must is not the description's to say.
    with SandboxServer(references=False, numbers=numbers, **switches) as server:
        for path, method in operations:
            _check_operation(schema[path][method.upper()], path, method, side, server, examples, report)
    return report


def _check_operation(
    operation: Any, path: str, method: str, side: Vapi | Twilio, server: SandboxServer, examples: int, report: Report
) -> None:
    name = f"{method.upper()} {path}"

    @given(case=operation.as_strategy())
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def ask(case: Any) -> None:
        side.fill(case, path, server, report.cases[name])
        response = case.call(base_url=side.base_url(server), headers=side.headers(server))
        report.cases[name] += 1
        report.statuses[f"{method.upper()} {response.status_code}"] += 1
        if response.status_code == 400:
            report.refusals.update(set(_texts(response.json())))
        try:
            case.validate_response(response, checks=list(CHECKS))
        except FailureGroup as group:
            for failure in group.exceptions:
                report.failed(name, failure)
        except Failure as failure:
            report.failed(name, failure)

    ask()


def _texts(answer: Mapping[str, Any]) -> Iterator[str]:
    message = answer.get("message")
    for text in message if isinstance(message, list) else [message]:
        yield re.sub(r"^(?:[\w.:\[\]-]*\.)?(?:each value in |property )?\S+ ", "", str(text))[:60]


def served(document: Mapping[str, Any], paths: Iterable[str]) -> list[tuple[str, str]]:
    """The operations that a description has of these paths, creations before what is done to their results."""
    return [(path, method) for path in paths for method in METHODS if method in document["paths"].get(path, {})]
