"""Faults that lie about what is there, over a real socket: what is told, and what really is."""

import itertools
from collections.abc import Callable
from typing import Any

import pytest

from reconciler.sandbox.faults import Fault

Start = Callable[..., Any]


def listed(client: Any) -> dict[str, str]:
    """The names of one list, by store_id, read in pages of two; each page must fit the others."""
    records: list[dict[str, Any]] = []
    for offset in itertools.count(0, 2):
        page = client.page(limit=2, offset=offset)
        records += page["results"]
        if page["next"] is None:
            break
    assert page["count"] == len(records)
    return {record["store_id"]: record["name"] for record in records}


def test_lists_lag_behind_every_kind_of_write(start: Start) -> None:
    """Creates, updates and deletes are missing in so many lists, whole in all later ones."""
    client = start()
    ids = client.sandbox.store.seed({"store_id": letter, "name": "x"} for letter in "abc")
    client.sandbox.misbehave(Fault("lag", lists=2))
    client.create("d", "new")
    client.update(ids[0], name="New")
    client.delete(ids[1])
    assert [listed(client) for _ in range(2)] == [{"a": "x", "b": "x", "c": "x"}] * 2
    assert listed(client) == {"a": "New", "c": "x", "d": "new"}
    assert [row.store_id for row in client.sandbox.store.rows()] == ["a", "c", "d"]


def test_one_list_shows_one_moment(start: Start) -> None:
    """A lag never ends between two pages of a list, whether it counts lists or seconds."""
    time = [0.0]
    client = start(Fault("lag", seconds=5), clock=lambda: time[0])
    for letter in "abc":
        client.create(letter)
    assert client.page(limit=2)["count"] == 0
    time[0] = 5
    assert client.page(limit=2, offset=2)["count"] == 0
    assert list(listed(client)) == ["a", "b", "c"]


def test_lag_of_one_method_or_one_product(start: Start) -> None:
    """A lag concerns the calls that any fault can be tied to, and a hidden product stays hidden."""
    client = start(Fault("lag", method="POST", containing='"b"', lists=1))
    client.create("a")
    id = client.create("b").json()["id"]
    client.update(id, name="New")
    assert listed(client) == {"a": "Shirt"}
    assert listed(client) == {"a": "Shirt", "b": "New"}


def test_writes_that_lag_differently(start: Start) -> None:
    """Each write of one product comes into the list by itself, in the order of the writes."""
    client = start(Fault("lag", nth=(1,), lists=1), Fault("lag", nth=(2,), lists=2))
    (id,) = client.sandbox.store.seed([{"store_id": "a", "name": "0"}])
    client.update(id, name="1")
    client.update(id, name="2")
    assert [listed(client)["a"] for _ in range(3)] == ["0", "1", "2"]


def test_deleted_products_are_listed_in_their_place(start: Start) -> None:
    """A product made after the last one was deleted unseen does not take its place in the list."""
    client = start(Fault("lag", method="DELETE", lists=1))
    _, last = client.sandbox.store.seed({"store_id": letter, "name": "x"} for letter in "ab")
    client.delete(last)
    client.create("c")
    assert list(listed(client)) == ["a", "b", "c"]
    assert list(listed(client)) == ["a", "c"]


def test_a_lag_outlives_its_fault_and_can_be_ended(start: Start) -> None:
    """A write that lags goes on to do so when the faults end, until the store catches up."""
    client = start(Fault("lag", lists=9))
    client.create("a")
    client.sandbox.misbehave()
    assert listed(client) == {}
    client.sandbox.store.catch_up()
    assert list(listed(client)) == ["a"]


def test_a_product_that_lists_lack(start: Start) -> None:
    """A product that was listed before is missing in so many lists, and whole again afterwards."""
    time = [0.0]
    client = start(clock=lambda: time[0])
    client.sandbox.store.seed({"store_id": letter, "name": "x"} for letter in "abcd")
    client.sandbox.misbehave(
        Fault("unlist", store_id="b", lists=2, nth=(1,)), Fault("unlist", seconds=5, nth=(1,))
    )
    assert [list(listed(client)) for _ in range(2)] == [["c", "d"], ["c", "d"]]
    assert list(listed(client)) == ["b", "c", "d"]
    time[0] = 5
    assert list(listed(client)) == ["a", "b", "c", "d"]
    client.sandbox.misbehave(Fault("unlist", store_id="nobody"))
    assert len(listed(client)) == 4


