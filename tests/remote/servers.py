"""A server that says whatever a test wants, byte by byte, and a clock that never makes one wait."""

import json
import socket
import struct
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http import HTTPStatus
from typing import Any, Final, Literal, NamedTuple, Self, TypeAlias
from urllib.parse import parse_qsl, urlsplit

PATH: Final = "/api/v1/product/"
_RESET: Final = struct.pack("ii", 1, 0)


class Call(NamedTuple):
    """One call as it came. `connection` counts from 1; `target` is the path with the query."""

    method: str
    target: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    connection: int

    @property
    def offset(self) -> int:
        """The window's offset."""
        return int(self.query.get("offset", 0))

    @property
    def limit(self) -> int | None:
        """The window's limit, None where none was asked for."""
        return int(self.query["limit"]) if "limit" in self.query else None


class Reply(NamedTuple):
    """What is sent, in these parts, and what becomes of the connection then."""

    parts: Iterable[bytes]
    end: Literal["keep", "close", "reset", "silence"] = "keep"


Handler: TypeAlias = Callable[[Call], Reply]

RESET: Final = Reply((), "reset")
CLOSE: Final = Reply((), "close")
SILENCE: Final = Reply((), "silence")
"""No answer, until the server ends."""


def reply(
    status: int = 200,
    body: bytes | str | Mapping[str, Any] = b"",
    *,
    kind: str = "application/json",
    **headers: str,
) -> Reply:
    """A well-formed answer; a mapping is sent as JSON, an underscore in a header is a hyphen."""
    if isinstance(body, Mapping):
        body = json.dumps(body)
    if isinstance(body, str):
        body = body.encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    lines = {"Content-Type": kind, "Content-Length": str(len(body)), **named}
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    phrase = HTTPStatus(status).phrase if status in set(HTTPStatus) else "Unknown"
    return Reply([f"HTTP/1.1 {status} {phrase}\r\n{head}\r\n".encode("latin-1") + body])


def products(count: int) -> list[dict[str, Any]]:
    """As many plain records."""
    return [{"id": f"id-{n}", "store_id": str(n), "name": f"Product {n}"} for n in range(count)]


def page(call: Call, records: Sequence[Any], most: int = 50, **more: Any) -> Reply:
    """The window of the records that a call asks for, of at most `most`; `more` replaces keys."""
    end = call.offset + min(call.limit or most, most)
    link = f"http://elsewhere.invalid{call.target}" if end < len(records) else None
    shown = {"count": len(records), "next": link, "previous": None}
    return reply(200, {**shown, "results": records[call.offset : end], **more})


class Server:
    """A server on a free loopback port that answers each call with what `handler` returns.

    `calls` are those that came whole, `connections` counts what was accepted. A `handler` may be
    replaced at any time.
    """

    def __init__(self, handler: Handler, *, listening: bool = True) -> None:
        self.handler = handler
        self.calls: list[Call] = []
        self.connections = 0
        self._released = threading.Event()
        self._socket = socket.socket()
        self._socket.bind(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()
        if listening:
            self.listen()

    @property
    def url(self) -> str:
        """The product endpoint."""
        return f"http://127.0.0.1:{self._socket.getsockname()[1]}{PATH}"

    def listen(self) -> None:
        """Accept connections from now on; until then they are refused."""
        self._socket.listen(64)
        self._start(self._accept)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._released.set()
        with self._lock:
            opened = list(self._open)
        for connection in [self._socket, *opened]:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue
        for thread in self._threads:
            thread.join()
        self._socket.close()

    def made(self, method: str) -> int:
        """How many calls of one method came."""
        return sum(call.method == method for call in self.calls)

    def _start(self, target: Callable[..., None], *arguments: Any) -> None:
        thread = threading.Thread(target=target, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            with self._lock:
                self._open.append(connection)
                self.connections += 1
                number = self.connections
            self._start(self._serve, connection, number)

    def _serve(self, connection: socket.socket, number: int) -> None:
        with connection, connection.makefile("rb") as stream:
            try:
                while call := _read_call(stream, number):
                    with self._lock:
                        self.calls.append(call)
                    answer = self.handler(call)
                    for part in answer.parts:
                        connection.sendall(part)
                    if answer.end == "silence":
                        self._released.wait()
                    if answer.end == "reset":
                        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
                    if answer.end != "keep":
                        return
            except (OSError, ValueError):  # the client went away, or speaks something else
                return
            finally:
                with self._lock:
                    self._open.remove(connection)


def _read_call(stream: Any, number: int) -> Call | None:
    """The next call of a connection; None at its end."""
    first = stream.readline().split()
    if not first:
        return None
    method, target = first[0].decode(), first[1].decode()
    headers: dict[str, str] = {}
    while line := stream.readline().strip():
        name, _, value = line.decode("latin-1").partition(":")
        headers[name.lower()] = value.strip()
    query = dict(parse_qsl(urlsplit(target).query, keep_blank_values=True))
    body = stream.read(int(headers.get("content-length", 0)))
    return Call(method, target, query, headers, body, number)


class FakeClock:
    """Time that passes only by waiting; `waits` are the waits that were asked for.

    `on_wait` is called at each wait, before its time has passed. `step` seconds pass whenever the
    time is asked for.
    """

    START: Final = datetime(2026, 3, 1, 12, tzinfo=UTC)

    def __init__(self, on_wait: Callable[[], object] = lambda: None, step: float = 0.0) -> None:
        self.waits: list[float] = []
        self.on_wait = on_wait
        self._step = step
        self._now = 1000.0
        self._lock = threading.Lock()

    def now(self) -> float:
        """The seconds so far."""
        with self._lock:
            self._now += self._step
            return self._now

    def utc(self) -> datetime:
        """The time of day."""
        return self.START + timedelta(seconds=self.now() - 1000.0)

    def wait(self, seconds: float, stop: threading.Event) -> bool:
        """Let the time pass at once."""
        with self._lock:
            self.waits.append(seconds)
        self.on_wait()
        with self._lock:
            self._now += max(0.0, seconds)
        return stop.is_set()

    def date(self, seconds: float = 0) -> str:
        """The HTTP date so many seconds from the start."""
        return format_datetime(self.START + timedelta(seconds=seconds), usegmt=True)
