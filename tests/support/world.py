"""A small world for planner tests: resources, what was applied, what is live; plain data all through.

`World` applies its own plans the way Vapi does (shallow PATCH), so that a test can plan again afterwards.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from voiceops.engine.fields.body import create_body, set_values
from voiceops.engine.fields.write import sides_of, update
from voiceops.engine.options import Options
from voiceops.engine.ordering.schedule import Operation, schedule
from voiceops.engine.planning.planner import make_plan
from voiceops.errors import Mark
from voiceops.kinds.registry import KINDS
from voiceops.kinds.twilio import TWILIO_TYPE
from voiceops.model.address import is_twilio_side, kind_of, owner_of
from voiceops.model.graph import Graph, Resource
from voiceops.model.live import Snapshot
from voiceops.model.plan import Change, Plan
from voiceops.model.state import Entry, State
from voiceops.model.values import Fingerprint, Ref, Secret, copy, format_path, leaves, map_leaves, refs_in

NOW = 1_000_000.0
LONG_AGO = NOW - 3600
ORG = "org-1"
STAMP = "2026-01-01T00:00:00.000Z"
EDITED = "2026-01-02T00:00:00.000Z"

# What Vapi's import writes at Twilio.
IMPORTED = {"voice_url": "https://api.vapi.ai/twilio/inbound_call", "voice_method": "POST"}
SERVER = {"orgId": ORG, "createdAt": STAMP, "updatedAt": STAMP}


def uid(number: int) -> str:
    """A UUID that can be told apart at a glance."""
    return f"00000000-0000-4000-8000-{number:012}"


def type_of(address: str) -> str:
    return TWILIO_TYPE if is_twilio_side(address) else KINDS[kind_of(address)].type


def resource(address: str, body: dict[str, Any] | None = None, **fields: Any) -> Resource:
    """A resource as the manifest layer makes it: every path of the body has its line and the manifest's path."""
    body = body or {}
    name = fields.pop("name", None) or (None if is_twilio_side(address) else KINDS[kind_of(address)].name_of(body))
    file = f"agents/{owner_of(address).partition('/')[2].partition('[')[0]}.yaml"
    paths = {path[:end] for path, _ in leaves(body) for end in range(1, len(path) + 1)}
    sources = {
        path: Mark(file, line, 3, f"spec.{format_path(path)}")
        for line, path in enumerate(sorted(paths, key=format_path), 4)
    }
    return Resource(
        address=address,
        kind=kind_of(address),
        type=type_of(address),
        name=name,
        body=body,
        mark=Mark(file, 1, 1),
        sources=sources,
        **fields,
    )


def agent(name: str = "support", /, **body: Any) -> Resource:
    return resource(f"Agent/{name}", {"name": name, **body})


def tool(name: str = "lookup", /, **body: Any) -> Resource:
    return resource(f"Tool/{name}", {"type": "function", "function": {"name": name}, **body})


def phone(name: str = "line", /, target: str | None = "Agent/support", **body: Any) -> Resource:
    """A line of another provider than Twilio: one object."""
    bound = {"assistantId": Ref(target) if target else None}
    return resource(
        f"Phone/{name}",
        {"provider": "vonage", "number": "+14155550100", "credentialId": uid(99), "name": name, **bound, **body},
    )


def twilio_line(
    name: str = "line", number: str = "+14155550100", target: str | None = "Agent/support", **fields: Any
) -> tuple[Resource, Resource]:
    """A Twilio line answered by Vapi: the Vapi number and the Twilio number's settings."""
    extra = fields.pop("twilio", {})
    body = fields.pop("body", {})
    twilio_only = {key: fields.pop(key) for key in ("purchase",) if key in fields}
    vapi = resource(
        f"Phone/{name}",
        {
            "provider": "twilio",
            "number": number,
            "name": name,
            "assistantId": Ref(target) if target else None,
            "squadId": None,
            "twilioAccountSid": "AC1",
            "smsEnabled": False,
            **body,
        },
        **fields,
    )
    settings = {
        "voice_url": Ref(f"Phone/{name}", "voice_url"),
        "voice_method": Ref(f"Phone/{name}", "voice_method"),
        "voice_application_sid": "",
        "trunk_sid": "",
        "voice_receive_mode": "voice",
        **extra,
    }
    side = resource(f"Phone/{name}/twilio", settings, name=number, routes=(f"Phone/{name}",), **fields, **twilio_only)
    return vapi, side


def twilio_live(number: str = "+14155550100", sid: str = "PN1", **values: Any) -> dict[str, Any]:
    """A number as Twilio answers it: null and empty mixed."""
    return {
        "sid": sid,
        "phone_number": number,
        "friendly_name": "(415) 555-0100",
        "voice_url": None,
        "voice_method": "POST",
        "voice_fallback_url": "",
        "voice_fallback_method": "POST",
        "status_callback": "",
        "status_callback_method": "POST",
        "voice_application_sid": "",
        "trunk_sid": None,
        "voice_receive_mode": "voice",
        "date_updated": "Thu, 01 Jan 2026 00:00:00 +0000",
        **values,
    }


