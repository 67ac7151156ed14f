"""Lists: limits, order, bounds, the two shapes; also with many objects of one creation time."""

from __future__ import annotations

import pytest

from tests.sandbox.sandbox_bench import Bench

AT = "2026-01-01T00:00:00.000Z"


def seed(bench: Bench, count: int, collection: str = "/assistant", step: int = 0) -> list[str]:
    return bench.control.seed(collection, count, {"name": "n{n}"}, created_at=AT, step=step)


@pytest.mark.parametrize("count", [0, 1, 99, 100, 101, 1000, 2500])
def test_an_array_is_cut_off_silently(bench: Bench, count: int) -> None:
    seed(bench, count)
    assert len(bench.vapi.get("/assistant").json()) == min(count, 100)
    full = bench.vapi.get("/assistant", params={"limit": 1000}).json()
    assert len(full) == len({item["id"] for item in full}) == min(count, 1000)


@pytest.mark.parametrize("count", [0, 99, 100, 101, 1000, 2500])
def test_pages_come_to_an_end(bench: Bench, count: int) -> None:
    seed(bench, count, "/structured-output")
    found: set[str] = set()
    page = 1
    while True:
        data = bench.vapi.get("/structured-output", params={"limit": 300, "page": page, "sortOrder": "ASC"}).json()
        found.update(item["id"] for item in data["results"])
        assert data["metadata"]["totalItems"] == count
        assert data["metadata"]["currentPage"] == page
        assert data["metadata"]["itemsPerPage"] == 300
        assert data["metadata"]["totalPages"] == -(-count // 300)
        if not data["metadata"]["hasNextPage"]:
            break
        page += 1
    assert len(found) == count


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"limit": "1001"}, ["limit must not be greater than 1000"]),
        ({"limit": "-1"}, ["limit must not be less than 0"]),
        ({"limit": "many"}, ["limit must be a number conforming to the specified constraints"]),
        ({"createdAtGt": "yesterday"}, ["createdAtGt must be a valid ISO 8601 date string"]),
        ({"updatedAtLe": "2026-13-99"}, ["updatedAtLe must be a valid ISO 8601 date string"]),
    ],
)
def test_a_query_is_checked(bench: Bench, query: dict[str, str], message: list[str]) -> None:
    response = bench.vapi.get("/assistant", params=query)
    assert response.status_code == 400
    assert response.json()["message"] == message


def test_pages_check_their_own(bench: Bench) -> None:
    for query in ({"page": "0"}, {"sortOrder": "up"}):
        assert bench.vapi.get("/structured-output", params=query).status_code == 400


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"createdAtGt": "2026-01-01T00:00:00.002Z"}, {3, 4}),
        ({"createdAtGe": "2026-01-01T00:00:00.002Z"}, {2, 3, 4}),
        ({"createdAtLt": "2026-01-01T00:00:00.002Z"}, {0, 1}),
        ({"createdAtLe": "2026-01-01T00:00:00.002Z"}, {0, 1, 2}),
        ({"createdAtLe": "2026-01-01T01:00:00.002+01:00"}, {0, 1, 2}),
        ({"updatedAtGe": "2026-01-01T00:00:00.001Z", "createdAtLt": "2026-01-01T00:00:00.003Z"}, {1, 2}),
        ({"createdAtGt": "2026-01-01"}, {1, 2, 3, 4}),
    ],
)
def test_bounds(bench: Bench, query: dict[str, str], expected: set[int]) -> None:
    ids = seed(bench, 5, step=1)
    found = {item["id"] for item in bench.vapi.get("/assistant", params=query).json()}
    assert found == {ids[n] for n in expected}


def test_orders(bench: Bench) -> None:
    ids = seed(bench, 50, step=1)

    def listed() -> list[str]:
        return [item["id"] for item in bench.vapi.get("/assistant").json()]

    assert listed() == ids[::-1]
    bench.control.switches(list_order="asc")
    assert listed() == ids
    bench.control.switches(list_order="random")
    assert sorted(listed()) == sorted(ids)
    assert listed() not in (ids, ids[::-1])


def test_one_creation_time_for_all(bench: Bench) -> None:
    bench.control.switches(created_at=AT)
    made = [bench.make("/assistant", {"name": str(n)}) for n in range(3)]
    assert {item["createdAt"] for item in made} == {AT}
    assert [item["id"] for item in bench.vapi.get("/assistant").json()] == [item["id"] for item in made][::-1]


def test_the_paged_list_of_phone_numbers(bench: Bench) -> None:
    phone = bench.make("/phone-number", {"provider": "vapi", "name": "Front desk"})
    assert [item["id"] for item in bench.vapi.get("/phone-number").json()] == [phone["id"]]
    for word, count in (("front", 1), (phone["number"][2:], 1), ("nobody", 0)):
        data = bench.vapi.get("/v2/phone-number", params={"search": word}).json()
        assert len(data["results"]) == data["metadata"]["totalItems"] == count


def test_filters(bench: Bench) -> None:
    ids = seed(bench, 3, "/structured-output")
    assert [i["id"] for i in bench.vapi.get("/structured-output", params={"name": "n1"}).json()["results"]] == [ids[1]]
    assert [i["id"] for i in bench.vapi.get("/structured-output", params={"id": ids[2]}).json()["results"]] == [ids[2]]


def test_simulation_lists_have_a_second_shape(bench: Bench) -> None:
    path = "/eval/simulation/personality"
    assert len(bench.vapi.get(path, params={"limit": 5}).json()) == 5
    bench.control.switches(simulation_lists="data")
    assert len(bench.vapi.get(path).json()) == 7
    data = bench.vapi.get(path, params={"limit": 5, "page": 2}).json()
    assert (len(data["data"]), data["total"], data["limit"], data["page"]) == (2, 7, 5, 2)
