"""Repeats: which call is made again, after what, how long after, and which never."""

import pytest

from reconciler.errors import KeyRefused, Rejected
from tests.remote.actions import (
    ACTIONS,
    REPEATABLE,
    RIGHT,
    TRUNCATED,
    Connect,
    Serve,
    always,
    failure,
    first,
)
from tests.remote.servers import (
    CLOSE,
    RESET,
    Call,
    FakeClock,
    Reply,
    page,
    products,
    reply,
)
from tests.remote.standin import StandIn, told


@pytest.mark.parametrize("method", REPEATABLE)
@pytest.mark.parametrize(
    "answer",
    [*(reply(status) for status in (408, 425, 429, 500, 502, 503, 504)), RESET, CLOSE, TRUNCATED],
    ids=["408", "425", "429", "500", "502", "503", "504", "reset", "close", "truncated"],
)
def test_what_may_pass_is_repeated(
    serve: Serve, connect: Connect, method: str, answer: Reply
) -> None:
    """GET, PATCH and DELETE are made again after a failure that may pass, and then succeed."""
    server = serve(first(answer, answer))
    client = connect(server)
    ACTIONS[method](client)
    assert server.made(method) == 3
    assert (client.calls[method], client.calls["retries"]) == (3, 2)


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
@pytest.mark.parametrize("last", [301, 400, 403])
@pytest.mark.parametrize(("before", "at_rest"), [(502, False), (429, True)])
def test_a_refusal_says_nothing_of_the_try_before(
    serve: Serve, connect: Connect, method: str, last: int, before: int, at_rest: bool
) -> None:
    """P6: the server may still be at work on a try that a gateway has answered."""
    error = failure(ACTIONS[method], connect(serve(first(reply(before), reply(last)))))
    assert (error.may_have_landed, error.at_rest) == (True, at_rest)


@pytest.mark.parametrize("method", REPEATABLE)
@pytest.mark.parametrize("status", [301, 302, 307, 308, 400, 404, 405, 409, 413, 418, 422, 501])
def test_what_will_not_pass_is_not_repeated(
    serve: Serve, connect: Connect, method: str, status: int
) -> None:
    """A status that the same call would meet again ends it at once, with the status in the error.

    A list that is refused is asked for without its limit; a product that is gone was deleted.
    """
    server = serve(always(reply(status, {"detail": "no"})))
    if method == "DELETE" and status == 404:
        assert connect(server).delete("a") is False
    else:
        error = failure(ACTIONS[method], connect(server))
        assert isinstance(error, Rejected)
        assert error.status == status
        assert str(status) in error.message
    assert server.made(method) == (2 if method == "GET" and status in (400, 422) else 1)


@pytest.mark.parametrize("method", ACTIONS)
@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_key_ends_at_once(
    serve: Serve, connect: Connect, method: str, status: int
) -> None:
    """401 and 403 are never repeated, whatever else the answer says, and name what to check."""
    server = serve(always(reply(status, {"detail": "no"}, Retry_After="9999")))
    error = failure(ACTIONS[method], connect(server))
    assert isinstance(error, KeyRefused)
    assert "ROBOSIZE_API_KEY" in str(error.hint)
    assert (error.may_have_landed, error.at_rest) == (False, True)
    assert len(server.calls) == 1


def test_a_key_refused_on_a_later_page_ends_the_list(serve: Serve, connect: Connect) -> None:
    """One page without the key's leave fails the list, and no page is asked for twice."""
    records = products(500)
    server = serve(lambda call: page(call, records) if call.offset != 98 else reply(403))
    client = connect(server)
    with pytest.raises(KeyRefused):
        client.list()
    client.close()
    assert len({call.target for call in server.calls}) == len(server.calls)


@pytest.mark.parametrize("method", ACTIONS)
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_not_followed(
    serve: Serve, connect: Connect, method: str, status: int
) -> None:
    """A redirect, which would carry the key away, is an error that says what to set."""
    trap = serve(first())
    server = serve(always(reply(status, Location=trap.url)))
    error = failure(ACTIONS[method], connect(server))
    assert "redirects are not followed" in error.message
    assert "ROBOSIZE_API_URL" in str(error.hint)
    assert (trap.connections, len(server.calls)) == (0, 1)


def test_waits_grow_and_are_jittered(connect: Connect) -> None:
    """Backoff begins at once, doubles up to its ceiling, and is cut by the jitter."""
    for jitter in (1.0, 0.25):
        clock = FakeClock()
        client = connect(
            "https://shop.invalid/",
            transport=StandIn(lambda _: told("down", status=500)),
            clock=clock,
            retries=9,
            jitter=lambda jitter=jitter: jitter,
        )
        failure(ACTIONS["PATCH"], client)
        expected = [0, 1, 2, 4, 8, 16, 20, 20, 20]
        assert clock.waits == [jitter * seconds for seconds in expected]


