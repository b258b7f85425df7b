"""A fleet of small shops: a sandbox with a key a shop, a working folder, and commands in it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from reconciler.sandbox.server import Sandbox, shop_key
from tests.commands.here import Here
from tests.fleet.shops import in_threads, write_shops

SHOPS = 3


@pytest.fixture
def here(capsys: pytest.CaptureFixture[str]) -> Here:
    """Commands of this process."""
    return Here(capsys)


@pytest.fixture
def remote(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """A server of several shops, and their keys in the environment."""
    for number in range(1, SHOPS + 1):
        monkeypatch.setenv(f"SHOP_{number}_KEY", shop_key(number))
    with Sandbox(shops=SHOPS) as sandbox:
        monkeypatch.setenv("ROBOSIZE_API_URL", sandbox.url)
        yield sandbox


@pytest.fixture
def fleet(tmp_path: Path, remote: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder of these shops; commands here have threads for workers."""
    write_shops(tmp_path, SHOPS)
    monkeypatch.chdir(tmp_path)
    threads: Callable[..., object] = in_threads
    monkeypatch.setattr("reconciler.fleet.local.local_place", threads)
    return tmp_path
