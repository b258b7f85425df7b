"""The list over a socket: whole, or an error; never a part."""

from collections.abc import Callable
from itertools import count
from typing import Any

import pytest

from reconciler.errors import BadAnswer, KeyRefused, Rejected, RemoteError, UnstableList
from reconciler.remote.client import Client
from reconciler.sandbox.faults import Fault
from reconciler.sandbox.server import Sandbox
from tests.remote.actions import Connect, Serve
from tests.remote.servers import Call, FakeClock, Reply, page, products, reply

Start = Callable[..., Sandbox]


def listed(client: Client) -> list[str | None]:
    """The store_ids of the list, in its order."""
    return [product.store_id for product in client.list().products]


@pytest.mark.parametrize("page_max", [7, 50, 100])
def test_every_product_is_listed_once_with_every_page_size(
    sandbox: Start, connect: Connect, page_max: int
) -> None:
    """1,234 products come whole, each once, in order, whatever page is asked for or granted."""
    server = sandbox(1234, page_max=page_max)
    expected = [str(n) for n in range(1234)]
    for page_size in (7, 49, 1234, 10_000):
        assert listed(connect(server, page_size=page_size)) == expected


@pytest.mark.parametrize("page_size", [1, 2, 3])
def test_the_smallest_pages_are_whole_too(sandbox: Start, connect: Connect, page_size: int) -> None:
    """A page of one product, which can share none with its neighbour, is enough for a list."""
    assert listed(connect(sandbox(9), page_size=page_size)) == [str(n) for n in range(9)]


@pytest.mark.parametrize("count", [0, 1, 2, 49, 50, 51, 99, 100])
def test_lists_at_the_edges_of_a_page_are_whole(
    sandbox: Start, connect: Connect, count: int
) -> None:
    """Lists that just fit a page, or just do not, are whole, and an empty list is empty."""
    client = connect(sandbox(count, page_max=50))
    assert listed(client) == [str(n) for n in range(count)]


def test_one_page_costs_one_call(sandbox: Start, connect: Connect) -> None:
    """A list that fits one page is read with one call."""
    client = connect(sandbox(200))
    client.list()
    assert client.calls["GET"] == 1


def test_an_ignored_limit_is_noticed(serve: Serve, connect: Connect) -> None:
    """A server that answers 20 products whatever is asked for is read in pages of 20."""
    records = products(130)

    def handler(call: Call) -> Reply:
        rows = records[call.offset : call.offset + 20]
        return reply(200, {"count": 130, "next": None, "previous": None, "results": rows})

    assert listed(connect(serve(handler))) == [str(n) for n in range(130)]


@pytest.mark.parametrize("status", [400, 422])
def test_a_refused_limit_is_not_asked_for_again(
    serve: Serve, connect: Connect, status: int
) -> None:
    """A server that refuses `limit` is read with its own, and asked for none after the first."""
    records = products(130)

    def handler(call: Call) -> Reply:
        return reply(status, {"limit": ["no"]}) if call.limit else page(call, records)

    server = serve(handler)
    assert listed(connect(server)) == [str(n) for n in range(130)]
    assert sum(call.limit is not None for call in server.calls) == 1


def test_a_list_that_is_refused_with_and_without_limit_is_an_error(
    serve: Serve, connect: Connect
) -> None:
    """The error names what the server said to the first call."""
    server = serve(lambda call: reply(400, {"limit" if call.limit else "offset": "no"}))
    with pytest.raises(Rejected, match="limit") as caught:
        connect(server).list()
    assert caught.value.status == 400


@pytest.mark.parametrize("amount", [-1230, -20, -1, 1, 7, 50, 100_000, 900_000_000])
def test_a_wrong_count_is_never_believed(sandbox: Start, connect: Connect, amount: int) -> None:
    """A count that is too low or too high on every page ends in an error, in few calls."""
    server = sandbox(1234, Fault("lying_count", amount=amount), page_max=50)
    client = connect(server)
    with pytest.raises(UnstableList, match="would not hold still"):
        client.list()
    assert client.calls["GET"] < 200


@pytest.mark.parametrize("nth", [1, 3, 25])
def test_a_count_that_is_wrong_once_is_read_again(
    sandbox: Start, connect: Connect, nth: int
) -> None:
    """One wrong count costs a second reading and nothing else."""
    server = sandbox(1234, Fault("lying_count", nth=(nth,)), page_max=50)
    assert listed(connect(server)) == [str(n) for n in range(1234)]


def test_a_count_of_the_page_is_not_taken_for_the_whole(serve: Serve, connect: Connect) -> None:
    """A server that counts only the page, while it says that more follow, lists nothing."""
    records = products(130)
    server = serve(lambda call: page(call, records, count=50))
    with pytest.raises(UnstableList, match="beyond the count of 50"):
        connect(server, page_size=50).list()


