"""The sandbox as an ASGI application: it applies the faults and records every call."""

import asyncio
from collections.abc import Collection, Mapping
from typing import Any
from urllib.parse import urlencode

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request as HttpRequest
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from reconciler.sandbox.answers import HttpAnswer, spoil
from reconciler.sandbox.endpoint import Done, Endpoint, Request
from reconciler.sandbox.faults import Fault, Schedule, first
from reconciler.sandbox.listener import CONNECTION, Connection
from reconciler.sandbox.lookup import LOOKUP_PATH, lookup
from reconciler.sandbox.pictures import pictures
from reconciler.sandbox.store import SandboxStore

PATH = "/api/v1/product/"

# With the moment "before" these faults also undo the effect of the call.
_UNDOING = frozenset(
    {
        "status",
        "reset",
        "truncate",
        "html",
        "redirect",
        "empty",
        "content_type",
        "shape",
        "wrong_id",
    }
)


class ProductApp:
    """The ASGI application of the product endpoint; `schedule` may be replaced at any time.

    Each call is handled `latency_ms` after it came.
    """

    def __init__(
        self, store: SandboxStore, endpoint: Endpoint, schedule: Schedule, latency_ms: float = 0
    ) -> None:
        self._store = store
        self._endpoint = endpoint
        self._latency = latency_ms / 1000
        self.schedule = schedule

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one call, as documented or as the faults demand."""
        http = HttpRequest(scope, receive)
        # Before any waiting, so that the log has the order in which calls arrived.
        request, n = await self._arrived(http)
        if self._latency:
            await asyncio.sleep(self._latency)
        await _hang(request.faults, "before")
        done = self._carry_out(request, n)
        await _hang(request.faults, "after")
        target = f"{http.url.path}?{http.url.query}"
        sent = done.answer
        for fault in request.faults:
            sent = spoil(sent, fault, target)
        dropped = first(request.faults, "reset")
        # Before it is sent: a client that has its answer then finds the call in the log.
        self._store.log.answered(n, None if dropped else sent.status)
        connection: Connection = scope["extensions"][CONNECTION]
        if dropped:
            connection.drop(reset=dropped.way == "reset")
            # If the application returned first, uvicorn would try to answer with a 500 of its own.
            await _gone(receive)
        else:
            await _deliver(sent, request.faults, connection, receive, send)

    async def _arrived(self, http: HttpRequest) -> tuple[Request, int]:
        """The call, recorded without its key, and its number in the log."""
        query = dict(http.query_params)
        body = await http.body()
        shown = {key: value for key, value in query.items() if key != "api_key"}
        text = body.decode("utf-8", "replace")
        faults = self.schedule.fire(http.method, f"{urlencode(shown)}\n{text}")
        n = self._store.log.arrived(http.method, shown, text, [fault.kind for fault in faults])
        request = Request(
            method=http.method,
            url=str(http.url.replace(query="")),
            query=query,
            body=body,
            content_type=http.headers.get("content-type", ""),
            faults=faults,
        )
        return request, n

    def _carry_out(self, request: Request, n: int) -> Done:
        """Carry the call out, and undo its effect if a fault says so."""
        undone = any(
            fault.kind == "ignore" or (fault.kind in _UNDOING and fault.moment == "before")
            for fault in request.faults
        )
        with self._store.transaction(keep=not undone):
            done = self._endpoint.handle(request)
            # In the same transaction: if the effect is undone, the log must not claim it.
            self._store.log.did(n, done.effect)
        return done


class ShopsApp:
    """The product endpoint of several shops: the key says which one is meant.

    A call with another key is the first shop's, which refuses it.
    """

    def __init__(self, shops: Mapping[str, ProductApp]) -> None:
        self._shops = shops
        self._first = next(iter(shops.values()))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the shop of the key answer one call."""
        key = HttpRequest(scope).query_params.get("api_key", "")
        await self._shops.get(key, self._first)(scope, receive, send)


def application(product: ProductApp | ShopsApp, stores: Collection[SandboxStore]) -> Starlette:
    """The product endpoint, the lookup, the pictures, and a JSON 404 for every other path."""
    routes = [
        Route(PATH, endpoint=product),
        Route(LOOKUP_PATH, endpoint=lookup(stores)),
        pictures(stores),
    ]
    return Starlette(routes=routes, exception_handlers={HTTPException: _not_found})


async def _not_found(_: HttpRequest, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    return JSONResponse({"detail": "Not found."}, status_code=status)


async def _hang(faults: tuple[Fault, ...], moment: str) -> None:
    for fault in faults:
        if fault.kind == "hang" and fault.moment == moment:
            await asyncio.sleep(fault.seconds)


async def _gone(receive: Receive) -> None:
    """Wait until the server has noticed that the connection is closed."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def _deliver(
    answer: HttpAnswer,
    faults: tuple[Fault, ...],
    connection: Connection,
    receive: Receive,
    send: Send,
) -> None:
    """Send an answer: whole, in part, or slowly."""
    body = answer.body
    truncate, slow = first(faults, "truncate"), first(faults, "slow")
    announced = len(body)
    if truncate:
        body = body[: len(body) // 2]
        # The way "cut" announces what it sends, so that nothing but the JSON is broken.
        announced = len(body) if truncate.way == "cut" else announced
    await send(_start(answer, announced))
    if slow:
        body = await _drip(body, slow.seconds, send)
    incomplete = len(answer.body) if truncate and truncate.way == "whole" else 0
    await send({"type": "http.response.body", "body": body, "more_body": bool(incomplete)})
    if incomplete:
        connection.drop(reset=False)
        await _gone(receive)


def _start(answer: HttpAnswer, length: int) -> dict[str, Any]:
    headers = [("content-type", answer.content_type), ("content-length", str(length))]
    headers += answer.headers
    return {
        "type": "http.response.start",
        "status": answer.status,
        # HTTP sends headers as Latin-1.
        "headers": [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers],
    }


async def _drip(body: bytes, seconds: float, send: Send) -> bytes:
    """Send a body in ten pieces over `seconds`, except for its last piece; return that."""
    size = max(1, len(body) // 10)
    pieces = [body[at : at + size] for at in range(0, len(body), size)] or [b""]
    for piece in pieces[:-1]:
        await send({"type": "http.response.body", "body": piece, "more_body": True})
        await asyncio.sleep(seconds / len(pieces))
    return pieces[-1]
