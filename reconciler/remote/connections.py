"""Connections whose answers have a deadline.

A read timeout begins anew with every byte. A server that drips, in the head of an answer as well as
in its body, would hold a call for ever: so every read from the socket asks the clock first.
"""

import io
from functools import partial
from http.client import HTTPException, HTTPResponse
from socket import socket
from typing import Any, Final

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.util import Retry

from reconciler.clock import Clock
from reconciler.hosts import host_of, is_loopback
from reconciler.remote.calls import Calls

# What a call can raise; the library lets some of the socket's own errors through.
CALL_ERRORS: Final = (
    requests.RequestException,
    urllib3.exceptions.HTTPError,
    HTTPException,
    OSError,
    ValueError,
)
_BUFFER: Final = 1 << 16
"""Bytes asked of the socket at a time: mostly the whole answer, since threads meet each time."""


class _Timed(io.RawIOBase):
    """A socket's bytes, until the deadline; TimeoutError from then on."""

    def __init__(self, raw: Any, clock: Clock, seconds: float) -> None:
        self._raw: Final = raw
        self._clock = clock
        self._deadline = clock.now() + seconds

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        if self._clock.now() > self._deadline:
            raise TimeoutError("the answer never ended")
        count: int | None = self._raw.readinto(buffer)
        return count

    def close(self) -> None:
        if not self.closed:
            self._raw.close()
        super().close()


class _TimedResponse(HTTPResponse):
    """An answer that must be whole `seconds` after its reading has begun."""

    def __init__(self, clock: Clock, seconds: float, sock: socket, **options: Any) -> None:
        super().__init__(sock, **options)
        # Below http.client's own buffer, so that the head of an answer has the deadline too.
        self.fp = io.BufferedReader(_Timed(self.fp.detach(), clock, seconds), _BUFFER)


class Connections(HTTPAdapter):
    """The kept connections to one host: no call repeated, every answer in `seconds` or never.

    The proxy of `how` is used unless the host is this machine.
    """

    def __init__(
        self, url: str, how: Calls, clock: Clock, seconds: float, *, count: int, verify: bool | str
    ) -> None:
        # A host that takes longer to connect is down; only the answer deserves a long wait.
        self._timeout = (min(how.timeout, 10.0), how.timeout)
        self._verify = verify
        # No proxy is nearer to this machine than the machine itself, and it would read the key.
        proxy = None if is_loopback(host_of(url)) else how.proxy
        self.proxies = {"http": proxy, "https": proxy} if proxy else {}
        timed = staticmethod(partial(_TimedResponse, clock, seconds))
        plain = type("_Plain", (HTTPConnection,), {"response_class": timed})
        secure = type("_Secure", (HTTPSConnection,), {"response_class": timed})
        # urllib3 chooses the connection's class by the pool's, so both need one of their own.
        self._pools: dict[str, type[HTTPConnectionPool]] = {
            "http": type("_PlainPool", (HTTPConnectionPool,), {"ConnectionCls": plain}),
            "https": type("_SecurePool", (HTTPSConnectionPool,), {"ConnectionCls": secure}),
        }
        self._pool: Any = None
        # Repeats are the client's to decide: one by the library could double a POST (P2).
        super().__init__(pool_connections=1, pool_maxsize=count, max_retries=Retry(0, read=False))

    def ask(self, request: requests.PreparedRequest) -> requests.Response:
        """Make one call, whose answer is left to be read; any of CALL_ERRORS."""
        options: Any = {"timeout": self._timeout, "verify": self._verify}
        return self.send(request, stream=True, proxies=self.proxies, **options)

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        """Make the pools with connections of our own kind."""
        super().init_poolmanager(*arguments, **options)
        self.poolmanager.pool_classes_by_scheme = self._pools

    def get_connection_with_tls_context(self, *arguments: Any, **options: Any) -> Any:
        """The pool of the one host, looked up once: all calls have one URL, proxy and trust."""
        if self._pool is None:
            self._pool = super().get_connection_with_tls_context(*arguments, **options)
        return self._pool

    def build_response(self, request: requests.PreparedRequest, raw: Any) -> requests.Response:
        """The answer as it came: status, headers and raw bytes, without cookies and guesses."""
        # The library's version reads cookies and guesses encodings, which costs time on every call.
        response = requests.Response()
        response.status_code = raw.status
        response.headers = raw.headers
        response.raw = raw
        response.request = request
        return response

    def proxy_manager_for(self, proxy: str, **options: Any) -> Any:
        """The pools behind a proxy, of the same kind."""
        manager = super().proxy_manager_for(proxy, **options)
        manager.pool_classes_by_scheme = self._pools
        return manager
