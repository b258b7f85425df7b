"""Which files are read, links, what cannot be read, and the three ways in."""

import gc
import os
from pathlib import Path

import pytest

from reconciler.catalog.files import belongs
from reconciler.catalog.read import load_catalog, load_sources
from reconciler.errors import CatalogError
from reconciler.model import Finding, Location
from tests.catalog.reading import check_catalog


def product(store_id: str) -> str:
    """One product as a file."""
    return f"store_id: '{store_id}'\nname: x{store_id}\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A catalogue folder `catalog` in a working folder."""
    made = tmp_path / "catalog"
    made.mkdir()
    return made


def write(folder: Path, files: dict[str, str]) -> None:
    """Write files below `folder`."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def codes(findings: tuple[Finding, ...]) -> list[tuple[str, str]]:
    """The code and place of each finding."""
    return [(str(finding.code), str(finding.location)) for finding in findings]


def test_names(folder: Path) -> None:
    """Both suffixes count at any depth; names that begin with a dot or underscore do not."""
    write(
        folder,
        {
            "b.yaml": product("b"),
            "a.yml": product("a"),
            "deep/er/c.yaml": product("c"),
            "named.yaml/d.yaml": product("d"),
            "_draft.yaml": "[",
            ".hidden.yaml": "[",
            "_old/e.yaml": "[",
            ".git/e.yaml": "[",
            "notes.txt": "[",
            "data.json": "[",
        },
    )
    catalog = load_catalog(folder, working_folder=folder.parent)
    assert list(catalog.products) == ["a", "b", "c", "d"]
    assert catalog.files == (
        "catalog/a.yml",
        "catalog/b.yaml",
        "catalog/deep/er/c.yaml",
        "catalog/named.yaml/d.yaml",
    )
    assert catalog.names.root == "catalog"
    assert catalog.products["c"].location == Location("catalog/deep/er/c.yaml", 1, 1)
    for name in ("_draft.yaml", ".git/e.yaml", "_old/_defaults.yaml", "notes.txt"):
        assert not belongs(name)
    assert belongs("deep/_defaults.yaml")


def test_named_from_the_working_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Names lead from the working folder to the file, wherever both are."""
    write(folder, {"a/b.yaml": product("1")})
    assert load_catalog(folder, working_folder=folder / "x").files == ("../a/b.yaml",)
    assert load_catalog(Path(), working_folder=folder).files == ("a/b.yaml",)
    assert load_catalog(Path(), working_folder=folder).names.root == "."
    monkeypatch.chdir(folder.parent)
    assert load_catalog(Path("catalog")).files == ("catalog/a/b.yaml",)
    assert codes(check_catalog(Path("catalog"), [Path("none.yaml")])) == [
        ("unreadable_file", "none.yaml:1:1")
    ]


def test_missing_folder(folder: Path) -> None:
    """A catalogue that is not there is an error with a remedy; an empty folder is a catalogue."""
    for name, words in (("none", "does not exist"), ("file", "is not a folder")):
        (folder.parent / "file").touch()
        with pytest.raises(CatalogError) as caught:
            load_catalog(Path(name), working_folder=folder.parent)
        assert codes(caught.value.findings) == [("no_catalog", f"{name}:1:1")]
        assert words in caught.value.findings[0].message
        found = check_catalog(Path(name), [folder], working_folder=folder.parent)
        assert found == caught.value.findings
    assert load_catalog(folder).products == {}


def test_digest(folder: Path) -> None:
    """The digest follows names and bytes, and is the same however the files were read."""
    write(folder, {"a.yaml": product("1"), "b/_defaults.yaml": "type: x", "b/c.yaml": product("2")})
    catalog = load_catalog(folder, working_folder=folder.parent)
    sources = [
        (path.relative_to(folder.parent).as_posix(), path.read_bytes())
        for path in folder.rglob("*.yaml")
    ]
    extra = [("README.md", b"x"), ("catalog/_x.yaml", b"["), ("other/y.yaml", b"[")]
    again = load_sources([*sources, *extra], root="catalog")
    assert again == catalog
    assert load_catalog(folder, working_folder=folder).digest == catalog.digest
    (folder / "a.yaml").write_text(product("1") + "# a comment\n")
    assert load_catalog(folder).digest != catalog.digest
    (folder / "a.yaml").write_text(product("1"))
    assert load_catalog(folder).digest == catalog.digest
    (folder / "a.yaml").rename(folder / "z.yaml")
    assert load_catalog(folder).digest != catalog.digest


