"""Chats with an assistant or a squad, alone, one after the other, or in a session."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from starlette.requests import Request

from voiceops.sandbox.account import World, new_id
from voiceops.sandbox.answers_as import noisy
from voiceops.sandbox.cast import cast_of
from voiceops.sandbox.catalog import PHONES, Collection
from voiceops.sandbox.conversations import chat_messages, replies, turns_of
from voiceops.sandbox.costs import model_cost
from voiceops.sandbox.listing import pages, read
from voiceops.sandbox.requests import Table, Unhurried, bad_request, json_body, row_of
from voiceops.sandbox.stand_in import Said, StandIn
from voiceops.sandbox.store import Body, Row
from voiceops.sandbox.talking import asks, talked
from voiceops.sandbox.targets import check, check_ids, check_paid, check_target

CHATS = "/chat"
SESSIONS = "/session"
_CHAT = Collection(
    path=CHATS, title="Chat", kind="", filters=("id", "assistantId", "squadId", "sessionId", "previousChatId")
)
_SESSION = Collection(
    path=SESSIONS, title="Session", kind="", filters=("id", "name", "assistantId", "squadId", "phoneNumberId")
)
_TARGET = ("assistantId", "assistant", "squadId", "squad")
_ROLES = ("user", "assistant", "system", "tool", "developer")
_KEYS = frozenset(
    {"role", "content", "message", "name", "metadata", "refusal", "tool_calls", "tool_call_id", "time", "endTime"}
    | {"secondsFromStart", "duration", "isFiltered", "detectedThreats", "originalMessage", "speakerLabel"}
)
_KEPT = 5000  # chats; of what was said in a row only the newest is needed
_CHAT_COST = 0.005
_DAY = 86_400


def operations(world: World) -> Table:
    """The routes of chats and sessions, with what answers each."""

    async def create(request: Request) -> tuple[int, Any]:
        body = await json_body(request)
        check(world, "CreateChatDTO", body)
        messages = _messages(body["input"], "input")
        check_paid(world, "chat")
        id_ = new_id()
        context, cast = _opening(world, body, messages)
        ask = asks(world, "chat", {})(id_)
        turns, _ = await talked(world, lambda: replies(cast, turns_of(context), {}, ask, waits=True))
        with world.store.transaction():
            return 201, noisy(world, _CHAT, _chatted(world, body, id_, context, cast, turns))

    async def listed(request: Request) -> tuple[int, Any]:
        return 200, pages(world, _CHAT, request.query_params, lambda body: noisy(world, _CHAT, body))

    async def open_session(request: Request) -> tuple[int, Any]:
        body = await json_body(request)
        check(world, "CreateSessionDTO", body)
        check_ids(world, body)
        if body.get("phoneNumberId") and not world.exists(PHONES, str(body["phoneNumberId"])):
            raise bad_request(f'Phone number with ID "{body["phoneNumberId"]}" not found')
        _messages(body.get("messages") or [], "messages")
        return 201, noisy(world, _SESSION, _opened(world, body))

    async def sessions(request: Request) -> tuple[int, Any]:
        return 200, pages(world, _SESSION, request.query_params, lambda body: noisy(world, _SESSION, body))

    async def update(request: Request) -> tuple[int, Any]:
        row, body = _row(world, _SESSION, request), await json_body(request)
        check(world, "UpdateSessionDTO", body)
        _messages(body.get("messages") or [], "messages")
        kept = world.replace(row, {**row.body, **body, "updatedAt": world.timestamp()})
        return 200, noisy(world, _SESSION, kept.body)

    async def get_chat(request: Request) -> tuple[int, Any]:
        return 200, noisy(world, _CHAT, read(world, CHATS, _CHAT.title, request.path_params["id"]))

    async def get_session(request: Request) -> tuple[int, Any]:
        return 200, noisy(world, _SESSION, read(world, SESSIONS, _SESSION.title, request.path_params["id"]))

    async def delete_chat(request: Request) -> tuple[int, Any]:
        return 200, _deleted(world, _row(world, _CHAT, request))

    async def delete_session(request: Request) -> tuple[int, Any]:
        return 200, _deleted(world, _row(world, _SESSION, request))

    return [
        (CHATS, "POST", Unhurried(create)),
        (CHATS, "GET", listed),
        (CHATS + "/{id}", "GET", get_chat),
        (CHATS + "/{id}", "DELETE", delete_chat),
        (SESSIONS, "POST", open_session),
        (SESSIONS, "GET", sessions),
        (SESSIONS + "/{id}", "GET", get_session),
        (SESSIONS + "/{id}", "PATCH", update),
        (SESSIONS + "/{id}", "DELETE", delete_session),
    ]


def _row(world: World, collection: Collection, request: Request) -> Row:
    return row_of(world, collection.path, collection.title, request.path_params["id"])


def _deleted(world: World, row: Row) -> Body:
    world.delete(row)
    return row.body


def _messages(given: Any, key: str) -> list[Body]:
    """The messages of a request; a text is the user's. Raises Refusal: a message is none."""
    if isinstance(given, str):
        return [{"role": "user", "content": given}]
    problems: list[str] = []
    for place, item in enumerate(given):
        at = f"{key}.{place}."
        if not isinstance(item, dict):
            problems.append(f"each value in {key} must be an object")
            continue
        problems += [f"{at}property {name} should not exist" for name in item if name not in _KEYS]
        if item.get("role") not in _ROLES:
            problems.append(f"{at}role must be one of the following values: {', '.join(_ROLES)}")
        if not isinstance(item.get("content", item.get("message", "")), str):
            problems.append(f"{at}content must be a string")
        if item.get("role") == "tool" and not isinstance(item.get("tool_call_id"), str):
            problems.append(f"{at}tool_call_id must be a string")
        if not isinstance(item.get("tool_calls", []), list):
            problems.append(f"{at}tool_calls must be an array")
    if problems:
        raise bad_request(list(dict.fromkeys(problems)))
    return list(given)


