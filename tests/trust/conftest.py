"""Two shops on this machine, and commands that run in a folder with a catalogue."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.sandbox.server import Sandbox
from tests.cli.run import shop
from tests.commands.here import Here

KEY = "hush-hush-key"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with two products; the environment holds the key."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ROBOSIZE_API_KEY", KEY)
    return shop(tmp_path, "Shirt", "Coat")


@pytest.fixture
def here(capsys: pytest.CaptureFixture[str]) -> Here:
    """Commands of this process."""
    return Here(capsys)


@pytest.fixture
def remote() -> Iterator[Sandbox]:
    """A shop."""
    with Sandbox(api_key=KEY) as sandbox:
        yield sandbox


@pytest.fixture
def other() -> Iterator[Sandbox]:
    """Another shop, which takes the same key."""
    with Sandbox(api_key=KEY) as sandbox:
        yield sandbox


def writes(*shops: Sandbox) -> int:
    """How many calls of these shops were no reading."""
    return sum(call.method != "GET" for shop in shops for call in shop.store.calls())
