"""The vendors' own clients, unmodified but for the address."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from twilio.base.exceptions import TwilioRestException
from twilio.rest import Client
from vapi import Vapi
from vapi.core.api_error import ApiError
from vapi.phone_numbers.types import CreatePhoneNumbersRequest_Twilio

from tests.sandbox import shop
from tests.sandbox.sandbox_bench import OWNED, Bench


@pytest.fixture
def twilio(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    for name in ("TWILIO_EDGE", "TWILIO_REGION"):
        monkeypatch.delenv(name, raising=False)
    client = Client(bench.server.account_sid, bench.server.auth_token)
    client.api.base_url = bench.server.twilio_url
    yield client
    client.http_client.session.close()


@pytest.fixture
def vapi(bench: Bench) -> Iterator[Vapi]:
    with httpx.Client(verify=False, trust_env=False) as client:
        yield Vapi(base_url=bench.server.vapi_url, token=bench.server.api_key, httpx_client=client)


def test_vapis_client_manages_assistants_and_tools(vapi: Vapi) -> None:
    """One test, for importing that client's models of assistants takes it twenty seconds."""
    from vapi.tools.types import CreateToolsRequest_Function

    tool = vapi.tools.create(request=CreateToolsRequest_Function(function={"name": "lookupOrder"}))
    assert [item.id for item in vapi.tools.list()] == [tool.id]
    model = {"provider": "openai", "model": "gpt-4o", "toolIds": [tool.id]}
    made = vapi.assistants.create(name="support", first_message="Hi", model=model)
    assert made.model.tool_ids == [tool.id]
    assert vapi.assistants.get(id=made.id).name == "support"
    assert [item.id for item in vapi.assistants.list()] == [made.id]
    assert vapi.assistants.update(id=made.id, name="renamed").name == "renamed"
    squad = vapi.squads.create(members=[{"assistantId": made.id}])
    assert [item.id for item in vapi.squads.list()] == [squad.id]
    assert vapi.assistants.delete(id=made.id).id == made.id
    with pytest.raises(ApiError) as error:
        vapi.assistants.get(id=made.id, request_options={"max_retries": 0})
    assert error.value.status_code == 404


def test_vapis_client_reads_pages(vapi: Vapi) -> None:
    output = vapi.structured_outputs.structured_output_controller_create(name="o", schema={"type": "object"})
    page = vapi.structured_outputs.structured_output_controller_find_all()
    assert [item.id for item in page.results] == [output.id]
    assert page.metadata.total_items == 1


def test_vapis_client_imports_a_number(bench: Bench, vapi: Vapi) -> None:
    request = CreatePhoneNumbersRequest_Twilio(
        number=OWNED,
        twilio_account_sid=bench.server.account_sid,
        twilio_auth_token=bench.server.auth_token,
        sms_enabled=False,
    )
    made = vapi.phone_numbers.create(request=request)
    assert made.number == OWNED
    assert [item.id for item in vapi.phone_numbers.list()] == [made.id]


def test_vapis_client_reads_the_validator(vapi: Vapi) -> None:
    with pytest.raises(ApiError) as error:
        vapi.structured_outputs.structured_output_controller_create(name="x" * 41, schema={"type": "object"})
    assert error.value.status_code == 400
    assert error.value.body["message"] == ["name must be shorter than or equal to 40 characters"]


def test_vapis_client_makes_a_second_object_of_a_lost_answer(bench: Bench, vapi: Vapi) -> None:
    """Why voiceops repeats no create: the vendor's client does, and there is no idempotency key."""
    bench.control.fault("status", when="after", method="POST", times=1, status=500)
    vapi.structured_outputs.structured_output_controller_create(
        name="twice", schema={"type": "object"}, request_options={"max_retries": 1}
    )
    assert len(bench.control.objects("/structured-output")) == 2


def test_twilios_client_manages_numbers(twilio: Client) -> None:
    (number,) = twilio.incoming_phone_numbers.list(phone_number=OWNED)
    changed = number.update(voice_url="https://a.example/", voice_fallback_url="https://b.example/")
    assert changed.voice_url == "https://a.example/"
    assert twilio.incoming_phone_numbers(number.sid).fetch().voice_fallback_url == "https://b.example/"
    assert number.update(voice_fallback_url="").voice_fallback_url in (None, "")
    assert number.date_created.tzinfo is not None
    assert number.delete()
    with pytest.raises(TwilioRestException) as error:
        twilio.incoming_phone_numbers(number.sid).fetch()
    assert (error.value.status, error.value.code) == (404, 20404)


