"""What a test does with a client, what a server answers to it, and how it fails."""

from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

import pytest

from reconciler.errors import RemoteError
from reconciler.remote.client import Client
from tests.remote.servers import Call, Handler, Reply, Server, reply

Connect: TypeAlias = Callable[..., Client]
Serve: TypeAlias = Callable[..., Server]
Action: TypeAlias = Callable[[Client], object]

ACTIONS: Final[Mapping[str, Action]] = {
    "GET": lambda client: client.list(),
    "POST": lambda client: client.create({"store_id": "1", "name": "Shirt"}),
    "PATCH": lambda client: client.update(["a"], {"name": "Shirt"}),
    "DELETE": lambda client: client.delete("a"),
}
RIGHT: Final[Mapping[str, Reply]] = {
    "GET": reply(200, {"count": 0, "next": None, "previous": None, "results": []}),
    "POST": reply(201, {"created": 1, "id": "new"}),
    "PATCH": reply(200, {"message": "Products updated"}),
    "DELETE": reply(204),
}
REPEATABLE: Final = ["GET", "PATCH", "DELETE"]
TRUNCATED: Final = Reply([b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"], "close")


def first(*answers: Reply) -> Handler:
    """Give these answers to the first calls, then the right one."""
    left = iter(answers)
    return lambda call: next(left, RIGHT[call.method])


def always(answer: Reply) -> Handler:
    """Give this answer to every call."""
    return lambda call: answer


def failure(action: Action, client: Client) -> RemoteError:
    """The error that an action ends with."""
    with pytest.raises(RemoteError) as caught:
        action(client)
    return caught.value


def right(call: Call) -> Reply:
    """The documented answer."""
    return RIGHT[call.method]