def test_links_inside(folder: Path) -> None:
    """Links inside the catalogue are legal, nothing is read twice, and rings of links end."""
    write(
        folder,
        {
            "a.yaml": product("a"),
            "men/_defaults.yaml": "type: x",
            "men/b.yaml": product("b"),
            "_shared/c.yaml": product("c"),
            "_shared/sub/d.yaml": product("d"),
            "women/e.yaml": product("e"),
        },
    )
    (folder / "again.yaml").symlink_to("a.yaml")
    (folder / "c1.yaml").symlink_to("_shared/c.yaml")
    (folder / "c2.yaml").symlink_to("_shared/c.yaml")
    (folder / "ring").symlink_to(".")
    (folder / "men" / "up").symlink_to("..")
    (folder / "sub").symlink_to("_shared/sub")
    (folder / "shared").symlink_to("_shared")
    (folder / "women" / "_defaults.yaml").symlink_to("../men/_defaults.yaml")
    (folder / "gone").symlink_to("nowhere")
    (folder / "readme.txt").symlink_to(__file__)
    (folder / "_hidden.yaml").symlink_to(__file__)
    catalog = load_catalog(folder, working_folder=folder)
    assert catalog.files == (
        "a.yaml",
        "c1.yaml",
        "men/_defaults.yaml",
        "men/b.yaml",
        "shared/sub/d.yaml",
        "women/_defaults.yaml",
        "women/e.yaml",
    )
    assert catalog.products["e"].value("type") == "x"


def test_links_outside(folder: Path) -> None:
    """A link that leaves the catalogue is an error, to a file or a folder, in one step or two."""
    outside = folder.parent / "outside"
    write(outside, {"x.yaml": product("x")})
    write(folder, {"ok.yaml": product("ok")})
    (folder / "a.yaml").symlink_to(outside / "x.yaml")
    (folder / "b").symlink_to(outside)
    (folder / "c.yaml").symlink_to("b/x.yaml")
    (folder / "_defaults.yaml").symlink_to(outside / "x.yaml")
    (folder / "d.yaml").symlink_to("nowhere")
    (folder / "e.yaml").symlink_to("e.yaml")
    assert codes(check_catalog(folder, working_folder=folder)) == [
        ("outside_catalog", "_defaults.yaml:1:1"),
        ("outside_catalog", "a.yaml:1:1"),
        ("outside_catalog", "b:1:1"),
        ("outside_catalog", "c.yaml:1:1"),
        ("unreadable_file", "d.yaml:1:1"),
        ("unreadable_file", "e.yaml:1:1"),
    ]


def test_linked_catalogue(folder: Path) -> None:
    """The catalogue's folder may be a link itself."""
    write(folder, {"a.yaml": product("1")})
    (folder.parent / "link").symlink_to("catalog")
    catalog = load_catalog(Path("link"), working_folder=folder.parent)
    assert catalog.files == ("link/a.yaml",)


def test_special_files(folder: Path) -> None:
    """A pipe is an error and keeps nobody waiting."""
    os.mkfifo(folder / "pipe.yaml")
    assert codes(check_catalog(folder, working_folder=folder)) == [
        ("unreadable_file", "pipe.yaml:1:1")
    ]


