"""The catalogue of a git revision is what its checkout would be, read from objects alone."""

import subprocess
from pathlib import Path

import pytest

from reconciler.catalog.read import load_catalog
from reconciler.catalog.revision import load_revision, merge_base
from reconciler.catalog.worktrees import WorkTrees
from reconciler.errors import CatalogError, GitError, UsageError
from reconciler.model import Catalog


def git(folder: Path, *arguments: str) -> str:
    """The output of one git command, which must succeed."""
    who = ("-c", "user.name=Test", "-c", "user.email=test@shop.example")
    done = subprocess.run(
        ["git", *who, *arguments], cwd=folder, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


def commit(folder: Path) -> str:
    """Commit all that is in `folder`."""
    git(folder, "add", "--all", ".")
    git(folder, "commit", "--quiet", "--allow-empty", "-m", "Change")
    return git(folder, "rev-parse", "HEAD")


def put(folder: Path, name: str, text: str) -> Path:
    """Write one file, with the folders that it needs."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty repository, free of this machine's git configuration."""
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    folder = tmp_path / "shop"
    folder.mkdir()
    git(folder, "init", "--quiet", "--initial-branch=main")
    return folder


def at(repository: Path, revision: str, *, catalog: str = "catalog", below: str = "") -> Catalog:
    """The catalogue at a revision, as the working folder `below` names it."""
    return load_revision(Path(catalog), revision, working_folder=repository / below)


def same(one: Catalog, other: Catalog) -> bool:
    """Whether two catalogues have the same products at the same places, from the same files."""
    return (dict(one.products), one.files, one.digest) == (
        dict(other.products),
        other.files,
        other.digest,
    )


def test_named_from_inside_the_catalogue(repository: Path) -> None:
    """Where the working folder is inside the catalogue, its files are named as on disk."""
    put(repository, "catalog/_defaults.yaml", "type: top\n")
    put(repository, "catalog/sub/a.yaml", "store_id: a\nname: A\n")
    commit(repository)
    inside = at(repository, "HEAD", catalog="..", below="catalog/sub")
    assert inside.files == ("../_defaults.yaml", "a.yaml")
    assert same(inside, load_catalog(Path(".."), working_folder=repository / "catalog" / "sub"))


def test_a_revision_reads_as_its_checkout(repository: Path) -> None:
    """Defaults, links to files and folders, hidden names: as the work tree is read."""
    put(repository, "catalog/_defaults.yaml", "type: top\n")
    put(repository, "catalog/women/ä b.yaml", "{store_id: '1', name: Shirt}\n")
    put(repository, "catalog/_shared/coat.yaml", "{store_id: '2', name: Coat}\n")
    put(repository, "catalog/_more/inner/hat.yaml", "{store_id: '3', name: Hat}\n")
    put(repository, "catalog/.hidden/no.yaml", "nonsense: true\n")
    put(repository, "catalog/notes.txt", "no product\n")
    (repository / "catalog" / "coat.yaml").symlink_to("_shared/coat.yaml")
    (repository / "catalog" / "again.yaml").symlink_to("women/ä b.yaml")
    (repository / "catalog" / "men").symlink_to("../catalog/_more/inner")
    (repository / "catalog" / "round").symlink_to(".")
    (repository / "catalog" / "readme").symlink_to("/nowhere")
    (repository / "catalog" / "_more" / "inner" / "_defaults.yaml").symlink_to(
        "../../_defaults.yaml"
    )
    first = commit(repository)
    there = load_catalog(repository / "catalog", working_folder=repository)
    assert set(there.products) == {"1", "2", "3"}
    read = at(repository, "HEAD")
    assert same(read, there)
    assert (read.commit, read.dirty) == (first, False)
    assert same(at(repository, "main", catalog="catalog/women"), load_women(repository))


def load_women(repository: Path) -> Catalog:
    """The part of the catalogue below one folder."""
    return load_catalog(repository / "catalog" / "women", working_folder=repository)


def test_a_folder_below_the_top(repository: Path) -> None:
    """The working folder may be any folder; files are named from there, also upwards."""
    put(repository, "eu/catalog/a.yaml", "{store_id: '1', name: Shirt}\n")
    put(repository, "us/reconciler.yaml", "")
    commit(repository)
    assert at(repository, "HEAD", below="eu").files == ("catalog/a.yaml",)
    assert at(repository, "HEAD", below="us", catalog="../eu/catalog").files == (
        "../eu/catalog/a.yaml",
    )
    assert at(repository, "HEAD", below="eu/catalog", catalog=".").files == ("a.yaml",)
    assert at(repository, "HEAD", catalog=str(repository / "eu/catalog")).products.keys() == {"1"}


def test_a_catalogue_that_is_the_repository(repository: Path) -> None:
    """The top of the repository may be the catalogue."""
    put(repository, "a.yaml", "{store_id: '1', name: Shirt}\n")
    commit(repository)
    assert at(repository, "HEAD", catalog=".").files == ("a.yaml",)


def test_a_linked_catalogue_folder(repository: Path) -> None:
    """The catalogue's folder may be a link, then and now."""
    put(repository, "shared/a.yaml", "{store_id: '1', name: Shirt}\n")
    (repository / "catalog").symlink_to("shared")
    commit(repository)
    assert at(repository, "HEAD").files == ("catalog/a.yaml",)


def test_a_folder_that_was_not_there_is_empty(repository: Path) -> None:
    """Before the catalogue came, and after it has gone from the work tree, a revision is read."""
    put(repository, "readme", "nothing yet")
    commit(repository)
    file = put(repository, "catalog/a.yaml", "{store_id: '1', name: Shirt}\n")
    commit(repository)
    assert at(repository, "HEAD~1").products == {}
    assert at(repository, "HEAD~1").files == ()
    file.unlink()
    file.parent.rmdir()
    assert at(repository, "HEAD").products.keys() == {"1"}


def test_nothing_is_written(repository: Path) -> None:
    """Reading a revision, and asking for the commit, leaves index and work tree as they are."""
    file = put(repository, "catalog/a.yaml", "{store_id: '1', name: Shirt}\n")
    first = commit(repository)
    file.write_text("{store_id: '1', name: Blouse}\n", encoding="utf-8")
    before = (repository / ".git" / "index").read_bytes()
    old = at(repository, "HEAD")
    assert old.products["1"].name == "Shirt"
    now = WorkTrees().revision(repository / "catalog").of(load_catalog(repository / "catalog"))
    assert (now.commit, now.dirty) == (first, True)
    assert (repository / ".git" / "index").read_bytes() == before
    assert file.read_text(encoding="utf-8") == "{store_id: '1', name: Blouse}\n"


def test_faults_are_placed_in_the_revision(repository: Path) -> None:
    """Faults of that time are all told, each with the revision before its file."""
    put(repository, "catalog/a.yaml", "{store_id: '1'}\n")
    (repository / "catalog" / "gone.yaml").symlink_to("nothing.yaml")
    (repository / "catalog" / "out.yaml").symlink_to("../b.yaml")
    (repository / "catalog" / "ring.yaml").symlink_to("ring.yaml")
    (repository / "catalog" / "up.yaml").symlink_to("../../b.yaml")
    put(repository, "b.yaml", "{store_id: '2', name: B}\n")
    commit(repository)
    with pytest.raises(CatalogError) as caught:
        at(repository, "main")
    places = [str(finding.location) for finding in caught.value.findings]
    files = ("a", "gone", "out", "ring", "up")
    assert [place.rpartition(":1:")[0] for place in places] == [
        f"main:catalog/{name}.yaml" for name in files
    ]
    assert "main" in str(caught.value.hint)


@pytest.mark.parametrize("revision", ["", "--all", "a\nb"])
def test_what_is_no_revision(repository: Path, revision: str) -> None:
    """A flag or nothing at all is never given to git as a revision."""
    commit(repository)
    with pytest.raises(UsageError, match="is not a git revision"):
        at(repository, revision)


def test_unknown_revisions_name_a_remedy(repository: Path, tmp_path: Path) -> None:
    """A branch that only the remote has is suggested; a shallow clone says how to fetch."""
    put(repository, "catalog/a.yaml", "{store_id: '1', name: Shirt}\n")
    commit(repository)
    put(repository, "catalog/a.yaml", "{store_id: '1', name: Blouse}\n")
    commit(repository)
    git(repository, "branch", "other")
    whole, shallow = tmp_path / "whole", tmp_path / "shallow"
    git(tmp_path, "clone", "--quiet", repository.as_uri(), str(whole))
    git(tmp_path, "clone", "--quiet", "--depth=1", repository.as_uri(), str(shallow))
    for folder, revision, hint in (
        (whole, "other", "origin/other"),
        (whole, "nowhere", "git fetch"),
        (shallow, "HEAD~1", "fetch-depth: 0"),
    ):
        with pytest.raises(GitError) as caught:
            at(folder, revision)
        assert hint in str(caught.value.hint)
    with pytest.raises(GitError, match="no git repository"):
        at(tmp_path, "HEAD")


def test_the_common_past(repository: Path) -> None:
    """The commit at which two branches parted is found; without one it is an error."""
    first = commit(repository)
    for branch in ("branch", "main"):
        git(repository, "checkout", "--quiet", "-B", branch, first)
        put(repository, "readme", branch)
        commit(repository)
    assert merge_base(repository, "main", "branch") == first
    git(repository, "checkout", "--quiet", "--orphan", "alone")
    commit(repository)
    with pytest.raises(GitError, match="no common past"):
        merge_base(repository, "main", "alone")


def test_outside_git_there_is_no_commit(tmp_path: Path) -> None:
    """A catalogue that is in no repository has no commit, which is no error."""
    assert WorkTrees().revision(tmp_path).of(Catalog.of()) == Catalog.of()
