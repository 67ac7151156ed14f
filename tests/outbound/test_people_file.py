"""Files of people as spreadsheets, and people, write them: each mistake at its line."""

from __future__ import annotations

import pytest

from voiceops.errors import InvalidProject
from voiceops.outbound.call_result import CallResult
from voiceops.outbound.do_not_call import read_do_not_call
from voiceops.outbound.people_file import MAX_ROWS, Person, read_people
from voiceops.outbound.planned_call import PlannedCall
from voiceops.outbound.result_file import is_result, result_csv


def rows(text: str | bytes) -> tuple[Person, ...]:
    return read_people(text if isinstance(text, bytes) else text.encode(), "p.csv").rows


def refused(text: str | bytes) -> list[str]:
    with pytest.raises(InvalidProject) as caught:
        rows(text)
    return [str(problem).split("\n")[0] for problem in caught.value.diagnostics]


def test_numbers_names_and_variables() -> None:
    people = read_people(b"name,Number,order,Due\nAnn,+1 (415) 555-0101,17,\n\n,+14155550102,,Friday\n", "p.csv")
    ann, other = people.rows
    assert people.columns == ("order", "Due")
    assert (ann.number, ann.name, ann.variables, ann.place.line) == ("+14155550101", "Ann", {"order": "17"}, 2)
    assert (other.number, other.name, other.variables, other.place.line) == (
        "+14155550102", "", {"Due": "Friday"}, 4,
    )  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        "\ufeffnumber,name\r\n+14155550101,Ann\r\n",
        "number;name\n+14155550101;Ann\n",
        "sep=;\nnumber;name\n+14155550101;Ann\n",
        "number\tname\n+14155550101\tAnn\n",
        'number,name,,\n"+14155550101","Ann",,\n',
        "\n\nnumber,name\n'+14155550101,Ann\n,,\n",
    ],
)
def test_what_spreadsheets_make_of_it(text: str) -> None:
    (person,) = rows(text)
    assert (person.number, person.name, person.problem) == ("+14155550101", "Ann", "")


def test_a_line_end_inside_a_cell_moves_the_lines_after_it() -> None:
    first, second = rows('number,note\n+14155550101,"two\nlines"\nwrong,\n')
    assert first.variables == {"note": "two\nlines"}
    assert (second.place.line, second.problem[:20]) == (4, "is no phone number: ")


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        (",Ann,", "has no number"),
        ("4155550101,,", "has no plus and country code"),
        ("0041446681800,,", "begins with 00"),
        ("1.4155550101E+10,,", "a spreadsheet has rounded it"),
        ("+1415,,", "too few or too many digits"),
        ("+04155550101,,", "too few or too many digits"),
        ("Ann,+14155550101,", "is no phone number"),
        ("+\u0661\u0664\u0661\u0665\u0665\u0665\u0665\u0660\u0661\u0660\u0661,,", "too few or too many"),
        ("=A1,,", "is no phone number"),
        ("+14155550101,,=SUM(A1)", "order holds a spreadsheet's formula"),
        ("+14155550101,,#REF!", "order holds #REF!, which a formula left"),
        ("+14155550101,,#n/a", "order holds #n/a"),
        (f"+14155550101,{'x' * 41},", "longer than the 40 characters that Vapi takes"),
        (f"+14155550101,,{'x' * 10_001}", "order is longer than 10,000 characters"),
        ("+14155550101,Ann,17,more", "has a value in a column that has no name"),
    ],
)
def test_a_row_says_what_is_wrong_with_it(row: str, problem: str) -> None:
    first, second = rows(f"number,name,order\n{row}\n+14155550102,,\n")
    assert problem in first.problem
    assert second.problem == ""


def test_who_stands_there_twice_is_called_once() -> None:
    people = rows("number\n+14155550101\n+1 415 555-0101\n4155550101\n+14155550102\n")
    assert [person.problem[:28] for person in people] == [
        "", "the same number as in line 2", "has no plus and country code", "",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "p.csv:1:1: error[people-file]: the file is empty"),
        (b"\n \n", "the file is empty"),
        (b"number,name\n", "p.csv:1:1: error[people-file]: there is nobody in the file"),
        (b"phone,name\n+14155550101,Ann\n", "p.csv:1:1: error[people-column]: there is no column `number`"),
        (b"number,order,order\n+1,1,2\n", "there are two columns 'order'"),
        (b"number,customer\n+1,1\n", "a column can't be named 'customer'"),
        (b"number,first name\n+1,1\n", "'first name' is no variable's name"),
        ("number\n+1415555010\n".encode("utf-16"), "written in UTF-16"),
        ("number,name\n+14155550101,Ann\n+14155550102,Zo\xeb\n".encode("latin-1"), "p.csv:3:1: error[people-file]"),
        (b"PK\x03\x04rest", "a workbook, not CSV"),
        (b'number,name\n+14155550101,"Ann\n', "p.csv:2:1: error[people-file]: no CSV: unexpected end of data"),
        (b"number\n" + b"+14155550101\n" * (MAX_ROWS + 1), "more than 100,000 rows"),
        (b"number,voiceops.batch\n+14155550101,a\n+14155550102,b\n", "of several batches: a, b"),
        (b"number,x\n+14155550101," + b"y" * 200_000 + b"\n", "field larger than field limit"),
    ],
)
def test_a_file_that_can_not_be_used(content: bytes, said: str) -> None:
    assert said in refused(content)[0]


def test_a_result_can_be_given_in_again() -> None:
    people = read_people(b"number,name,order\n+14155550101,=Ann?,17\n+14155550102,,-5\n415,,\n", "p.csv")
    results = [
        CallResult(plan=PlannedCall(person=p), result="called", call=f"id-{n}") for n, p in enumerate(people.rows)
    ]
    text = result_csv(results, people.columns, "desk/p")
    assert "'+14155550101" in text
    assert "'-5" in text
    again = read_people(text.encode(), "r.csv")
    assert (again.batch, again.columns) == ("desk/p", people.columns)
    assert [p.number for p in again.rows] == [p.number for p in people.rows]
    assert [p.variables for p in again.rows] == [p.variables for p in people.rows]
    assert again.rows[0].was["call"] == "id-0"
    assert is_result(text.encode())
    assert not is_result(b"number,name\n")


def test_a_do_not_call_list() -> None:
    text = "\ufeffnumber\n# asked by letter\n+14155550101\n+1 415 555-0102  # by phone\n\n'+14155550103\n"
    assert read_do_not_call(text.encode(), "no.txt") == {"+14155550101", "+14155550102", "+14155550103"}


@pytest.mark.parametrize("content", [b"+14155550101\n4155550102\n", b"+14155550101\n\xff\n"])
def test_a_list_that_is_half_read_is_none(content: bytes) -> None:
    with pytest.raises(InvalidProject) as caught:
        read_do_not_call(content, "no.txt")
    assert str(caught.value.diagnostics[0]).startswith("no.txt:2:1: error[do-not-call]")
