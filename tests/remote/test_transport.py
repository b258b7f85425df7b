"""One call over the wire: connections, deadlines, and what the environment may not change."""

import gzip
import socket
import ssl
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import repeat
from pathlib import Path
from typing import Any

import pytest
import requests
import urllib3

from reconciler.errors import BadAnswer, RemoteError, SettingsError, Unreachable
from reconciler.remote import transport
from reconciler.remote.calls import Calls
from reconciler.remote.client import Client
from reconciler.remote.connections import Connections
from tests.remote.actions import ACTIONS, RIGHT, Connect, Serve, failure, right
from tests.remote.servers import Call, FakeClock, Reply, page, products, reply


def test_connections_are_kept(serve: Serve, connect: Connect) -> None:
    """Calls one after another share one connection, calls side by side as many as there are."""
    records = products(2000)
    server = serve(lambda call: page(call, records) if call.method == "GET" else right(call))
    client = connect(server, concurrency=3)
    for method in ("POST", "PATCH", "DELETE", "PATCH"):
        ACTIONS[method](client)
    assert server.connections == 1
    client.list()
    assert len(server.calls) > 40
    assert server.connections <= 3


@pytest.mark.parametrize("status", [404, 429, 500])
def test_a_failure_keeps_its_connection(serve: Serve, connect: Connect, status: int) -> None:
    """An answer that was read whole leaves its connection usable, whatever it said."""
    server = serve(lambda call: reply(status, "x" * 100_000))
    failure(ACTIONS["PATCH"], connect(server))
    assert server.connections == 1


def test_a_connection_closed_by_the_server_is_replaced(serve: Serve, connect: Connect) -> None:
    """A server that closes after each answer, and says so, costs connections and nothing else."""
    answer = reply(201, {"created": 1, "id": "new"}, Connection="close")
    server = serve(lambda call: answer._replace(end="close"))
    client = connect(server)
    for _ in range(5):
        ACTIONS["POST"](client)
    assert (server.connections, client.calls["retries"]) == (5, 0)


# Answers that are broken on the way --------------------------------------------------------------


def test_a_compressed_answer_is_read(serve: Serve, connect: Connect) -> None:
    """Compression with gzip is asked for and undone."""
    body = gzip.compress(b'{"count": 0, "results": []}')
    server = serve(lambda call: reply(200, body, Content_Encoding="gzip"))
    assert connect(server).list().products == ()
    assert server.calls[0].headers["accept-encoding"] == "gzip"


def test_a_chunked_answer_is_read(serve: Serve, connect: Connect) -> None:
    """An answer in chunks is put together, and its connection kept."""
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunks = [b'5\r\n{"cou\r\n', b'16\r\nnt": 0, "results": []}\r\n', b"0\r\n\r\n"]
    server = serve(lambda call: Reply([head, *chunks]))
    client = connect(server)
    assert (client.list().products, client.list().products) == ((), ())
    assert server.connections == 1


@pytest.mark.parametrize(
    "body",
    [b"not gzip", gzip.compress(b'{"count": 0}')[:-9], b"\x1f\x8b\x08\x00" + b"\xff" * 40],
    ids=["plain", "cut", "garbage"],
)
def test_broken_compression_is_an_error(serve: Serve, connect: Connect, body: bytes) -> None:
    """A body that cannot be decompressed fails the call, after repeats."""
    server = serve(lambda call: reply(200, body, Content_Encoding="gzip"))
    error = failure(ACTIONS["GET"], connect(server))
    assert isinstance(error, Unreachable | BadAnswer)
    assert len(server.calls) >= 2


@pytest.mark.parametrize("method", ["GET", "PATCH"])
@pytest.mark.parametrize("compressed", [False, True])
def test_an_answer_beyond_reason_is_an_error(
    serve: Serve,
    connect: Connect,
    monkeypatch: pytest.MonkeyPatch,
    method: str,
    compressed: bool,
) -> None:
    """An answer that grows past the limit is dropped, in whatever form it came."""
    monkeypatch.setattr(transport, "_LARGEST_ANSWER", 1 << 20)
    body = b"<p>much</p>" * 200_000
    server = serve(
        lambda call: (
            reply(200, gzip.compress(body), Content_Encoding="gzip")
            if compressed
            else reply(200, body)
        )
    )
    error = failure(ACTIONS[method], connect(server))
    assert isinstance(error, BadAnswer)
    assert "status 200, and an answer of more than 1 MiB: <p>much" in error.message
    assert len(error.message) < 400
    assert (error.may_have_landed, error.at_rest) == (method != "GET", False)
    assert len(server.calls) <= 2


def drip(*beginning: bytes, then: bytes) -> Callable[[Call], Reply]:
    """An answer that goes on for ever."""

    def parts() -> Iterator[bytes]:
        yield from beginning
        yield from repeat(then)

    return lambda call: Reply(parts(), "close")


