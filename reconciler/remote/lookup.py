"""Lookup: what product pages ask of Robosize, without a key (product-lookup.txt).

It is not documented what is answered for an unknown product, nor how soon a new one is found. So
only the documented answer means that a product is found, only an answer that says so means that it
is not, and all else is unclear. The answers are evidence about pages, and never a ground for a
write.
"""

import json
from collections.abc import Mapping
from enum import StrEnum
from threading import Event
from typing import Any, Final, NamedTuple
from urllib.parse import urlencode, urljoin

import requests

from reconciler.clock import Clock
from reconciler.remote.calls import Calls
from reconciler.remote.connections import CALL_ERRORS, Connections
from reconciler.remote.pacing import Governor
from reconciler.remote.transport import diagnose

LOOKUP: Final = "../widget/product/details/"
"""The lookup's path, relative to the product endpoint."""
_RATE: Final = 5.0
"""Lookups a second at the most: they are made for one page at a time."""
_LARGEST_ANSWER: Final = 1 << 20
_CHUNK: Final = 1 << 16
_TIMES: Final = 4
"""An answer may take this many read timeouts in all."""
_ABSENT: Final = frozenset({404, 410})
_TOO_MANY: Final = frozenset({429, 503})


class Sighted(StrEnum):
    """Whether a product page would find a product."""

    FOUND = "found"
    NOT_FOUND = "not_found"
    UNCLEAR = "unclear"


class LookupAnswer(NamedTuple):
    """What came of one lookup; `problem` says why it is unclear."""

    store_id: str
    sighted: Sighted
    problem: str | None = None


class Lookup:
    """Asks for one product after the other; a context manager.

    No key is known here, and no redirect is followed. Nothing is repeated: an answer that did not
    come is unclear.
    """

    def __init__(self, api_url: str, domain: str, how: Calls, clock: Clock, stop: Event) -> None:
        self.stopped = False
        self._url = urljoin(api_url, LOOKUP)
        self._domain = domain
        rate = min(how.rate or _RATE, _RATE)
        self._governor = Governor(concurrency=1, clock=clock, stop=stop, rate=rate)
        self._connections = Connections(
            *(self._url, how, clock, _TIMES * how.timeout), count=1, verify=how.ca_bundle or True
        )

    def __enter__(self) -> "Lookup":
        return self

    def __exit__(self, *_: object) -> None:
        self._connections.close()

    def ask(self, store_id: str) -> LookupAnswer:
        """Ask for one product. Raises Interrupted if stopped.

        `stopped` is True from then on if the server asks for less.
        """
        with self._governor.slot():
            try:
                status, body = self._get(store_id)
            except CALL_ERRORS as error:
                return LookupAnswer(store_id, Sighted.UNCLEAR, diagnose(error)[0])
        # The endpoint serves the shop's visitors; a check must not compete with them.
        if status in _TOO_MANY:
            self.stopped = True
        return _meaning(store_id, status, body)

    def _get(self, store_id: str) -> tuple[int, bytes]:
        query = urlencode({"business": self._domain, "product": store_id})
        headers = {"Accept": "application/json", "User-Agent": "robosize-reconciler"}
        request = requests.Request("GET", f"{self._url}?{query}", headers=headers).prepare()
        response = self._connections.ask(request)
        try:
            body = b""
            while len(body) <= _LARGEST_ANSWER and (
                part := response.raw.read(_CHUNK, decode_content=True)
            ):
                body += part
        finally:
            response.close()
        return response.status_code, body


def _meaning(store_id: str, status: int, body: bytes) -> LookupAnswer:
    """What an answer says of the product."""
    answer = _object(body)
    inner = answer.get("status") if answer else None
    # A 404 without JSON may come from a wrong path or from something in between.
    if status in _ABSENT and answer is not None:
        return LookupAnswer(store_id, Sighted.NOT_FOUND)
    if status != 200:
        return LookupAnswer(store_id, Sighted.UNCLEAR, f"status {status}")
    if answer is None:
        return LookupAnswer(store_id, Sighted.UNCLEAR, "an answer that is not a JSON object")
    # The lookup tells its own status inside of an answer with status 200.
    if inner in _ABSENT:
        return LookupAnswer(store_id, Sighted.NOT_FOUND)
    data = answer.get("data")
    product = data.get("product") if isinstance(data, dict) else None
    if inner == 200 and isinstance(product, dict) and product.get("id"):
        known = product.get("store_id")
        if isinstance(known, str | int) and str(known) == store_id:
            return LookupAnswer(store_id, Sighted.FOUND)
        return LookupAnswer(store_id, Sighted.UNCLEAR, "the answer is about another product")
    return LookupAnswer(store_id, Sighted.UNCLEAR, "an answer that is not documented")


def _object(body: bytes) -> Mapping[str, Any] | None:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None
