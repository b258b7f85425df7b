"""The story of `import`: exports of a shop, as changes of the catalogue's files; offline."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from reconciler.authoring.folder import Folder
from reconciler.authoring.imports.compare import compare_export, report_lost_zeros
from reconciler.authoring.imports.export import (
    Column,
    ExportFaults,
    ExportFile,
    ExportFormat,
    ImportChoice,
)
from reconciler.authoring.imports.fold import Fold
from reconciler.authoring.imports.registry import EXPORT_FORMATS, format_of, look_at
from reconciler.authoring.imports.shopify_json import ids_by_handle
from reconciler.authoring.imports.values import ImportCounts, Imported, Reading
from reconciler.catalog.names import name_of, names_between
from reconciler.catalog.read import load_catalog
from reconciler.codes import Code
from reconciler.errors import ExportError, UnmatchedPattern, UsageError
from reconciler.interpreter import paused
from reconciler.model import Catalog, Finding, Record, glob
from reconciler.planning.hints import warning
from reconciler.progress import Progress
from reconciler.reconcile.files import Pulled, pulled_from, target_name
from reconciler.wording import did_you_mean, few

if TYPE_CHECKING:
    from reconciler.settings import Settings

_COUNTED: Final = 1_000
"""Rows between two reports of progress."""


@dataclass(frozen=True, slots=True)
class ImportRequest:
    """What an import is asked to do, beyond the choice of columns.

    `catalog` is the catalogue's folder and `working_folder` the one that names are relative to.
    """

    catalog: Path
    working_folder: Path
    into: Path | None = None
    prune: bool = False
    renames: bool = False


@dataclass(frozen=True, slots=True)
class ImportedFiles:
    """What an import would write, how its files were read, and the kinds that `types` lacks."""

    pulled: Pulled
    format: str
    delimiter: str | None
    rows: int
    products: int
    left_out: int
    unmapped: Mapping[str, int]


def choice_of(settings: "Settings", store: str | None, name: str | None) -> ImportChoice:
    """What the settings of a store say of the import called `name`; nothing if that is None."""
    if name is None:
        return ImportChoice()
    imports = settings.for_store(settings.store_name(store)).imports
    entry = imports[name]
    columns = dict(entry.map) | ({"store_id": entry.id} if entry.id else {})
    return ImportChoice(
        format=None if entry.format == "auto" else entry.format,
        columns={str(key): column for key, column in columns.items()},
        only=entry.only,
        types=entry.types,
        fields=entry.fields,
        image_base=entry.image_base,
    )


def with_ids(choice: ImportChoice, files: Sequence[Path], working_folder: Path) -> ImportChoice:
    """The choice, with the product ids by handle that Shopify's products.json gives."""
    if not files:
        return choice
    ids: dict[str, str] = {}
    for file in _looked_at(files, working_folder):
        if not EXPORT_FORMATS["shopify-json"].recognises(file):
            raise UsageError(
                f"{file.name} is not a products.json: --ids takes Shopify's products as JSON.",
                hint="Save https://YOUR-SHOP/products.json?limit=250&page=1, and further pages.",
            )
        ids |= ids_by_handle(file)
    return replace(choice, ids=ids)


def import_exports(
    files: Sequence[Path], choice: ImportChoice, request: ImportRequest, progress: Progress
) -> ImportedFiles:
    """The exports in `files`, as changes of the catalogue's files; nothing is written.

    All files are pages of one export. Raises ExportError with all that is wrong in them,
    CatalogError if the catalogue has errors, UsageError for a column that is not there.
    """
    folder, working = request.catalog, request.working_folder
    target = None if request.into is None else target_name(working, folder, request.into)
    faults = ExportFaults()
    # Rows make no cycles, and the collector would walk over all of them again and again.
    with paused():
        format, opened = _formats(files, choice, working)
        fold = Fold(faults, repeats=format.repeats)
        columns, delimiter = _read(opened, format, choice, fold, faults, progress)
        reading = Reading(format, choice, columns, faults)
        products = reading.products(fold.garments())
        catalog = _declared(folder, working)
        report_lost_zeros(catalog, products, faults)
        # All faults of all files at once, before anything is compared (P7).
        faults.check()
        counted = reading.counts
        _check_only(choice, counted)
        if not products:
            raise ExportError.at(opened[0].name, "The file has no products.")
        found = compare_export(catalog, products, choice.fields, renames=request.renames)
        found.warnings[:0] = _warnings(format, choice, catalog, products, counted)
        if not request.prune:
            found.gone = []
    # With the collector, which editing needs: a file's layout refers to itself.
    records: dict[str, Record] = {new.id: {"handle": products[new.id].handle} for new in found.new}
    pulled = pulled_from(found, Folder(catalog, folder, working), records, target)
    return ImportedFiles(
        pulled, format.name, delimiter, fold.rows, len(products), counted.left_out, counted.unmapped
    )


