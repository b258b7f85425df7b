"""Writes: how often each reaches the server, and what is known of one that failed."""

import json
from itertools import count

import pytest

from reconciler.errors import BadAnswer, Rejected, Unreachable
from tests.remote.actions import (
    ACTIONS,
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
    SILENCE,
    FakeClock,
    Reply,
    reply,
)

UNCERTAIN: dict[str, tuple[Reply, bool]] = {
    # What came back, and whether the server has surely ended its work.
    **{
        str(status): (reply(status), status < 500 and status != 408)
        for status in (302, 408, 418, 425, 429, 500, 502, 503, 504, 507)
    },
    "not now, but then": (reply(503, Retry_After="7"), True),
    "reset": (RESET, False),
    "close": (CLOSE, False),
    "truncated": (TRUNCATED, False),
    "not http": (Reply([b"hello\r\n\r\n"], "close"), False),
    "html": (reply(200, "<html>", kind="text/html"), False),
    "empty": (reply(201), False),
    "no content": (reply(204), False),
    "half": (reply(201, '{"created": 1, "id'), False),
    "array": (reply(201, "[1]"), False),
    "text": (reply(201, '{"created": 1, "id": "a"}', kind="text/plain"), False),
    "no id": (reply(201, {"created": 1}), False),
    "null id": (reply(201, {"created": 1, "id": None}), False),
    "empty id": (reply(201, {"created": 1, "id": ""}), False),
    "boolean id": (reply(201, {"created": 1, "id": True}), False),
    "two": (reply(201, {"created": 2, "id": "a"}), False),
    "not a number": (reply(201, {"created": "1", "id": "a"}), False),
    "false": (reply(201, {"created": False}), False),
}


@pytest.mark.parametrize("kind", UNCERTAIN)
def test_a_post_whose_answer_does_not_tell_is_made_once(
    serve: Serve, connect: Connect, kind: str
) -> None:
    """Whatever happens once the bytes are sent: one POST, and an error that leaves it open."""
    answer, at_rest = UNCERTAIN[kind]
    server = serve(always(answer))
    client = connect(server)
    error = failure(ACTIONS["POST"], client)
    assert (error.may_have_landed, error.at_rest) == (True, at_rest)
    assert (server.made("POST"), client.calls["POST"], client.calls["retries"]) == (1, 1, 0)


def test_a_post_that_is_never_answered_is_made_once(serve: Serve, connect: Connect) -> None:
    """A read timeout leaves a POST open, and the server perhaps at work."""
    server = serve(always(SILENCE))
    error = failure(ACTIONS["POST"], connect(server, timeout=0.1))
    assert isinstance(error, Unreachable)
    assert (error.timed_out, error.may_have_landed, error.at_rest) == (True, True, False)
    assert server.made("POST") == 1


@pytest.mark.parametrize("status", [400, 404, 405, 406, 409, 410, 411, 413, 414, 415, 422])
def test_a_refused_post_surely_made_nothing(serve: Serve, connect: Connect, status: int) -> None:
    """A status that says no is a certain failure, with what the server said."""
    server = serve(always(reply(status, {"name": ["too long"]})))
    error = failure(ACTIONS["POST"], connect(server))
    assert (error.may_have_landed, error.at_rest, len(server.calls)) == (False, True, 1)
    assert "too long" in error.message


def test_created_zero_is_an_answer(serve: Serve, connect: Connect) -> None:
    """`created: 0` is a certain failure and is not made again."""
    server = serve(always(reply(200, {"created": 0})))
    error = failure(ACTIONS["POST"], connect(server))
    assert isinstance(error, BadAnswer)
    assert "created 0 products" in error.message
    assert (error.may_have_landed, len(server.calls)) == (False, 1)


def test_a_numeric_id_counts_as_its_text(serve: Serve, connect: Connect) -> None:
    """A create that answers a number gives the id as the list will."""
    assert connect(serve(always(reply(201, {"created": 1, "id": 77})))).create({}) == "77"


@pytest.mark.parametrize("method", ACTIONS)
def test_a_call_that_never_connected_is_repeated(
    serve: Serve, connect: Connect, method: str
) -> None:
    """A refused connection carried nothing, so even a POST is made again, and reaches it once."""
    server = serve(first(), listening=False)
    waits = count(1)

    def starts_at_the_second_wait() -> None:
        if next(waits) == 2:
            server.listen()

    client = connect(server, clock=FakeClock(starts_at_the_second_wait))
    ACTIONS[method](client)
    assert (server.made(method), client.calls[method], client.calls["retries"]) == (1, 3, 2)


