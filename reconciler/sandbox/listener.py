"""The HTTP server: uvicorn in a thread, without logs, with access to each connection."""

import asyncio
import socket
import struct
import sys
import threading
from typing import Any, Final

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.auto import AutoHTTPProtocol

CONNECTION: Final = "reconciler.connection"
"""The ASGI extension that holds the Connection of a call."""

_GRACE_SECONDS: Final = 0.1

# SO_LINGER with zero seconds makes a close a reset.
_LINGER_NOTHING: Final = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)


class Connection:
    """A client's connection, which a fault may drop."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport

    def drop(self, *, reset: bool) -> None:
        """Close the connection: at once with a reset, or after everything written was sent."""
        if not reset:
            self._transport.close()
            return
        raw = self._transport.get_extra_info("socket")
        if raw is not None:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOTHING)
        self._transport.abort()


def _holding(protocol: type[Any]) -> type[Any]:
    """A subclass of a uvicorn protocol that gives each call its Connection.

    ASGI cannot drop a connection, so the call gets it as an extension.
    """

    class Holding(protocol):  # type: ignore[misc]  # the base is chosen at run time
        def connection_made(self, transport: asyncio.Transport) -> None:
            super().connection_made(transport)
            # asyncio does not set this for a listening socket that it is given. Without it a
            # small answer waits 40 ms between head and body for the client's ACK.
            raw = transport.get_extra_info("socket")
            if raw is not None:
                raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            application: ASGIApp = self.app  # type: ignore[has-type]  # the base sets it
            connection = Connection(transport)

            async def holding(scope: Scope, receive: Receive, send: Send) -> None:
                scope.setdefault("extensions", {})[CONNECTION] = connection
                await application(scope, receive, send)

            self.app = holding

    return Holding


class _Server(uvicorn.Server):
    """uvicorn's server, stopped by an event instead of polling."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._loop = asyncio.get_running_loop()
        self.listening.set()

    async def main_loop(self) -> None:
        while not self._stopping.is_set():
            await self.on_tick(0)  # the Date header, which changes once a second
            try:
                await asyncio.wait_for(self._stopping.wait(), 1)
            except TimeoutError:
                continue

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Give calls in flight a moment to end, then cut the others off."""
        for server in self.servers:
            server.close()
        for listening in sockets or ():
            listening.close()
        # A connection that was just accepted is known three rounds of the loop later.
        for _ in range(3):
            await asyncio.sleep(0)
        state = self.server_state
        for connection in list(state.connections):
            connection.shutdown()
        if state.tasks:
            await asyncio.wait(list(state.tasks), timeout=_GRACE_SECONDS)
        for connection in list(state.connections):
            connection.transport.abort()
        # Let the loop run once, so that a cancelled call finds its connection closed.
        await asyncio.sleep(0)
        for task in list(state.tasks):
            task.cancel()

    def stop(self) -> None:
        """Ask the server to end; safe in any thread."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._stopping.set)


class Listener:
    """An application served in a thread of its own; `port` is the one it listens on.

    Raises OSError if the address is not available.
    """

    def __init__(self, application: ASGIApp, host: str, port: int) -> None:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        # A client may open many connections at once; a short backlog would refuse some.
        self._socket = socket.create_server((host, port), family=family, backlog=2048)
        self.port: int = self._socket.getsockname()[1]
        config = uvicorn.Config(
            application,
            http=_holding(AutoHTTPProtocol),
            ws="none",
            loop="asyncio",
            lifespan="off",
            # Its log would print the URL of every call, and so the key (P5).
            log_config=None,
            log_level="critical",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=30,
        )
        self._server = _Server(config)
        self._thread = threading.Thread(
            target=self._server.run,
            kwargs={"sockets": [self._socket]},
            name="reconciler-sandbox",
            daemon=True,
        )

    def start(self) -> None:
        """Return once calls are answered."""
        self._thread.start()
        # A server that fails at its start never sets the event.
        while not self._server.listening.wait(0.05):
            if not self._thread.is_alive():
                self._socket.close()
                raise OSError("the server ended before it could answer")

    def stop(self) -> None:
        """Return once nothing is answered any more."""
        self._server.stop()
        # Ctrl-C may have come in the middle of its start, and such a thread cannot be joined.
        if self._thread.is_alive():
            self._thread.join()
