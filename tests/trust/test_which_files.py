"""A plan is made from all files of the commit, or says which are missing (P4, P7)."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from reconciler.catalog.read import load_catalog
from reconciler.catalog.revision import load_revision
from reconciler.catalog.worktrees import WorkTrees
from reconciler.errors import CatalogError
from reconciler.sandbox.server import Sandbox
from tests.cli.run import in_process
from tests.commands.here import Here
from tests.trust.conftest import KEY, writes


def git(folder: Path, *arguments: str) -> str:
    """The output of one git command, which must succeed."""
    who = ("-c", "user.name=Test", "-c", "user.email=test@shop.example")
    local = ("-c", "protocol.file.allow=always")
    done = subprocess.run(
        ["git", *who, *local, *arguments], cwd=folder, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


def commit(folder: Path) -> str:
    """Commit all that is in `folder`."""
    git(folder, "add", "--all", ".")
    git(folder, "commit", "--quiet", "--allow-empty", "-m", "Change")
    return git(folder, "rev-parse", "HEAD")


def put(folder: Path, name: str) -> None:
    """Write a file with one product, which has the file's name for its store_id."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"store_id: {path.stem}\nname: N {path.stem}\ntype: top\nimage_url: ''\n")


@pytest.fixture
def repository(folder: Path, remote: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with products in two folders, applied to a shop that the environment names."""
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.setenv("ROBOSIZE_API_URL", remote.url)
    git(folder, "init", "--quiet", "--initial-branch=main")
    (folder / ".gitignore").write_text(".reconciler/\n*.local.yaml\n", encoding="utf-8")
    for name in ("men/shirt", "women/dress"):
        put(folder, f"catalog/{name}.yaml")
    commit(folder)
    return folder


def planned(here: Here) -> dict[str, object]:
    """The plan that is made now, as JSON."""
    done = here("plan", "--format", "json")
    assert done.code == 0, done.err
    document: dict[str, object] = json.loads(done.out)
    return document


def of_catalog(here: Here) -> tuple[object, object]:
    """The commit of the plan that is made now, and whether files differ from it."""
    facts = planned(here)["catalog"]
    assert isinstance(facts, dict)
    return facts["commit"], facts["dirty"]


COMMANDS = [
    ("plan",),
    ("plan", "--base", "HEAD"),
    ("apply", "--yes", "--allow-deletes", "99"),
    ("pull", "--write"),
    ("status",),
    ("validate",),
    ("diff", "HEAD"),
]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
@pytest.mark.parametrize("cone", ["--cone", "--no-cone"])
def test_a_sparse_checkout_is_an_error_that_names_the_files(
    repository: Path, remote: Sandbox, here: Here, command: tuple[str, ...], cone: str
) -> None:
    """No product is planned for delete because its file was left out of the working tree."""
    assert here("apply", "--yes").code == 0
    before = writes(remote)
    git(repository, "sparse-checkout", "set", cone, "catalog/men")
    assert not (repository / "catalog" / "women").exists()
    done = here(*command)
    assert done.code == 1
    said = done.out + done.err
    assert "catalog/women/dress.yaml:1:1: error: " in said
    assert "sparse checkout" in said
    assert "shirt.yaml" not in said
    assert writes(remote) == before
    git(repository, "sparse-checkout", "disable")
    assert here("plan", "--detailed-exitcode").code == 0


def test_what_no_catalogue_reads_may_be_left_out(repository: Path, here: Here) -> None:
    """A sparse checkout that leaves out other files, or hidden ones, is no fault."""
    put(repository, "catalog/_drafts/hat.yaml")
    (repository / "docs").mkdir()
    (repository / "docs" / "a.yaml").write_text("a: b\n", encoding="utf-8")
    at = commit(repository)
    git(repository, "sparse-checkout", "set", "catalog/men", "catalog/women")
    assert not (repository / "catalog" / "_drafts").exists()
    assert of_catalog(here) == (at, False)


def test_many_absent_files_are_counted(repository: Path) -> None:
    """Twenty are named, the others counted: all in one error."""
    for number in range(30):
        put(repository, f"catalog/many/p{number}.yaml")
    commit(repository)
    git(repository, "sparse-checkout", "set", "catalog/men", "catalog/women")
    with pytest.raises(CatalogError) as caught:
        load_catalog(repository / "catalog", working_folder=repository)
    assert len(caught.value.findings) == 21
    assert "10 more files are absent" in caught.value.findings[0].message


@pytest.fixture
def brand(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The repository's clone with a submodule below its catalogue, which is not checked out."""
    other = tmp_path_factory.mktemp("brand")
    clone = tmp_path_factory.mktemp("clones") / "clone"
    git(other, "init", "--quiet", "--initial-branch=main")
    put(other, "hat.yaml")
    commit(other)
    git(repository, "submodule", "--quiet", "add", str(other), "catalog/brand")
    commit(repository)
    git(repository, "clone", "--quiet", str(repository), str(clone))
    return clone


def test_a_submodule_that_is_not_checked_out_is_an_error(
    brand: Path, here: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is named, from its own folder too; checked out it is read, and its changes are dirty."""
    monkeypatch.chdir(brand)
    for catalog in ("catalog", "catalog/brand"):
        done = here("plan", "--catalog", catalog)
        assert done.code == 1
        assert "catalog/brand:1:1: error: This submodule is not checked out" in done.err
    git(brand, "submodule", "--quiet", "update", "--init")
    at = git(brand, "rev-parse", "HEAD")
    assert of_catalog(here) == (at, False)
    put(brand, "catalog/brand/cap.yaml")
    assert of_catalog(here) == (at, True)
    commit(brand / "catalog" / "brand")
    assert of_catalog(here) == (at, True)


def test_a_submodule_within_a_submodule_counts_too(brand: Path) -> None:
    """What is absent inside of a submodule that is checked out is named by its whole way."""
    git(brand, "submodule", "--quiet", "update", "--init")
    git(brand / "catalog" / "brand", "update-index", "--skip-worktree", "hat.yaml")
    (brand / "catalog" / "brand" / "hat.yaml").unlink()
    with pytest.raises(CatalogError) as caught:
        load_catalog(brand / "catalog", working_folder=brand)
    (finding,) = caught.value.findings
    assert finding.location
    assert finding.location.file == "catalog/brand/hat.yaml"


def test_a_comparison_across_a_submodule_is_an_error(brand: Path) -> None:
    """`diff` and `--base` do not say "nothing to change" of files that git keeps elsewhere."""
    git(brand, "submodule", "--quiet", "update", "--init")
    for arguments in (("diff", "HEAD"), ("diff", "HEAD~1..HEAD"), ("plan", "--base", "HEAD")):
        done = in_process(brand, *arguments, ROBOSIZE_API_KEY=KEY)
        assert done.code == 1
        assert "HEAD:catalog/brand:1:1: error: A submodule" in done.err
        assert "Nothing to change" not in done.out
    git(brand, "submodule", "--quiet", "deinit", "--force", "catalog/brand")
    for catalog in ("catalog/brand", "catalog/brand/hats"):
        with pytest.raises(CatalogError):
            load_revision(Path(catalog), "HEAD", working_folder=brand)
    assert len(load_revision(Path("catalog"), "HEAD~1", working_folder=brand).products) == 4


@pytest.mark.parametrize(
    "variables",
    [
        {"GIT_DIR": ".git"},
        {"GIT_DIR": ".git", "GIT_WORK_TREE": "."},
        {"GIT_INDEX_FILE": "nowhere"},
        {"GIT_OBJECT_DIRECTORY": "nowhere"},
        {"GIT_PREFIX": "catalog/", "GIT_LITERAL_PATHSPECS": "1"},
        {"GIT_CONFIG_PARAMETERS": "'core.worktree=/'"},
    ],
    ids=lambda variables: "+".join(variables),
)
def test_git_is_run_free_of_where_a_hook_points_it(
    repository: Path, tmp_path_factory: pytest.TempPathFactory, variables: dict[str, str]
) -> None:
    """In the environment of a hook, as git makes it in a linked worktree, a plan is the same."""
    linked = tmp_path_factory.mktemp("linked") / "tree"
    git(repository, "worktree", "add", "--quiet", str(linked))
    put(linked, "catalog/men/hat.yaml")
    at = commit(linked)
    put(linked, "elsewhere/not-a-product.yaml")
    elsewhere = {
        name: str(repository / value) if name.endswith(("DIR", "TREE", "FILE")) else value
        for name, value in variables.items()
    }
    for arguments, count in ((("diff", "HEAD~1"), 1), (("diff", "HEAD"), 0)):
        done = in_process(linked, *arguments, "--format", "gitlab", **elsewhere)
        assert done.code == 0, done.err
        assert json.loads(done.out) == {"create": count, "update": 0, "delete": 0}
    done = in_process(linked, "plan", "--format", "json", ROBOSIZE_API_KEY=KEY, **elsewhere)
    facts = json.loads(done.out)["catalog"]
    assert (facts["commit"], facts["dirty"], facts["products"]) == (at, False, 5)


@pytest.mark.parametrize(
    "settings",
    [
        ("status.showUntrackedFiles=no",),
        ("color.ui=always", "column.ui=always", "core.quotePath=true"),
        ("status.short=true", "status.branch=true", "status.relativePaths=false"),
        ("diff.ignoreSubmodules=all", "core.fsmonitor=true"),
    ],
    ids=",".join,
)
def test_git_is_run_free_of_how_people_like_to_see_things(
    repository: Path, here: Here, settings: tuple[str, ...]
) -> None:
    """A clean tree is clean and an untracked product makes it dirty, however git is configured."""
    at = git(repository, "rev-parse", "HEAD")
    for setting in settings:
        git(repository, "config", *setting.split("="))
    assert of_catalog(here) == (at, False)
    put(repository, "catalog/men/hät.yaml")
    assert of_catalog(here) == (at, True)


def test_files_that_git_passes_over_make_the_catalogue_dirty(repository: Path, here: Here) -> None:
    """Ignored files, and files that git was told not to look at, are read: so they count."""
    at = git(repository, "rev-parse", "HEAD")
    (repository / "catalog" / "notes.txt").write_text("no product\n", encoding="utf-8")
    assert of_catalog(here) == (at, False)
    put(repository, "catalog/men/mine.local.yaml")
    assert git(repository, "status", "--porcelain", "catalog/men") == ""
    assert of_catalog(here) == (at, True)
    (repository / "catalog" / "men" / "mine.local.yaml").unlink()
    assert of_catalog(here) == (at, False)
    for flag in ("assume-unchanged", "skip-worktree"):
        git(repository, "update-index", f"--{flag}", "catalog/men/shirt.yaml")
        assert of_catalog(here) == (at, True)
        git(repository, "update-index", f"--no-{flag}", "catalog/men/shirt.yaml")
    assert of_catalog(here) == (at, False)


def test_a_catalogue_that_is_the_whole_repository(folder: Path, here: Here) -> None:
    """Files that no catalogue reads do not make it dirty; those of the tool are among them."""
    catalog = folder / "catalog"
    git(catalog, "init", "--quiet", "--initial-branch=main")
    at = commit(catalog)
    (catalog / ".reconciler").mkdir()
    (catalog / ".reconciler" / "a.yaml").write_text("x", encoding="utf-8")
    (catalog / "README.md").write_text("x", encoding="utf-8")
    assert WorkTrees().revision(catalog)[:2] == (at, False)
    put(catalog, "deep/er/hat.yaml")
    assert WorkTrees().revision(catalog)[:2] == (at, True)


def test_a_checkout_of_another_owner_is_told(
    repository: Path, here: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Git refuses it: the plan says so with a hint that names safe.directory, and so do errors."""
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    told = f"safe.directory {repository}"
    document = planned(here)
    facts, warnings = document["catalog"], document["warnings"]
    assert isinstance(facts, dict)
    assert isinstance(warnings, list)
    assert (facts["commit"], facts["dirty"]) == (None, None)
    assert told in warnings[0]["message"]
    assert told in here("diff", "HEAD").err
    (repository / "reconciler.yaml").write_text("ledger: git\n", encoding="utf-8")
    for command in (("plan",), ("apply", "--yes"), ("log",)):
        done = here(*command)
        assert done.code == 1
        assert told in done.err


@pytest.mark.parametrize(
    ("name", "warned"),
    [
        ("products.YAML", True),
        ("products.Yml", True),
        ("men/x.yaml.txt", True),
        ("x.YML.TXT", True),
        ("x.yaml ", True),
        ("_defaults.YAML", True),
        ("men/_Defaults.yml", True),
        ("_draft.YAML", False),
        (".x.yaml.txt", False),
        ("notes.txt", False),
        ("yaml", False),
        ("x.yaml.orig", False),
        ("_drafts/x.YAML", False),
    ],
)
def test_a_file_that_was_meant_to_be_read_is_warned_of(
    folder: Path, here: Here, name: str, warned: bool
) -> None:
    """A name that only looks like a catalogue's is a warning that names the file, in a plan too."""
    put(folder, f"catalog/{name}")
    done = here("validate")
    assert done.code == 0
    line = f"catalog/{name}:1:1: warning: This file is not read"
    assert (line in done.out) is warned
    if warned:
        plan = json.loads(here("plan", "--sandbox", "--format", "json").out)
        assert [found["code"] for found in plan["warnings"]].count("unread_file") == 1


def test_a_link_with_such_a_name_is_warned_of(folder: Path) -> None:
    """A link that is not followed because of its name is told like a file."""
    (folder / "catalog" / "link.YAML").symlink_to(folder / "catalog" / "0001.yaml")
    (warned,) = load_catalog(folder / "catalog", working_folder=folder).warnings
    assert warned.location
    assert warned.location.file == "catalog/link.YAML"


@pytest.mark.parametrize("command", ["validate", "fmt"])
def test_a_hook_passes_where_there_is_no_catalogue(
    tmp_path: Path, here: Here, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With --if-present it says so and ends with 0; without, and where there is one, as ever."""
    monkeypatch.chdir(tmp_path)
    done = here(command, "--if-present")
    assert (done.code, done.out) == (0, "")
    assert "There is no catalogue at catalog" in done.err
    assert here(command).code == 1
    put(tmp_path, "catalog/a.yaml")
    (tmp_path / "catalog" / "b.yaml").write_text("nonsense: true\n", encoding="utf-8")
    assert here(command, "--if-present").code == 1


def test_a_comparison_of_revisions_claims_nothing_about_the_remote(
    repository: Path, here: Here
) -> None:
    """Its title says what it is; it counts no remote products, and knows nothing of their data."""
    (repository / "catalog" / "women" / "dress.yaml").unlink()
    for format in ("markdown", "html", "text", "json", "github"):
        shown = here("diff", "HEAD", "--format", format).out
        assert "entered by hand" not in shown
        assert "At the remote" not in shown
        if format in ("markdown", "html"):
            assert "Comparison of two revisions" in shown
            assert "HEAD and the files as they are" in shown
            assert "Plan for" not in shown
