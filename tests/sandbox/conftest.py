"""A running sandbox and a plain client for it."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
import requests

from reconciler.sandbox.faults import Fault
from reconciler.sandbox.server import Sandbox

KEY = "demo"


class Client:
    """Calls to one sandbox with a key, each an HTTP call over a socket of its own."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox

    def call(self, method: str, **options: Any) -> requests.Response:
        """One call; `query` is what goes beside the key."""
        query = {"api_key": KEY, **options.pop("query", {})}
        timeout = options.pop("timeout", 10)
        options = {"allow_redirects": False, **options}
        return requests.request(method, self.sandbox.url, params=query, timeout=timeout, **options)

    def page(self, **query: Any) -> Any:
        """A page of the list, as JSON."""
        return self.call("GET", query=query).json()

    def create(self, store_id: str = "1", name: str = "Shirt", **fields: Any) -> requests.Response:
        """A create."""
        return self.call("POST", json={"store_id": store_id, "name": name, **fields})

    def update(self, *ids: str, **fields: Any) -> requests.Response:
        """An update of these ids."""
        return self.call("PATCH", json={"products": list(ids), **fields})

    def delete(self, id: str) -> requests.Response:
        """A delete."""
        return self.call("DELETE", query={"hash": id})


@pytest.fixture
def start() -> Iterator[Callable[..., Client]]:
    """Starts sandboxes with the given options; they end with the test."""
    with ExitStack() as stack:

        def starter(*faults: Fault, **options: Any) -> Client:
            sandbox = Sandbox(**{"faults": faults, **options})
            return Client(stack.enter_context(sandbox))

        yield starter


@pytest.fixture
def client(start: Callable[..., Client]) -> Client:
    """A client of an empty sandbox that behaves."""
    return start()