def test_twilios_client_buys(bench: Bench, twilio: Client) -> None:
    bought = twilio.incoming_phone_numbers.create(phone_number="+14155550142")
    assert bought.capabilities["voice"] is True
    with pytest.raises(TwilioRestException) as error:
        twilio.incoming_phone_numbers.create(phone_number="+14155550142")
    assert (error.value.status, error.value.code) == (400, 21422)
    assert bench.control.counts()["purchases"] == 1


@pytest.mark.parametrize("total", [50, 120])
def test_twilios_client_follows_pages(bench: Bench, twilio: Client, total: int) -> None:
    for n in range(total - 1):
        bench.control.add_number(f"+1415556{n:04}")
    bench.control.reset_requests()
    assert len({number.sid for number in twilio.incoming_phone_numbers.list(page_size=50)}) == total
    assert len(bench.control.requests("twilio")) == -(-total // 50)


def test_twilios_client_reads_the_rest(bench: Bench, twilio: Client) -> None:
    assert twilio.api.accounts(bench.server.account_sid).fetch().status == "active"
    assert twilio.applications.list() == []
    offers = twilio.available_phone_numbers("US").local.list(area_code=415)
    assert all(offer.phone_number.startswith("+1415") for offer in offers)


def test_vapis_client_splits_traffic(bench: Bench, vapi: Vapi) -> None:
    split = vapi.traffic_allocations
    once = {"max_retries": 0}
    with pytest.raises(ApiError) as refused:
        split.traffic_allocation_controller_find_all_paginated(request_options=once)
    assert refused.value.status_code == 403
    bench.control.switches(traffic_splitting=True)
    agent = bench.make("/assistant", {"name": "a"})["id"]
    made = split.traffic_allocation_controller_create(
        assistant_id=agent, targets=[{"assistant_version": "v1", "percentage": 100}]
    )
    assert (made.allocation_intent, made.targets[0].assistant_version) == ("explicit", "v1")
    with pytest.raises(ApiError) as stale:
        split.traffic_allocation_controller_create(
            assistant_id=agent,
            allocation_intent="follow-latest",
            expected_current_allocation_id="00000000-0000-4000-8000-000000000009",
            request_options=once,
        )
    assert stale.value.status_code == 409
    assert stale.value.body["currentAllocationId"] == made.id
    assert split.traffic_allocation_controller_latest_get(assistant_id=agent).allocation.id == made.id
    page = split.traffic_allocation_controller_find_all_paginated(assistant_id=agent)
    assert [row.id for row in page.results] == [made.id]
    assert split.traffic_allocation_controller_find_one(id=made.id).created_at.tzinfo is not None


def test_vapis_client_reads_what_is_new(bench: Bench, vapi: Vapi) -> None:
    agent = bench.make("/assistant", {"name": "a"})
    squad = vapi.squads.create(members=[{"assistantId": agent["id"]}])
    assert squad.latest_version == "v1"
    suite = bench.control.create("/eval/simulation/suite", {"name": "s", "simulationIds": []})
    copy = vapi.simulation_suites.simulation_suite_controller_duplicate(id=suite["id"])
    assert copy.id != suite["id"]
    assert vapi.eval.eval_controller_get_runs_paginated(search="x").results == []
    sound = vapi.assistants.assistant_controller_validate_background_sound_url(url="https://sounds.example/a.mp3")
    assert sound.valid is True
    # In the same test, for the models of this client are imported slowly, and once a process.
    shop_agent = shop.agent(bench)
    _client_runs_simulations(bench, vapi, shop_agent)
    _client_runs_evals(vapi, shop_agent)
    _client_chats(vapi, shop_agent)


def _client_runs_simulations(bench: Bench, vapi: Vapi, agent: str) -> None:
    runs = vapi.simulation_runs
    simulated = shop.simulation(bench, shop.scenario(bench, '"Saturday"'))
    entries = [{"type": "simulation", "simulationId": simulated}]
    target = {"type": "assistant", "assistantId": agent}
    voice = {"provider": "vapi.websocket"}
    bench.control.outcome("hang", nth=[2])
    made = runs.simulation_run_controller_create(simulations=entries, target=target, transport=voice, iterations=2)
    assert (made.status, len(made.simulation_run_item_ids)) == ("queued", 2)
    found = runs.simulation_run_controller_find_one(id=made.id)
    assert (found.status, found.item_counts.passed, found.item_counts.running) == ("running", 1, 1)
    assert found.started_at.tzinfo is not None
    assert vapi.simulations.simulation_controller_get_concurrency().active_simulations == 2
    hanging, passed = runs.simulation_run_controller_find_items(id=made.id)
    assert (passed.results.passed, passed.results.evaluations[0].extracted_value) == (True, True)
    assert passed.metadata.call.messages[-1]["content"] == "We are open Monday to Saturday, nine to six."
    only = runs.simulation_run_controller_find_items(id=made.id, status="running")
    assert [item.id for item in only] == [hanging.id]
    canceled = runs.simulation_run_controller_cancel_item(id=made.id, item_id=hanging.id)
    assert canceled.status == "canceled"
    assert runs.simulation_run_controller_find_item(id=made.id, item_id=hanging.id).canceled_at is not None
    bench.control.outcome("hang")
    second = runs.simulation_run_controller_create(simulations=entries, target=target)
    assert runs.simulation_run_controller_cancel_group(id=second.id).ended_reason == "canceled"
    assert [run.id for run in runs.simulation_run_controller_find_all()] == [second.id, made.id]
    page = runs.simulation_run_controller_find_all(page=1, filter_status="failed", target_id=agent)
    assert [run.summary.simulation_count for run in page.results] == [1, 1]
    bench.control.clear_outcomes()
    bench.control.switches(payment="wallet_missing")
    with pytest.raises(ApiError) as unpaid:
        runs.simulation_run_controller_create(simulations=entries, target=target)
    assert (unpaid.value.status_code, unpaid.value.body.reason) == (402, "wallet_missing")
    bench.control.switches(payment="ok")


def _client_runs_evals(vapi: Vapi, agent: str) -> None:
    call = {"name": "lookupOrder", "arguments": {"orderNumber": "1234"}}
    messages = [
        {"role": "user", "content": "Where is my order 1234?"},
        {"role": "assistant", "judgePlan": {"type": "exact", "content": "", "toolCalls": [call]}},
    ]
    made = vapi.eval.eval_controller_create(messages=messages, type="chat.mockConversation", name="order")
    started = vapi.eval.eval_controller_run(
        target={"type": "assistant", "assistantId": agent}, type="eval", eval_id=made.id
    )
    found = vapi.eval.eval_controller_get_run(id=started["id"])
    assert (found.status, found.ended_reason, found.results[0].status) == ("ended", "mockConversation.done", "pass")
    assert found.cost > 0
    assert found.results[0].messages[1].tool_calls[0].arguments == {"orderNumber": "1234"}
    assert [run.id for run in vapi.eval.eval_controller_get_runs_paginated().results] == [found.id]
    assert vapi.eval.eval_controller_remove_run(id=found.id).id == found.id


def _client_chats(vapi: Vapi, agent: str) -> None:
    first = vapi.chats.create(input="When are you open?", assistant_id=agent)
    assert first.output[0].content == "We are open Monday to Saturday, nine to six."
    asked = vapi.chats.create(input="Where is my order 1234?", previous_chat_id=first.id)
    (call,) = asked.output[0].tool_calls
    assert (call.function.name, call.function.arguments) == ("lookupOrder", '{"orderNumber": "1234"}')
    result = {"role": "tool", "content": "packed", "tool_call_id": call.id}
    told = vapi.chats.create(input=[result], previous_chat_id=asked.id)
    assert [message.content for message in told.output] == ["packed"]
    assert told.cost > 0
    assert vapi.chats.get(id=told.id).previous_chat_id == asked.id
    assert [chat.id for chat in vapi.chats.list(previous_chat_id=asked.id).results] == [told.id]
    session = vapi.sessions.create(assistant_id=agent)
    kept = vapi.chats.create(input="When are you open?", session_id=session.id)
    assert kept.session_id == session.id
    assert len(vapi.sessions.get(id=session.id).messages) == 2
    assert vapi.sessions.update(id=session.id, status="completed").status == "completed"
    with pytest.raises(ApiError) as ended:
        vapi.chats.create(input="And now?", session_id=session.id)
    assert ended.value.status_code == 400
    assert [item.id for item in vapi.sessions.list().results] == [session.id]
    assert vapi.chats.delete(id=told.id).id == told.id
    assert vapi.sessions.delete(id=session.id).id == session.id