def graph(*resources: Resource | Iterable[Resource]) -> Graph:
    flat = [r for item in resources for r in ([item] if isinstance(item, Resource) else item)]
    return Graph("shop", "dev", {r.address: r for r in flat})


def entry(address: str, id_: str, owned: dict[str, Any], **fields: Any) -> Entry:
    name = fields.pop("name", None) or (None if is_twilio_side(address) else KINDS[kind_of(address)].name_of(owned))
    return Entry(
        address=address,
        kind=kind_of(address),
        type=type_of(address),
        id=id_,
        name=name,
        owned=owned,
        updated_at=fields.pop("updated_at", STAMP),
        recorded_at=fields.pop("recorded_at", LONG_AGO),
        **fields,
    )


def live(id_: str, body: Mapping[str, Any], **server: Any) -> dict[str, Any]:
    return {"id": id_, **SERVER, **copy(dict(body)), **server}


@dataclass
class World:
    """State and live objects, and the planner between them."""

    entries: dict[str, Entry] = field(default_factory=dict)
    objects: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    date: float = NOW
    count: int = 0
    log: list[str] = field(default_factory=list)  # the operations that were carried out
    deleted: list[str] = field(default_factory=list)

    def manage(self, item: Resource, id_: str = "", live_body: Any = None, **fields: Any) -> str:
        """As if the resource had been applied long ago. `live_body` replaces what is live (None: as applied)."""
        id_ = id_ or self.new_id(item.type)
        owned = fields.pop("owned", None) or self.resolved(item.body)
        fields.setdefault("depends", graph(item).dependencies(item.address))
        fields.setdefault("protected", item.prevent_destroy)
        fields.setdefault("release", item.release)
        fields.setdefault("name", item.name)
        if item.type == TWILIO_TYPE:
            fields.setdefault("imported", dict(IMPORTED))
        self.entries[item.address] = entry(item.address, id_, owned, **fields)
        if item.type == TWILIO_TYPE:
            self.put(item.type, id_, live_body or twilio_live(item.name or "", id_, **owned))
        else:
            self.put(item.type, id_, live(id_, live_body if live_body is not None else visible(owned)))
        return id_

    def put(self, type_: str, id_: str, value: dict[str, Any]) -> None:
        self.objects.setdefault(type_, {})[id_] = value

    def gone(self, address: str) -> None:
        """Somebody deleted it outside of voiceops."""
        del self.objects[self.entries[address].type][self.entries[address].id]

    def edit(self, address: str, **values: Any) -> None:
        """A dashboard edit of top-level fields."""
        found = self.entries[address]
        self.objects[found.type][found.id] |= {**values, "updatedAt": EDITED}

    def of(self, address: str) -> dict[str, Any]:
        found = self.entries[address]
        return self.objects[found.type][found.id]

    def new_id(self, type_: str) -> str:
        self.count += 1
        return f"PN{self.count}" if type_ == TWILIO_TYPE else uid(self.count)

    def resolved(self, body: Any, fingerprints: Mapping[Secret, Fingerprint] | None = None) -> Any:
        def leaf(value: Any) -> Any:
            if isinstance(value, Ref):
                if value.attribute.startswith("voice_"):
                    return IMPORTED[value.attribute]
                return self.entries[value.address].id if value.address in self.entries else value
            if isinstance(value, Secret):
                return (fingerprints or {}).get(value, Fingerprint(value.names, ""))
            return value

        return map_leaves(body, leaf)

    @property
    def state(self) -> State:
        return State(lineage="l", project="shop", environment="dev", salt="00", serial=1, entries=dict(self.entries))

    @property
    def snapshot(self) -> Snapshot:
        return Snapshot(copy(self.objects), self.date, 0.0, ORG)

    def plan(self, desired: Graph, **options: Any) -> Plan:
        return make_plan(desired, self.state, self.snapshot, Options(**options))

    def schedule(self, desired: Graph, plan: Plan) -> dict[str, Operation]:
        return {operation.key: operation for operation in schedule(desired, self.state, plan.changes)}

    def body(self, desired: Graph, change: Change, keep: tuple[Any, ...] = ()) -> dict[str, Any]:
        """What the PATCH of an update sends."""
        item = desired.resources[change.address]
        held = self.entries.get(change.previous_address or change.address)
        return self._written(item, held, str(change.id), keep)

    def apply(self, desired: Graph, **options: Any) -> Plan:
        """Carry out a plan of Vapi objects in the order of its schedule, as an apply would."""
        plan = self.plan(desired, **options)
        before = dict(self.entries)
        for operation in in_order(self.schedule(desired, plan)):
            self._step(desired, operation, before)
            self.log.append(operation.key)
        return plan

    def _written(self, item: Resource, held: Entry | None, id_: str, keep: tuple[Any, ...] = ()) -> dict[str, Any]:
        kind = KINDS[item.kind]
        desired = set_values(kind, self.resolved(item.body))
        return update(
            kind, sides_of(kind, item, desired, self.objects[item.type][id_], held, Options()), keep.__contains__
        ).body

    def _send(self, body: Any) -> dict[str, Any]:
        """A body on its way out: everything in it must be live by now."""
        missing = [ref.address for ref in refs_in(body)]
        assert not missing, f"sent before {missing} existed"
        mentioned = str(body)
        gone = [id_ for id_ in self.deleted if id_ in mentioned]
        assert not gone, f"sent with ids of deleted objects: {gone}"
        return visible(body)

    def _step(self, desired: Graph, operation: Operation, before: Mapping[str, Entry]) -> None:
        change, address = operation.change, operation.change.address
        item = desired.resources.get(address)
        match operation.step:
            case "create":
                assert item is not None
                id_ = self.new_id(item.type)
                body = self.resolved(create_body(KINDS[item.kind], item.body, operation.leaving_out))
                self.manage(item, id_, owned=body, live_body=self._send(body))
            case "link" | "update":
                assert item is not None
                id_ = self.entries[change.previous_address or address].id if not change.adopts else str(change.id)
                held = self.entries.get(change.previous_address or address)
                body = self._written(item, held, id_)
                patched = self.objects[item.type][id_] | self._send(body)
                self.entries.pop(change.previous_address or address, None)
                self.manage(item, id_, live_body={k: v for k, v in patched.items() if k not in ("id", *SERVER)})
            case "delete":
                gone = before[change.previous_address or address]
                users = [a for a in self.entries if a in desired.resources and gone.id in str(self.of(a))]
                assert not users or users == [address], f"{address} was deleted while {users} still referred to it"
                del self.objects[gone.type][gone.id]
                self.deleted.append(gone.id)
                if not change.is_replacement:
                    self.entries.pop(address, None)
            case "state":
                held = self.entries.pop(change.previous_address or address)
                if item is not None:
                    owned = self.resolved(item.body) if change.reason == "recorded" else held.owned
                    self.entries[address] = replace(
                        held,
                        address=address,
                        owned=owned,
                        protected=item.prevent_destroy,
                        release=item.release,
                        depends=desired.dependencies(address),
                    )


