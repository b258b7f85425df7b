"""A shop as pipelines see it: a bare origin, a sandbox over a socket, fresh shallow clones."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.sandbox.server import Sandbox
from tests.git.pipeline import KEY, Pipeline


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


@pytest.fixture
def pipeline(tmp_path: Path) -> Iterator[Pipeline]:
    """A repository with `ledger: git`, and an empty remote."""
    with Sandbox(api_key=KEY) as sandbox:
        pipeline = Pipeline(tmp_path, sandbox)
        yield pipeline
        pipeline.resume_pushes()
