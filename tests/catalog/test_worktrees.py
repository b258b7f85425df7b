"""What git says of many catalogues is asked once, and is what it says of each alone."""

from pathlib import Path
from threading import Event
from typing import Any

import pytest

from reconciler.catalog.worktrees import IndexEntry, Revision, WorkTrees
from reconciler.git import Git
from tests.catalog.test_revision import commit, git, put, repository
from tests.remote.servers import FakeClock

__all__ = ["repository"]

CLEAN = ("clean", "with-notes", "sparse")
DIRTY = ("edited", "new", "nested/deep", "ignored", "from", "to", "gone", "assumed", "linked")


@pytest.fixture
def shops(repository: Path, tmp_path: Path) -> Path:
    """A folder of catalogues that differ from their commit in every way, or not at all."""
    folder = repository / "shops"
    for shop in (*CLEAN, *DIRTY):
        put(folder, f"{shop}/a.yaml", f"store_id: {shop}\nname: {shop}\n")
    (folder / "linked" / "b.yaml").symlink_to("a.yaml")
    put(repository, ".gitignore", "*.local.yaml\n")
    other = tmp_path / "other"
    other.mkdir()
    git(other, "init", "--quiet", "--initial-branch=main")
    put(other, "catalog/a.yaml", "store_id: 1\nname: N\n")
    commit(other)
    local = ("-c", "protocol.file.allow=always")
    for sub in ("sub", "of-a-sub/inner"):
        git(repository, *local, "submodule", "--quiet", "add", str(other), f"shops/{sub}")
    commit(repository)
    put(folder, "edited/a.yaml", "store_id: 2\nname: N\n")
    put(folder, "new/b.yaml", "store_id: 2\nname: N\n")
    put(folder, "nested/deep/er/b.yaml", "store_id: 2\nname: N\n")
    put(folder, "ignored/b.local.yaml", "store_id: 2\nname: N\n")
    put(folder, "not-in-git/a.yaml", "store_id: 2\nname: N\n")
    put(folder, "with-notes/notes.txt", "no product")
    put(folder, "of-a-sub/inner/catalog/b.yaml", "store_id: 2\nname: N\n")
    git(folder, "mv", "from/a.yaml", "to/b.yaml")
    (folder / "gone" / "a.yaml").unlink()
    (folder / "linked" / "b.yaml").unlink()
    (folder / "linked" / "b.yaml").symlink_to("c.yaml")
    git(folder, "update-index", "--assume-unchanged", "assumed/a.yaml")
    git(folder, "update-index", "--skip-worktree", "sparse/a.yaml")
    (folder / "sparse" / "a.yaml").unlink()
    (folder / "links").mkdir()
    (folder / "links" / "there").symlink_to("../clean")
    return folder


def test_a_shared_answer_is_that_of_the_folder_alone(shops: Path, repository: Path) -> None:
    """Each catalogue has the commit, the state and the index that git tells of it alone."""
    shared, alone = WorkTrees(shops), WorkTrees()
    at = git(repository, "rev-parse", "HEAD")
    expected = {
        **dict.fromkeys((*CLEAN, "links/there"), Revision(at, dirty=False)),
        **dict.fromkeys((*DIRTY, "of-a-sub", "not-in-git", "."), Revision(at, dirty=True)),
    }
    assert {shop: shared.revision(shops / shop) for shop in expected} == expected
    for shop in (*expected, "sub", "sub/catalog", "no-such-folder"):
        folder = shops / shop
        assert shared.index(folder) == alone.index(folder), shop
        assert shared.revision(folder) == alone.revision(folder), shop
    assert shared.index(shops / "sparse") == [IndexEntry("S", "100644", "a.yaml")]
    # A submodule is a repository of its own, at a commit of its own.
    assert shared.revision(shops / "sub").commit == git(shops / "sub", "rev-parse", "HEAD") != at
    outside = repository.parent / "other"
    assert shared.revision(outside) == alone.revision(outside)


def test_git_is_asked_once_for_all_and_again_after_a_moment(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three commands tell of any number of catalogues; seconds later a change is seen."""
    shops = [put(repository, f"shops/s{n}/a.yaml", f"store_id: {n}\nname: N\n") for n in range(9)]
    first = commit(repository)
    asked: list[str] = []
    run = Git.run

    def counted(self: Git, *arguments: str, **options: Any) -> Any:
        asked.append(arguments[0])
        return run(self, *arguments, **options)

    monkeypatch.setattr(Git, "run", counted)
    clock = FakeClock()
    trees = WorkTrees(repository, clock)

    def seen() -> set[Revision]:
        assert not any(trees.index(shop.parent) for shop in shops)
        return {trees.revision(shop.parent) for shop in shops}

    assert seen() == {Revision(first, dirty=False)}
    put(repository, "shops/s3/a.yaml", "store_id: 3\nname: M\n")
    assert seen() == {Revision(first, dirty=False)}
    assert asked == ["ls-files", "rev-parse", "status"]
    clock.wait(6, Event())
    assert seen() == {Revision(first, dirty=False), Revision(first, dirty=True)}
    second = commit(repository)
    clock.wait(6, Event())
    assert seen() == {Revision(second, dirty=False)}


def test_without_git_nothing_is_known_and_that_is_asked_once_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Outside a repository, and without the command, catalogues have no commit and lack nothing."""
    shop = put(tmp_path, "shops/a/a.yaml", "store_id: 1\nname: N\n").parent
    for path in (None, str(tmp_path)):
        if path is not None:
            monkeypatch.setenv("PATH", path)
        for trees in (WorkTrees(tmp_path), WorkTrees()):
            assert (trees.index(shop), trees.revision(shop)) == ([], Revision())
