"""The pages of fields, for scripts/make_reference.py: project files, and manifests of each kind, from `schema/`."""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from reference_texts import FIELDS

from voiceops.kinds.registry import ALL, KINDS, PART_KEYS, PARTS
from voiceops.kinds.schema import facts, root, type_of
from voiceops.kinds.twilio import TWILIO_SETTINGS

MARK = "<!-- Written by scripts/make_reference.py. -->"
NESTED = 4  # variants up to which a union is written inside its field's row


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(head)} |", "|" + "---|" * len(head)]
    lines += [f"| {' | '.join(_cell(cell) for cell in row)} |" for row in rows]
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return re.sub(r"(?<!\\)\|", r"\\|", text.replace("\n", " "))


def anchor(title: str) -> str:
    return re.sub(r"[^a-z0-9_ -]", "", title.lower()).replace(" ", "-")


def must_match(what: str, found: Iterable[str], told: Iterable[str]) -> None:
    untold, gone = sorted(set(found) - set(told)), sorted(set(told) - set(found))
    if untold or gone:
        raise SystemExit(
            f"reference_texts.py: {what} without a text: {', '.join(untold) or 'none'}; "
            f"texts without {what}: {', '.join(gone) or 'none'}"
        )


Link = Callable[[str], str]


def _type(node: Mapping[str, Any], link: Link, choice: Callable[[Mapping[str, Any]], str]) -> str:
    """A node's type in words, with links to types of its own."""
    match node["type"]:
        case "object" if "of" in node:
            return link(node["of"])
        case "object":
            return f"map of {_type(node['values'], link, choice)}" if "values" in node else "map"
        case "array":
            items = node.get("items", {"type": "any"})
            return f"list of {_type(items, link, choice)}{_range(items)}{_enum(items)}"
        case "union":
            return choice(node)
        case "anyOf":
            return " or ".join(
                f"{_type(option, link, choice)}{_range(option)}{_enum(option)}" for option in node["options"]
            )
    return str(node["type"])


def _range(node: Mapping[str, Any]) -> str:
    said = []
    for low, high, unit in (
        ("minimum", "maximum", ""),
        ("minLength", "maxLength", " characters"),
        ("minItems", "maxItems", " items"),
    ):
        bounds = node.get(low), node.get(high)
        if bounds[0] is not None and bounds[1] is not None:
            said.append(f"{bounds[0]} to {bounds[1]}{unit}")
        elif bounds != (None, None):
            said.append(f"{'at least' if bounds[1] is None else 'at most'} {_first(*bounds)}{unit}")
    return f", {', '.join(said)}" if said else ""


def _first(*values: Any) -> Any:
    return next(value for value in values if value is not None)


def _enum(node: Mapping[str, Any]) -> str:
    if "enum" not in node:
        return ""
    return ": " + ", ".join(_code(value) for value in node["enum"]) + (", or a newer one" if node.get("open") else "")


def _code(value: Any) -> str:
    text = value if isinstance(value, str) and value else json.dumps(value, ensure_ascii=False)
    return f"`` {text} ``" if "`" in text else f"`{text}`"


def _facts_of(node: Mapping[str, Any]) -> Iterator[str]:
    """What else is known of a field."""
    if node.get("deprecated"):
        successor = node.get("successor")
        yield "**deprecated**" + (f": use {successor}" if successor else "")
    if kind := node.get("reference"):
        yield f"a name of [{kind}]({kind}.md)" + (
            ", sent as its live name" if node.get("referenceBy") else ", or an id"
        )
    if kind := node.get("mayReference"):
        yield f"a name of [{kind}]({kind}.md), sent as its `{node['attribute']}`, or an id"
    if beside := node.get("follows"):
        yield f"follows `{beside}`"
    if node.get("secret"):
        yield "secret: `${secret:NAME}`"
    if node.get("set"):
        yield "in any order"
    if node.get("nullable"):
        yield "null clears it"
    if pattern := node.get("pattern"):
        yield f"matches {_code(pattern)}"
    if form := node.get("format"):
        yield f"format `{form}`"
    if examples := node.get("examples"):
        yield f"for example {', '.join(_code(value) for value in examples)}"


# Project files.

_PROJECT_HEAD = f"""\
# voiceops.yaml and environments/NAME.yaml

{MARK}

`voiceops.yaml` stands at the project's root. A file `environments/NAME.yaml` is laid over it for that environment: maps
are merged, null takes a key out, other values are replaced. `${{env:NAME}}`, `${{env:NAME:-default}}` and
`${{secret:NAME}}` may stand in values.

```yaml
version: 1
project: garden-shop
environments: [dev, prod]
defaultEnvironment: dev
safety: {{maxDestroyPercent: 20, confirm: true}}
```

Unknown keys are errors. `voiceops schema` prints all of this as JSON Schema.
"""