@pytest.mark.parametrize("method", ACTIONS)
def test_a_call_that_found_no_server_surely_did_nothing(
    serve: Serve, connect: Connect, method: str
) -> None:
    """Nobody listening: said plainly, nothing landed, and few connections were tried."""
    client = connect(serve(first(), listening=False))
    error = failure(ACTIONS[method], client)
    assert isinstance(error, Unreachable)
    assert "no connection" in error.message
    assert "127.0.0.1" in error.message
    assert error.hint
    assert (error.may_have_landed, error.at_rest) == (False, True)
    assert client.calls[method] == 3


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
@pytest.mark.parametrize(
    ("answer", "landed", "at_rest"),
    [
        (reply(500), True, False),
        (reply(502), True, False),
        (reply(503), True, False),
        (reply(429), True, True),
        (reply(302), True, True),
        (reply(400), False, True),
        (reply(409), False, True),
        (RESET, True, False),
        (TRUNCATED, True, False),
        (reply(200, "<html>"), True, False),
    ],
    ids=["500", "502", "503", "429", "302", "400", "409", "reset", "truncated", "html"],
)
def test_what_is_known_of_a_failed_write(
    serve: Serve, connect: Connect, method: str, answer: Reply, landed: bool, at_rest: bool
) -> None:
    """An error says whether the write may have landed and whether the server is done with it."""
    error = failure(ACTIONS[method], connect(serve(always(answer)), retries=1))
    assert (error.may_have_landed, error.at_rest) == (landed, at_rest)


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
def test_a_lost_try_is_not_forgotten(serve: Serve, connect: Connect, method: str) -> None:
    """A write that was lost once and refused when it was repeated may have landed all the same."""
    error = failure(ACTIONS[method], connect(serve(first(RESET, reply(400)))))
    assert isinstance(error, Rejected)
    assert error.may_have_landed


@pytest.mark.parametrize(
    "answer",
    [
        reply(200, "OK"),
        reply(200),
        reply(200, "[]"),
        reply(200, '{"message": "Prod'),
        reply(200, '{"message": "ok"}', kind="text/html"),
    ],
    ids=["text", "empty", "array", "half", "wrong type"],
)
def test_a_patch_answered_with_something_else_proves_nothing(
    serve: Serve, connect: Connect, answer: Reply
) -> None:
    """A success without the documented JSON is repeated, and in the end an open question."""
    server = serve(always(answer))
    error = failure(ACTIONS["PATCH"], connect(server, retries=2))
    assert isinstance(error, BadAnswer)
    assert (error.may_have_landed, server.made("PATCH")) == (True, 3)
    assert "Status 200" in error.message


@pytest.mark.parametrize("answer", [reply(200), reply(202, "gone"), reply(204), reply(200, "null")])
def test_any_success_deletes(serve: Serve, connect: Connect, answer: Reply) -> None:
    """The API documents no answer to a DELETE, so each success but a page of HTML is one."""
    assert connect(serve(always(answer))).delete("a") is True


@pytest.mark.parametrize("status", [404, 410])
def test_a_product_that_is_gone_is_deleted(serve: Serve, connect: Connect, status: int) -> None:
    """A DELETE that finds nothing says so and is no error, also after a try that was lost."""
    assert connect(serve(always(reply(status)))).delete("a") is False
    assert connect(serve(first(RESET, reply(status)))).delete("a") is False


def test_what_is_sent(serve: Serve, connect: Connect) -> None:
    """Bodies and queries are the documented ones, whatever text they hold."""
    server = serve(first())
    client = connect(server, key="k&y")
    odd = 'ü"\\ \ud800 鍵'
    client.create({"store_id": odd, "tags": ("a", "b")})
    client.update(["x", "y"], {"name": odd})
    client.delete("a&b=c/ü")
    post, patch, delete = server.calls
    assert post.query == patch.query == {"api_key": "k&y"}
    assert delete.query == {"api_key": "k&y", "hash": "a&b=c/ü"}
    assert post.headers["content-type"] == patch.headers["content-type"] == "application/json"
    assert json.loads(post.body) == {"store_id": odd, "tags": ["a", "b"]}
    assert json.loads(patch.body) == {"products": ["x", "y"], "name": odd}
    assert delete.body == b""