@pytest.mark.parametrize("retries", [0, 1, 3])
@pytest.mark.parametrize("method", REPEATABLE)
def test_repeats_end(serve: Serve, connect: Connect, method: str, retries: int) -> None:
    """A call is repeated as often as the settings say and not once more."""
    server = serve(always(reply(500, "down")))
    error = failure(ACTIONS[method], connect(server, retries=retries))
    assert "status 500: down" in error.message
    assert server.made(method) == 1 + retries


@pytest.mark.parametrize("repeats", [0, 2])
def test_a_call_can_be_given_its_own_number_of_repeats(connect: Connect, repeats: int) -> None:
    """`repeats` replaces the setting for one call, and the error says how many were used."""
    stand_in = StandIn(lambda _: told("down", status=500))
    client = connect("https://shop.invalid/", transport=stand_in)
    with pytest.raises(Rejected) as of_update:
        client.update(["a"], {"name": "x"}, repeats=repeats)
    with pytest.raises(Rejected) as of_delete:
        client.delete("a", repeats=repeats)
    methods = [call.method for call in stand_in.sent]
    assert methods == ["PATCH"] * (1 + repeats) + ["DELETE"] * (1 + repeats)
    assert (of_update.value.repeats, of_delete.value.repeats) == (repeats, repeats)


def test_an_unanswered_write_is_given_time_to_settle(connect: Connect) -> None:
    """`settle` is what the settings say, and twice the timeout if they say nothing."""
    assert connect("https://shop.invalid/", timeout=7.0).settle == 14
    assert connect("https://shop.invalid/", settle=0.0).settle == 0


def test_all_calls_share_a_budget_of_repeats(connect: Connect) -> None:
    """A server that fails every call is not called many times over by many calls."""
    stand_in = StandIn(lambda _: told("down", status=500))
    client = connect("https://shop.invalid/", transport=stand_in, retries=1)
    for _ in range(100):
        failure(ACTIONS["PATCH"], client)
    assert 20 <= client.calls["retries"] <= 20 + client.calls.total() // 10


@pytest.mark.parametrize("method", REPEATABLE)
@pytest.mark.parametrize("status", [429, 503, 500])
@pytest.mark.parametrize(
    "asked", ["7", " 7 ", "6.5", "Sun, 01 Mar 2026 12:00:07 GMT", "Sun Mar  1 12:00:07 2026"]
)
def test_the_server_is_given_the_time_it_asks_for(
    serve: Serve, connect: Connect, method: str, status: int, asked: str
) -> None:
    """Retry-After, in seconds or as a date, is never undercut."""
    clock = FakeClock()
    times: list[float] = []

    def handler(call: Call) -> Reply:
        times.append(clock.now())
        return reply(status, Retry_After=asked) if len(times) == 1 else RIGHT[method]

    ACTIONS[method](connect(serve(handler), clock=clock))
    assert len(times) == 2
    assert 6.5 <= times[1] - times[0] <= 15


def test_a_date_is_read_by_the_servers_own_clock(serve: Serve, connect: Connect) -> None:
    """Where the server's clock is an hour off, its Retry-After date still means 20 seconds."""
    clock = FakeClock()
    answer = reply(429, Retry_After=clock.date(3620), Date=clock.date(3600))
    connect(serve(first(answer)), clock=clock).update(["a"], {"name": "x"})
    assert max(clock.waits) == 20


@pytest.mark.parametrize("asked", ["soon", "-5", "", "Sun, 99 Mar 2026", "nan", "1e9", "٣"])
def test_a_wait_that_cannot_be_read_is_our_own(serve: Serve, connect: Connect, asked: str) -> None:
    """A Retry-After that says nothing is as if it were not there."""
    answer = Reply(
        [f"HTTP/1.1 503 x\r\nRetry-After: {asked}\r\nContent-Length: 0\r\n\r\n".encode()]
    )
    clock = FakeClock()
    connect(serve(first(answer, answer)), clock=clock).update(["a"], {"name": "x"})
    assert max(clock.waits) <= 1


@pytest.mark.parametrize("asked", ["301", "86400", "9" * 400, "Fri, 31 Dec 9999 23:59:59 GMT"])
@pytest.mark.parametrize("status", [429, 500])
def test_a_wait_out_of_reason_ends_the_call(
    serve: Serve, connect: Connect, asked: str, status: int
) -> None:
    """A server that asks for more than five minutes is not waited for, and not called before."""
    clock = FakeClock()
    server = serve(always(reply(status, Retry_After=asked)))
    client = connect(server, clock=clock)
    error = failure(ACTIONS["PATCH"], client)
    assert isinstance(error, Rejected)
    assert "asks to wait" in str(error.hint)
    assert error.may_have_landed
    assert (len(server.calls), clock.waits) == (1, [])
    if status == 429:
        failure(ACTIONS["GET"], client)
        assert len(server.calls) == 1
