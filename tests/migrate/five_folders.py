"""Five made-up checkouts: one for each layout and most ages of the state, with every oddity that real ones have."""

from __future__ import annotations

import json
from pathlib import Path

from tests.migrate.peer_folders import PLACES, Peer, R, assistant, function, put
from voiceops.sandbox.server import SandboxServer

LONG = "a-tool-whose-file-was-called-by-everything-that-it-does-for-everybody-who-calls-us"


def oldest() -> Peer:
    """`resources/TYPE/…`, a state with three sections, prompts with everything in them."""
    return Peer(
        objects={
            "tools": {
                "lookup-{head}": function("lookup", server={"url": "https://crm.example/lookup"}),
                LONG: function("everything"),
                "End Call": function("end_call_tool"),
                "old/end-call": function("end_call_tool"),
                "api-1": {"type": "apiRequest", "method": "GET", "url": "https://crm.example/a", "name": "a"},
                "route": {
                    "type": "handoff",
                    "destinations": [{"type": "assistant", "assistantId": R("assistants", "intake")}],
                },
            },
            "structuredOutputs": {
                "summary": {
                    "name": "Summary",
                    "type": "ai",
                    "schema": {"type": "string"},
                    "assistant_ids": [R("assistants", "intake"), R("assistants", "Night Desk-{head}", "comment")],
                },
            },
            "assistants": {
                "intake": assistant(
                    "Intake",
                    model={"toolIds": [R("tools", "lookup-{head}", "comment"), R("tools", LONG), R("tools", "route")]},
                    backgroundSound="off",
                    artifactPlan={"structuredOutputIds": [R("structuredOutputs", "summary")]},
                ),
                "Night Desk-{head}": assistant(
                    "Intake",
                    model={
                        "toolIds": [R("tools", "old/end-call", "uuid")],
                        "messages": [{"role": "system", "content": "old"}, {"role": "user", "content": "Hi"}],
                    },
                    hooks=[
                        {
                            "on": "call.ending",
                            "do": [{"type": "tool", "toolId": R("tools", "End Call")}],
                        }
                    ],
                    artifactPlan={"structuredOutputIds": [R("structuredOutputs", "summary", "uuid")]},
                ),
                "plain": assistant("Plain", "Only in YAML: ${not} ours, {{customer.name}}."),
            },
        },
        prompts={
            "intake": "# Intake\n\n---\n\nAsk for ${name}, {{customer.name}}.\n\n---\nlast: line\n\n",
            "Night Desk-{head}": "\u00a0Good night \U0001f319 — “ça va”?  \n\tTabs, too.\n\n\n",
        },
    )


def two_states() -> Peer:
    """Squads and simulations, some of Vapi's own; the same files for two organizations."""
    return Peer(
        objects={
            "tools": {"lookup": function("lookup")},
            "structuredOutputs": {"seated": {"name": "Seated", "type": "ai", "schema": {"type": "boolean"}}},
            "assistants": {
                "front": assistant("Front", "You answer.", model={"toolIds": [R("tools", "lookup")]}),
                "billing": assistant("Billing", "You bill."),
            },
            "squads": {
                "all": {
                    "name": "All",
                    "members": [
                        {
                            "assistantId": R("assistants", "front"),
                            "assistantOverrides": {
                                "model": {
                                    "provider": "openai",
                                    "model": "gpt-4o",
                                    "toolIds": [R("tools", "lookup", "uuid")],
                                }
                            },
                            "assistantDestinations": [
                                {
                                    "type": "assistant",
                                    "assistantName": R("assistants", "billing", "name"),
                                    "message": "One moment.",
                                }
                            ],
                        },
                        {"assistantId": R("assistants", "billing", "comment")},
                    ],
                    "membersOverrides": {
                        "tools:append": [
                            {
                                "type": "handoff",
                                "destinations": [
                                    {"type": "assistant", "assistantId": R("assistants", "front", "uuid")}
                                ],
                            }
                        ]
                    },
                }
            },
            "personalities": {
                "hungry": {
                    "name": "Hungry",
                    "assistant": {
                        "model": {
                            "provider": "openai",
                            "model": "gpt-4o",
                            "messages": [{"role": "system", "content": "You are hungry."}],
                        }
                    },
                }
            },
            "scenarios": {
                "table": {
                    "name": "Table",
                    "instructions": "Ask for a table for two.",
                    "evaluations": [
                        {"structuredOutputId": R("structuredOutputs", "seated"), "comparator": "=", "value": True},
                        {
                            "structuredOutputId": R("structuredOutputs", "seated", "uuid"),
                            "comparator": "!=",
                            "value": False,
                            "required": False,
                        },
                    ],
                }
            },
            "simulations": {
                "hungry-couple": {
                    "name": "Couple",
                    "scenarioId": R("scenarios", "table"),
                    "personalityId": R("personalities", "hungry"),
                },
                "carl": {
                    "name": "Carl",
                    "scenarioId": R("scenarios", "table", "comment"),
                    "personalityId": R("personalities", "stock"),
                },
            },
            "simulationSuites": {
                "evening": {
                    "name": "Evening",
                    "simulationIds": [R("simulations", "hungry-couple"), R("simulations", "carl")],
                }
            },
        }
    )


