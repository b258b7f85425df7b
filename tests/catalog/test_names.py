"""What files are called, whichever way the catalogue and the working folder are spelled."""

from pathlib import Path

import pytest

from reconciler.catalog.read import load_catalog
from reconciler.errors import CatalogError
from reconciler.model import Names


@pytest.mark.parametrize(
    ("root", "within", "names"),
    [
        ("catalog", "", {"a.yaml": "catalog/a.yaml", "b/c.yaml": "catalog/b/c.yaml"}),
        (".", "", {"a.yaml": "a.yaml", "b/c.yaml": "b/c.yaml"}),
        ("", "", {"a.yaml": "a.yaml"}),
        ("../shop", "", {"a.yaml": "../shop/a.yaml"}),
        ("..", "b", {"a.yaml": "../a.yaml", "b/c.yaml": "c.yaml", "bb/c.yaml": "../bb/c.yaml"}),
        ("../..", "b/c", {"b/a.yaml": "../a.yaml", "b/c/d.yaml": "d.yaml"}),
    ],
)
def test_names_and_back(root: str, within: str, names: dict[str, str]) -> None:
    """A file's name leads from the working folder to it, and back to its place in the catalogue."""
    called = Names(root, within)
    assert called.of("") == (root or ".")
    assert {below: called.of(below) for below in names} == names
    assert {called.below(name): name for name in names.values()} == names


@pytest.mark.parametrize(
    ("root", "within", "name"),
    [("catalog", "", "catalogue/a.yaml"), ("..", "b", "../../x/a.yaml"), ("..", "b", "..")],
)
def test_names_of_other_files(root: str, within: str, name: str) -> None:
    """A name that leads past the catalogue, or to its folder itself, is none of its files'."""
    assert Names(root, within).below(name) is None


@pytest.fixture
def catalog(tmp_path: Path) -> Path:
    """A catalogue with defaults at its top, a product in a folder, and one beside that folder."""
    folder = tmp_path / "catalog"
    (folder / "sub").mkdir(parents=True)
    (folder / "_defaults.yaml").write_text("type: top\n")
    (folder / "b.yaml").write_text("store_id: b\nname: B\n")
    (folder / "sub" / "a.yaml").write_text("store_id: a\nname: A\n")
    return folder


def test_a_working_folder_inside_the_catalogue(catalog: Path) -> None:
    """Files below the working folder are named from there; defaults and digest are the same."""
    inside = load_catalog(Path(".."), working_folder=catalog / "sub")
    assert inside.files == ("../_defaults.yaml", "../b.yaml", "a.yaml")
    assert inside.products["a"].file == "a.yaml"
    assert inside.products["a"].value("type") == "top"
    assert inside.digest == load_catalog(catalog).digest


def test_a_catalogue_named_through_a_link(catalog: Path) -> None:
    """An absolute path through a link is named by where it leads, where that is nearer."""
    other = catalog.parent.with_name("other")
    other.symlink_to(catalog.parent)
    assert load_catalog(other / "catalog", working_folder=catalog.parent).files == (
        "catalog/_defaults.yaml",
        "catalog/b.yaml",
        "catalog/sub/a.yaml",
    )


def test_faults_inside_the_working_folder(catalog: Path) -> None:
    """What is wrong is told by the same names: of a product, of a link, of a second default."""
    (catalog / "sub" / "c.yaml").write_text("store_id: a\n")
    (catalog / "sub" / "d.yaml").symlink_to("nowhere")
    (catalog / "sub" / "_defaults.yaml").write_text("type: x\n")
    (catalog / "sub" / "_defaults.yml").write_text("type: x\n")
    with pytest.raises(CatalogError) as caught:
        load_catalog(Path(".."), working_folder=catalog / "sub")
    findings = caught.value.findings
    assert [f.location.file for f in findings if f.location] == [
        "_defaults.yml",
        "c.yaml",
        "c.yaml",
        "d.yaml",
    ]
    assert "in _defaults.yaml." in findings[0].message