OK = b"HTTP/1.1 200 OK\r\n"
ENDLESS: dict[str, Callable[[Call], Reply]] = {
    "body": drip(OK, b"Content-Length: 100000000\r\n\r\n", then=b"x"),
    "body to the end": drip(OK, b"\r\n", then=b"x"),
    "chunks": drip(OK, b"Transfer-Encoding: chunked\r\n\r\n", then=b"1\r\nx\r\n"),
    "compressed": drip(
        OK,
        b"Content-Encoding: gzip\r\nContent-Length: 100000000\r\n\r\n",
        zlib.compress(b"", wbits=31)[:10],
        then=b"\0\0\0\xff\xff",
    ),
    "informational": drip(then=b"HTTP/1.1 100 Continue\r\n\r\n"),
}


@pytest.mark.parametrize("kind", ENDLESS)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_answer_that_never_ends_is_given_up(
    serve: Serve, connect: Connect, kind: str, method: str
) -> None:
    """Bytes that keep coming do not hold a call for ever: there is a limit for the whole answer."""
    server = serve(ENDLESS[kind])
    client = connect(server, clock=FakeClock(step=5), timeout=5, retries=2)
    error = failure(ACTIONS[method], client)
    assert isinstance(error, Unreachable)
    assert error.timed_out
    assert (error.may_have_landed, error.at_rest) == (method == "POST", False)
    assert server.made(method) == (1 if method == "POST" else 3)


def test_a_slow_answer_is_not_a_dead_one(serve: Serve, connect: Connect) -> None:
    """An answer that takes several read timeouts in all, piece by piece, is waited for."""
    data = b"".join(RIGHT["GET"].parts)
    clock, never = FakeClock(), threading.Event()

    def parts() -> Iterator[bytes]:
        for at in range(0, len(data), 30):
            clock.wait(5, never)
            yield data[at : at + 30]

    server = serve(lambda call: Reply(parts()))
    assert connect(server, clock=clock, timeout=5).list().products == ()
    assert clock.now() - 1000 > 20


def test_a_server_that_speaks_no_tls_is_named(serve: Serve, connect: Connect) -> None:
    """https:// to a port that speaks plain HTTP is told as what it is."""
    server = serve(right)
    error = failure(ACTIONS["GET"], connect(server.url.replace("http:", "https:")))
    assert isinstance(error, Unreachable)
    assert "TLS" in error.message
    assert server.calls == []


def test_a_connection_that_is_never_accepted_is_named(connect: Connect) -> None:
    """No connection within the time limit is told so, and nothing can have landed."""
    with ExitStack() as stack:
        full = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(3):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(full.getsockname())
        url = f"http://127.0.0.1:{full.getsockname()[1]}/"
        error = failure(ACTIONS["POST"], connect(url, timeout=0.1))
    assert isinstance(error, Unreachable)
    assert "no connection within the time limit" in error.message
    assert (error.timed_out, error.may_have_landed, error.at_rest) == (True, False, True)


@pytest.mark.parametrize("set_it", [False, True])
def test_a_proxy_of_the_environment_is_named(
    connect: Connect, monkeypatch: pytest.MonkeyPatch, set_it: bool
) -> None:
    """A host that cannot be reached, in a network with a proxy, names the two settings for it."""
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    if set_it:
        monkeypatch.setenv("https_proxy", "http://proxy.shop.invalid:3128")

    def refuse(*_: object, **__: object) -> None:
        raise requests.exceptions.ConnectTimeout

    monkeypatch.setattr(Connections, "send", refuse)
    hint = str(failure(ACTIONS["POST"], connect("https://shop.invalid/")).hint)
    assert ("(https_proxy)" in hint, "requests: {proxy:}" in hint) == (set_it, set_it)


@pytest.mark.parametrize(
    ("number", "why", "remedy"),
    [
        (18, "self-signed certificate", "ca_bundle"),
        (10, "certificate has expired", "clock"),
        (62, "Hostname mismatch", "the host in ROBOSIZE_API_URL"),
    ],
)
def test_a_certificate_that_cannot_be_verified_is_named(
    connect: Connect, monkeypatch: pytest.MonkeyPatch, number: int, why: str, remedy: str
) -> None:
    """What is wrong with a certificate is told with its remedy; no key went out, nothing landed."""
    cause = ssl.SSLCertVerificationError("refused")
    cause.verify_code, cause.verify_message = number, f"{why}."
    reason = urllib3.exceptions.SSLError(cause)
    pool: Any = None
    nested = requests.exceptions.SSLError(urllib3.exceptions.MaxRetryError(pool, "/?x", reason))

    def refuse(*_: object, **__: object) -> None:
        raise nested

    monkeypatch.setattr(Connections, "send", refuse)
    error = failure(ACTIONS["POST"], connect("https://shop.invalid/"))
    assert f"certificate cannot be verified ({why})" in error.message
    assert remedy in str(error.hint)
    assert not error.may_have_landed


