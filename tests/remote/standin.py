"""A transport that answers from memory: the seam that tests of what calls the API may use."""

import json
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from reconciler.clock import Clock
from reconciler.remote.calls import Calls
from reconciler.remote.transport import Method, Response


class Sent(NamedTuple):
    """One call as the client made it; `body` is read from its JSON."""

    method: Method
    query: Mapping[str, str]
    body: Any


class StandIn:
    """Answers each call with what `answer` returns or raises, and keeps what was sent.

    Given as `Client(..., transport=stand_in)`, which is called once to make the transport.
    """

    def __init__(self, answer: Callable[[Sent], Response]) -> None:
        self.sent: list[Sent] = []
        self._answer = answer

    def __call__(self, api_url: str, key: str, calls: Calls, clock: Clock) -> "StandIn":
        """Be the transport of one client."""
        return self

    def send(
        self, method: Method, query: Mapping[str, str] = {}, body: bytes | None = None
    ) -> Response:
        """Keep the call and answer it."""
        call = Sent(method, query, None if body is None else json.loads(body))
        self.sent.append(call)
        return self._answer(call)

    def close(self) -> None:
        """Nothing is open."""


def told(value: object, status: int = 200) -> Response:
    """An answer of JSON."""
    return Response(status, json.dumps(value).encode(), "application/json", None)