def _looked_at(files: Iterable[Path], working_folder: Path) -> Iterator[ExportFile]:
    for file in files:
        path = working_folder / file
        yield look_at(path, name_of(path, working_folder))


def _formats(
    files: Sequence[Path], choice: ImportChoice, working_folder: Path
) -> tuple[ExportFormat, list[ExportFile]]:
    """The one format of all files."""
    opened = list(_looked_at(files, working_folder))
    formats = [format_of(file, choice) for file in opened]
    for file, format in zip(opened, formats, strict=True):
        if format is not formats[0]:
            raise UsageError(
                f"{opened[0].name} is {formats[0].name}, and {file.name} is {format.name}.",
                hint="Import files of one format at a time.",
            )
    format = formats[0]
    if format.own_id is not None and choice.ids is None and "store_id" not in choice.columns:
        raise UsageError(f"{format.name} is not imported without ids.", hint=format.own_id)
    if choice.ids is not None and format.own_id is None:
        raise UsageError(
            f"--ids is for shopify-csv; {opened[0].name} is {format.name}, which has its own ids."
        )
    return format, opened


def _read(
    files: Sequence[ExportFile],
    format: ExportFormat,
    choice: ImportChoice,
    fold: Fold,
    faults: ExportFaults,
    progress: Progress,
) -> tuple[dict[str, Column], str | None]:
    """Fold the rows of all files; returns the columns by field, and the delimiter."""
    columns: dict[str, Column] = {}
    delimiter = None
    progress.start("Reading the export", None)
    for file in files:
        export = format.open(file, choice, faults)
        for _ in fold.take(file.name, export.columns, export.sightings):
            if not fold.rows % _COUNTED:
                progress.advance(_COUNTED)
        # All files are pages of one export: the first that has a column names it.
        columns = {**export.columns, **columns}
        delimiter = export.delimiter
    return columns, delimiter


def _check_only(choice: ImportChoice, counted: ImportCounts) -> None:
    """Raise UnmatchedPattern for a glob of `only` that no product matches."""
    for column, pattern in choice.only.items():
        seen: Counter[str] = counted.tested[column]
        # A glob that matches nothing would look like an export without products.
        if seen and not any(map(glob(pattern), seen)):
            values = [f"{value!r} ({count})" for value, count in seen.most_common(8)]
            meant = did_you_mean(pattern, seen)
            raise UnmatchedPattern(
                f"--only {column}={pattern} matches no product.",
                hint=f"{meant}{column} is {', '.join(values)}.",
            )


def _declared(folder: Path, working_folder: Path) -> Catalog:
    """The catalogue; an empty one if its folder is not there yet."""
    if folder.is_dir():
        return load_catalog(folder, working_folder=working_folder)
    return Catalog({}, names=names_between(folder, working_folder))


def _warnings(
    format: ExportFormat,
    choice: ImportChoice,
    catalog: Catalog,
    products: Mapping[str, Imported],
    counted: ImportCounts,
) -> Iterator[Finding]:
    """The warnings about the import as a whole."""
    if format.advice is not None and "store_id" not in choice.columns:
        yield warning(Code.UNLIKELY_ID, format.advice)
    if catalog.products and not _shares_an_id(catalog, products):
        message = (
            f"The export and the catalogue have no id in common: the export has "
            f"{few(list(products))}, the catalogue {few(list(catalog.products))}. Are the export's "
            "the ids that product pages pass?"
        )
        yield warning(Code.UNLIKELY_ID, message)
    if counted.images:
        store_id, problem, location = counted.images[0]
        more = f", and so for {len(counted.images) - 1} more" if len(counted.images) > 1 else ""
        base = "" if choice.image_base else " `image_base` in the settings completes relative ones."
        message = f"The image of {store_id} {problem}{more}: not imported.{base}"
        yield warning(Code.UNUSABLE_IMAGE, message, location)


def _shares_an_id(catalog: Catalog, products: Collection[str]) -> bool:
    return any(
        product.store_id in products or product.renamed_from in products
        for product in catalog.products.values()
    )
