"""Every way in which a line can be dead or answered by somebody else, made at the vendors and found by both commands.

And every layout that is well, in which neither finds anything.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.support.bench import Bench
from tests.use.lines_bench import LAYOUTS, NUMBER, OTHER, lay_out, runtime, settle_in

Break = Callable[[Bench], Any]


def _number(**fields: Any) -> Break:
    return lambda b: b.control.edit_number(NUMBER, **fields)


def _phone(**fields: Any) -> Break:
    return lambda b: b.control.edit(b.id_of("Phone/line"), fields)


def _gone(*addresses: str) -> Break:
    def work(bench: Bench) -> None:
        for address in addresses:
            bench.control.delete(bench.id_of(address))

    return work


def _stranger(bench: Bench) -> None:
    made = bench.control.create("/assistant", {"name": "stranger"})
    bench.control.edit(bench.id_of("Phone/line"), {"assistantId": made["id"]})


def _other_squad(bench: Bench) -> None:
    made = bench.control.create("/squad", {"name": "others", "members": [{"assistantId": bench.id_of("Agent/desk")}]})
    bench.control.edit(bench.id_of("Phone/line"), {"assistantId": None, "squadId": made["id"]})


def _anew(bench: Bench) -> None:
    old = bench.live("Phone/line")
    bench.control.delete(old["id"])
    kept = {key: value for key, value in old.items() if key not in ("id", "createdAt", "updatedAt")}
    bench.control.create("/phone-number", kept)


def _retired(bench: Bench) -> None:
    bench.control.deprecations(
        {
            "provider": "openai",
            "model": "gpt-4.1-mini",
            "deprecationDate": "2025-01-01",
            "retirementDate": "2025-06-01",
            "replacementModel": "gpt-4.1",
        }
    )


def _split_on_the_old(bench: Bench) -> None:
    bench.control.switches(traffic_splitting=True)
    agent = bench.id_of("Agent/desk")
    bench.edit("agents/agent.yaml", "Hello", "Good morning")
    bench.apply()
    bench.control.create(
        "/traffic-allocations",
        {
            "assistantId": agent,
            "allocationIntent": "explicit",
            "actorType": "user",
            "targets": [{"assistantVersion": "v1", "position": 0, "percentage": 100}],
        },
    )


def _refused_by_twilio(bench: Bench) -> None:
    answer = {"code": 20003, "message": "Authenticate", "status": 401}
    bench.control.fault("status", vendor="twilio", status=401, answer=answer)


NOBODY = "00000000-0000-4000-8000-00000000dead"
OUR = "https://voice.example"

# name → (layout, what breaks it, words of both commands, words of the way back)
DEAD: dict[str, tuple[str, Break, str, str]] = {
    "the number left the Twilio account": (
        "vapi",
        _gone("Phone/line/twilio"),
        f"has no number {NUMBER}",
        "purchase",
    ),
    "the Twilio account is suspended": (
        "vapi",
        lambda b: b.control.switches(account_status="suspended"),
        "is suspended",
        "Twilio's console",
    ),
    "the Twilio account is closed": ("vapi", lambda b: b.control.switches(account_status="closed"), "is closed", ""),
    "the number can't be called": (
        "vapi",
        _number(capabilities={"voice": False, "sms": True}),
        "voice is not among",
        "another number",
    ),
    "the number waits for papers": ("vapi", _number(status="pending-review"), "pending-review", "console"),
    "a trunk takes the calls": ("vapi", _number(trunk_sid="TK" + "a" * 32), "the SIP trunk TKaaa", "TrunkSid="),
    "an application takes the calls": (
        "vapi",
        _number(voice_application_sid="AP" + "b" * 32),
        "the TwiML application APbbb",
        "VoiceApplicationSid=",
    ),
    "the number takes faxes": (
        "vapi",
        _number(voice_receive_mode="fax"),
        "to receive fax",
        "VoiceReceiveMode=voice",
    ),
    "a trunk takes a runtime line's calls": (
        "runtime",
        _number(trunk_sid="TK" + "a" * 32),
        "the SIP trunk",
        "TrunkSid=",
    ),
    "the number takes faxes, not the runtime's calls": ("runtime", _number(voice_receive_mode="fax"), "fax", "apply"),
    "no voice URL": ("vapi", _number(voice_url=""), "no voice URL", "voiceops apply"),
    "no voice URL, null": ("vapi", _number(voice_url=None), "callers hear an error", "voiceops apply"),
    "no voice URL, but a fallback": (
        "vapi",
        _number(voice_url="", voice_fallback_url="https://f.example/x"),
        "at best its fallback https://f.example/x",
        "voiceops apply",
    ),
    "Twilio's demo": ("vapi", _number(voice_url="https://demo.twilio.com/welcome/voice/"), "Twilio's demo", "apply"),
    "another host": (
        "vapi",
        _number(voice_url="https://other.example/voice?key=s3cret"),
        "https://other.example/voice",
        "voiceops apply",
    ),
    "a host that looks like Vapi's": (
        "vapi",
        _number(voice_url="https://vapi.ai.evil.example/x"),
        "vapi.ai.evil",
        "",
    ),
    "another address at Vapi": (
        "vapi",
        _number(voice_url=f"https://api.vapi.ai/twilio/inbound_call/{NOBODY}"),
        "not what Vapi's import wrote",
        "voiceops apply",
    ),
    "a runtime line's URL leads to Vapi": (
        "runtime",
        _number(voice_url="https://api.vapi.ai/twilio/inbound_call"),
        "Twilio calls https://api.vapi.ai/twilio/inbound_call, not",
        "voiceops apply",
    ),
    "a runtime line's URL leads to another line": (
        "runtime",
        _number(voice_url="http://127.0.0.1:9/twilio/voice/other"),
        "/twilio/voice/other, not",
        "voiceops apply",
    ),
    "Vapi has no such number": ("vapi", _gone("Phone/line"), "Vapi has no number +14155550100", "voiceops apply"),
    "Vapi has no number for the runtime": ("runtime", _gone("Phone/line"), "can't connect its calls", "voiceops apply"),
    "neither has the number": ("vapi", _gone("Phone/line", "Phone/line/twilio"), "Vapi has no number", ""),
    "the number is another object at Vapi": ("vapi", _anew, "is another one now", "voiceops import Phone/line"),
    "Vapi blocked the number": ("vapi", _phone(status="blocked"), "has blocked the number", "support"),
    "Vapi imported it with another account": (
        "vapi",
        _phone(twilioAccountSid="AC" + "9" * 32),
        "with the Twilio account AC999",
        "voiceops apply",
    ),
    "the Vapi number is another": ("vapi", _phone(number=OTHER), f"is {OTHER} now", "voiceops apply"),
    "nobody is bound": ("vapi", _phone(assistantId=None), "the call is refused", "voiceops apply"),
    "nobody is bound, with a fallback": (
        "fallback",
        _phone(assistantId=None),
        "callers are forwarded to +14155550199",
        "voiceops apply",
    ),
    "nobody is bound, a server is asked": (
        "vapi",
        _phone(assistantId=None, server={"url": "https://somebody.example/hook"}),
        "Vapi asks https://somebody.example/hook",
        "voiceops apply",
    ),
    "a stranger's agent": ("vapi", _stranger, "calls go to assistant stranger", "voiceops apply"),
    "another agent of ours": (
        "vapi",
        lambda b: b.control.edit(b.id_of("Phone/line"), {"assistantId": b.id_of("Agent/back")}),
        "calls go to Agent/back, not to Agent/desk",
        "voiceops apply",
    ),
    "a squad where an agent is meant": ("vapi", _other_squad, "calls go to squad others", "voiceops apply"),
    "a workflow": ("vapi", _phone(assistantId=None, workflowId=NOBODY), "workflow", "voiceops apply"),
    "an agent that does not exist": ("vapi", _phone(assistantId=NOBODY), "does not exist any more", "voiceops apply"),
    "the agent was deleted": ("vapi", _gone("Agent/desk"), "Agent/desk does not exist any more", "voiceops apply"),
    "the runtime's agent was deleted": ("runtime", _gone("Agent/desk"), "Agent/desk does not exist", "voiceops apply"),
    "the agent was edited": (
        "vapi",
        lambda b: b.control.edit(b.id_of("Agent/desk"), {"firstMessage": "Hijacked"}),
        "Agent/desk was edited live",
        "voiceops drift",
    ),
    "its tool was deleted": ("vapi", _gone("Tool/lookup"), "a tool that does not exist any more", "voiceops apply"),
    "its model was retired": ("vapi", _retired, "was retired on 2025-06-01", "gpt-4.1"),
    "callers get an old version": ("vapi", _split_on_the_old, "nobody gets v2, the newest", "follow-latest"),
    "the squad was deleted": ("squad", _gone("Squad/team"), "Squad/team does not exist any more", "voiceops apply"),
    "a member was deleted": ("squad", _gone("Agent/back"), "a member that does not exist any more", "voiceops apply"),
    "the squad was emptied": (
        "squad",
        lambda b: b.control.edit(b.id_of("Squad/team"), set_={"members": []}),
        "Squad/team has no members",
        "voiceops apply",
    ),
    "a member without an assistant": (
        "squad",
        lambda b: b.control.edit(b.id_of("Squad/team"), set_={"members[1]": {"assistantId": None}}),
        "a member without an assistant",
        "voiceops apply",
    ),
    "a member's model was retired": ("squad", _retired, "was retired on 2025-06-01", "gpt-4.1"),
    "two answer": (
        "runtime",
        lambda b: b.control.edit(b.id_of("Phone/line"), {"assistantId": b.id_of("Agent/desk")}),
        "though the runtime answers",
        "voiceops apply",
    ),
    "Vapi asks somebody else": (
        "asks",
        _phone(server={"url": "https://somebody.example/hook"}),
        "Vapi asks https://somebody.example/hook for every call",
        "voiceops apply",
    ),
    "Vapi asks nobody": ("asks", _phone(server=None), "the call is refused", "voiceops apply"),
    "somebody is bound where a server is meant": (
        "asks",
        lambda b: b.control.edit(b.id_of("Phone/line"), {"assistantId": b.id_of("Agent/desk")}),
        "calls go to Agent/desk, though",
        "voiceops apply",
    ),
    "Vapi's own number is gone": ("own", _gone("Phone/line"), "Vapi has no number", "voiceops apply"),
    "Vapi's own number is blocked": ("own", _phone(status="blocked"), "has blocked the number", "support"),
    "Vapi's own number is not ready": ("own", lambda b: b.control.switches(settle=3600.0), "activating", "Wait"),
    "the trunk's number is gone": ("byo", _gone("Phone/line"), "Vapi has no number +14155550123", "voiceops apply"),
    "the trunk's credential is gone": ("byo", _gone("Credential/trunk"), "the trunk is cut", "voiceops apply"),
    "the Vonage number is gone": ("vonage", _gone("Phone/line"), "Vapi has no number +14155550124", "apply"),
    "the Telnyx number's squad is gone": ("telnyx", _gone("Squad/team"), "Squad/team does not exist", "apply"),
    "the SIP line is gone": ("sip", _gone("Phone/line"), "Vapi has no number sip:Desk@sip.vapi.ai", "voiceops apply"),
}

# These need a runtime that is not there; the others that need one have it.
SILENT: dict[str, tuple[str, str]] = {
    "the runtime is down": ("runtime", "does not answer: callers hear an error"),
    "the runtime is down, with a fallback": ("runtime-fallback", "to the fallback https://static.example/busy"),
    "who is asked is down": ("asks", "does not answer: the call is refused"),
}


def test_there_are_enough_of_them() -> None:
    assert len(DEAD) + len(SILENT) + len(OUTGOING) >= 60


@pytest.mark.parametrize("name", list(DEAD))
def test_a_dead_line_is_found_by_both(live: Bench, name: str) -> None:
    layout, broken, said, back = DEAD[name]
    with runtime() as url:
        settle_in(live, layout, url)
        broken(live)
        live.control.switches(clock_skew=30)  # what is missing is gone, and not only too new to be seen
        status = live.run("status", "--format", "json", code=2).data
        text = live.run("status", code=2).out
        doctor = live.run("doctor", "--format", "json", code=1).data
    (row,) = status
    found = {reason["summary"]: reason["fix"] for reason in row["reasons"]}
    assert any(said in summary for summary in found), found
    assert any(said in summary and back in fix for summary, fix in found.items()), found
    assert said in text
    errors = {f["summary"]: f["hint"] for f in doctor if f["level"] == "error"}
    assert set(found) <= set(errors)
    assert "s3cret" not in text + str(status) + str(doctor)


@pytest.mark.parametrize("name", list(SILENT))
def test_a_runtime_that_is_down_is_found_by_both(live: Bench, name: str) -> None:
    layout, said = SILENT[name]
    settle_in(live, layout)
    (row,) = live.run("status", "--format", "json", code=2).data
    assert row["runtime"] == "not ready"
    assert any(said in reason["summary"] for reason in row["reasons"]), row["reasons"]
    assert said in live.run("doctor", code=1).out


def test_tools_whose_runtime_is_down_are_found(live: Bench) -> None:
    lay_out(live, "vapi", "http://127.0.0.1:9")
    live.write("agents/tool.yaml", (live.folder / "agents/tool.yaml").read_text() + "  server: runtime\n")
    live.apply()
    (row,) = live.run("status", "--format", "json", code=2).data
    assert [reason["code"] for reason in row["reasons"]] == ["runtime-not-ready"]
    assert "its tools fail" in live.run("doctor", code=1).out


def test_a_line_that_was_never_applied_is_found(live: Bench) -> None:
    with runtime() as url:
        lay_out(live, "vapi", url)
        assert "was never applied" in live.run("status", code=2).out
        assert "was never applied" in live.run("doctor").out


def test_a_key_that_twilio_refuses_ends_both_with_a_sentence(live: Bench) -> None:
    with runtime() as url:
        settle_in(live, "vapi", url)
        _refused_by_twilio(live)
        for command in ("status", "doctor"):
            ran = live.run(command, code=1)
            assert "suspended" in ran.out + ran.err


@pytest.mark.parametrize("layout", list(LAYOUTS))
def test_a_line_that_is_well_is_found_so(live: Bench, layout: str) -> None:
    with runtime() as url:
        settle_in(live, layout, url)
        live.control.switches(clock_skew=30)
        (row,) = live.run("status", "--format", "json").data
        doctor = live.run("doctor", "--format", "json").data
    assert (row["off"], row["reasons"], row["pending"]) == ([], [], 0)
    assert row["answers"] == ("runtime" if layout.startswith("runtime") else "vapi")
    assert row["target"] == row["meant"]
    assert [f for f in doctor if f["level"] == "error"] == []


@pytest.mark.parametrize("answer", ["", ", answer: none"], ids=["no target", "answer none"])
def test_an_outgoing_line_is_well_without_a_target(live: Bench, answer: str) -> None:
    live.write("agents/line.yaml", f"kind: Phone\nname: line\nspec: {{number: {NUMBER}, provider: twilio{answer}}}\n")
    live.apply()
    (row,) = live.run("status", "--format", "json").data
    assert (row["off"], row["meant"]) == ([], "nobody: it calls out")
    assert live.run("doctor").code == 0


OUTGOING: dict[str, tuple[Break, str]] = {
    "bound to somebody": (
        lambda b: b.control.edit(
            b.id_of("Phone/line"), {"assistantId": b.control.create("/assistant", {"name": "stranger"})["id"]}
        ),
        "though the line only calls out",
    ),
    "gone at Vapi": (_gone("Phone/line"), "it makes no calls"),
    "gone at Twilio": (_gone("Phone/line/twilio"), "has no number"),
    "blocked": (_phone(status="blocked"), "has blocked the number"),
    "in a suspended account": (lambda b: b.control.switches(account_status="suspended"), "take and make no calls"),
}


@pytest.mark.parametrize("name", list(OUTGOING))
def test_an_outgoing_line_that_can_not_call_out_is_found(live: Bench, name: str) -> None:
    broken, said = OUTGOING[name]
    spec = f"{{number: {NUMBER}, provider: twilio, answer: none}}"
    live.write("agents/line.yaml", f"kind: Phone\nname: line\nspec: {spec}\n")
    live.apply()
    broken(live)
    live.control.switches(clock_skew=30)
    assert said in live.run("status", code=2).out
    assert said in live.run("doctor", code=1).out


def test_what_is_good_to_know_is_a_note(live: Bench) -> None:
    with runtime() as url:
        settle_in(live, "vapi", url)
        live.control.deprecations(
            {
                "provider": "openai",
                "model": "gpt-4.1-mini",
                "deprecationDate": "2026-01-01",
                "retirementDate": "2099-01-01",
            }
        )
        live.control.switches(traffic_splitting=True)
        live.control.create(
            "/traffic-allocations",
            {
                "assistantId": live.id_of("Agent/desk"),
                "allocationIntent": "explicit",
                "targets": [{"assistantVersion": "v1", "position": 0, "percentage": 100}],
            },
        )
        (row,) = live.run("status", "--format", "json").data
        assert row["off"] == []
        assert any("is retired on 2099-01-01" in note for note in row["notes"])
        assert any("v1 (100 %)" in note for note in row["notes"])
        assert "2099-01-01" in live.run("doctor").out


@pytest.mark.parametrize("bound", ["as written", "to another"])
def test_a_line_may_name_an_agent_of_somebody_else_by_its_id(live: Bench, bound: str) -> None:
    agent = live.control.create("/assistant", {"name": "theirs"})["id"]
    live.write("agents/line.yaml", f"kind: Phone\nname: line\nspec: {{number: {NUMBER}, provider: twilio}}\n")
    live.edit("agents/line.yaml", "twilio}", f"twilio, assistantId: {agent}}}")
    live.apply()
    if bound == "as written":
        assert live.run("status", "--format", "json").data[0]["off"] == []
    else:
        other = live.control.create("/assistant", {"name": "other"})["id"]
        live.control.edit(live.id_of("Phone/line"), {"assistantId": other})
        live.control.switches(clock_skew=30)
        assert "calls go to assistant other" in live.run("status", code=2).out
