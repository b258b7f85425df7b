"""Servers and clients that end with their test."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import fields
from typing import Any

import pytest

from reconciler.remote.calls import Calls
from reconciler.remote.client import Client
from reconciler.sandbox.faults import Fault
from reconciler.sandbox.server import Sandbox
from tests.remote.servers import FakeClock, Handler, Server

KEY = "demo-key-of-a-test"
_CALLS = {field.name for field in fields(Calls)}


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    """What is closed at the end, the last one first."""
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def serve(stack: ExitStack) -> Callable[..., Server]:
    """Starts servers with a handler of the test."""

    def starter(handler: Handler, **options: Any) -> Server:
        return stack.enter_context(Server(handler, **options))

    return starter


@pytest.fixture
def sandbox(stack: ExitStack) -> Callable[..., Sandbox]:
    """Starts sandboxes that hold `count` products and misbehave as told."""

    def starter(count: int = 0, *faults: Fault, **options: Any) -> Sandbox:
        sandbox = stack.enter_context(Sandbox(faults=faults, **options))
        sandbox.store.seed({"store_id": str(n), "name": f"Product {n}"} for n in range(count))
        return sandbox

    return starter


@pytest.fixture
def connect(stack: ExitStack) -> Callable[..., Client]:
    """Makes clients whose clock never waits and whose backoff is not random."""

    def maker(server: Server | Sandbox | str, key: str = KEY, **options: Any) -> Client:
        url = server if isinstance(server, str) else server.url
        given = {"timeout": 5.0, **options}
        calls = Calls(**{name: given.pop(name) for name in _CALLS & given.keys()})
        client = {"clock": FakeClock(), "jitter": lambda: 1.0, **given}
        return stack.enter_context(Client(url, key, calls, **client))

    return maker