@pytest.mark.parametrize("past_the_end", ["nothing", "last page"])
def test_a_server_that_always_names_a_next_page_is_read(
    serve: Serve, connect: Connect, past_the_end: str
) -> None:
    """A `next` on the last page is looked into once, and is no fault where nothing new is there."""
    records = products(120)

    def handler(call: Call) -> Reply:
        start = call.offset
        if past_the_end == "last page":
            start = min(start, 100)
        rows = records[start : start + 50]
        return reply(200, {"count": 120, "next": "http://elsewhere.invalid/", "results": rows})

    server = serve(handler)
    assert listed(connect(server, page_size=50)) == [str(n) for n in range(120)]
    assert len(server.calls) == 4


@pytest.mark.parametrize("which", [1, 2, 3])
@pytest.mark.parametrize("always", [False, True])
def test_a_short_page_is_never_a_short_list(
    serve: Serve, connect: Connect, which: int, always: bool
) -> None:
    """A page that lacks its last product is read again; one that always does ends in an error."""
    records = products(130)
    offsets = {1: 0, 2: 49, 3: 98}
    spoilt = count()

    def handler(call: Call) -> Reply:
        if call.offset == offsets[which] and (always or not next(spoilt)):
            return page(call, records, results=records[call.offset : call.offset + 50][:-1])
        return page(call, records)

    client = connect(serve(handler))
    if always and which > 1:
        with pytest.raises(UnstableList):
            client.list()
    else:
        # A first page that is always short is a smaller page: the rest is asked for from there.
        assert listed(client) == [str(n) for n in range(130)]


@pytest.mark.parametrize("way", ["insert", "delete", "replace"])
@pytest.mark.parametrize("page_size", [1, 2, 10])
def test_a_list_that_moves_once_is_read_again(
    sandbox: Start, connect: Connect, way: str, page_size: int
) -> None:
    """One product that comes, goes or both (so that the count stays) costs a second reading."""
    server = sandbox(25, Fault("shift", nth=(3,), way=way))
    seen = listed(connect(server, page_size=page_size, concurrency=1))
    assert seen == [row.store_id for row in server.store.rows()]


@pytest.mark.parametrize("page_size", [1, 2, 10])
def test_a_list_that_always_moves_is_an_error(
    sandbox: Start, connect: Connect, page_size: int
) -> None:
    """A list that moves at every call, with a count that stays, is never believed."""
    client = connect(sandbox(25, Fault("shift", way="replace")), page_size=page_size)
    with pytest.raises(UnstableList, match="5 readings"):
        client.list()


def test_a_product_listed_twice_is_not_two(serve: Serve, connect: Connect) -> None:
    """A list with one id twice is not whole, whatever the count says."""
    records = [*products(3), products(1)[0]]
    with pytest.raises(UnstableList, match="a product is listed twice"):
        connect(serve(lambda call: page(call, records))).list()


def test_one_page_for_ever_is_told_at_once(serve: Serve, connect: Connect) -> None:
    """A server that ignores the offset, and counts a hundred million, is not asked for them all."""
    server = serve(lambda call: page(call, [], count=100_000_000, results=products(1)))
    with pytest.raises(UnstableList, match="a product is listed twice"):
        connect(server).list()
    assert server.made("GET") < 500


@pytest.mark.parametrize("status", [400, 404])
def test_no_page_beyond_the_last_one_is_no_product(
    serve: Serve, connect: Connect, status: int
) -> None:
    """A server that always names a next page, and then says that there is none, lists all."""

    def handler(call: Call) -> Reply:
        if call.offset >= 5:
            return reply(status, {"detail": "Invalid page."})
        return page(call, products(5), next="http://127.0.0.1/?offset=5")

    assert len(connect(serve(handler)).list().products) == 5


def test_an_empty_page_before_the_end_is_no_list(serve: Serve, connect: Connect) -> None:
    """No products where the count says that there are some is never an empty list."""
    server = serve(lambda call: page(call, products(9), results=[]))
    with pytest.raises(UnstableList, match="first page is empty, but the count is 9"):
        connect(server).list()


def test_next_is_never_followed(serve: Serve, connect: Connect) -> None:
    """A `next` that leads to another origin is not called, and neither is one to this one."""
    trap = serve(lambda call: page(call, []))
    records = products(130)
    server = serve(lambda call: page(call, records, next=f"{trap.url}?api_key=x&offset=50"))
    client = connect(server)
    assert len(client.list().products) == 130
    assert trap.connections == 0
    assert all(call.target.startswith("/api/v1/product/?api_key=demo") for call in server.calls)


BROKEN: dict[str, Reply] = {
    "html": reply(200, "<html>We will be back</html>", kind="text/html"),
    "no body": reply(200),
    "half of it": reply(200, '{"count": 1, "results": [{"id": "a"'),
    "text": reply(200, "maintenance", kind="text/plain"),
    "an array": reply(200, "[]"),
    "null": reply(200, "null"),
    "no count": reply(200, {"results": []}),
    "no results": reply(200, {"count": 0}),
    "count as text": reply(200, {"count": "0", "results": []}),
    "count as fraction": reply(200, {"count": 0.5, "results": []}),
    "count below nothing": reply(200, {"count": -1, "results": []}),
    "count as boolean": reply(200, {"count": True, "results": []}),
    "count beyond reason": reply(200, f'{{"count": {"9" * 400}, "results": []}}'),
    "results as object": reply(200, {"count": 0, "results": {}}),
    "a record as text": reply(200, {"count": 1, "results": ["a"]}),
    "a record as null": reply(200, {"count": 1, "results": [None]}),
    "deep": reply(200, "[" * 100_000),
    "not text": reply(200, b'{"count": 0, "results": ["\xff"]}'),
}