def organization(*, night: bool) -> Peer:
    """One of two copies: a prompt, a voice and a URL differ, one has a tool more, and both have a credential."""
    host = "night" if night else "day"
    objects = {
        "credentials": {
            "acme-server": {
                "provider": "webhook",
                "name": "acme server",
                "authenticationPlan": {"type": "bearer", "token": "a-token-of-the-server"},
            }
        },
        "tools": {
            "lookup": function(
                "lookup",
                server={"url": f"https://{host}.example/lookup", "credentialId": R("credentials", "acme-server")},
            ),
            "same": function("same"),
        },
        "assistants": {
            "desk": assistant("Desk", model={"toolIds": [R("tools", "lookup"), R("tools", "same")]}),
            "twin": assistant("Twin", "The same in both."),
        },
    }
    if night:
        objects["assistants"]["desk"]["voice"]["voiceId"] = "andrea"
        objects["tools"]["alarm"] = function("alarm")
    return Peer(objects=objects, prompts={"desk": f"You are the desk at {host}.\n"})


def nested() -> Peer:
    """Ids with folders in them, and the same id in two types."""
    return Peer(
        objects={
            "tools": {"sales/intake": function("intake_tool"), "sales-intake": function("other")},
            "assistants": {
                "sales/intake": assistant("Sales", "Sell.", model={"toolIds": [R("tools", "sales/intake")]}),
                "support/intake": assistant("Support", "Help.", model={"toolIds": [R("tools", "sales-intake")]}),
            },
        }
    )


def newest() -> Peer:
    """Evals, and managed variables of every type."""
    return Peer(
        objects={
            "tools": {"wait": function("wait", server={"url": "{{crm_url}}", "timeoutSeconds": "{{ timeout }}"})},
            "assistants": {
                "desk": assistant(
                    "Desk",
                    "Say {{greeting}} to {{customer.name}}.",
                    firstMessage="{{greeting}}",
                    endCallPhrases="{{phrases}}",
                    model={"toolIds": [R("tools", "wait")]},
                    voicemailMessage="{{unknown_one}}",
                )
            },
            "evals": {
                "greets": {
                    "name": "Greets",
                    "type": "chat.mockConversation",
                    "messages": [
                        {"role": "user", "content": "Hello"},
                        {"role": "assistant", "judgePlan": {"type": "exact", "content": "Good evening."}},
                    ],
                }
            },
        },
        variables={
            "greeting": "Good ${evening}",
            "crm_url": "https://crm.example/wait",
            "timeout": 12,
            "phrases": ["bye", "off"],
        },
    )


def write_oldest(root: Path, server: SandboxServer) -> Peer:
    peer = oldest()
    peer.push(server)
    peer.write(root, "resources")
    put(root, ".vapi-state.prod.json", peer.state(1))
    put(root, ".env.prod", f"VAPI_TOKEN={server.api_key}\nVAPI_BASE_URL={server.vapi_url}\n")
    put(root, "resources/assistants/.DS_Store", b"\0")
    put(root, "resources/assistants/intake.2026-05-01T10-00-00-000Z.bkp.md", "---\nname: Old\n---\n")
    put(root, "resources/assistants/notes.txt", "not a resource")
    put(root, "resources/assistants.bak/intake.md", "---\nname: Old\n---\n")
    put(root, "resources/tools/.keep", "")
    put(root, ".vapi-state.prod.json.bak", "{")
    put(root, ".vapi-state-hash/prod/x", "abc")
    put(root, ".vapi-state.prod.snapshots/1.json", "{}")
    put(root, "tmp/x.yml", "name: x\n")
    put(root, "vapi-checks.yml", "a: 1\n")
    put(root, "promotion.yml", "a: 1\n")
    return peer


def write_two_states(root: Path, dev: SandboxServer, prod: SandboxServer) -> dict[str, Peer]:
    made = {}
    for name, server in (("dev", dev), ("prod", prod)):
        made[name] = peer = two_states()
        peer.push(server)
        gone = {"tools": {"long-gone": "11111111-2222-4333-8444-555555555555"}} if name == "dev" else {}
        put(root, f".vapi-state.{name}.json", peer.state(2, gone))
        put(root, f".env.{name}", f"VAPI_TOKEN='{server.api_key}'\nVAPI_BASE_URL={server.vapi_url}\n")
    made["prod"].write(root, "resources", crlf=True)
    return made


