"""Each kind of fault over a real socket: what the client sees, and what really happened."""

from collections.abc import Callable
from typing import Any

import pytest
import requests

from reconciler.sandbox.faults import Fault

Start = Callable[..., Any]

LOST = (requests.ConnectionError, requests.Timeout)


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("method", ["POST", "PATCH", "DELETE"])
@pytest.mark.parametrize(
    "kind",
    ["status", "reset", "truncate", "html", "redirect", "empty", "content_type", "shape"],
)
def test_moment_decides_about_the_effect(client: Any, kind: str, method: str, moment: Any) -> None:
    """A lost or spoilt answer comes before the write took effect or after it, as asked."""
    id = client.create("1").json()["id"]
    client.sandbox.misbehave(Fault(kind, method=method, moment=moment))
    calls = {
        "POST": lambda: client.create("2"),
        "PATCH": lambda: client.update(id, name="New"),
        "DELETE": lambda: client.delete(id),
    }
    try:
        answer = calls[method]()
    except requests.RequestException:
        answer = None
    after = {"POST": ["Shirt", "Shirt"], "PATCH": ["New"], "DELETE": []}
    names = [row.value("name") for row in client.sandbox.store.rows()]
    assert names == (after[method] if moment == "after" else ["Shirt"])
    call = client.sandbox.store.calls()[-1]
    assert call.faults == (kind,)
    assert (call.effect is not None) == (moment == "after")
    if answer is not None:
        assert call.status == answer.status_code


@pytest.mark.parametrize("status", [400, 401, 404, 429, 500, 502, 503, 599])
def test_status(start: Start, status: int) -> None:
    """Any status can be had, with a Retry-After as it was given."""
    client = start(Fault("status", status=status, retry_after="Wed, 21 Oct 2026 07:28:00 GMT"))
    answer = client.call("GET")
    assert answer.status_code == status
    assert answer.headers["retry-after"] == "Wed, 21 Oct 2026 07:28:00 GMT"
    assert "detail" in answer.json()


def test_status_with_a_body_of_its_own(start: Start) -> None:
    """The body of a failure can be anything; without retry_after there is no Retry-After."""
    answer = start(Fault("status", body="upstream died")).call("GET")
    assert (answer.status_code, answer.text) == (503, "upstream died")
    assert "retry-after" not in answer.headers


@pytest.mark.parametrize("way", ["reset", "close"])
def test_reset(start: Start, way: str) -> None:
    """The connection ends without an answer, by a reset or in good order; the next call works."""
    client = start(Fault("reset", way=way, nth=(1,)))
    with pytest.raises(requests.ConnectionError) as caught:
        client.call("GET")
    expected = "ConnectionResetError" if way == "reset" else "RemoteDisconnected"
    assert expected in repr(caught.value)
    assert client.call("GET").status_code == 200
    assert [call.status for call in client.sandbox.store.calls()] == [None, 200]


def test_reset_on_a_kept_connection(start: Start) -> None:
    """A connection that served calls before is dropped all the same."""
    client = start(Fault("reset", nth=(3,)))
    with requests.Session() as session:
        for _ in range(2):
            assert session.get(client.sandbox.url, params={"api_key": "demo"}, timeout=10).ok
        with pytest.raises(requests.ConnectionError):
            session.get(client.sandbox.url, params={"api_key": "demo"}, timeout=10)


def test_hang_after_the_effect(start: Start) -> None:
    """The answer is held while the write is already there."""
    client = start(Fault("hang", method="POST", moment="after", seconds=60))
    with pytest.raises(requests.ReadTimeout):
        client.call("POST", json={"store_id": "1", "name": "x"}, timeout=0.3)
    assert client.sandbox.store.count() == 1
    (call,) = client.sandbox.store.calls("POST")
    assert (call.effect, call.status) == ("created", None)


