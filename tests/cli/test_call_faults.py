"""Whatever Vapi answers, or doesn't: at the latest after another run everybody was called, and nobody twice."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.cli.test_call import AGENT, ALWAYS, PEOPLE, numbers, people
from tests.support.bench import Bench, bench
from tests.support.faults import FAULTS
from tests.support.quick import quick

ALL = ["+14155550101", "+14155550102", "+14155550103"]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    with quick(), bench(tmp_path_factory.mktemp("faults"), calls_last=0.0) as made:
        made.write("agents/desk.yaml", AGENT)
        made.write("voiceops.yaml", (made.folder / "voiceops.yaml").read_text() + ALWAYS)
        made.write("people.csv", PEOPLE)
        made.apply()
        yield made


@pytest.fixture(autouse=True)
def nobody(shop: Bench) -> Iterator[None]:
    for call in shop.control.objects("/call"):
        shop.control.delete(call["id"])
    yield
    shop.control.clear_faults()
    shop.control.switches(call_names=True, phone_slots=0, calls_last=0.0)


@pytest.mark.parametrize("fault", FAULTS)
def test_one_answer_goes_wrong(shop: Bench, fault: str) -> None:
    batch = f"fault-{sorted(FAULTS).index(fault)}"
    shop.control.fault(method="POST", path="^/call$", nth=[2], **FAULTS[fault])
    ran = shop.run("call", "desk", "--to-file", people(shop), "--yes", "--batch", batch)
    assert numbers(shop) == ALL, ran.err
    shop.run("call", "desk", "--to-file", people(shop), "--yes", "--batch", batch)
    assert numbers(shop) == ALL


def test_every_answer_goes_wrong_and_then_none(shop: Bench) -> None:
    shop.control.fault("status", status=500, method="POST", path="^/call$")
    ran = shop.run("call", "desk", "--to-file", people(shop), "--yes", "--batch", "all-wrong", code=3)
    assert "3 left" in ran.out
    assert numbers(shop) == []
    shop.control.clear_faults()
    shop.run("call", "desk", "--to-file", people(shop), "--yes", "--batch", "all-wrong")
    assert numbers(shop) == ALL


def test_where_the_list_does_not_tell_nobody_is_called_again(shop: Bench) -> None:
    """An answer is lost, and Vapi shows a call to this number without a name."""
    shop.control.switches(call_names=False)
    shop.control.fault("reset", when="after", method="POST", path="^/call$", nth=[1])
    ran = shop.run("call", "desk", "--to-file", people(shop), "--yes", "--batch", "nameless", code=3)
    assert "1 unclear" in ran.out
    assert numbers(shop) == ALL
    assert "unclear" in shop.run("call", "desk", "--to-file", people(shop), "--yes", "--batch", "nameless", code=3).out
    shop.control.switches(call_names=True)
    shop.run("call", "desk", "--to-file", people(shop), "--yes", "--batch", "nameless")
    assert numbers(shop) == ALL


def test_what_was_refused_is_said_and_tried_again(shop: Bench) -> None:
    answer = {"message": "This number is on our blocklist", "error": "Bad Request", "statusCode": 400}
    shop.control.fault("status", status=400, answer=answer, method="POST", path="^/call$", body="0102")
    ran = shop.run("call", "desk", "--to-file", people(shop), "--yes", "--batch", "refused", code=3)
    assert "people.csv:3 +14…02  refused by Vapi · Vapi answered 400: This number is on our blocklist" in ran.err
    shop.control.clear_faults()
    shop.run("call", "desk", "--to-file", people(shop), "--yes", "--batch", "refused")
    assert numbers(shop) == ALL


def test_a_wrong_key_ends_the_run_and_claims_nobody(shop: Bench) -> None:
    given = ("call", "desk", "--to-file", people(shop), "--yes", "--batch", "no-key")
    ran = shop.run(*given, code=None, VAPI_API_KEY="wrong")
    assert ran.code in (1, 3)
    assert "401" in ran.err
    assert numbers(shop) == []
    shop.run(*given)
    assert numbers(shop) == ALL


def test_an_account_without_a_slot_is_waited_for(shop: Bench) -> None:
    shop.control.switches(phone_slots=1, calls_last=0.4)
    ran = shop.run("call", "desk", "--to-file", people(shop), "--yes", "--batch", "slots", "--follow")
    assert sorted(set(numbers(shop))) == ALL
    assert "Ended: customer-ended-call 3." in ran.out


def test_a_list_that_fails_leaves_what_was_lost_as_it_is(shop: Bench) -> None:
    shop.control.fault("reset", when="after", method="POST", path="^/call$", nth=[1])
    lists = shop.control.fault("status", status=500, method="GET", path="^/call$", nth=list(range(2, 30)))
    given = ("call", "desk", "--to-file", people(shop), "--yes", "--batch", "no-list")
    assert "500" in shop.run(*given, code=1).err
    assert numbers(shop) == ALL
    shop.control.clear_faults(lists)
    shop.run(*given)
    assert numbers(shop) == ALL
