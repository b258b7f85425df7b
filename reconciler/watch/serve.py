"""The server of a watch: its pages, metrics and health. It reads and never writes.

Python's own WSGI server is enough for a few readers on this machine. On a loopback address it
answers only calls that name such an address as their host.
"""

import socket
from collections.abc import Callable, Iterable
from socketserver import ThreadingMixIn
from threading import Thread
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Self
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from reconciler.errors import UsageError
from reconciler.hosts import host_of, is_loopback

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

HTML: Final = "text/html; charset=utf-8"
TEXT: Final = "text/plain; charset=utf-8"
# Seconds that a reader may take to ask.
_PATIENCE: Final = 30.0
_HEADERS: Final = [
    ("Cache-Control", "no-store"),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
]


class Reply(NamedTuple):
    """The answer to a path; `status` as in "200 OK"."""

    text: str
    kind: str = TEXT
    status: str = "200 OK"


NOT_FOUND: Final = Reply("There is nothing here.\n", status="404 Not Found")

Pages = Callable[[str], Reply]
"""Answers a path."""


class _Handler(WSGIRequestHandler):
    timeout = _PATIENCE

    def log_message(self, *_: Any) -> None:
        """Stay silent: who reads the page is nobody's business."""


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True
    # Threads that are kept to be joined would pile up over months.
    block_on_close = False

    def server_bind(self) -> None:
        """Bind without asking a name server for the name of this machine."""
        from socketserver import TCPServer

        TCPServer.server_bind(self)
        host, port, *_ = self.server_address
        self.server_name, self.server_port = str(host), int(port)
        self.setup_environ()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Stay silent about readers that go away."""


class _V6Server(_Server):
    address_family = socket.AF_INET6


class Served:
    """Serves `pages` until the block ends; UsageError if it cannot listen at the address."""

    def __init__(self, host: str, port: int, pages: Pages) -> None:
        kind = _V6Server if ":" in host else _Server
        try:
            self._server = kind((host, port), _Handler)
        except OSError as error:
            raise UsageError(
                f"The watch cannot listen on {host} port {port}: {error.strerror or error}.",
                hint="Choose another address with --listen; port 0 takes any that is free.",
            ) from None
        self._server.set_app(_application(pages, only_loopback=is_loopback(host)))
        shown = f"[{host}]" if ":" in host else host
        self.url = f"http://{shown}:{self._server.server_port}/"
        # A short poll ends it soon; between calls it costs nothing that could be measured.
        self._thread = Thread(
            target=self._server.serve_forever, args=(0.2,), name="watch-pages", daemon=True
        )

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _application(pages: Pages, *, only_loopback: bool) -> Any:
    def answer(environ: "WSGIEnvironment", start: "StartResponse") -> Iterable[bytes]:
        reply = _reply(pages, environ, only_loopback)
        # Remote text may hold lone surrogates, which UTF-8 has no bytes for.
        data = reply.text.encode("utf-8", "replace")
        length = ("Content-Length", str(len(data)))
        start(reply.status, [("Content-Type", reply.kind), length, *_HEADERS])
        return [b"" if environ["REQUEST_METHOD"] == "HEAD" else data]

    return answer


def _reply(pages: Pages, environ: "WSGIEnvironment", only_loopback: bool) -> Reply:
    if environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
        return Reply("This page can only be read.\n", status="405 Method Not Allowed")
    # A page of somebody else's, whose name is made to lead to this machine, must not read this one.
    if only_loopback and not _names_loopback(environ.get("HTTP_HOST", "")):
        return Reply("Ask for this machine by its own address.\n", status="403 Forbidden")
    try:
        return pages(environ.get("PATH_INFO", "/"))
    except Exception as error:  # the watch goes on, whatever a page cannot show
        text = f"This page cannot be shown: {type(error).__name__}.\n"
        return Reply(text, status="500 Internal Server Error")


def _names_loopback(host: str) -> bool:
    try:
        return is_loopback(host_of(f"//{host}"))
    except ValueError:
        return False


def parse_address(text: str) -> tuple[str, int]:
    """The host and port in "127.0.0.1:9464" or "[::1]:9464"; ValueError for other texts."""
    host, colon, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not (colon and host and port.isascii() and port.isdigit() and int(port) < 65_536):
        raise ValueError(text)
    return host, int(port)
