"""Every format: an export goes in, the catalogue holds its garments, and again changes nothing."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.authoring.imports.registry import EXPORT_FORMATS
from reconciler.catalog.read import load_catalog
from reconciler.model import EXPORT_NAMES
from reconciler.sandbox.server import Sandbox
from tests.commands.here import Here

from .samples import COAT_IMAGE, SAMPLES, SHIRT_IMAGE, Sample, settings_of

IDS = [f"{sample.format} {sample.file}" for sample in SAMPLES]


def put(folder: Path, sample: Sample, text: str | None = None) -> None:
    """Write the export and its settings."""
    (folder / sample.file).write_text(sample.text if text is None else text, encoding="utf-8")
    (folder / "reconciler.yaml").write_text(settings_of(sample), encoding="utf-8")


@pytest.mark.parametrize("sample", SAMPLES, ids=IDS)
def test_an_export_becomes_a_catalogue(folder: Path, here: Here, sample: Sample) -> None:
    """Variants are one product, with name, tags, type and first image; again changes nothing."""
    put(folder, sample)
    done = here("import", "shop", sample.file, "--write", "--into", "catalog/all.yaml")
    assert (done.code, done.out) == (0, "Products: 0 changed, 2 added, 0 removed, in 1 file.\n")
    assert f"Read as {sample.format}" in done.err
    catalog = load_catalog(folder / "catalog", working_folder=folder)
    shirt, coat = (catalog.products[store_id] for store_id in sample.ids)
    assert len(catalog.products) == 2
    assert (shirt.name, coat.name) == (sample.name, "Wool coat")
    tags = None if sample.tags is None else ("linen", "summer")
    assert shirt.value("tags") == tags
    assert [product.value("type") for product in (shirt, coat)] == ["top", "coat"]
    images = [str(product.value("image_url")) for product in (shirt, coat)]
    if sample.base:
        assert all(image.startswith(f"{sample.base}/") for image in images)
        assert [image[-9:].strip("/") for image in images] == ["shirt.jpg", "coat.jpg"]
    else:
        assert images == [SHIRT_IMAGE, COAT_IMAGE]
    again = here("import", "shop", sample.file, "--prune", "--renames", "--detailed-exitcode")
    assert (again.code, again.out) == (0, "")
    assert "There is nothing to import" in again.err


@pytest.mark.parametrize("sample", SAMPLES, ids=IDS)
def test_a_changed_export_changes_only_its_lines(folder: Path, here: Here, sample: Sample) -> None:
    """A new name is one changed line; comments, order and fields of the shop's own stay."""
    put(folder, sample)
    assert here("import", "shop", sample.file, "--write", "--into", "catalog/all.yaml").code == 0
    file = folder / "catalog" / "all.yaml"
    text = "# ours\n" + file.read_text(encoding="utf-8").replace(
        "name: Wool coat", "name: Wool coat   # warm"
    )
    file.write_text(text, encoding="utf-8")
    put(folder, sample, sample.text.replace("Wool coat", "Wool parka"))
    assert here("import", "shop", sample.file, "--write").code == 0
    assert file.read_text(encoding="utf-8") == text.replace("Wool coat", "Wool parka")
    assert here("validate").code == 0


@pytest.fixture(scope="module")
def remote() -> Iterator[Sandbox]:
    """A remote that every format is applied to in turn."""
    with Sandbox() as sandbox:
        yield sandbox


@pytest.mark.parametrize("sample", SAMPLES, ids=IDS)
def test_what_was_imported_can_be_applied(
    folder: Path, here: Here, remote: Sandbox, sample: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the shop's file to a remote that equals it: import, validate, plan, apply, no change."""
    monkeypatch.setenv("ROBOSIZE_API_URL", remote.url)
    monkeypatch.setenv("ROBOSIZE_API_KEY", "demo-key")
    put(folder, sample)
    assert here("import", "shop", sample.file, "--write").code == 0
    assert len([*(folder / "catalog").iterdir()]) == 2
    assert "no findings" in here("validate").out.lower()
    assert here("plan", "--detailed-exitcode", "--prune", "none").code == 2
    assert here("apply", "--yes", "--prune", "none").code == 0
    assert here("plan", "--detailed-exitcode", "--prune", "none").code == 0
    remote.store.clear()


def test_the_registry_has_every_format() -> None:
    """The names in settings and help are those that can be read."""
    assert tuple(EXPORT_FORMATS) == EXPORT_NAMES
