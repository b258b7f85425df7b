"""The end of patience: timeouts, dead servers, and a stop that was asked for."""

import threading

import pytest

from reconciler.errors import Interrupted, Unreachable
from tests.remote.actions import (
    ACTIONS,
    REPEATABLE,
    Connect,
    Serve,
    always,
    failure,
    first,
)
from tests.remote.servers import (
    RESET,
    SILENCE,
    Call,
    FakeClock,
    Reply,
    page,
    products,
    reply,
)


@pytest.mark.parametrize("method", REPEATABLE)
def test_a_timeout_is_repeated_twice_only(serve: Serve, connect: Connect, method: str) -> None:
    """Each repeat costs a whole time limit, so there are two, however many are allowed."""
    server = serve(always(SILENCE))
    client = connect(server, timeout=0.1, retries=9)
    # A server that has answered before is not given up after three.
    client.governor.answered()
    error = failure(ACTIONS[method], client)
    assert isinstance(error, Unreachable)
    assert error.timed_out
    assert "time limit" in error.message
    assert error.may_have_landed == (method != "GET")
    assert server.made(method) == 3


def test_a_server_that_never_answered_is_soon_given_up(serve: Serve, connect: Connect) -> None:
    """Three failures at first contact are enough, and later calls do not connect at all."""
    server = serve(always(RESET))
    client = connect(server, retries=20)
    failure(ACTIONS["GET"], client)
    assert server.connections == 3
    for action in ACTIONS.values():
        error = failure(action, client)
        assert isinstance(error, Unreachable)
        assert not error.may_have_landed
    assert server.connections == 3


def test_a_server_that_dies_is_noticed(serve: Serve, connect: Connect) -> None:
    """After a first answer a few dozen failures in a row end all calls, not six for each."""
    records = products(5000)
    server = serve(lambda call: page(call, records) if not call.offset else RESET)
    client = connect(server, concurrency=4)
    failure(ACTIONS["GET"], client)
    client.close()
    assert len(server.calls) <= 1 + 2 * 4 + 6 + 4


@pytest.mark.parametrize("method", ACTIONS)
def test_nothing_is_called_once_stopped(serve: Serve, connect: Connect, method: str) -> None:
    """A client that was told to stop makes no call."""
    stop = threading.Event()
    server = serve(first())
    client = connect(server, stop=stop)
    stop.set()
    with pytest.raises(Interrupted):
        ACTIONS[method](client)
    assert server.connections == 0


@pytest.mark.parametrize("answer", [reply(503), reply(429, Retry_After="100"), RESET, reply(500)])
def test_a_list_is_interrupted_while_it_waits(
    serve: Serve, connect: Connect, answer: Reply
) -> None:
    """A stop during the wait for a repeat ends the list as an interruption, not as a failure."""
    stop = threading.Event()
    server = serve(always(answer))
    client = connect(server, stop=stop, clock=FakeClock(stop.set))
    with pytest.raises(Interrupted):
        client.list()
    assert len(server.calls) == 1


@pytest.mark.parametrize("method", ["POST", "PATCH", "DELETE"])
def test_a_write_that_never_left_is_interrupted(
    serve: Serve, connect: Connect, method: str
) -> None:
    """A stop during the wait after a refused connection means that nothing was written."""
    stop = threading.Event()
    client = connect(serve(first(), listening=False), stop=stop, clock=FakeClock(stop.set))
    with pytest.raises(Interrupted):
        ACTIONS[method](client)
    assert client.calls[method] == 1


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
@pytest.mark.parametrize("answer", [RESET, reply(503), reply(500, Retry_After="9")])
def test_an_interrupted_repeat_tells_what_became_of_the_write(
    serve: Serve, connect: Connect, method: str, answer: Reply
) -> None:
    """A stop after a try that may have landed is told as that try's failure."""
    stop = threading.Event()
    server = serve(always(answer))
    error = failure(ACTIONS[method], connect(server, stop=stop, clock=FakeClock(stop.set)))
    assert error.may_have_landed
    assert len(server.calls) == 1


def test_no_call_begins_after_a_stop(serve: Serve, connect: Connect) -> None:
    """A stop in the middle of a list lets what is under way end, and begins nothing."""
    stop = threading.Event()
    records = products(2000)

    def handler(call: Call) -> Reply:
        if len(server.calls) >= 5:
            stop.set()
        return page(call, records)

    server = serve(handler)
    client = connect(server, stop=stop, concurrency=2)
    with pytest.raises(Interrupted):
        client.list()
    client.close()
    assert 5 <= len(server.calls) <= 5 + 2
