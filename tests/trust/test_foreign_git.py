"""A checkout that holds somebody else's git repository runs nothing of it, and is told (P4)."""

import subprocess
from pathlib import Path

import pytest

from reconciler.catalog.worktrees import WorkTrees
from tests.commands.here import Here
from tests.trust.test_which_files import commit, git, put, repository

__all__ = ["repository"]


@pytest.fixture
def spy(repository: Path, tmp_path: Path) -> Path:
    """What a command of the other repository would leave: the catalogue's folder is one.

    Its settings name a filter for the catalogue's files, and its index says that one has changed.
    """
    catalog, ran = repository / "catalog", tmp_path / "ran"
    git(repository, "init", "--quiet", "--bare", str(tmp_path / "other"))
    put(repository, "catalog/a.yaml")
    (catalog / ".gitattributes").write_text("*.yaml filter=spy\n", encoding="utf-8")
    within = ("--git-dir", str(tmp_path / "other"), "--work-tree", str(catalog))
    git(catalog, *within, "add", "--force", ".")
    git(catalog, *within, "commit", "--quiet", "--message", "Other")
    subprocess.run(["cp", "-r", f"{tmp_path}/other/.", str(catalog)], check=True)
    settings = catalog / "config"
    settings.write_text(
        "[core]\n repositoryformatversion = 0\n bare = false\n worktree = .\n"
        f'[filter "spy"]\n clean = "touch {ran}; cat"\n',
        encoding="utf-8",
    )
    put(repository, "catalog/a.yaml")
    commit(repository)
    return ran


@pytest.mark.parametrize("command", [("plan",), ("diff", "HEAD"), ("validate",), ("status",)])
def test_no_command_of_a_committed_repository_runs(
    repository: Path, here: Here, spy: Path, command: tuple[str, ...]
) -> None:
    """P4: a branch can add a bare repository as the catalogue's folder; git must not obey it."""
    done = here(*command)
    assert not spy.exists()
    if command[0] in ("plan", "diff"):
        assert f"{repository / 'catalog'} holds the files of a bare git repository" in done.err
    assert WorkTrees().revision(repository / "catalog").commit is None