def test_refused_by_the_system(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files and folders that the system will not open are told, with its reason."""
    write(folder, {"a.yaml": product("1"), "b.yaml": product("2"), "c/d.yaml": product("3")})
    plain_open, plain_scan = os.open, os.scandir

    def guarded_open(path: str, flags: int) -> int:
        if path.endswith("a.yaml"):
            raise PermissionError(13, "Permission denied")
        if path.endswith("b.yaml"):
            raise OSError("no reason")
        return plain_open(path, flags)

    def guarded_scan(path: Path) -> object:
        if path.name == "c":
            raise PermissionError(13, "Permission denied")
        return plain_scan(path)

    monkeypatch.setattr(os, "open", guarded_open)
    monkeypatch.setattr(os, "scandir", guarded_scan)
    found = check_catalog(folder, working_folder=folder)
    assert codes(found) == [
        ("unreadable_file", "a.yaml:1:1"),
        ("unreadable_file", "b.yaml:1:1"),
        ("unreadable_file", "c:1:1"),
    ]
    assert "Permission denied" in found[0].message


def test_size(folder: Path) -> None:
    """A file above the limit is not read whole, and other files are."""
    write(folder, {"a.yaml": product("1"), "b.yaml": "#" * 100, "c.yaml": "store_id: ~"})
    found = check_catalog(folder, working_folder=folder, max_bytes=50)
    assert [str(finding.code) for finding in found] == [
        "file_too_large",
        "missing_field",
        "empty_value",
    ]


def test_names_that_are_no_text(folder: Path) -> None:
    """A file name that is not UTF-8 can be printed and read."""
    try:
        (folder / os.fsdecode(b"\xff.yaml")).write_text(product("1"))
    except OSError:
        pytest.skip("this file system takes UTF-8 names only")
    assert load_catalog(folder, working_folder=folder).files == ("\ufffd.yaml",)


def test_only_some_paths(folder: Path) -> None:
    """Findings are limited to the paths asked for, and what contradicts them elsewhere."""
    write(
        folder,
        {
            "a.yaml": product("1") + "brand: x",
            "b.yaml": product("2") + "brand: x",
            "c/d.yaml": product("1") + "brand: x",
            "c/_defaults.yaml": "brand: x",
        },
    )
    working = folder.parent

    def checked(*paths: str) -> list[tuple[str, str]]:
        return codes(check_catalog(folder, map(Path, paths), working_folder=working))

    twice = ("duplicate_store_id", "catalog/c/d.yaml:1:11")
    assert checked("catalog/b.yaml") == [("unknown_field", "catalog/b.yaml:3:1")]
    assert checked("catalog/a.yaml") == [("unknown_field", "catalog/a.yaml:3:1"), twice]
    assert checked("catalog/c") == [
        ("unknown_field", "catalog/c/_defaults.yaml:1:1"),
        twice,
        ("unknown_field", "catalog/c/d.yaml:3:1"),
    ]
    assert len(checked("catalog")) == len(checked(".")) - 1 == 5
    assert checked(str(folder / "b.yaml")) == [("unknown_field", "catalog/b.yaml:3:1")]


def test_paths_that_are_no_part(folder: Path) -> None:
    """A path that is not there, or not in the catalogue, is told rather than passed over."""
    write(folder, {"a.yaml": product("1"), "_draft.yaml": "["})
    write(folder.parent, {"other.yaml": product("1")})
    paths = [Path("none.yaml"), Path("other.yaml"), Path("catalog/_draft.yaml")]
    assert codes(check_catalog(folder, paths, working_folder=folder.parent)) == [
        ("outside_catalog", "catalog/_draft.yaml:1:1"),
        ("unreadable_file", "none.yaml:1:1"),
        ("outside_catalog", "other.yaml:1:1"),
    ]


def test_warnings_do_not_stop(folder: Path) -> None:
    """A catalogue with warnings alone is loaded, with the warnings."""
    write(folder, {"a.yaml": product("1") + "tags: [A, a]"})
    catalog = load_catalog(folder, working_folder=folder)
    assert codes(catalog.warnings) == [("tags_differ_in_case", "a.yaml:3:11")]
    assert check_catalog(folder, working_folder=folder) == catalog.warnings


def test_progress_and_collector(folder: Path) -> None:
    """Progress counts products as they are read; garbage collection is as it was before."""
    write(folder, {"a.yaml": product("1"), "_defaults.yaml": "type: x", "b.yaml": product("2")})
    seen: list[int] = []
    states: list[bool] = []

    def progress(count: int) -> None:
        seen.append(count)
        states.append(gc.isenabled())

    load_catalog(folder, progress=progress)
    assert seen == [1, 2]
    assert states == [False] * 2
    assert gc.isenabled()
    gc.disable()
    try:
        load_catalog(folder)
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_a_file_that_grows_is_read_to_its_end(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that holds more than it says, as one that is being written does, is read whole."""
    write(folder, {"a.yaml": product("1")})
    plain = os.read
    monkeypatch.setattr(os, "read", lambda descriptor, size: plain(descriptor, min(size, 7)))
    assert [*load_catalog(folder, working_folder=folder).products] == ["1"]
