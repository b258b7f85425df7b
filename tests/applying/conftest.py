"""A world for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.sandbox.server import Sandbox
from tests.applying.world import HurriedClock, World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A store with an empty remote and no catalogue yet."""
    clock = HurriedClock()
    with Sandbox(page_max=20, clock=clock.now) as sandbox:
        yield World(tmp_path, sandbox, clock=clock)