def test_hang_before_the_effect(start: Start) -> None:
    """A client that gave up does not see its write; it never comes where the server ends first."""
    client = start(Fault("hang", method="POST", seconds=60))
    with pytest.raises(requests.ReadTimeout):
        client.call("POST", json={"store_id": "1", "name": "x"}, timeout=0.2)
    assert client.sandbox.store.count() == 0
    assert client.sandbox.store.calls("POST")[0].effect is None


def test_a_late_write_takes_effect_though_its_client_is_gone(start: Start) -> None:
    """A held call goes on when its time has come: then the product appears after all."""
    client = start(Fault("hang", method="POST", seconds=0.3))
    with pytest.raises(requests.ReadTimeout):
        client.call("POST", json={"store_id": "1", "name": "x"}, timeout=0.1)
    while not client.page()["count"]:
        continue
    assert client.sandbox.store.calls("POST")[0].effect == "created"


def test_slow(start: Start) -> None:
    """A body sent drop by drop arrives whole."""
    client = start(Fault("slow", seconds=0.05, nth=(2,)))
    assert client.call("GET").content == client.call("GET").content


def test_truncate_with_the_right_length(start: Start) -> None:
    """Half a body under the whole body's length is a broken answer."""
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        start(Fault("truncate")).call("GET")


def test_truncate_with_the_cut_length(start: Start) -> None:
    """Half a body under its own length is a good answer with broken JSON."""
    answer = start(Fault("truncate", way="cut")).call("GET")
    assert answer.status_code == 200
    assert int(answer.headers["content-length"]) == len(answer.content)
    with pytest.raises(requests.JSONDecodeError):
        answer.json()


def test_html(start: Start) -> None:
    """A page for people comes with status 200."""
    answer = start(Fault("html")).call("GET")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "<html>" in answer.text
    assert start(Fault("html", body="<p>")).call("GET").text == "<p>"


def test_redirect(start: Start) -> None:
    """A redirect leads to another origin and carries the whole query, the key too."""
    answer = start(Fault("redirect", location="https://other.invalid/")).call("GET")
    assert answer.status_code == 302
    location = "https://other.invalid/api/v1/product/?api_key=demo"
    assert answer.headers["location"] == location


def test_empty(start: Start) -> None:
    """Nothing comes, with status 200."""
    answer = start(Fault("empty")).call("GET")
    assert (answer.status_code, answer.content) == (200, b"")


def test_content_type(start: Start) -> None:
    """The right body comes as plain text."""
    answer = start(Fault("content_type")).call("GET")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.json()["count"] == 0


def test_shape(start: Start) -> None:
    """The body is JSON of another shape, or exactly the one that was asked for."""
    assert start(Fault("shape")).page()["data"]["count"] == 0
    assert start(Fault("shape", body='{"count": "many"}')).page() == {"count": "many"}


@pytest.mark.parametrize("amount", [1, -2])
def test_lying_count(start: Start, amount: int) -> None:
    """The count of a page is off by the amount, on the pages that were asked for."""
    client = start(Fault("lying_count", nth=(2,), amount=amount))
    client.sandbox.store.seed({"store_id": str(n), "name": "x"} for n in range(3))
    assert [client.page()["count"] for _ in range(3)] == [3, 3 + amount, 3]
    client.sandbox.misbehave(Fault("status", status=500), Fault("lying_count"))
    assert "count" not in client.page()


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize(
    ("way", "count", "seen"),
    [
        ("insert", 5, ["a", "b", "b", "c"]),
        ("delete", 3, ["a", "b", "d"]),
        ("replace", 4, ["a", "b", "d", "shift-3"]),
    ],
)
def test_shift(start: Start, way: str, count: int, seen: list[str], moment: Any) -> None:
    """Rows really come and go between two pages: one is seen twice, or one never."""
    nth = 2 if moment == "before" else 1
    client = start(Fault("shift", way=way, nth=(nth,), moment=moment))
    client.sandbox.store.seed({"store_id": letter, "name": "x"} for letter in "abcd")
    pages = [client.page(limit=2), client.page(limit=2, offset=2)]
    assert [record["store_id"] for page in pages for record in page["results"]] == seen
    assert [page["count"] for page in pages] == [4, count]
    assert client.sandbox.store.count() == count


