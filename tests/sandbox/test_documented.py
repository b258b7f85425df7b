"""One test for each sentence of product-sync-api.txt, and for what it leaves open."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
import requests

from tests.sandbox.documented import DOCUMENTED

Start = Callable[..., Any]


def test_list_has_the_documented_structure(client: Any) -> None:
    """A page has count, next, previous and results, a record the documented keys in order."""
    client.sandbox.store.seed([{"store_id": "1", "name": "Shirt", "tags": ["Pant"]}])
    answer = client.call("GET")
    page = answer.json()
    assert answer.headers["content-type"] == "application/json"
    assert list(page) == ["count", "next", "previous", "results"]
    assert (page["count"], page["next"], page["previous"]) == (1, None, None)
    (record,) = page["results"]
    assert tuple(record) == DOCUMENTED
    assert record["tags"] == [{"name": "Pant"}]
    assert record["status"] == "active"
    assert record["fit_toughness"] == 5
    assert record["comment"] is None
    assert record["size_chart"] == record["fabric"] == {}


def test_next_is_absolute_and_holds_the_key(client: Any) -> None:
    """The link to the next page is the endpoint itself with api_key, limit and offset."""
    client.sandbox.store.seed({"store_id": str(n), "name": "x"} for n in range(51))
    page = client.page()
    assert page["next"] == f"{client.sandbox.url}?api_key=demo&limit=50&offset=50"
    assert len(page["results"]) == 50
    following = requests.get(page["next"], timeout=10).json()
    assert len(following["results"]) == 1
    assert following["next"] is None
    assert following["previous"] == f"{client.sandbox.url}?api_key=demo&limit=50"


def test_following_next_lists_every_product_once(start: Start) -> None:
    """The windows of a list join without a gap or an overlap, in the order of creation."""
    client = start(page_max=3)
    ids = client.sandbox.store.seed({"store_id": str(n), "name": "x"} for n in range(10))
    seen: list[str] = []
    url = f"{client.sandbox.url}?api_key=demo&limit=1000"
    while url:
        page = requests.get(url, timeout=10).json()
        seen += [record["id"] for record in page["results"]]
        url = page["next"]
    assert seen == ids


def test_page_max_caps_the_limit(start: Start) -> None:
    """More than the largest page may be asked for; the largest page is what comes."""
    client = start(page_max=2)
    client.sandbox.store.seed({"store_id": str(n), "name": "x"} for n in range(5))
    assert len(client.page(limit=100)["results"]) == 2
    assert len(client.page()["results"]) == 2


def test_offset_past_the_end_is_an_empty_page(client: Any) -> None:
    """A window past the end holds nothing and still tells the count."""
    client.create()
    page = client.page(offset=10**30)
    assert (page["count"], page["results"], page["next"]) == (1, [], None)


@pytest.mark.parametrize("method", ["GET", "POST", "PATCH", "DELETE", "PUT"])
def test_missing_key_is_401(client: Any, method: str) -> None:
    """Without a key every method is refused and does nothing."""
    answer = requests.request(method, client.sandbox.url, json={}, timeout=10)
    assert answer.status_code == 401
    assert answer.json() == {"detail": "Authentication credentials were not provided."}


def test_unknown_key_is_401(start: Start) -> None:
    """A sandbox with a key of its own refuses every other and takes its own."""
    client = start(api_key="demo")
    answer = requests.get(client.sandbox.url, params={"api_key": "demo2"}, timeout=10)
    assert answer.status_code == 401
    assert answer.json() == {"detail": "Invalid API key."}
    assert client.call("GET").status_code == 200


def test_create_answers_created_and_the_id(client: Any) -> None:
    """A create answers {"created": 1, "id": ...}; that id is the record's, unlike the store_id."""
    answer = client.create("123456", tags=["tag 1", "tag 2", "tag 3"])
    assert answer.status_code == 201
    assert answer.json() == {"created": 1, "id": client.page()["results"][0]["id"]}
    (record,) = client.page()["results"]
    assert record["store_id"] == "123456"
    assert [tag["name"] for tag in record["tags"]] == ["tag 1", "tag 2", "tag 3"]
    assert record["id"] != "123456"


