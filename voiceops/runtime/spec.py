"""What one runtime serves: tools, lines and agents with their names, taken from the graph that `apply` uses too.

Pure data, no live ids: what a generated project keeps in its `runtime.json`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from voiceops.model.address import is_twilio_side, name_of, twilio_side
from voiceops.model.graph import Graph, Resource
from voiceops.model.json_in import as_map, as_number
from voiceops.model.privacy import Privacy
from voiceops.model.values import Ref, canonical, digest, encode, leaves

SPEC_VERSION = 1
VAPI_PATIENCE = 20.0  # seconds that Vapi waits for a server without timeoutSeconds
TOOL_SECONDS = 10.0  # for an answer where no timeoutSeconds is set: nobody on a phone waits for Vapi's 20


def deadline_of(timeout: float | None, default: float = TOOL_SECONDS) -> float:
    """The seconds that a handler has: `server.timeoutSeconds` less what the way back takes.

    Without one, `default` (`runtime.toolSeconds`), which must leave Vapi's own patience the same margin.
    """
    if timeout is None:
        return min(default, deadline_of(VAPI_PATIENCE))
    return timeout - min(2.0, max(0.3, timeout * 0.1))


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolSpec:
    """A tool whose calls the runtime answers. `type` is Vapi's: function, transferCall, handoff."""

    name: str  # the function name by which models call it
    address: str
    type: str = "function"
    description: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)  # JSON Schema
    timeout: float | None = None  # its server's timeoutSeconds, where one is set
    handler: str | None = None
    idempotent: bool = False
    failure: str = ""
    agents: tuple[str, ...] = ()  # addresses of the agents that can call it

    @property
    def schema_hash(self) -> str:
        """Equal for equal parameters: what `plan` compares with the manifests'."""
        return digest(dict(self.parameters))

    @property
    def key(self) -> str:
        """Of the forEach instance that it belongs to; empty for one that is no instance."""
        return self.address.partition("[")[2].partition("]")[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class LineSpec:
    """A phone line. `answer` says who picks up; `target` is the agent or squad, None where a handler decides."""

    address: str
    path: str  # NAME or NAME/KEY, as in its webhook's URL
    number: str = ""
    name: str = ""
    answer: str = "vapi"
    target: str | None = None
    handler: str | None = None
    fallback: Mapping[str, Any] | None = None

    @property
    def key(self) -> str:
        """Of the forEach instance that it belongs to; empty for one that is no instance."""
        return self.path.partition("/")[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentSpec:
    """An agent or a squad by its live name; `handler` answers its knowledge base's requests."""

    address: str
    name: str
    handler: str | None = None
    timeout: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RuntimeSpec:
    """Everything that the runtime has to know of the manifests."""

    project: str
    environment: str
    url: str
    auth: str
    digest: str = ""
    tool_seconds: float = TOOL_SECONDS  # for a tool whose server has no timeoutSeconds
    allow_unknown: bool = False  # answers may hold what Vapi's schema doesn't know, as the manifests may
    privacy: Privacy = field(default_factory=Privacy)
    tools: tuple[ToolSpec, ...] = ()
    lines: tuple[LineSpec, ...] = ()
    agents: tuple[AgentSpec, ...] = ()

    @property
    def handlers(self) -> list[str]:
        """Every `module:function` that a manifest names."""
        named = [item.handler for group in (self.tools, self.lines, self.agents) for item in group]
        return sorted({name for name in named if name})

    def deadline(self, timeout: float | None) -> float:
        """The seconds that a handler has, by its server's timeoutSeconds or the project's `runtime.toolSeconds`."""
        return deadline_of(timeout, self.tool_seconds)

    def patience(self, timeout: float | None) -> float:
        """The seconds after which an answer is late: Vapi has given up, or nobody on the phone waits any more."""
        return timeout if timeout is not None else self.deadline(None) + 1.0

    @property
    def answers_lines(self) -> bool:
        """Does Twilio call this runtime?"""
        return any(line.answer == "runtime" for line in self.lines)

    def to_data(self) -> dict[str, Any]:
        """For a file: what is empty or the default is left out, so that a diff shows what changed."""
        return {
            "version": SPEC_VERSION,
            "project": self.project,
            "environment": self.environment,
            "url": self.url,
            "auth": self.auth,
            "digest": self.digest,
            **({"tool_seconds": self.tool_seconds} if self.tool_seconds != TOOL_SECONDS else {}),
            **({"allow_unknown": True} if self.allow_unknown else {}),
            **({"privacy": asdict(self.privacy)} if self.privacy != Privacy() else {}),
            "tools": [_compact(asdict(item)) for item in self.tools],
            "lines": [_compact(asdict(item)) for item in self.lines],
            "agents": [_compact(asdict(item)) for item in self.agents],
        }

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> RuntimeSpec:
        """Raises ValueError on a file of another version, TypeError or KeyError on one that is no such file."""
        import msgspec

        if not isinstance(data, Mapping):
            raise ValueError("it holds no map")
        if data.get("version") != SPEC_VERSION:
            raise ValueError(f"version {data.get('version')} is not known; this voiceops reads {SPEC_VERSION}")
        msgspec.convert(data, cls)  # is every value of its type? What it doesn't mind is an unknown key
        tools = [{**item, "agents": tuple(item.get("agents", ()))} for item in data["tools"]]
        return cls(
            project=data["project"],
            environment=data["environment"],
            url=data["url"],
            auth=data["auth"],
            digest=data.get("digest", ""),
            tool_seconds=float(data.get("tool_seconds", TOOL_SECONDS)),
            allow_unknown=data.get("allow_unknown", False),
            privacy=Privacy(**data.get("privacy", {})),
            tools=tuple(ToolSpec(**item) for item in tools),
            lines=tuple(LineSpec(**item) for item in data["lines"]),
            agents=tuple(AgentSpec(**item) for item in data["agents"]),
        )


def _compact(data: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in data.items() if v not in (None, "", (), [], {}, False)}


def spec_of(
    graph: Graph, url: str | None, auth: str, tool_seconds: float = TOOL_SECONDS, *, allow_unknown: bool = False
) -> RuntimeSpec:
    """The runtime's part of the desired graph."""
    base = url or ""
    resources = dict(sorted(graph.resources.items()))
    servers = {a: _timeout(r.body) for a, r in resources.items() if r.kind == "Agent"}
    users = _users(resources)
    tools = []
    for address, resource in resources.items():
        if resource.kind == "Tool":
            inherited = _shortest(
                [servers[agent] for agent in users.get(address, ()) if agent in servers], tool_seconds
            )
            tools.append(_tool(resource, resource.body, users.get(address, ()), base, inherited))
        elif resource.kind == "Agent":
            inline = resource.body.get("model", {}).get("tools") if isinstance(resource.body.get("model"), dict) else ()
            tools += [
                _tool(resource, body, (address,), base, servers[address])
                for body in inline or ()
                if isinstance(body, dict)
            ]
    return RuntimeSpec(
        project=graph.project,
        environment=graph.environment,
        url=base,
        auth=auth,
        digest=graph.digest,
        tool_seconds=tool_seconds,
        allow_unknown=allow_unknown,
        tools=tuple(item for item in tools if item is not None),
        lines=tuple(_lines(resources, base)),
        agents=tuple(
            AgentSpec(
                address=address,
                name=str(resource.name or ""),
                handler=resource.handler,
                timeout=_timeout(resource.body),
            )
            for address, resource in resources.items()
            if resource.kind in ("Agent", "Squad")
        ),
    )


def _users(resources: Mapping[str, Resource]) -> dict[str, tuple[str, ...]]:
    """Tool address → the agents that name it."""
    found: dict[str, list[str]] = {}
    for address, resource in resources.items():
        if resource.kind != "Agent":
            continue
        for _, leaf in leaves(resource.body.get("model")):
            if isinstance(leaf, Ref) and leaf.address.startswith("Tool/"):
                found.setdefault(leaf.address, []).append(address)
    return {tool: tuple(dict.fromkeys(agents)) for tool, agents in found.items()}


def _tool(
    resource: Resource, body: Mapping[str, Any], agents: tuple[str, ...], base: str, inherited: float | None
) -> ToolSpec | None:
    """The tool, where its calls come to this runtime."""
    kind = str(body.get("type") or "function")
    inline = resource.kind == "Agent"
    handler = None if inline else resource.handler
    function = as_map(body.get("function"))
    server = body.get("server")
    elsewhere = isinstance(server, dict) and not _is_ours(server, base)
    if kind == "function":
        if not function.get("name") or (elsewhere and handler is None):
            return None
    elif handler is None:
        return None
    parameters = encode(function.get("parameters"))
    return ToolSpec(
        name=str(function.get("name") or name_of(resource.address)),
        address=resource.address,
        type=kind,
        description=str(function.get("description") or ""),
        parameters=parameters if isinstance(parameters, dict) else {},
        timeout=_timeout(body) if isinstance(server, dict) else inherited,
        handler=handler,
        idempotent=not inline and resource.extra.get("idempotent") is True,
        failure=_failure(resource, body, inline),
        agents=agents,
    )


def _failure(resource: Resource, body: Mapping[str, Any], inline: bool) -> str:
    """The sentence for a call that fails: the manifest's own, or what Vapi would say then anyhow."""
    own = None if inline else resource.extra.get("failureMessage")
    if isinstance(own, str) and own:
        return own
    messages = body.get("messages")
    for message in messages if isinstance(messages, list) else ():
        if isinstance(message, dict) and message.get("type") == "request-failed":
            text = message.get("content")
            if isinstance(text, str) and text and "{{" not in text:
                return text
    return ""


def _is_ours(server: Mapping[str, Any], base: str) -> bool:
    return bool(base) and server.get("url") == f"{base}/vapi/events"


def _shortest(timeouts: list[float | None], tool_seconds: float) -> float | None:
    """Of several agents' servers, the one that gives a tool the least time."""
    return min(timeouts, key=lambda timeout: deadline_of(timeout, tool_seconds), default=None)


def _timeout(body: Mapping[str, Any]) -> float | None:
    return as_number(as_map(body.get("server")).get("timeoutSeconds"))


def _lines(resources: Mapping[str, Resource], base: str) -> Iterator[LineSpec]:
    for address, resource in resources.items():
        if resource.kind != "Phone" or is_twilio_side(address):
            continue
        body = resource.body
        path = name_of(address).replace("[", "/").rstrip("]")
        twilio = resources.get(twilio_side(address))
        webhook = twilio.body.get("voice_url") if twilio is not None else None
        bound = [body.get(key) for key in ("assistantId", "squadId")]
        target = next((ref.address for ref in bound if isinstance(ref, Ref)), None)
        fallback = encode(body.get("fallbackDestination"))
        yield LineSpec(
            address=address,
            path=path,
            number=str(body.get("number") or ""),
            name=str(resource.name or ""),
            answer="runtime" if webhook == f"{base}/twilio/voice/{path}" else "vapi",
            target=resource.routes[0] if resource.routes else target,
            handler=resource.handler,
            fallback=fallback if isinstance(fallback, dict) else None,
        )


def spec_text(spec: RuntimeSpec) -> str:
    """One text for equal specs, as `runtime.json` holds it."""
    import json

    return json.dumps(json.loads(canonical(spec.to_data())), indent=2, ensure_ascii=False) + "\n"
