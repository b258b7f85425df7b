"""The key leaves through no door: errors, tracebacks, representations, logs."""

import json
import logging
import traceback
from collections.abc import Iterator
from urllib.parse import quote, quote_plus

import pytest

from reconciler.errors import ReconcilerError
from reconciler.remote.calls import Calls
from reconciler.remote.client import Client
from tests.remote.actions import ACTIONS, Serve
from tests.remote.servers import CLOSE, RESET, Call, FakeClock, Handler, Reply, page, reply

KEYS = {
    "plain": "demo-key-0123456789",
    "odd": "demo/k+y &=%?#\"'<>\\ 0123456789",
    "marks": "demo!*()'~;:@,$0123456789",
    "letters": "schlüssel-ключ-鍵-🔑-0123456789",
    "bytes": "demo-\udcff\udc80-key-0123456789",
}


def spellings(key: str) -> list[str]:
    """The key as it may stand in a text; and its tail, which is in each."""
    octets = key.encode("utf-8", "surrogateescape")
    forms = [key, quote(octets), quote_plus(octets), quote(octets, safe=""), json.dumps(key)[1:-1]]
    return [*forms, repr(key)[1:-1], repr(octets)[2:-1], "0123456789"]


def echo(call: Call) -> str:
    """All that the server knows of the key: as it came, and decoded."""
    raw = call.query.get("api_key", "")
    return f"{call.target} {raw} {json.dumps(raw)}"


def defective(call: Call) -> Reply:
    """A head that urllib3 warns about, with the URL, at the level of warnings."""
    text = echo(call).encode("utf-8", "replace")
    return Reply([b"HTTP/1.1 500 x\r\nContent-Length: 0\r\nnonsense " + text + b"\r\n\r\n"])


def wide(call: Call) -> Reply:
    """A body with two bytes for each letter."""
    return reply(500, echo(call).encode("utf-16", "replace"))


FAULTS: dict[str, Handler] = {
    "reset": lambda call: RESET,
    "close": lambda call: CLOSE,
    "truncated": lambda call: Reply([b"HTTP/1.1 200 x\r\nContent-Length: 9\r\n\r\n{"], "close"),
    "echo in an error": lambda call: reply(400, {"detail": echo(call)}),
    "echo in html": lambda call: reply(200, f"<p>{echo(call)}</p>", kind="text/html"),
    "echo in long text": lambda call: reply(500, "x" * 140 + echo(call)),
    "echo in wide text": wide,
    "echo in the type": lambda call: reply(
        200, "{}", kind=f"text/{quote(call.query['api_key'], errors='replace')}"
    ),
    "echo as the answer": lambda call: Reply([call.target.encode() + b"\r\n\r\n"], "close"),
    "echo as a header": defective,
    "echo to a refused key": lambda call: reply(403, {"detail": f"no such key: {echo(call)}"}),
    "redirect": lambda call: reply(302, Location=f"http://elsewhere.invalid{call.target}"),
    "too long a wait": lambda call: reply(429, Retry_After="9999"),
    "bad length": lambda call: Reply([b"HTTP/1.1 200 x\r\nContent-Length: x\r\n\r\n"], "close"),
    "bad chunks": lambda call: Reply(
        [b"HTTP/1.1 200 x\r\nTransfer-Encoding: chunked\r\n\r\n", call.target.encode()], "close"
    ),
    "bad gzip": lambda call: reply(200, call.target, Content_Encoding="gzip"),
    "half a list": lambda call: page(call, [{"id": "a"}], count=7),
}


def told(error: BaseException) -> Iterator[str]:
    """Every text that an error gives away."""
    yield from (str(error), repr(error), repr(error.args), repr(vars(error)))
    yield "".join(traceback.format_exception(error))
    for linked in (error.__cause__, error.__context__):
        if linked is not None:
            yield from told(linked)


def check_silent(key: str, texts: list[str]) -> None:
    """Fail if any of the texts holds the key in any form."""
    for text in texts:
        for form in spellings(key):
            assert form not in text


@pytest.mark.parametrize("key", KEYS.values(), ids=KEYS)
@pytest.mark.parametrize("fault", [*FAULTS, "nobody listens", "no tls", "dead proxy"])
def test_no_failure_tells_the_key(
    serve: Serve, caplog: pytest.LogCaptureFixture, key: str, fault: str
) -> None:
    """Whatever goes wrong, and whatever the server echoes: no error, traceback or log has the key.

    Every logger is at DEBUG, so urllib3 logs each URL; the key keeps its form on the wire.
    """
    caplog.set_level(logging.DEBUG)
    server = serve(FAULTS.get(fault, FAULTS["reset"]), listening=fault in FAULTS)
    url, proxy = server.url, None
    if fault == "no tls":
        url = serve(FAULTS["reset"]).url.replace("http:", "https:")
    if fault == "dead proxy":
        url, proxy = "https://shop.invalid/", server.url
    texts: list[str] = []
    with Client(
        url,
        key,
        Calls(retries=1, timeout=5, proxy=proxy),
        clock=FakeClock(),
        jitter=lambda: 0.0,
    ) as client:
        for action in ACTIONS.values():
            try:
                action(client)
            except ReconcilerError as error:
                texts += [*told(error), str(error.hint)]
        texts += [repr(client), str(client.calls)]
    texts += [caplog.text, *(repr(vars(record)) for record in caplog.records)]
    assert len(texts) > 4
    check_silent(key, texts)
    octets = key.encode("utf-8", "surrogateescape")
    assert all(f"api_key={quote_plus(octets)}" in call.target for call in server.calls)


def test_the_debug_log_still_tells_the_calls(
    serve: Serve, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The library's log keeps everything but the key, and nothing is left behind at the end."""
    # The command line silences this log, also for the tests that ran it in this process.
    monkeypatch.setattr(logging.getLogger("urllib3"), "propagate", True)
    caplog.set_level(logging.DEBUG, logger="urllib3")
    logger = logging.getLogger("urllib3.connectionpool")
    before = list(logger.filters)
    with Client(serve(lambda call: page(call, [])).url, "demo-key-0123456789") as client:
        client.list()
        assert len(logger.filters) == len(before) + 1
    assert "GET /api/v1/product/?api_key=[key]&limit=200" in caplog.text
    assert logger.filters == before


def test_a_url_that_holds_the_key_is_refused_without_it() -> None:
    """A key that was pasted into a URL that cannot be used is not repeated in the complaint."""
    key = KEYS["plain"]
    with pytest.raises(ReconcilerError) as caught:
        Client(f"shop.example/?api_key={key}", key)
    check_silent(key, list(told(caught.value)))