def test_write_only_fields_are_stored_and_never_listed(client: Any) -> None:
    """image_url and type are kept; the list shows neither, but an image_md of its own."""
    client.create(image_url="https://cdn.shop/1.jpg", type="top")
    (record,) = client.page()["results"]
    assert not record.keys() & {"image_url", "type"}
    assert record["image_md"].startswith("https://media.sandbox.invalid/")
    assert "cdn.shop" not in record["image_md"]
    (row,) = client.sandbox.store.rows()
    assert row.written == {"image_url": "https://cdn.shop/1.jpg", "type": "top"}


def test_update_changes_only_what_is_included(client: Any) -> None:
    """A PATCH writes the fields that it names and leaves every other as it was."""
    id = client.create(tags=["a"], image_url="https://cdn.shop/1.jpg", type="top").json()["id"]
    (before,) = client.page()["results"]
    answer = client.update(id, name="New product name")
    assert answer.status_code == 200
    assert answer.json() == {"message": "Products updated"}
    (after,) = client.page()["results"]
    assert after == {**before, "name": "New product name"}
    client.update(id, type="dress")
    (row,) = client.sandbox.store.rows()
    assert row.written == {"image_url": "https://cdn.shop/1.jpg", "type": "dress"}


def test_update_takes_all_documented_fields(client: Any) -> None:
    """store_id, name, tags, image_url and type can all be changed in one call."""
    id = client.create(tags=["a"], image_url="https://cdn.shop/1.jpg", type="top").json()["id"]
    client.update(
        id, store_id="2", name="N", tags=["b", "c"], image_url="https://cdn.shop/2.jpg", type="x"
    )
    (row,) = client.sandbox.store.rows()
    values = [row.value(key) for key in ("store_id", "name", "tags", "image_url", "type")]
    assert values == ["2", "N", ("b", "c"), "https://cdn.shop/2.jpg", "x"]


def test_update_takes_many_ids(client: Any) -> None:
    """One PATCH changes every product that it names, in place, and no other."""
    ids = client.sandbox.store.seed({"store_id": str(n), "name": "x"} for n in range(5))
    client.update(*ids[1:3], tags=["t"])
    tagged = [record["id"] for record in client.page()["results"] if record["tags"]]
    assert tagged == ids[1:3]
    assert [row.id for row in client.sandbox.store.rows()] == ids


def test_update_with_an_unknown_id_changes_nothing(client: Any) -> None:
    """A PATCH is all or nothing: 404 where one id is unknown, and no product is touched."""
    id = client.create().json()["id"]
    answer = client.update(id, "nobody", name="Other")
    assert answer.status_code == 404
    assert client.page()["results"][0]["name"] == "Shirt"


def test_empty_values_clear(client: Any) -> None:
    """An empty list clears the tags, an empty image_url the picture."""
    id = client.create(tags=["a"], image_url="https://cdn.shop/1.jpg").json()["id"]
    assert client.update(id, tags=[], image_url="").status_code == 200
    (record,) = client.page()["results"]
    assert (record["tags"], record["image_md"]) == ([], None)


def test_delete_removes_the_product_of_the_hash(client: Any) -> None:
    """DELETE with hash=PRODUCT_ID removes that product and answers with a message."""
    ids = [client.create(store_id).json()["id"] for store_id in ("1", "2")]
    answer = client.delete(ids[0])
    assert (answer.status_code, answer.json()) == (200, {"message": "Product deleted"})
    assert [record["id"] for record in client.page()["results"]] == ids[1:]


def test_delete_of_nothing(client: Any) -> None:
    """An unknown hash is 404, a missing one 400."""
    assert client.delete("nobody").status_code == 404
    answer = client.call("DELETE")
    assert (answer.status_code, answer.json()) == (400, {"hash": ["This field is required."]})


