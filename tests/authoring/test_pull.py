"""`reconciler pull` against a sandbox: what drifted comes into the files, and nothing else."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.cli.main import run
from reconciler.sandbox.server import Sandbox
from tests.cli.run import Ended

KEY = "hush-hush-key"

PRODUCTS = """\
# All that we sell.
products:
  # first
  - store_id: "0001"   # keep the zeros
    name: Shirt
    tags: [b, a]

  - {store_id: 2, name: Coat}
"""


class Here:
    """Runs commands in this process and keeps what they wrote."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *arguments: str) -> Ended:
        """Run one command."""
        code = run(arguments)
        return Ended(code, *self._capsys.readouterr())


@pytest.fixture
def here(capsys: pytest.CaptureFixture[str]) -> Here:
    """Commands of this process."""
    return Here(capsys)


@pytest.fixture
def catalog(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with a catalogue of two products in one file."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "catalog"
    folder.mkdir()
    (folder / "all.yaml").write_text(PRODUCTS, encoding="utf-8")
    return folder


@pytest.fixture
def remote(catalog: Path, monkeypatch: pytest.MonkeyPatch, here: Here) -> Iterator[Sandbox]:
    """A remote that holds what the catalogue says."""
    with Sandbox(api_key=KEY) as sandbox:
        monkeypatch.setenv("ROBOSIZE_API_URL", sandbox.url)
        monkeypatch.setenv("ROBOSIZE_API_KEY", KEY)
        assert here("apply", "--yes").code == 0
        yield sandbox


def change(remote: Sandbox, store_id: str, **values: str | tuple[str, ...]) -> None:
    """Let somebody else write these values at the remote."""
    row = remote.store.row(store_id)
    assert row is not None
    remote.store.update([str(row.id)], values)


def content(folder: Path) -> dict[str, str]:
    """The text of every file of a catalogue."""
    return {
        path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8")
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_in_sync_there_is_nothing_to_pull(catalog: Path, remote: Sandbox, here: Here) -> None:
    """Without drift no diff is printed, nothing is written, and the exit code is 0."""
    done = here("pull", "--detailed-exitcode")
    assert (done.code, done.out) == (0, "")
    assert "nothing to pull" in done.err
    assert here("pull", "--write", "--prune", "--detailed-exitcode").code == 0
    assert content(catalog) == {"all.yaml": PRODUCTS}


def test_a_pull_shows_and_then_writes(catalog: Path, remote: Sandbox, here: Here) -> None:
    """The diff alone writes nothing; --write changes only drifted values; a second finds none."""
    change(remote, "0001", name="No", tags=("a", "c"))
    change(remote, "2", name="Parka", tags=("kept out",))
    done = here("pull", "--detailed-exitcode")
    assert done.code == 2
    assert '+    name: "No"' in done.out.splitlines()
    assert "2 changed, 0 added, 0 removed, in 1 file" in done.err
    assert content(catalog) == {"all.yaml": PRODUCTS}

    (catalog / "all.yaml").chmod(0o640)
    done = here("pull", "--write")
    assert (done.code, done.err) == (0, "")
    assert done.out == "Products: 2 changed, 0 added, 0 removed, in 1 file.\n"
    expected = PRODUCTS.replace("name: Shirt", 'name: "No"').replace("[b, a]", "[a, c]")
    assert content(catalog) == {"all.yaml": expected.replace("name: Coat", "name: Parka")}
    assert (catalog / "all.yaml").stat().st_mode & 0o777 == 0o640
    assert here("pull", "--write", "--detailed-exitcode").code == 0
    assert here("plan", "--detailed-exitcode").code == 0


def test_undeclared_products_get_files(catalog: Path, remote: Sandbox, here: Here) -> None:
    """What nothing declares gets a file named from its handle, in canonical form."""
    remote.store.seed(
        [
            {"store_id": "9", "name": "Scarf", "tags": ["z", "a"]},
            {"store_id": "8", "name": "Scarf", "tags": []},
            {"store_id": 10, "name": "12:30", "handle": "../../up"},
        ]
    )
    assert here("pull", "--write").code == 0
    assert content(catalog) == {
        "all.yaml": PRODUCTS,
        "scarf.yaml": "store_id: 8\nname: Scarf\ntags: []\n",
        "scarf-9.yaml": "store_id: 9\nname: Scarf\ntags: [a, z]\n",
        "up.yaml": 'store_id: 10\nname: "12:30"\ntags: []\n',
    }
    assert here("plan", "--detailed-exitcode").code == 0
    made = [f"catalog/{name}" for name in content(catalog) if name != "all.yaml"]
    assert here("fmt", "--check", *made).code == 0


def test_a_pull_leaves_files_in_form(catalog: Path, remote: Sandbox, here: Here) -> None:
    """Files in canonical form still are after a pull, whatever it changes in them and adds."""
    long = tuple(f"a tag with a long name {number}" for number in range(5))
    (catalog / "all.yaml").write_text(
        PRODUCTS.replace("[b, a]", "# why\n      - b\n      - a\n")
        + "  - {store_id: 3, name: Hat, tags: []}\n  - {store_id: 4, name: Cap, tags: [x]}\n",
        encoding="utf-8",
    )
    assert here("fmt").code == 0
    assert here("apply", "--yes").code == 0
    change(remote, "0001", name='"two"\nlines', tags=("a", "c"))
    change(remote, "2", name="No")
    change(remote, "3", tags=long)
    change(remote, "4", name="12:30", tags=("0123", "x"))
    remote.store.seed([{"store_id": "9", "name": "Scarf", "tags": [*long]}])
    assert here("pull", "--write", "--into", "catalog/all.yaml").code == 0
    assert here("fmt", "--check").code == 0
    change(remote, "3", tags=("y",))
    assert here("pull", "--write").code == 0
    assert here("fmt", "--check").code == 0


def test_undeclared_products_go_into_one_file(catalog: Path, remote: Sandbox, here: Here) -> None:
    """With --into they are appended to that file, or it is made; defaults are overridden."""
    remote.store.seed([{"store_id": "9", "name": "Scarf", "tags": []}])
    (catalog / "_defaults.yaml").write_text("tags: [winter]\n")
    change(remote, "2", tags=("winter",))
    assert here("pull", "--write", "--into", "catalog/all.yaml").code == 0
    appendix = "\n  - store_id: 9\n    name: Scarf\n    tags: []\n"
    assert content(catalog)["all.yaml"] == PRODUCTS + appendix
    remote.store.seed([{"store_id": "10", "name": "Hat"}])
    assert here("pull", "--write", "--into", "catalog/sub/new.yaml").code == 0
    made = "products:\n  - store_id: 10\n    name: Hat\n    tags: []\n"
    assert content(catalog)["sub/new.yaml"] == made
    assert here("plan", "--detailed-exitcode").code == 0


@pytest.mark.parametrize(
    "into", ["elsewhere.yaml", "catalog/x.txt", "catalog/_x.yaml", "catalog/../x.yaml", "catalog"]
)
def test_into_names_a_file_of_the_catalogue(
    into: str, catalog: Path, remote: Sandbox, here: Here
) -> None:
    """A file that no catalogue reads is refused before anything else happens."""
    done = here("pull", "--into", into, "--write")
    assert done.code == 1
    assert into in done.err
    assert content(catalog) == {"all.yaml": PRODUCTS}


def test_prune_removes_what_is_gone(catalog: Path, remote: Sandbox, here: Here) -> None:
    """Only with --prune are declared products removed that the remote lacks."""
    row = remote.store.row("0001")
    remote.store.delete(str(row.id if row else None))
    assert here("pull", "--detailed-exitcode").code == 0
    assert here("pull", "--prune", "--write").code == 0
    start, end = PRODUCTS.index("  # first"), PRODUCTS.index("  - {store_id: 2")
    assert content(catalog) == {"all.yaml": PRODUCTS[:start] + PRODUCTS[end:]}
    row = remote.store.row("2")
    remote.store.delete(str(row.id if row else None))
    done = here("pull", "--prune")
    assert "+++ /dev/null" in done.out
    assert here("pull", "--prune", "--write").code == 0
    assert content(catalog) == {}


def test_a_pending_rename_is_kept(catalog: Path, remote: Sandbox, here: Here) -> None:
    """A product that is renamed by the next apply is neither gone nor new; its drift is pulled."""
    renamed = PRODUCTS.replace("{store_id: 2, ", "{store_id: 3, renamed_from: 2, ")
    (catalog / "all.yaml").write_text(renamed)
    change(remote, "2", name="Parka")
    assert here("pull", "--prune", "--write").code == 0
    assert content(catalog) == {"all.yaml": renamed.replace("name: Coat", "name: Parka")}


def test_what_no_catalogue_can_hold_is_left_out(catalog: Path, remote: Sandbox, here: Here) -> None:
    """Blank and missing values, duplicates and products without store_id are told."""
    change(remote, "0001", tags=("a", ""))
    remote.store.seed(
        [
            {"store_id": "9", "name": "Twin"},
            {"store_id": "9", "name": "Twin"},
            {"store_id": None, "name": "Nameless"},
            {"store_id": "11", "name": "a\u0007b"},
            {"store_id": " 12", "name": "Padded id"},
        ]
    )
    remote.store.insert([{"store_id": "13", "name": None}])
    done = here("pull", "--detailed-exitcode")
    assert (done.code, done.out) == (0, "")
    for told in (
        "remote tags of 0001 hold one that is blank",
        "more than one product with the store_id 9: left out",
        "1 remote product has no store_id",
        "remote name of '11' holds the control character U+0007",
        "remote store_id of ' 12' begins or ends",
        "remote name of '13' is missing",
    ):
        assert told in done.err


def test_what_is_padded_is_pulled_trimmed(catalog: Path, remote: Sandbox, here: Here) -> None:
    """White space around a remote name or tag leaves nothing out, and comes into no file."""
    change(remote, "2", name="\u00a0Parka \n", tags=(" a", "a"))
    remote.store.seed([{"store_id": "9", "name": " Hat ", "tags": ("new ",)}])
    assert here("pull", "--write").code == 0
    assert "name: Parka" in content(catalog)["all.yaml"]
    assert content(catalog)["hat.yaml"].endswith("store_id: 9\nname: Hat\ntags: [new]\n")
    assert here("validate").code == 0
    # The remote is as it was, so the files are not pulled anew.
    assert here("pull", "--detailed-exitcode").code == 0


def test_what_cannot_be_pulled_is_not_deleted(catalog: Path, remote: Sandbox, here: Here) -> None:
    """A product that no file can hold is blocked under any `prune`, so a pull is never a trap."""
    remote.store.seed([{"store_id": "11", "name": "a\u0007b"}, {"store_id": " 12", "name": "A"}])
    remote.store.insert([{"store_id": "13", "name": None}])
    done = here("plan", "--format", "json")
    plan = json.loads(done.out)
    assert plan["changes"] == []
    found = [(block["store_id"], block["reason"]) for block in plan["blocked"]]
    assert found == [(" 12", "not_writable"), ("11", "not_writable"), ("13", "not_writable")]


def test_faults_stop_a_pull(catalog: Path, remote: Sandbox, here: Here) -> None:
    """A catalogue with errors is not edited; the errors are told with their places."""
    change(remote, "2", name="Parka")
    (catalog / "bad.yaml").write_text("store_id: 5\n")
    done = here("pull", "--write")
    assert done.code == 1
    assert "catalog/bad.yaml:1:1" in done.err
    assert content(catalog)["all.yaml"] == PRODUCTS


def test_one_refusal_writes_nothing(catalog: Path, remote: Sandbox, here: Here) -> None:
    """Where one product cannot be edited, the other files are not written either."""
    merged = "products:\n- &a\n  store_id: 4\n  name: A\n- <<: *a\n  store_id: 5\n"
    (catalog / "merged.yaml").write_text(merged)
    remote.store.seed([{"store_id": "5", "name": "A"}])
    change(remote, "2", name="Parka")
    done = here("pull", "--write", "--prune")
    assert done.code == 1
    assert "catalog/merged.yaml:3:3: error: 4 cannot be edited" in done.err
    assert content(catalog) == {"all.yaml": PRODUCTS, "merged.yaml": merged}


def test_files_behind_links_are_written_where_they_are(
    catalog: Path, remote: Sandbox, here: Here
) -> None:
    """A link within the catalogue stays a link."""
    (catalog / "_parts").mkdir()
    (catalog / "all.yaml").rename(catalog / "_parts" / "all.yaml")
    (catalog / "all.yaml").symlink_to("_parts/all.yaml")
    change(remote, "2", name="Parka")
    assert here("pull", "--write").code == 0
    assert (catalog / "all.yaml").is_symlink()
    assert "name: Parka" in (catalog / "_parts" / "all.yaml").read_text()


def test_the_sandbox_can_be_pulled(catalog: Path, here: Here) -> None:
    """--sandbox pulls from the embedded server without a key."""
    assert here("apply", "--sandbox", "--yes").code == 0
    done = here("pull", "--sandbox", "--detailed-exitcode")
    assert (done.code, done.out) == (0, "")


def test_pulled_from_inside_the_catalogue(
    catalog: Path, remote: Sandbox, here: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a folder of the catalogue, drift is edited where it stands and new products go to --into.

    Defaults of the folders above count there too.
    """
    (catalog / "_defaults.yaml").write_text("tags: [b]\n")
    (catalog / "sub").mkdir()
    (catalog / "sub" / "coat.yaml").write_text("store_id: 2\nname: Coat\n")
    (catalog / "all.yaml").write_text(PRODUCTS.replace("  - {store_id: 2, name: Coat}\n", ""))
    monkeypatch.chdir(catalog / "sub")
    change(remote, "2", name="Warm coat", tags=("b",))
    remote.store.create({"store_id": "3", "name": "Hat"})
    done = here("pull", "--write", "--catalog", "..", "--into", "new.yaml")
    assert (done.code, (catalog / "sub" / "coat.yaml").read_text()) == (
        0,
        "store_id: 2\nname: Warm coat\n",
    )
    assert "Hat" in (catalog / "sub" / "new.yaml").read_text()
