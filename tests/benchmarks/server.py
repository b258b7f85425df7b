"""A server that is never the bottleneck: the documented API with every page rendered beforehand.

    python -m tests.benchmarks.server --products 100000 --latency-ms 50 --page-max 50

The raw protocol of asyncio, in a process of its own; an answer waits on the loop's timer, so that
any number of calls waits at once. It checks nothing: the sandbox is there for that. `GET /measured`
tells of each method how many calls came, in which time, and how long the server really took for
one: a busy machine wakes it late, which is no fault of who waits.
"""

import argparse
import asyncio
import json
import sys
from time import monotonic
from typing import Any, Final
from urllib.parse import parse_qs

from tests.benchmarks import shop

_DEFAULT_PAGE: Final = 50


class Shop:
    """The products, each rendered once, and the account of the calls."""

    def __init__(self, count: int, page_max: int) -> None:
        self.page_max = page_max
        self.records: dict[str, bytes] = {
            shop.remote_id(number): json.dumps(shop.record(number)).encode()
            for number in range(count)
        }
        self.rendered = list(self.records.values())
        self.calls: dict[str, list[float]] = {}

    def page(self, query: dict[str, list[str]]) -> bytes:
        """One window of the list."""
        limit = min(int(query.get("limit", [str(_DEFAULT_PAGE)])[0]), self.page_max)
        offset = int(query.get("offset", ["0"])[0])
        if len(self.rendered) != len(self.records):
            self.rendered = list(self.records.values())
        count = len(self.rendered)
        more = b"null"
        if offset + limit < count:
            more = b'"http://127.0.0.1/?limit=%d&offset=%d"' % (limit, offset + limit)
        products = b",".join(self.rendered[offset : offset + limit])
        return b'{"count":%d,"next":%b,"previous":null,"results":[%b]}' % (count, more, products)

    def create(self, body: bytes) -> bytes:
        """Add a product."""
        given: dict[str, Any] = json.loads(body)
        id = f"new{len(self.records):021x}"
        template = shop.record(0)
        tags = [{"name": tag} for tag in given.get("tags", ())]
        written = {key: given[key] for key in ("store_id", "name") if key in given}
        self.records[id] = json.dumps({**template, **written, "id": id, "tags": tags}).encode()
        return b'{"created":1,"id":"%b"}' % id.encode()

    def answer(self, method: str, query: dict[str, list[str]], body: bytes) -> bytes:
        """The body of the answer to one call."""
        if method == "GET":
            return self.page(query)
        if method == "POST":
            return self.create(body)
        if method == "DELETE":
            self.records.pop(query.get("hash", [""])[0], None)
            return b"{}"
        return b'{"message":"Products updated"}'

    def ended(self, method: str, came: float) -> None:
        """Note that a call that came then was answered now."""
        now = monotonic()
        account = self.calls.setdefault(method, [0, came, now, 0.0])
        account[0] += 1
        account[1] = min(account[1], came)
        account[2] = now
        account[3] += now - came

    def measured(self) -> bytes:
        """By method: calls, seconds from the first to the last, and a call's mean latency."""
        told = {
            method: {"calls": calls, "seconds": last - first, "latency": spent / calls}
            for method, (calls, first, last, spent) in self.calls.items()
        }
        self.calls.clear()
        return json.dumps(told).encode()


class Connection(asyncio.Protocol):
    """One kept connection: a call at a time, as clients without pipelining make them."""

    def __init__(self, products: Shop, latency: float) -> None:
        self._shop = products
        self._latency = latency
        self._buffer = b""
        self._transport: asyncio.Transport | None = None
        self._loop = asyncio.get_running_loop()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = transport if isinstance(transport, asyncio.Transport) else None

    def data_received(self, data: bytes) -> None:
        """Answer once the whole call is there."""
        self._buffer += data
        head, found, rest = self._buffer.partition(b"\r\n\r\n")
        if not found:
            return
        length = 0
        if not head.startswith(b"GET"):
            for line in head.split(b"\r\n")[1:]:
                name, _, value = line.partition(b":")
                if name.lower() == b"content-length":
                    length = int(value)
        if len(rest) < length:
            return
        self._buffer = rest[length:]
        method, target, _ = head.split(b" ", 2)
        self._call(method.decode(), target.decode(), rest[:length])

    def _call(self, method: str, target: str, body: bytes) -> None:
        path, _, query = target.partition("?")
        if path == "/measured":
            self._write(self._shop.measured())
            return
        came = monotonic()
        answer = self._shop.answer(method, parse_qs(query), body)
        if self._latency:
            self._loop.call_later(self._latency, self._end, method, answer, came)
        else:
            self._end(method, answer, came)

    def _end(self, method: str, answer: bytes, came: float) -> None:
        self._write(answer)
        self._shop.ended(method, came)

    def _write(self, body: bytes) -> None:
        if self._transport is not None:
            self._transport.write(
                b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b"
                % (len(body), body)
            )


async def _serve(products: Shop, latency: float) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: Connection(products, latency), "127.0.0.1", 0, backlog=256
    )
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    # Whoever started this ends it by closing its standard input, or by dying.
    await loop.run_in_executor(None, sys.stdin.read)


def main() -> None:
    """Serve until standard input ends; the port is the first line of standard output."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--products", type=int, default=0)
    parser.add_argument("--latency-ms", type=float, default=0.0)
    parser.add_argument("--page-max", type=int, default=200)
    given = parser.parse_args()
    asyncio.run(_serve(Shop(given.products, given.page_max), given.latency_ms / 1000))


if __name__ == "__main__":
    main()