_TITLES = {"Project": "voiceops.yaml", "Environment": "environments/NAME.yaml", "PolicyRule": "policies/*.yaml"}


def project_page() -> str:
    types = facts("project")["types"]
    must_match("fields", _paths(types), (f"{name}.{key}" for name, fields in FIELDS.items() for key in fields))
    parts = [_PROJECT_HEAD]
    for name in types:
        if name not in _ENVELOPE:
            parts += [f"## {_title(name)}\n", _own_fields(name)]
    return "\n".join(parts)


def _paths(types: Mapping[str, Any]) -> Iterator[str]:
    return (f"{name}.{key}" for name, found in types.items() for key in found["fields"])


def _title(name: str) -> str:
    return _TITLES.get(name, name)


def _own_fields(name: str) -> str:
    definition = type_of(name, "project")

    def link(other: str) -> str:
        # A manifest's envelope has its page among the manifests; all else stands on the page of the project.
        page = "manifests/README.md" if other in _ENVELOPE and name not in _ENVELOPE else ""
        return f"[{_title(other)}]({page}#{anchor(_title(other))})"

    rows = []
    for key, node in definition["fields"].items():
        needed = " **needed**" if key in definition["required"] else ""
        kind = f"{_type(node, link, str)}{_range(node)}{_enum(node)}"
        told = "; ".join([FIELDS[name][key], *_facts_of(node)])
        rows.append((f"`{key}`{needed}", kind, told))
    return table(("field", "type", ""), rows)


# Manifests.

_ENVELOPE = ("Manifest", "Lifecycle", "External", "Moved")

_MANIFESTS_HEAD = f"""\
# Manifests

{MARK}

A manifest is a YAML document under `agents/`, or wherever `manifests:` says.

```yaml
kind: Agent
name: front-desk
labels: {{team: support}}
spec:
  firstMessage: Garden Shop, good day!
  model:
    provider: openai
    model: gpt-4.1
    systemPrompt: ${{file:prompts/front-desk.md}}
    tools: [lookup-order]
  voice: warm
```
"""

_CONVENIENCES = """\
## What may be written besides

| where | may be written | means |
|---|---|---|
| any value | `${env:NAME}`, `${var:NAME}`, `${secret:NAME}` | an environment variable, one of `variables:`, a secret |
| | `${file:PATH}`, `${template:PATH}` | a file's text; a template's, with its own `${…}` replaced |
| | `${ref:Kind/name.id}`, `${runtime:url}`, `${each:KEY}` | a live id, the runtime's address, the `forEach` entry |
| | `$${` | a literal `${` |
| a reference | a manifest's name | the live id of its object |
| `assistantId`, `squadId` | `agent: NAME`, `squad: NAME` | the same |
PART_ROWS
| any part written as a map | `from: NAME`, with other fields | that part, with these fields instead |
| `server` | `runtime` | the project's webhook runtime, with its credential |
| `model` | `systemPrompt: TEXT` | the leading system message |
| `model.tools` | names among the tools | `toolIds` |
| a Phone with `provider: twilio` | `answer: vapi` or `runtime` | who answers: Vapi, or the runtime, which asks Vapi |
| | `purchase: true`, `release: true` | buy the number; give it back when the manifest goes |
| | `twilio: {…}` | voice settings of the number at Twilio: TWILIO_KEYS |
| any Phone | `answer: none` | a line for outgoing calls: nobody answers it, and nothing is said of that |
"""

_KIND_HEAD = """\
# {kind}

{mark}

{about} Fields with **needed** must be there. Every type stands once, on the page of the kind that is nearest to it.

[README.md](README.md) has what stands around the spec, and what may be written besides.
"""


def manifest_pages() -> dict[str, str]:
    reference = _Reference()
    made = {f"reference/manifests/{kind}.md": reference.page(kind) for kind in ALL}
    made["reference/manifests/README.md"] = _manifests_page()
    return made


def _manifests_page() -> str:
    parts_rows = "\n".join(
        f"| `{key}` | the name of a {part} | that [{part}]({part}.md), written once |"
        for key, part in PART_KEYS.items()
    )
    rest = _CONVENIENCES.replace("PART_ROWS", parts_rows).replace(
        "TWILIO_KEYS", ", ".join(f"`{key}`" for key in TWILIO_SETTINGS)
    )
    parts = [_MANIFESTS_HEAD]
    for name in _ENVELOPE:
        parts += [f"## {name}\n", _own_fields(name)]
    parts += [rest, "## Kinds\n", table(("kind", ""), ((f"[{kind}]({kind}.md)", _about(kind)) for kind in ALL))]
    parts.append("[kinds.md](../../kinds.md) lists endpoints, and every place where a name may stand for an id.\n")
    return "\n".join(parts)


