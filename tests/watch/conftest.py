"""Shops for each test."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from reconciler.sandbox.server import Sandbox
from tests.watch.world import KEY, Make, Shops


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    """Makes so many shops, whose servers end with the test."""
    with ExitStack() as stack:

        def made(count: int) -> Shops:
            sandboxes = [stack.enter_context(Sandbox(api_key=KEY)) for _ in range(count)]
            return Shops(tmp_path, sandboxes)

        yield made


@pytest.fixture
def shops(make: Make) -> Shops:
    """Two shops."""
    return make(2)