def test_a_failed_list_does_not_count(start: Start) -> None:
    """Only lists that were answered count for a lag, and a lost answer can lag as well."""
    client = start(
        Fault("lag", lists=1),
        Fault("status", method="POST", moment="after", status=502),
        Fault("status", method="GET", nth=(1,)),
    )
    assert client.create("a").status_code == 502
    assert client.call("GET").status_code == 503
    assert listed(client) == {}
    assert list(listed(client)) == ["a"]


@pytest.mark.parametrize("moment", ["before", "after"])
def test_id_of_a_listed_product(start: Start, moment: Any) -> None:
    """A create is answered with the id of a listed product, whether it lands or not."""
    client = start()
    first, second = client.sandbox.store.seed({"store_id": n, "name": n} for n in "12")
    client.sandbox.misbehave(
        Fault("wrong_id", moment=moment, store_id="2", containing='"new"'),
        Fault("wrong_id", moment=moment),
    )
    answer = client.create("new")
    assert (answer.status_code, answer.json()) == (201, {"created": 1, "id": second})
    assert client.create("other").json()["id"] == first
    assert client.sandbox.store.count() == (4 if moment == "after" else 2)
    effect = "created" if moment == "after" else None
    assert [call.effect for call in client.sandbox.store.calls()] == [effect, effect]


def test_id_of_an_earlier_create(start: Start) -> None:
    """Two creates are answered with one id."""
    client = start(Fault("wrong_id", way="earlier", moment="after", nth=(2,)))
    first = client.create("1").json()["id"]
    assert client.create("2").json()["id"] == first
    assert len({row.id for row in client.sandbox.store.rows()}) == 2


@pytest.mark.parametrize("way", ["listed", "earlier", "never"])
def test_id_that_never_exists(start: Start, way: str) -> None:
    """An id that no product ever has, another one for each product; the last resort of all ways."""
    client = start(Fault("wrong_id", way=way))
    answered = {client.create(str(n)).json()["id"] for n in range(3)}
    client.sandbox.misbehave()
    made = {client.create(str(n)).json()["id"] for n in range(3)}
    assert len(answered) == 3
    assert not answered & made


def test_ignored_writes(start: Start) -> None:
    """Updates and deletes are accepted for a while, and nothing comes of them."""
    client = start(Fault("ignore", times=2), Fault("ignore", method="DELETE", times=1))
    id = client.create("1").json()["id"]
    assert client.update(id, name="New").json() == {"message": "Products updated"}
    assert client.delete(id).json() == {"message": "Product deleted"}
    assert listed(client) == {"1": "Shirt"}
    assert [call.effect for call in client.sandbox.store.calls("PATCH")] == [None]
    client.update(id, name="New")
    assert listed(client) == {"1": "New"}
    client.delete(id)
    assert listed(client) == {}


def test_one_id_twice(start: Start) -> None:
    """Two products of a page are listed with one id."""
    client = start(Fault("same_id"))
    ids = client.sandbox.store.seed({"store_id": n, "name": n} for n in "abc")
    assert [record["id"] for record in client.page()["results"]] == [ids[0], ids[0], ids[2]]
    client.sandbox.store.clear()
    assert client.page()["results"] == []


@pytest.mark.parametrize("moment", ["before", "after"])
def test_an_id_that_changes(start: Start, moment: Any) -> None:
    """A product has another id from one list to the next, and can be written by that one only."""
    client = start(Fault("new_id", moment=moment, store_id="b", nth=(1,)))
    ids = client.sandbox.store.seed({"store_id": n, "name": n} for n in "ab")
    pages = [client.page(), client.page()]
    told = [page["results"][1]["id"] for page in pages]
    (_, new) = (row.id for row in client.sandbox.store.rows())
    assert told == ([new, new] if moment == "before" else [ids[1], new])
    assert new not in ids
    assert client.update(ids[1], name="x").status_code == 404
    assert client.update(new, name="x").status_code == 200
    client.sandbox.misbehave(Fault("new_id"))
    assert client.page()["results"][0]["id"] not in ids
    client.sandbox.store.clear()
    assert client.page()["results"] == []