def visible(body: dict[str, Any]) -> dict[str, Any]:
    """What the API shows of a body: no secrets."""

    def strip(value: Any) -> Any:
        if isinstance(value, dict):
            return {k: strip(v) for k, v in value.items() if not isinstance(v, (Secret, Fingerprint))}
        if isinstance(value, list):
            return [strip(v) for v in value]
        return value

    found: dict[str, Any] = strip(body)
    return found


def in_order(operations: Mapping[str, Operation]) -> list[Operation]:
    """Every operation after what it needs; fails where that can't be."""
    done: set[str] = set()
    ordered: list[Operation] = []
    waiting = dict(operations)
    while waiting:
        ready = sorted(key for key, o in waiting.items() if o.needs <= done)
        assert ready, f"nothing can start: { ({k: sorted(o.needs - done) for k, o in waiting.items()}) }"
        for key in ready:
            ordered.append(waiting.pop(key))
            done.add(key)
    return ordered


def changes(plan: Plan) -> dict[str, tuple[tuple[str, ...], str]]:
    """What happens to each address, and why."""
    return {change.address: (change.actions, change.reason) for change in plan.changes}


def change_of(plan: Plan, address: str) -> Change:
    return next(change for change in plan.changes if change.address == address)


def paths_of(plan: Plan, address: str) -> dict[str, tuple[Any, Any]]:
    """The changed fields of one object: path → (before, after), as a plan shows them."""
    data = change_of(plan, address).to_data()
    return {p["path"]: (p["before"], p["after"]) for p in data["change"]["paths"]}


def codes(plan: Plan) -> list[str]:
    return [d.code for d in (*plan.refusals, *plan.diagnostics)]


def shop_world() -> tuple[World, Graph]:
    """Nothing live yet, and a project with a line, its agent and tool, and agents beside them."""
    world = World()
    return world, graph(
        tool("lookup"),
        replace(agent("support", model={"toolIds": [Ref("Tool/lookup")]}), labels={"team": "a"}),
        replace(agent("sales"), labels={"team": "b"}),
        phone(),
        agent("each[x]"),
        agent("each[y]"),
    )
