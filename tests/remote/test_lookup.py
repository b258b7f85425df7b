"""The lookup of product pages: no key, paced, and careful with every answer but the documented."""

from collections.abc import Mapping
from threading import Event
from typing import Any

import pytest

from reconciler.errors import Interrupted
from reconciler.remote.calls import Calls
from reconciler.remote.lookup import Lookup, Sighted
from tests.remote.servers import CLOSE, Call, FakeClock, Reply, Server, reply


def known(store_id: object, **more: Any) -> Mapping[str, Any]:
    """The documented answer for a product."""
    product = {"id": "p-1", "store_id": store_id, **more}
    return {"status": 200, "data": {"version": 1, "product": product}}


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (reply(200, known("10 482")), Sighted.FOUND),
        (reply(200, known("10483")), Sighted.UNCLEAR),
        (reply(200, known("10 482", id=None)), Sighted.UNCLEAR),
        (reply(200, {"status": 200, "data": None}), Sighted.UNCLEAR),
        (reply(200, {"status": 404, "data": None}), Sighted.NOT_FOUND),
        (reply(404, {"status": 404}), Sighted.NOT_FOUND),
        (reply(404, "<html>no such host</html>", kind="text/html"), Sighted.UNCLEAR),
        (reply(200, "[" * 100_000), Sighted.UNCLEAR),
        (reply(200, "[]"), Sighted.UNCLEAR),
        (reply(302, b"", Location="https://else.example/"), Sighted.UNCLEAR),
        (reply(500, {"status": 500}), Sighted.UNCLEAR),
        (CLOSE, Sighted.UNCLEAR),
    ],
)
def test_what_an_answer_means(answer: Reply, expected: Sighted) -> None:
    """Found and not found are said only by answers that say so; nothing is repeated."""
    calls: list[Call] = []

    def handle(call: Call) -> Reply:
        calls.append(call)
        return answer

    with (
        Server(handle) as server,
        Lookup(server.url, "shop.example", Calls(timeout=5), FakeClock(), Event()) as lookup,
    ):
        found = lookup.ask("10 482")
    assert (found.store_id, found.sighted) == ("10 482", expected)
    assert (found.problem is None) is (expected is not Sighted.UNCLEAR)
    assert len(calls) == 1
    assert calls[0].query == {"business": "shop.example", "product": "10 482"}
    assert calls[0].target.startswith("/api/v1/widget/product/details/?")


def test_lookups_are_paced_and_end_where_the_server_asks_for_less() -> None:
    """Five a second at the most; a 429 is the last one, and a stop ends the waiting."""
    clock, stop = FakeClock(), Event()
    answers = [reply(200, known("1")), reply(200, known("1")), reply(429, {})]
    with (
        Server(lambda call: answers.pop(0)) as server,
        Lookup(server.url, "shop.example", Calls(), clock, stop) as lookup,
    ):
        began = clock.now()
        assert [lookup.ask("1").sighted for _ in range(3)][:2] == [Sighted.FOUND] * 2
        assert clock.now() - began >= 0.4
        assert lookup.stopped
        stop.set()
        with pytest.raises(Interrupted):
            lookup.ask("1")


def test_nobody_listens() -> None:
    """Where no connection comes about, the answer is unclear, with what happened."""
    with Server(lambda call: CLOSE) as server:
        url = server.url
    with Lookup(url, "shop.example", Calls(timeout=5), FakeClock(), Event()) as lookup:
        assert lookup.ask("1").problem == "no connection"