def test_an_unknown_host_is_named(connect: Connect) -> None:
    """A name that does not resolve is told with the URL, and nothing can have landed."""
    error = failure(ACTIONS["POST"], connect("http://no-such-host.invalid/api/"))
    assert "no-such-host.invalid/api/: the host's name cannot be resolved" in error.message
    assert "ROBOSIZE_API_URL" in str(error.hint)
    assert not error.may_have_landed


# The environment ---------------------------------------------------------------------------------


def test_the_environment_reroutes_nothing(
    serve: Serve, connect: Connect, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Proxies, certificates and passwords of the environment are not looked at."""
    trap = serve(right)
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, trap.url)
        monkeypatch.setenv(name.lower(), trap.url)
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "missing.pem"))
    netrc = tmp_path / ".netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password something\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HOME", str(tmp_path))
    server = serve(right)
    client = connect(server)
    for action in ACTIONS.values():
        action(client)
    assert trap.connections == 0
    assert all("authorization" not in call.headers for call in server.calls)


def test_a_proxy_is_used_where_it_is_given(serve: Serve, connect: Connect) -> None:
    """With a proxy every call goes to it, over connections that are kept."""
    proxy, url = serve(right), "http://shop.invalid/api/v1/product/"
    client = connect(url, proxy=proxy.url.removesuffix("/api/v1/product/"))
    for action in ACTIONS.values():
        action(client)
    assert proxy.connections == 1
    assert [call.method for call in proxy.calls] == [*ACTIONS]
    assert all(call.target.startswith(url) for call in proxy.calls)


def test_no_proxy_is_used_for_this_machine(serve: Serve, connect: Connect) -> None:
    """P5: a call to a loopback address is made directly, and no proxy sees its key."""
    proxy, server = serve(right), serve(right)
    for url in (server.url, server.url.replace("127.0.0.1", "localhost")):
        client = connect(url, proxy=proxy.url.removesuffix("/api/v1/product/"))
        for action in ACTIONS.values():
            action(client)
    assert (proxy.connections, len(server.calls)) == (0, 2 * len(ACTIONS))


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_that_cannot_be_reached_is_named(
    serve: Serve, connect: Connect, method: str, scheme: str
) -> None:
    """A dead proxy is told as one, without its password, and nothing can have landed."""
    proxy = serve(right, listening=False)
    address = proxy.url.removesuffix("/api/v1/product/").replace("//", "//user:secret-word@")
    error = failure(ACTIONS[method], connect(f"{scheme}://shop.invalid/api/", proxy=address))
    assert "the proxy cannot be used" in error.message
    assert "secret-word" not in f"{error.message} {error.hint}"
    assert not error.may_have_landed


def test_a_proxy_that_refuses_the_tunnel_is_named(serve: Serve, connect: Connect) -> None:
    """A proxy that says no to CONNECT got no key, and nothing can have landed."""
    proxy = serve(lambda call: reply(403))
    client = connect("https://shop.invalid/api/", proxy=proxy.url)
    error = failure(ACTIONS["POST"], client)
    assert "the proxy cannot be used" in error.message
    assert not error.may_have_landed
    assert all("demo" not in call.target for call in proxy.calls)


# What the constructor is given ---------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        "",
        "shop.example",
        "ftp://shop.example/",
        "https://",
        "http://[::1",
        "http://a b/",
        "https://a/b c/",
    ],
)
def test_a_url_that_cannot_be_used_is_refused(url: str) -> None:
    """A bad URL is an error of the settings, before any call."""
    with pytest.raises(SettingsError, match="cannot be used") as caught:
        Client(url, "demo-key")
    assert "ROBOSIZE_API_URL" in str(caught.value.hint)


@pytest.mark.parametrize("content", [None, "", "no certificate"])
def test_a_bundle_that_cannot_be_used_is_refused(tmp_path: Path, content: str | None) -> None:
    """A bundle that is missing or holds no certificate is an error before any call."""
    bundle = tmp_path / "bundle.pem"
    if content is not None:
        bundle.write_text(content)
    with pytest.raises(SettingsError, match=r"bundle\.pem") as caught:
        Client("https://shop.invalid/", "demo-key", Calls(ca_bundle=str(bundle)))
    assert "ca_bundle" in str(caught.value.hint)


def test_a_path_beyond_ascii_is_encoded(serve: Serve, connect: Connect) -> None:
    """A URL that holds other letters travels percent-encoded."""
    server = serve(right)
    connect(server.url + "köln/").list()
    assert server.calls[0].target.startswith("/api/v1/product/k%C3%B6ln/?api_key=")


def test_errors_name_the_call(serve: Serve, connect: Connect) -> None:
    """Each error begins with the method, and a lost connection names the URL."""
    for method, action in ACTIONS.items():
        server = serve(right, listening=False)
        error = failure(action, connect(server))
        assert error.message.startswith(f"{method} {server.url}: ")
        assert isinstance(error, RemoteError)
