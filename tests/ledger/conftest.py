"""Git as in a bare container: no configuration of this machine, one identity from outside."""

import shutil
from pathlib import Path

import pytest

from tests.ledger.worlds import make_origin


@pytest.fixture(autouse=True)
def plain_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide this machine's git configuration from the test."""
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_CONFIG_PARAMETERS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_NAME", "Test")
        monkeypatch.setenv(f"GIT_{role}_EMAIL", "test@shop.example")


@pytest.fixture(scope="session")
def first_origin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bare repository that each test gets a copy of."""
    return make_origin(tmp_path_factory.mktemp("origin"))


@pytest.fixture
def origin(first_origin: Path, tmp_path: Path) -> Path:
    """A bare repository that checkouts are cloned from."""
    return shutil.copytree(first_origin, tmp_path / first_origin.name)