@pytest.mark.parametrize("answer", BROKEN.values(), ids=BROKEN)
def test_an_answer_of_another_shape_is_one_clear_error(
    serve: Serve, connect: Connect, answer: Reply
) -> None:
    """What is no list is asked for once more, then told with its status and how it begins."""
    server = serve(lambda call: answer)
    client = connect(server)
    with pytest.raises(BadAnswer, match=r"^GET http.*: .*Status 200") as caught:
        client.list()
    assert len(caught.value.message) < 500
    assert "ROBOSIZE_API_URL" in str(caught.value.hint)
    assert "<" not in caught.value.message
    assert (client.calls["GET"], client.calls["retries"]) == (2, 1)
    assert not caught.value.may_have_landed


@pytest.mark.parametrize("kind", ["html", "truncate", "empty", "shape", "reset"])
@pytest.mark.parametrize("nth", [1, 4])
def test_a_page_that_is_broken_once_is_asked_for_again(
    sandbox: Start, connect: Connect, kind: str, nth: int
) -> None:
    """One answer that cannot be read does not fail the list."""
    server = sandbox(300, Fault(kind, nth=(nth,)), page_max=50)
    assert listed(connect(server)) == [str(n) for n in range(300)]


def test_a_list_called_text_is_still_a_list(sandbox: Start, connect: Connect) -> None:
    """A right list under a wrong content type proves itself."""
    assert len(connect(sandbox(3, Fault("content_type"))).list().products) == 3


DIRTY: list[dict[str, Any]] = [
    {"id": "a", "store_id": 10482, "name": None, "tags": None},
    {"id": "b", "store_id": None, "name": 7, "tags": "linen"},
    {"id": "c", "store_id": True, "name": ["x"], "tags": [{"name": "b"}, {"name": "a"}, "b"]},
    {"id": 17, "store_id": "", "name": "", "tags": [{"name": None}, {}, None, 3]},
    {"id": None, "store_id": "1", "name": "x", "image_md": 5},
    {"id": "", "store_id": "1", "name": "x"},
    {"id": True},
    {"unknown": {"deep": [1]}},
]


def test_dirty_records_are_listed_and_never_a_crash(serve: Serve, connect: Connect) -> None:
    """Numbers become text; what is neither is absent; records without a usable id are all there."""
    listing = connect(serve(lambda call: page(call, DIRTY))).list()
    assert [product.id for product in listing.products] == [
        *("a", "b", "c", "17"),
        *(None, None, None, None),
    ]
    assert [product.store_id for product in listing.products[:5]] == ["10482", None, None, "", "1"]
    assert [product.name for product in listing.products[:4]] == [None, "7", None, ""]
    tags = [product.value("tags") for product in listing.products[:4]]
    assert tags == [(), (), ("a", "b"), ("", "3")]
    assert listing.records(["17", "a"])["17"] == DIRTY[3]


def test_whole_records_are_kept_from_every_page(sandbox: Start, connect: Connect) -> None:
    """The record of any product, hand-entered data included, can be had after the reading."""
    server = sandbox(20)
    server.store.insert([{"id": "last", "store_id": "x", "size_chart": {"S": [1, 2]}}])
    listing = connect(server, page_size=5).list()
    found = listing.records(["last", str(listing.products[7].id)])
    assert found["last"]["size_chart"] == {"S": [1, 2]}
    assert len(found) == 2


def test_a_failed_list_is_never_an_empty_list(serve: Serve, connect: Connect) -> None:
    """Every status that is not success raises, whatever its body."""
    for status in (204, 301, 302, 400, 404, 418, 500, 599):
        server = serve(lambda call, status=status: reply(status, {"count": 0, "results": []}))
        if status == 204:
            server.handler = lambda call: reply(204)
        with pytest.raises(RemoteError):
            connect(server, retries=0, clock=FakeClock()).list()


@pytest.mark.parametrize("status", [404, 405, 302])
def test_a_wrong_path_names_the_url_and_no_page(
    serve: Serve, connect: Connect, status: int
) -> None:
    """Where no endpoint is, the error has the URL and what to check, never the page's markup."""
    server = serve(lambda call: reply(status, "<html>No</html>", kind="text/html"))
    client = connect(server)
    with pytest.raises(Rejected) as caught:
        client.list()
    assert caught.value.message.startswith(f"GET {client.api_url}: status {status}: ")
    assert "<" not in caught.value.message
    assert "/api/v1/product/" in str(caught.value.hint)


def test_a_refused_key_names_its_variable(serve: Serve, connect: Connect) -> None:
    """The message itself says which variable to look at: an outcome of an apply shows no hint."""
    client = connect(serve(lambda call: reply(401)), key_variable="ACME_KEY")
    with pytest.raises(KeyRefused, match="the API key in ACME_KEY"):
        client.list()