def _about(kind: str) -> str:
    if kind in PARTS:
        return "A part of others, without a live object of its own."
    title = KINDS[kind].title
    return f"A{'n' if title[0] in 'aeiou' else ''} {title} at Vapi."


class _Reference:
    """Where each type and each larger union stands: on the page of the kind that reaches it in the fewest steps."""

    def __init__(self) -> None:
        self.types: dict[str, str] = {}  # type → page
        self.choices: dict[str, tuple[str, str, Mapping[str, Any]]] = {}  # union → page, title, node
        waiting: deque[tuple[str, str, Mapping[str, Any]]] = deque()
        for kind in [*PARTS, *KINDS]:
            waiting.append((kind, kind, root(kind, "manifest")))
        while waiting:
            page, place, node = waiting.popleft()
            names: list[str] = []
            if node["type"] == "union":
                if place == page or len(node["variants"]) + len(node.get("patterns", {})) > NESTED:
                    self.choices.setdefault(_key(node), (page, place, node))
                names = [*node["variants"].values(), *node.get("patterns", {}).values()]
            elif "of" in node:
                names = [node["of"]]
            for name in names:
                if name not in self.types:
                    self.types[name] = page
                    for key, field in type_of(name)["fields"].items():
                        waiting.append((page, f"{name}.{key}", field))
            inner = [*node.get("options", []), *node.get("others", [])]
            inner += [node[key] for key in ("items", "values") if key in node]
            waiting.extend((page, place, each) for each in inner)

    def page(self, kind: str) -> str:
        node = root(kind, "manifest")
        parts = [_KIND_HEAD.format(kind=kind, mark=MARK, about=_about(kind))]
        parts += ["## spec\n", f"{self._type(kind, node)}\n"]
        parts += self._choices_in(kind, kind)
        for name, place in self.types.items():
            if place == kind:
                parts += [f"## {name}\n", self._fields(kind, name), *self._choices_in(kind, name)]
        text = "\n".join(parts)
        titles = [anchor(line[3:]) for line in text.splitlines() if line.startswith("## ")]
        if len(titles) != len(set(titles)):
            raise SystemExit(f"{kind}.md: two headings have one anchor")
        return text

    def _choices_in(self, page: str, owner: str) -> Iterator[str]:
        """The unions of a type's fields, or of the kind itself."""
        for place, title, union in self.choices.values():
            if place == page and title.partition(".")[0] == owner:
                yield f"## {_choice_title(title, union)}\n"
                yield self._variants(page, union)

    def _type(self, page: str, node: Mapping[str, Any]) -> str:
        def link(name: str) -> str:
            return _linked(page, self.types[name], name, name)

        def choice(union: Mapping[str, Any]) -> str:
            others = "".join(f", or {self._type(page, o)}{_range(o)}{_enum(o)}" for o in union.get("others", []))
            if found := self.choices.get(_key(union)):
                title = _choice_title(found[1], found[2])
                text = f"by `{union['by']}`"
                return f"{_linked(page, found[0], title, text)}{others}"
            named = {**union["variants"], **union.get("patterns", {})}
            return f"by `{union['by']}`: {', '.join(f'{_code(v)} {link(n)}' for v, n in named.items())}{others}"

        return _type(node, link, choice)

    def _variants(self, page: str, union: Mapping[str, Any]) -> str:
        def row(value: str, name: str) -> tuple[str, str]:
            return value, _linked(page, self.types[name], name, name)

        rows = [row(_code(value), name) for value, name in union["variants"].items()]
        rows += [row(f"matches {_code(pattern)}", name) for pattern, name in union.get("patterns", {}).items()]
        return table((f"`{union['by']}`", "type"), rows)

    def _fields(self, page: str, name: str) -> str:
        definition = type_of(name)
        rows = []
        for key, node in sorted(definition["fields"].items(), key=lambda item: item[0] not in definition["required"]):
            needed = " **needed**" if key in definition["required"] else ""
            kind = f"{self._type(page, node)}{_range(node)}{_enum(node)}"
            default = _code(node["default"]) if "default" in node else ""
            rows.append((f"`{key}`{needed}", kind, default, "; ".join(_facts_of(node))))
        free = "\nOther fields pass.\n" if definition.get("free") else ""
        return (table(("field", "type", "default", ""), rows) if rows else "No fields.\n") + free


def _key(union: Mapping[str, Any]) -> str:
    return json.dumps([union["by"], union["variants"], union.get("patterns", {})])


def _choice_title(place: str, union: Mapping[str, Any]) -> str:
    owner, _, key = place.partition(".")
    return f"{key or owner} by {union['by']}" + (f" in {owner}" if key else "")


def _linked(page: str, target: str, title: str, text: str) -> str:
    return f"[{text}]({'' if page == target else f'{target}.md'}#{anchor(title)})"