def test_store_id_is_not_unique_by_itself(client: Any) -> None:
    """Two creates with one store_id make two products."""
    assert client.create("1").json()["id"] != client.create("1").json()["id"]
    assert client.page()["count"] == 2


def test_unique_store_ids_can_be_asked_for(start: Start) -> None:
    """With unique_store_ids a taken store_id is 400, for a create and for an update."""
    client = start(unique_store_ids=True)
    first, second = (client.create(store_id).json()["id"] for store_id in ("1", "2"))
    taken = {"store_id": ["product with this store id already exists."]}
    for answer in (
        client.create("1"),
        client.update(second, store_id="1"),
        client.update(first, second, store_id="3"),
    ):
        assert (answer.status_code, answer.json()) == (400, taken)
    assert client.update(first, store_id="1", name="Same id").status_code == 200


@pytest.mark.parametrize(
    ("body", "errors"),
    [
        ({}, {"store_id": ["This field is required."], "name": ["This field is required."]}),
        ({"store_id": None, "name": "x"}, {"store_id": ["This field may not be null."]}),
        ({"store_id": " ", "name": "x"}, {"store_id": ["This field may not be blank."]}),
        ({"store_id": True, "name": "x"}, {"store_id": ["Not a valid string."]}),
        (
            {"store_id": "1", "name": "x", "image_url": "nowhere"},
            {"image_url": ["Enter a valid URL."]},
        ),
        (
            {"store_id": "1", "name": "x", "tags": "a"},
            {"tags": ['Expected a list of items but got type "str".']},
        ),
        (
            {"store_id": "1", "name": "x", "tags": ["a", 1, None]},
            {"tags": {"2": ["Not a valid string."]}},
        ),
        ([], {"non_field_errors": ["Invalid data. Expected a dictionary, but got list."]}),
    ],
)
def test_bad_create_is_400_by_field(client: Any, body: Any, errors: Any) -> None:
    """What a body gets wrong is answered field by field, and nothing is created."""
    answer = client.call("POST", json=body)
    assert (answer.status_code, answer.json()) == (400, errors)
    assert client.page()["count"] == 0


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": "x"}, "products"),
        ({"products": [], "name": "x"}, "products"),
        ({"products": "id", "name": "x"}, "products"),
        ({"products": [1], "name": "x"}, "products"),
        ({"products": ["id"], "name": ""}, "name"),
    ],
)
def test_bad_update_is_400_by_field(client: Any, body: Any, field: str) -> None:
    """An update without usable ids or with a bad value is refused by field."""
    answer = client.call("PATCH", json=body)
    assert (answer.status_code, list(answer.json())) == (400, [field])


def test_what_is_no_json_is_refused(client: Any) -> None:
    """A body that is not JSON is 400, one that does not say it is JSON 415."""
    broken = client.call("POST", data="{", headers={"content-type": "application/json"})
    assert broken.status_code == 400
    assert broken.json()["detail"].startswith("JSON parse error")
    assert client.call("POST", data={"name": "x"}).status_code == 415


def test_unknown_method_and_address(client: Any) -> None:
    """Another method is 405, another address 404, both as JSON."""
    answer = client.call("PUT", json={})
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, POST, PATCH, DELETE")
    elsewhere = requests.get(client.sandbox.url + "7/", timeout=10)
    assert (elsewhere.status_code, elsewhere.json()) == (404, {"detail": "Not found."})


def test_calls_at_the_same_time_keep_counts_right(client: Any) -> None:
    """Creates and updates side by side lose nothing and double nothing."""
    shared = client.create("shared").json()["id"]

    def work(number: int) -> None:
        for step in range(5):
            client.create(f"{number}-{step}")
            client.update(shared, name=f"{number}-{step}")

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    page = client.page(limit=200)
    assert page["count"] == len({record["id"] for record in page["results"]}) == 31
    assert len({record["store_id"] for record in page["results"]}) == 31
