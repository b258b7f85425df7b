"""The store: dirty rows, the log of calls, the file."""

import sqlite3
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.errors import UsageError
from reconciler.sandbox.store import SandboxStore


def test_dirty_rows_are_listed_as_they_are(client: Any) -> None:
    """Null, numeric and doubled store_ids, null names and unknown keys all reach the list."""
    dirty: list[dict[str, Any]] = [
        {"store_id": None, "name": None},
        {"store_id": 77, "size_hint": {"a": 1}},
        {"store_id": "77", "name": "lone \ud800"},
    ]
    client.sandbox.store.insert(dirty)
    client.sandbox.store.insert([{"id": None, "tags": "none"}, {}], exact=True, front=True)
    results = client.page()["results"]
    assert results[:2] == [{}, {"id": None, "tags": "none"}]
    for record, given_record in zip(results[2:], dirty, strict=True):
        assert record.items() >= given_record.items()
        assert record["id"]
    row = client.sandbox.store.row("77")
    assert row is not None
    assert row.record["store_id"] == 77
    assert row.value("store_id") == row.store_id == "77"


def test_update_keeps_unknown_keys(client: Any) -> None:
    """What a record holds beyond the documented keys survives an update."""
    client.sandbox.store.insert([{"id": "a", "store_id": 7, "later": [1]}])
    assert client.update("a", name="New").status_code == 200
    (record,) = client.page()["results"]
    assert (record["name"], record["later"], record["store_id"]) == ("New", [1], 7)


def test_calls_say_what_happened(start: Any) -> None:
    """The log holds every call in order: method, query without key, body, status and effect."""
    client = start()
    id = client.create("1").json()["id"]
    client.update(id, store_id="2", tags=["a"])
    client.page(limit=7)
    client.delete(id)
    client.delete(id)
    calls = client.sandbox.store.calls()
    assert [(c.n, c.method, c.status, c.effect, c.ids, c.store_ids) for c in calls] == [
        (1, "POST", 201, "created", (id,), ("1",)),
        (2, "PATCH", 200, "updated", (id,), ("2",)),
        (3, "GET", 200, "listed", (), ()),
        (4, "DELETE", 200, "deleted", (id,), ("2",)),
        (5, "DELETE", 404, None, (), ()),
    ]
    assert calls[1].json == {"products": [id], "store_id": "2", "tags": ["a"]}
    assert calls[2].query == {"limit": "7"}
    assert calls[2].json is None
    assert len(client.sandbox.store.calls("DELETE")) == 2
    client.sandbox.store.log.clear()
    assert client.sandbox.store.calls() == []


def test_the_key_is_not_kept(start: Any, tmp_path: Path) -> None:
    """The database file never holds the key that calls came with."""
    path = tmp_path / "sandbox.sqlite3"
    client = start(database=path)
    answer = client.call("GET", query={"api_key": "unmistakable-4711", "limit": 1})
    assert answer.status_code == 200
    for file in tmp_path.iterdir():
        assert b"unmistakable-4711" not in file.read_bytes()


def test_the_clock_is_the_one_given() -> None:
    """Calls bear the time of the clock that the store was made with."""
    store = SandboxStore(clock=lambda: 12.5)
    store.log.arrived("GET", {}, "")
    assert [call.time for call in store.calls()] == [12.5]
    store.close()


def test_seeding_is_deterministic_and_ids_never_return() -> None:
    """The same seed gives the same ids, and an id is not used again after its product went."""
    stores = [SandboxStore(), SandboxStore()]
    first, second = (store.seed([{"store_id": "1", "name": "x"}]) for store in stores)
    assert first == second
    stores[0].clear()
    assert stores[0].seed([{"store_id": "1", "name": "x"}]) != first
    for store in stores:
        store.close()


def test_seed_takes_unmanaged_fields_and_record_keys() -> None:
    """A seeded product may leave fields out and may set what is entered by hand."""
    store = SandboxStore()
    store.seed([{"store_id": "1", "name": "x", "tags": None, "type": "top", "status": "draft"}])
    (row,) = store.rows()
    assert (row.record["tags"], row.record["status"]) == ([], "draft")
    assert row.written == {"type": "top"}
    assert row.value("image_url") is None
    assert store.row("2") is None
    store.close()


@given(
    st.lists(st.sampled_from(["end", "front", "delete"]), max_size=12),
    st.integers(0, 14),
    st.integers(1, 5),
)
def test_a_page_is_a_window_of_all_rows(steps: list[str], offset: int, limit: int) -> None:
    """After any creates and deletes a page is that window of the list, and counts all of it."""
    store = SandboxStore()
    model: list[str] = []
    for step in steps:
        if step == "end":
            model.append(store.create({"store_id": "1", "name": "x"}))
        elif step == "front":
            model.insert(0, store.create({"store_id": "1", "name": "x"}, front=True))
        elif model:
            store.delete(model.pop(len(model) // 2))
    count, records = store.page(offset, limit)
    assert [row.id for row in store.rows()] == model
    assert count == len(model)
    assert len(records) == len(model[offset : offset + limit])
    assert all(id in record for id, record in zip(model[offset:], records, strict=False))
    store.close()


def test_a_transaction_is_undone_as_a_whole() -> None:
    """What happens inside a transaction that is not kept, or fails, did not happen."""
    store = SandboxStore()
    with store.transaction(keep=False):
        store.create({"store_id": "1", "name": "x"})

    def fail() -> None:
        with store.transaction():
            store.create({"store_id": "1", "name": "x"})
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert store.count() == 0
    store.close()


def test_a_file_keeps_products_and_calls(start: Any, tmp_path: Path) -> None:
    """What one sandbox stored in a file (in a folder that was not there) the next one lists."""
    path = tmp_path / "deep" / "sandbox.sqlite3"
    store = SandboxStore(path)
    store.seed([{"store_id": "1", "name": "x"}])
    store.log.arrived("GET", {}, "")
    store.close()
    client = start(database=path)
    assert client.page()["count"] == 1
    assert len(client.sandbox.store.calls()) == 2


def test_two_stores_share_a_file(tmp_path: Path) -> None:
    """Two stores on one file see each other's products at once."""
    stores = [SandboxStore(tmp_path / "x.sqlite3"), SandboxStore(tmp_path / "x.sqlite3")]
    for store in stores:
        store.create({"store_id": "1", "name": "x"})
    assert [store.count() for store in stores] == [2, 2]
    for store in stores:
        store.close()


@pytest.mark.parametrize("content", ["text", "foreign", "newer", "folder"])
def test_a_file_that_is_not_the_sandbox_s_is_refused(tmp_path: Path, content: str) -> None:
    """Anything but a sandbox's own database is left as it is and named in the error."""
    path = tmp_path / "file"
    if content == "text":
        path.write_text("These are notes, not a database. " * 50)
    elif content == "folder":
        path.mkdir()
    else:
        if content == "newer":
            SandboxStore(path).close()
        connection = sqlite3.connect(path)
        connection.execute("CREATE TABLE other (x)")
        connection.execute("PRAGMA user_version = 99")
        connection.commit()
        connection.close()
    before = None if content == "folder" else path.read_bytes()
    with pytest.raises(UsageError, match="file") as caught:
        SandboxStore(path)
    assert caught.value.hint
    assert before is None or path.read_bytes() == before