def _opening(world: World, body: Body, messages: list[Body]) -> tuple[list[Body], tuple[StandIn, ...]]:
    """What was said so far, this request's messages included, and who answers. Raises Refusal."""
    if body.get("stream"):
        raise bad_request("The sandbox does not stream chats")
    if not messages:
        raise bad_request("input should not be empty")
    _, before, target = _context(world, body)
    _check_pairs(before, messages)
    cast = cast_of(world, target, body.get("assistantOverrides") or target.get("assistantOverrides"))
    if not cast:
        raise bad_request("The squad has no members")
    return [*before, *messages], cast


def _check_pairs(before: list[Body], messages: list[Body]) -> None:
    """Models take the answer to a tool's call only behind the call, and no call without its answer in what is sent.

    Raises Refusal.
    """
    asked = {str(call.get("id")) for message in before for call in _calls(message)}
    waiting: set[str] = set()
    for place, message in enumerate(messages):
        if message.get("role") == "tool":
            if str(message.get("tool_call_id")) not in asked:
                raise bad_request(f"input.{place}: a message with role tool must answer preceding tool_calls")
            waiting.discard(str(message.get("tool_call_id")))
        elif waiting:
            raise bad_request(f"input.{place}: tool_calls must be followed by tool messages: {', '.join(waiting)}")
        made = {str(call.get("id")) for call in _calls(message)}
        asked, waiting = asked | made, waiting | made


def _calls(message: Body) -> list[Body]:
    given = message.get("tool_calls") or message.get("toolCalls")
    return [call for call in given if isinstance(call, dict)] if isinstance(given, list) else []


def _chatted(
    world: World, body: Body, id_: str, context: list[Body], cast: Sequence[StandIn], turns: Sequence[Said]
) -> Body:
    """The chat with the assistant's answer, and its session, which remembers both."""
    for row in world.store.rows(CHATS)[: -_KEPT + 1]:
        world.store.remove(CHATS, row.id)
    session, _, target = _context(world, body)
    now = world.timestamp()
    output = chat_messages(turns, id_[:8])
    cost = model_cost(cast, [turn.text for turn in turns])
    chat: Body = {
        "id": id_,
        "orgId": world.account.org_id,
        "createdAt": now,
        "updatedAt": now,
        **{key: target[key] for key in _TARGET if target.get(key)},
        **{key: body[key] for key in ("name", "sessionId", "previousChatId", "assistantOverrides") if body.get(key)},
        "input": body["input"],
        "messages": context,
        "output": output,
        "costs": [cost, {"type": "chat", "cost": _CHAT_COST}],
        "cost": round(cost["cost"] + _CHAT_COST, 6),
    }
    world.add(CHATS, id_, chat)
    if session is not None:
        kept = {**session.body, "messages": [*context, *output], "updatedAt": now}
        kept["cost"] = round(session.body["cost"] + chat["cost"], 6)
        world.replace(session, kept)
    return chat


def _context(world: World, body: Body) -> tuple[Row | None, list[Body], Body]:
    """The session, what was said so far, and who answers. Raises Refusal."""
    if body.get("sessionId") and body.get("previousChatId"):
        raise bad_request("sessionId and previousChatId are mutually exclusive")
    named = any(body.get(key) for key in _TARGET)
    if id_ := body.get("sessionId"):
        session = world.store.get(SESSIONS, str(id_))
        if session is None:
            raise bad_request(f'Session with ID "{id_}" not found')
        if named:
            raise bad_request("assistantId cannot be combined with sessionId: a session has its assistant")
        _check_open(world, session.body)
        check_target(world, session.body)
        return session, session.body.get("messages") or [], session.body
    if id_ := body.get("previousChatId"):
        previous = world.store.get(CHATS, str(id_))
        if previous is None:
            raise bad_request(f'Chat with ID "{id_}" not found')
        target = body if named else previous.body
        check_target(world, target)
        return None, [*previous.body["messages"], *previous.body["output"]], target
    check_target(world, body)
    return None, [], body


def _check_open(world: World, session: Body) -> None:
    opened = datetime.fromisoformat(session["createdAt"]).timestamp()
    if session.get("status") == "completed" or world.now() > opened + (session.get("expirationSeconds") or _DAY):
        raise bad_request(f'Session with ID "{session["id"]}" has ended')


def _opened(world: World, body: Body) -> Body:
    id_, now = new_id(), world.timestamp()
    kept = {
        "id": id_,
        "orgId": world.account.org_id,
        "createdAt": now,
        "updatedAt": now,
        "status": "active",
        "expirationSeconds": _DAY,
        "messages": [],
        "cost": 0,
        **body,
    }
    return world.add(SESSIONS, id_, kept).body
