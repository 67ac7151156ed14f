"""The vendor's OpenAPI document, read from a file that anybody may have made: JSON or YAML, bounded, and checked.

What the translator relies on is checked here, once: it then needs to doubt nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from voiceops.errors import VoiceopsError
from voiceops.model.json_in import NoJson, described, parsed
from voiceops.vendor_facts.plain_yaml import NoYaml, plain_yaml

MOST_BYTES = 32 << 20
# Which of Vapi's own types tell that a document is Vapi's.
_VAPIS_OWN = frozenset({"CreateAssistantDTO", "UpdateAssistantDTO", "AssistantOverrides", "Server"})
_NEXT = "Give Vapi's own: fern/apis/api/openapi.json of VapiAI/docs, or its Python client (vapi_server_sdk) as a wheel."
_LISTS = ("oneOf", "anyOf", "allOf")
_NUMBERS = ("minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems")
_TEXTS = ("$ref", "type", "pattern", "description", "format")
_FLAGS = ("deprecated", "nullable", "writeOnly")


class NoOpenApi(ValueError):
    """What is wrong with the document, in a few words."""


def read_openapi(path: Path) -> dict[str, Any]:
    """The document. Raises VoiceopsError where it is none, or not Vapi's."""
    try:
        return checked_openapi(_loaded(_content(path)))
    except NoOpenApi as problem:
        raise VoiceopsError(f"{path} is no OpenAPI document of Vapi's: {problem}", hint=_NEXT) from None


def _content(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise VoiceopsError(f"{path} can't be read: {error.strerror}") from None
    if len(content) > MOST_BYTES:
        raise VoiceopsError(f"{path} is larger than {MOST_BYTES >> 20} MiB", hint=_NEXT)
    return content


def _loaded(content: bytes) -> Any:
    if content.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"["):
        try:
            return parsed(content.removeprefix(b"\xef\xbb\xbf"))
        except NoJson as problem:
            raise NoOpenApi(f"it {problem}") from None
    return _yaml(content)


def _yaml(content: bytes) -> Any:
    """A document in YAML; as in the manifests, only JSON's words and numbers are no texts. Raises NoOpenApi."""
    try:
        return plain_yaml(content)
    except NoYaml as problem:
        raise NoOpenApi(f"it {problem}") from None


def checked_openapi(document: Any) -> dict[str, Any]:
    """The document, if it is one of Vapi's and can be translated. Raises NoOpenApi."""
    if not isinstance(document, dict) or not isinstance(document.get("openapi"), str):
        raise NoOpenApi("it has no `openapi`")
    if not document["openapi"].startswith("3."):
        raise NoOpenApi("it is not of OpenAPI 3")
    schemas = _map(_map(document.get("components"), "components").get("schemas"), "components.schemas")
    if missing := sorted(_VAPIS_OWN - schemas.keys()):
        raise NoOpenApi(f"it does not describe {missing[0]}")
    for name, schema in schemas.items():
        _check_schema(f"components.schemas.{name}", schema)
    for path, methods in _map(document.get("paths"), "paths").items():
        _check_bodies(f"paths.{path}", methods)
    return document


def _map(value: Any, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise NoOpenApi(f"{where} must be a map, not {described(value)}")
    return value


def _check_bodies(where: str, methods: Any) -> None:
    for method, operation in _map(methods, where).items():
        if method not in ("post", "patch"):
            continue
        body = _map(_map(operation, f"{where}.{method}").get("requestBody", {}), f"{where}.{method}.requestBody")
        for media, content in _map(body.get("content", {}), f"{where}.{method}.requestBody.content").items():
            if "schema" in _map(content, f"{where}.{method}.requestBody.content.{media}"):
                _check_schema(f"{where}.{method}", content["schema"])


def _check_schema(where: str, schema: Any) -> None:
    """Every keyword that is read has the shape that it is read in. The document's depth is bounded already."""
    found = _map(schema, where)
    for key, fits, what in _SHAPES:
        if key in found and not fits(found[key]):
            raise NoOpenApi(f"{where}.{key} must be {what}, not {described(found[key])}")
    for key, inner in found.get("properties", {}).items():
        _check_schema(f"{where}.{key}", inner)
    for key in _LISTS:
        for option in found.get(key, ()):
            _check_schema(f"{where}.{key}", option)
    if "items" in found:
        _check_schema(f"{where}.items", found["items"])
    mapping = found.get("discriminator", {}).get("mapping", {})
    if not isinstance(mapping, dict) or not all(isinstance(value, str) for value in mapping.values()):
        raise NoOpenApi(f"{where}.discriminator.mapping must be a map of texts")
    if "discriminator" in found and not isinstance(found["discriminator"].get("propertyName"), str):
        raise NoOpenApi(f"{where}.discriminator has no propertyName")


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _is_values(value: Any) -> bool:
    return isinstance(value, list) and all(item is None or isinstance(item, (str, int, float)) for item in value)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_flag(value: Any) -> bool:
    return isinstance(value, bool)


def _is_map(value: Any) -> bool:
    return isinstance(value, dict)


def _has_items(value: Any) -> bool:
    return isinstance(value, list) and bool(value)


_SHAPES: tuple[tuple[str, Callable[[Any], bool], str], ...] = (
    *((key, _is_text, "a text") for key in _TEXTS),
    *((key, _is_number, "a number") for key in _NUMBERS),
    *((key, _is_flag, "true or false") for key in _FLAGS),
    *((key, _has_items, "a list with items") for key in _LISTS),
    *((key, _is_map, "a map") for key in ("properties", "items", "discriminator")),
    ("required", _is_texts, "a list of texts"),
    ("enum", _is_values, "a list of plain values"),
    ("additionalProperties", lambda value: isinstance(value, (bool, Mapping)), "a map, true or false"),
)
