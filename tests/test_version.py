"""What `reconciler --version` says of the commit: what its surroundings know, and no guess."""

import json
import subprocess
from pathlib import Path

import pytest

from reconciler import version
from reconciler.version import VERSION, commit, version_text

A, B = "a" * 40, "b" * 64
OURS = '[project]\nname = "robosize-reconciler"\n'


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that holds a package of which nothing is known."""
    (tmp_path / "reconciler").mkdir()
    monkeypatch.setattr(version, "__file__", str(tmp_path / "reconciler" / "version.py"))
    return tmp_path


def write(file: Path, text: str) -> None:
    """Write a file, and the folders that it needs."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")


def test_nothing_known_is_nothing_said(root: Path) -> None:
    """Without any trace of a commit the version stands alone."""
    assert root.is_dir()
    assert commit() is None
    assert version_text() == VERSION


def test_a_release_knows_its_commit(root: Path) -> None:
    """The file that a release carries is believed first, and shown short."""
    write(root / "reconciler" / "COMMIT", f"{A}\n")
    assert commit() == A
    assert version_text() == f"{VERSION} (aaaaaaaaaaaa)"


@pytest.mark.parametrize("text", ["", "abc", "x" * 40, f"{A}{A}", "\x00"])
def test_what_is_no_commit_is_not_shown(root: Path, text: str) -> None:
    """Anything but a whole hash is passed over."""
    write(root / "reconciler" / "COMMIT", text)
    assert commit() is None


@pytest.mark.parametrize(
    ("note", "expected"),
    [
        (json.dumps({"url": "https://x/y.git", "vcs_info": {"vcs": "git", "commit_id": B}}), B),
        (json.dumps({"url": "file:///x", "dir_info": {"editable": True}}), None),
        ("{", None),
        ("[]", None),
    ],
)
def test_an_installation_from_git_knows_its_commit(
    root: Path, note: str, expected: str | None
) -> None:
    """The installer's own note is read, and one that says nothing of a commit is no fault."""
    write(root / f"robosize_reconciler-{VERSION}.dist-info" / "direct_url.json", note)
    assert commit() == expected


def git(folder: Path, *arguments: str) -> str:
    """What one git command prints."""
    who = ("-c", "user.name=a", "-c", "user.email=a@b.example")
    return subprocess.run(
        ["git", *who, *arguments], cwd=folder, check=True, capture_output=True, text=True
    ).stdout.strip()


@pytest.fixture
def checkout(root: Path) -> Path:
    """A repository of this project with one commit."""
    write(root / "pyproject.toml", OURS)
    git(root, "init", "--quiet")
    git(root, "commit", "--quiet", "--allow-empty", "--message", "x")
    return root


def test_a_checkout_knows_its_commit(checkout: Path) -> None:
    """HEAD is followed to a branch, loose or packed, and read where it stands alone."""
    head = git(checkout, "rev-parse", "HEAD")
    assert commit() == head
    git(checkout, "pack-refs", "--all")
    assert commit() == head
    git(checkout, "checkout", "--quiet", "--detach")
    assert commit() == head


def test_a_worktree_knows_its_commit(
    checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worktree, whose .git is a file, is followed to the repository."""
    tree = tmp_path / "tree"
    git(checkout, "worktree", "add", "--quiet", "-b", "topic", str(tree))
    write(tree / "pyproject.toml", OURS)
    git(tree, "commit", "--quiet", "--allow-empty", "--message", "y")
    monkeypatch.setattr(version, "__file__", str(tree / "reconciler" / "version.py"))
    assert commit() == git(tree, "rev-parse", "HEAD")


def test_another_projects_repository_says_nothing(checkout: Path) -> None:
    """A copy of the package in somebody else's repository does not claim that one's commit."""
    write(checkout / "pyproject.toml", '[project]\nname = "shop"\n')
    assert commit() is None
