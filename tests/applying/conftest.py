"""A world for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.sandbox.server import Sandbox
from tests.applying.world import World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A store with an empty remote and no catalogue yet."""
    with Sandbox(page_max=20) as sandbox:
        yield World(tmp_path, sandbox)