def test_shifts_double_nothing(start: Start) -> None:
    """Each product that a shift adds has a store_id of its own."""
    client = start(Fault("shift", way="replace", amount=3))
    client.sandbox.store.seed({"store_id": letter, "name": "x"} for letter in "abcd")
    client.page()
    added = [str(row.store_id) for row in client.sandbox.store.rows()]
    assert added == ["d", "shift-3", "shift-4", "shift-5"]


def test_shift_of_an_empty_list(start: Start) -> None:
    """There is nothing to delete where there is nothing."""
    assert start(Fault("shift", way="delete", amount=3)).page()["count"] == 0


def test_partial_patch(start: Start) -> None:
    """The first products of a batch are updated, the rest is not, and the answer is 200."""
    client = start(Fault("partial_patch", amount=2))
    ids = client.sandbox.store.seed({"store_id": str(n), "name": "x"} for n in range(4))
    answer = client.update(*ids, name="New")
    assert (answer.status_code, answer.json()) == (200, {"message": "Products updated"})
    rows = client.sandbox.store.rows()
    assert [row.value("name") for row in rows] == ["New", "New", "x", "x"]
    assert client.sandbox.store.calls("PATCH")[0].ids == tuple(ids[:2])


def test_ignore_field(start: Start) -> None:
    """A field is accepted and not stored, on a create and on an update."""
    client = start(Fault("ignore_field", field="tags"))
    id = client.create(tags=["a"]).json()["id"]
    assert client.update(id, tags=["b"], name="New").status_code == 200
    (record,) = client.page()["results"]
    assert (record["tags"], record["name"]) == ([], "New")


@pytest.mark.parametrize(
    ("field", "way", "stored"),
    [
        ("name", "upper", " LINEN shirt".upper()),
        ("name", "strip", "LINEN shirt"),
        ("store_id", "upper", "AB"),
        ("tags", "lower", ("new", "summer sale")),
        ("tags", "title", ("New", "Summer Sale")),
        ("type", "reverse", "pot"),
    ],
)
def test_normalise(start: Start, field: str, way: str, stored: Any) -> None:
    """A field is stored in another form than it was sent."""
    client = start(Fault("normalise", field=field, way=way))
    client.create("ab", " LINEN shirt", tags=["NEW", "summer sale"], type="top")
    (row,) = client.sandbox.store.rows()
    assert row.value(field) == stored


def test_created_zero(start: Start) -> None:
    """A create that created nothing says so, with a status of success."""
    client = start(Fault("created_zero"))
    answer = client.create()
    assert (answer.status_code, answer.json()) == (201, {"created": 0})
    assert client.sandbox.store.count() == 0
    assert client.sandbox.store.calls()[0].effect is None


def test_duplicate_create(start: Start) -> None:
    """A create makes two products and tells of the first."""
    client = start(Fault("duplicate_create"))
    id = client.create("1").json()["id"]
    rows = client.sandbox.store.rows()
    assert [row.store_id for row in rows] == ["1", "1"]
    assert rows[0].id == id
    assert client.sandbox.store.calls()[0].ids == tuple(row.id for row in rows)


def test_faults_work_together(start: Start) -> None:
    """A batch that landed in part and whose answer was lost: two faults on one call."""
    client = start(Fault("partial_patch"), Fault("reset", method="PATCH", moment="after"))
    ids = client.sandbox.store.seed({"store_id": str(n), "name": "x"} for n in range(2))
    with pytest.raises(LOST):
        client.update(*ids, name="New")
    assert [row.value("name") for row in client.sandbox.store.rows()] == ["New", "x"]
    assert client.sandbox.store.calls()[0].faults == ("partial_patch", "reset")


def test_misbehaving_ends(client: Any) -> None:
    """Faults can be set while the server runs, and taken away again."""
    client.sandbox.misbehave(Fault("status"))
    assert client.call("GET").status_code == 503
    client.sandbox.misbehave()
    assert client.call("GET").status_code == 200