def write_organizations(root: Path, day: SandboxServer, night: SandboxServer) -> dict[str, Peer]:
    made = {}
    for name, server in (("day", day), ("night", night)):
        made[name] = peer = organization(night=name == "night")
        peer.push(server)
        peer.write(root, f"resources/{name}")
        put(root, f".vapi-state.{name}.json", peer.state(3))
        put(root, f".env.{name}", f"VAPI_TOKEN={server.api_key}\nVAPI_BASE_URL={server.vapi_url}\n")
    put(root, "resources/day/.vapi-ignore", "# not ours\nassistants/ab-*\n\nevals/**\n")
    put(root, "resources/day/assistants/ab-test.yml", "name: A/B\n")
    put(root, "resources/day/evals/a/b.yml", "name: nested\n")
    return made


def write_nested(root: Path, server: SandboxServer) -> Peer:
    peer = nested()
    peer.push(server)
    peer.write(root, "resources/acme")
    put(root, ".vapi-state.acme.json", peer.state(4))
    put(root, ".env.acme", "# nothing\nVAPI_PRIVATE_API_KEY=wrong\nVAPI_TOKEN=old\n")
    put(root, ".env.acme.local", f"export VAPI_PRIVATE_API_KEY={server.api_key}\nVAPI_BASE_URL={server.vapi_url}\n")
    return peer


def write_newest(root: Path, server: SandboxServer) -> Peer:
    peer = newest()
    peer.push(server)
    peer.write(root, "resources/acme")
    put(root, ".vapi-state.acme.json", peer.state(6))
    block = (
        "# BEGIN VAPI MANAGED BINDINGS\nVAPI_PHONE_NUMBER_MAIN=99999999-2222-4333-8444-555555555555\n"
        "# END VAPI MANAGED BINDINGS\n"
    )
    put(root, ".env.acme", f"VAPI_PRIVATE_API_KEY={server.api_key}\nVAPI_BASE_URL={server.vapi_url}\n\n{block}")
    return peer


def odd() -> Peer:
    """What one meets in old accounts: values that the published schema refuses, secrets, tools without a name, …"""
    tools = {
        "transfer": {
            "type": "transferCall",
            "destinations": [
                {"type": "number", "number": "+14155550100", "transferPlan": {"mode": "warm-transfer-with-summary"}}
            ],
        },
        "api-a": {"type": "apiRequest", "method": "GET", "url": "https://crm.example/a"},
        "api-b": {"type": "apiRequest", "method": "GET", "url": "https://crm.example/b"},
        "secretive": function(
            "secretive",
            server={
                "url": "https://crm.example",
                "secret": "a-text-that-nobody-may-see",
                "headers": {"Authorization": "Bearer a-token-of-ours"},
            },
        ),
        "newer": {"type": "function", "function": {"name": "newer"}, "unheardOf": {"x": 1}, "async": False},
    }
    desk = assistant(
        "Desk",
        "Hi",
        model={"toolIds": [R("tools", name) for name in tools], "temperature": 0, "maxTokens": 250},
        transcriber={"provider": "deepgram", "model": "nova-of-tomorrow", "language": "en"},
        voicemailMessage=None,
        keypadInputPlan={"enabled": True, "delimiters": "#*"},
        silenceTimeoutSeconds=30.0,
        stopSpeakingPlan={"numWords": 0, "voiceSeconds": 0.2, "backoffSeconds": 1},
        maxDurationSeconds="{{longest}}",
        brandNewKey="x",
    )
    output = {"name": "Map", "schema": {"type": "string"}, "assistant_ids": [R("assistants", "desk")]}
    evaluation = {"structuredOutputId": R("structuredOutputs", "map"), "comparator": "=", "value": {"a": 1}}
    member = {
        "assistantId": R("assistants", "desk"),
        "assistantDestinations": [{"type": "assistant", "assistantName": "Someone Else", "message": ""}],
    }
    return Peer(
        objects={
            "tools": tools,
            "structuredOutputs": {"map": output},
            "assistants": {"desk": desk},
            "scenarios": {"map": {"name": "Map", "instructions": "Ask.", "evaluations": [evaluation]}},
            "squads": {"all": {"name": "All", "members": [member]}},
        },
        variables={"longest": 600},
    )


def write_odd(root: Path, server: SandboxServer) -> Peer:
    """Its account was made when the API took all of it; the server has added nulls and its own keys since."""
    peer = odd()
    later = {"warm-transfer-with-summary": "warm-transfer-say-summary"}
    with server.control() as control:
        for section, (_, path) in PLACES.items():
            for id_, body in peer.objects.get(section, {}).items():
                text = json.dumps(peer.sent(section, id_, body), default=lambda _: [])
                for old, new in later.items():
                    text = text.replace(old, new)
                noise = {"endCallMessage": None, "messages": None} if section in ("tools", "assistants") else {}
                peer.uuids[section, id_] = control.create(path, noise | json.loads(text))["id"]
        made = peer.uuids["structuredOutputs", "map"]
        control.edit(made, set_={"assistantIds": [peer.uuids["assistants", "desk"]]})
    peer.write(root, "resources/acme")
    put(root, ".vapi-state.acme.json", peer.state(6))
    put(root, ".env.acme", f"VAPI_TOKEN={server.api_key}\nVAPI_BASE_URL={server.vapi_url}\n")
    return peer
