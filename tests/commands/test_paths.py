"""PATHs of `validate` and `fmt`: a fault is shown however path and catalogue are spelled."""

import os
from pathlib import Path

import pytest

from .here import Here

FAULTY = "store_id: a\nname: A\nbrand: x\n"
FAULT = "Unknown field 'brand'"


@pytest.fixture
def catalog(folder: Path) -> Path:
    """A catalogue with a faulty file in a folder, and a sound one beside it."""
    (folder / "catalog" / "sub").mkdir(parents=True)
    (folder / "catalog" / "sub" / "a.yaml").write_text(FAULTY)
    (folder / "catalog" / "b.yaml").write_text("store_id: b\nname:   B\n")
    return folder / "catalog"


@pytest.mark.parametrize("command", ["validate", "fmt"])
@pytest.mark.parametrize("path", ["a.yaml", ".", "../sub/a.yaml", "../sub", "../../catalog", ".."])
def test_from_inside_the_catalogue(
    command: str, path: str, catalog: Path, here: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a folder of the catalogue a fault is shown for every spelling, with the short name."""
    monkeypatch.chdir(catalog / "sub")
    done = here(command, "--catalog", "..", path)
    assert done.code == 1
    assert f"a.yaml:3:1: error: {FAULT}" in done.out + done.err
    assert "sub/a.yaml" not in done.out + done.err


@pytest.mark.parametrize("command", ["validate", "fmt"])
@pytest.mark.parametrize("absolute", ["path", "catalog", "both"])
def test_through_a_link_to_the_working_folder(
    command: str, absolute: str, catalog: Path, here: Here
) -> None:
    """Absolute spellings through a link to the working folder mean the files that are there."""
    link = catalog.parent.with_name(f"{catalog.parent.name}-link")
    link.symlink_to(catalog.parent)
    path = "catalog/sub" if absolute == "catalog" else str(link / "catalog" / "sub" / "a.yaml")
    more = () if absolute == "path" else ("--catalog", str(link / "catalog"))
    done = here(command, path, *more)
    assert done.code == 1
    assert f"catalog/sub/a.yaml:3:1: error: {FAULT}" in done.out + done.err
    assert link.name not in done.out + done.err


@pytest.mark.parametrize("command", ["validate", "fmt"])
@pytest.mark.parametrize("path", ["catalog/sub/z.yaml", "catalog/again", "catalog/again/a.yaml"])
def test_a_link_inside_the_catalogue(command: str, path: str, catalog: Path, here: Here) -> None:
    """A link that is not read under its own name means the file that it leads to."""
    (catalog / "sub" / "z.yaml").symlink_to("a.yaml")
    (catalog / "again").symlink_to("sub")
    done = here(command, path)
    assert done.code == 1
    assert f"catalog/sub/a.yaml:3:1: error: {FAULT}" in done.out + done.err


def test_a_link_that_leaves_the_catalogue(catalog: Path, here: Here) -> None:
    """Named itself, it is told as a link of the catalogue, not read as a catalogue elsewhere."""
    (catalog.parent / "other.yaml").write_text("store_id: o\nname: O\n")
    (catalog / "sub" / "z.yaml").symlink_to("../../other.yaml")
    done = here("validate", "catalog/sub/z.yaml")
    assert done.code == 1
    assert "catalog/sub/z.yaml:1:1: error: The link leaves the catalogue." in done.out


def test_only_the_file_that_was_named_is_formatted(
    catalog: Path, here: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From inside the catalogue `fmt` writes the named file and calls it by its short name."""
    (catalog / "sub" / "a.yaml").write_text("name: A\nstore_id: a\n")
    monkeypatch.chdir(catalog / "sub")
    done = here("fmt", "--catalog", "..", "./a.yaml")
    assert (done.code, done.out) == (0, "a.yaml\n")
    assert (catalog / "b.yaml").read_text() == "store_id: b\nname:   B\n"


def test_a_name_that_is_no_text(catalog: Path, here: Here) -> None:
    """A file whose name is not UTF-8 is found by that name."""
    name = os.fsdecode(b"\xff.yaml")
    try:
        (catalog / name).write_text(FAULTY)
    except OSError:
        pytest.skip("this file system takes UTF-8 names only")
    done = here("validate", f"catalog/{name}")
    assert (done.code, FAULT in done.out) == (1, True)


@pytest.mark.parametrize("command", ["validate", "fmt"])
@pytest.mark.parametrize(
    "name", ["up.YAML", "_h.yaml", ".h.yaml", "notes.txt", "_drafts/a.yaml", "_drafts", ".d/e"]
)
def test_what_the_catalogue_does_not_read(
    command: str, name: str, catalog: Path, here: Here
) -> None:
    """A path in the catalogue's folder that is not read is an error that says so, never silence."""
    (catalog / "sub" / "a.yaml").unlink()
    path = catalog / name
    path.parent.mkdir(exist_ok=True)
    path.mkdir() if name == "_drafts" else path.write_text(FAULTY)
    done = here(command, f"catalog/{name}")
    assert done.code == 1
    told = f"catalog/{name}:1:1: error: Not part of the catalogue, so it was not checked"
    assert told in done.out + done.err


@pytest.mark.parametrize("command", ["validate", "fmt"])
def test_what_is_not_in_the_catalogue(
    command: str, catalog: Path, here: Here, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A file elsewhere that no catalogue reads is told, and its folder is not searched."""
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / "hosts").write_text("127.0.0.1 localhost\n")
    (elsewhere / "bad.yaml").write_text("[")
    done = here(command, str(elsewhere / "hosts"))
    assert done.code == 1
    assert "hosts:1:1: error: Not part of the catalogue" in done.out + done.err
    assert "bad.yaml" not in done.out + done.err


def test_what_is_read_is_no_fault(catalog: Path, here: Here) -> None:
    """Defaults, an empty folder, and a hidden file that a link brings in are the catalogue's."""
    (catalog / "sub" / "a.yaml").unlink()
    (catalog / "_defaults.yaml").write_text("type: top\n")
    (catalog / "_shared.yaml").write_text("store_id: s\nname: S\n")
    (catalog / "shared.yaml").symlink_to("_shared.yaml")
    for name, products in (("_defaults.yaml", 0), ("_shared.yaml", 1), ("shared.yaml", 1)):
        found = here("validate", f"catalog/{name}")
        assert found.code == 0
        assert found.out.startswith(f"{products} product")
        assert found.out.endswith("in 1 file: no findings.\n")
    empty = "Empty: there is no .yaml or .yml file below catalog/sub.\n"
    assert here("validate", "catalog/sub") == (0, empty, "")


@pytest.mark.parametrize("path", [".", "shops", "shops/de"])
def test_a_folder_of_catalogues_means_these(path: str, folder: Path, here: Here) -> None:
    """Other files, such as a store's settings, are no products; two shops may share an id."""
    (folder / "reconciler.yaml").write_text('include: ["shops/*/store.yaml"]\n')
    for shop in ("de", "fr"):
        (folder / "shops" / shop / "catalog").mkdir(parents=True)
        (folder / "shops" / shop / "store.yaml").write_text(f"api_key_env: {shop.upper()}\n")
        (folder / "shops" / shop / "catalog" / "a.yaml").write_text("store_id: a\nname: A\n")
    checked = 1 if path == "shops/de" else 2
    assert here("validate", path).out.startswith(f"{checked} product")
    assert here("fmt", "--check", path).code == 0
    (folder / "shops" / "de" / "catalog" / "a.yaml").write_text(FAULTY)
    for command in ("validate", "fmt"):
        done = here(command, path)
        assert f"shops/de/catalog/a.yaml:3:1: error: {FAULT}" in done.out + done.err
        assert "store.yaml" not in done.out + done.err


@pytest.mark.parametrize("path", ["reconciler.yaml", "shops/de/store.yaml"])
def test_settings_are_no_products(path: str, folder: Path, here: Here) -> None:
    """A file that settings are read from is not checked as a catalogue of its own."""
    (folder / "shops" / "de" / "catalog").mkdir(parents=True)
    (folder / "shops" / "de" / "store.yaml").write_text("api_key_env: DE\n")
    (folder / "reconciler.yaml").write_text('include: ["shops/*/store.yaml"]\n')
    done = here("validate", path)
    assert done.code == 1
    assert done.out.count("error: ") == 1
    assert "[outside_catalog]" in done.out
