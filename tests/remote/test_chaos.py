"""Random bytes as answers: nothing but our own errors ever leaves the client."""

import gzip
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.errors import RemoteError
from reconciler.remote.calls import Calls
from reconciler.remote.client import Client
from tests.remote.actions import ACTIONS
from tests.remote.servers import CLOSE, FakeClock, Reply, Server


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """One server for all examples."""
    with Server(lambda call: CLOSE) as server:
        yield server


def joined(parts: tuple[bytes, ...]) -> bytes:
    """The parts of an answer, with its lines ended."""
    return b"".join(parts)


status_lines = st.one_of(
    st.sampled_from([b"HTTP/1.1 200 OK", b"HTTP/1.0 201 x", b"HTTP/1.1 500", b"HTTP/1.1 99999 x"]),
    st.sampled_from([b"HTTP/1.1 100 x", b"HTTP/1.1 101 x", b"HTTP/1.1 204 x", b"HTTP/9 200 x"]),
    st.integers(0, 999).map(lambda status: b"HTTP/1.1 %d x" % status),
    st.binary(max_size=20),
)
headers = st.lists(
    st.one_of(
        st.sampled_from(
            [
                b"Transfer-Encoding: chunked",
                b"Transfer-Encoding: gzip, chunked",
                b"Content-Encoding: gzip",
                b"Content-Encoding: deflate, gzip",
                b"Content-Length: 5",
                b"Content-Length: 5, 6",
                b"Content-Length: -1",
                b"Content-Type: text/html; charset=\xff",
                b"Location: http://[::1",
                b"Set-Cookie: a=b; expires=never; domain=\xff",
                b"Retry-After: 1",
                b"Retry-After: \xb2",
                b"Connection: close",
                b" folded",
            ]
        ),
        st.binary(max_size=30),
    ),
    max_size=4,
).map(lambda lines: b"".join(line + b"\r\n" for line in lines))
bodies = st.one_of(
    st.binary(max_size=60),
    st.binary(max_size=60).map(gzip.compress),
    st.sampled_from(
        [b'{"created": 1, "id": "a"}', b'{"count": 0, "results": []}', b"5\r\nabcde\r\n"]
    ),
)
answers = st.one_of(
    st.binary(max_size=80),
    st.tuples(status_lines, st.just(b"\r\n"), headers, st.just(b"\r\n"), bodies).map(joined),
)


@given(st.lists(answers, min_size=1, max_size=3), st.sampled_from(["close", "reset"]))
def test_only_our_own_errors_leave_the_client(server: Server, sent: list[bytes], end: str) -> None:
    """Whatever bytes come back, each call returns what is documented or raises a RemoteError."""
    left = [*sent]
    server.handler = lambda call: Reply([left.pop() if left else sent[0]], end)  # type: ignore[arg-type]
    errors: list[RemoteError] = []
    for method, action in ACTIONS.items():
        calls = Calls(retries=1, timeout=5, concurrency=2)
        with Client(server.url, "demo-key", calls, clock=FakeClock()) as client:
            try:
                action(client)
            except RemoteError as error:
                errors.append(error)
            assert method != "POST" or client.calls["POST"] == 1
    assert all(error.message.startswith((*ACTIONS, "The product list")) for error in errors)
    assert all(error.__cause__ is None for error in errors)
