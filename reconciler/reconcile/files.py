"""The stories of catalogue files: `validate`, `fmt`, `pull` and `restore`."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.catalog.files import belongs, find_files, is_defaults
from reconciler.catalog.names import name_of, names_between
from reconciler.catalog.paths import Asked, home_of, ways_below
from reconciler.catalog.read import examine_catalog, load_catalog
from reconciler.errors import UsageError
from reconciler.linting.registry import CATALOG_RULESET, Ruleset
from reconciler.model import Catalog, Finding, Product, Record, Removed
from reconciler.yamltext.findings import Findings

if TYPE_CHECKING:
    from reconciler.authoring.folder import FileChange, Folder, Left
    from reconciler.authoring.pull import CatalogEdits
    from reconciler.policy.suggest import Suggestion
    from reconciler.reconcile.store import Store
    from reconciler.settings import Settings


@dataclass(frozen=True, slots=True)
class Pulled:
    """The files that a pull would write, and the numbers of products changed, added and removed."""

    files: "tuple[FileChange, ...]"
    changed: int
    added: int
    removed: int
    warnings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class Restored:
    """The files that a restore would write, and the products in them.

    `declared` holds the products that are not restored, each with its product in the catalogue.
    """

    files: "tuple[FileChange, ...]"
    products: tuple[Removed, ...]
    declared: tuple[tuple[Removed, Product], ...] = ()
    warnings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class Examined:
    """The findings of a check, and how many products in how many files below `folders` it read."""

    findings: tuple[Finding, ...]
    products: int
    files: int
    folders: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Formatted:
    """The files that formatting would change, the number it has seen, and the errors in others.

    `left` holds the locations of parts that are not formatted, each with the reason.
    """

    files: "tuple[FileChange, ...]"
    seen: int
    errors: tuple[Finding, ...] = ()
    left: "tuple[Left, ...]" = ()


def validate(
    settings: "Settings", catalog: Path | None = None, paths: Sequence[Path] = ()
) -> tuple[Finding, ...]:
    """All findings about a catalogue, or about `paths` in it; offline.

    Without a `catalog`, of all stores. A path outside all of them is checked as a catalogue of its
    own; a path that no catalogue reads is reported by the first.
    """
    return examined(settings, catalog, paths).findings


def examined(
    settings: "Settings", catalog: Path | None = None, paths: Sequence[Path] = ()
) -> Examined:
    """What `validate` finds, and what it has read for that."""
    catalogs = _catalogs(settings, catalog)

    def elsewhere(path: Path) -> Path:
        product_file = path.is_file() and belongs(path.name) and not settings.is_made_from(path)
        alone = path.parent if product_file else catalogs[0]
        return path if path.is_dir() else alone

    found: dict[Finding, None] = {}
    files: set[str] = set()
    products = 0
    for folder, within in _shares(settings, catalogs, paths, elsewhere):
        # Stores may share a catalogue and judge it by rules of their own.
        for ruleset in _rulesets(settings, folder):
            findings, read = examine_catalog(
                folder, within or None, working_folder=settings.folder, lint=ruleset
            )
            # One fault found by two rulesets is one fault.
            found.update(dict.fromkeys(findings))
        covers = Asked(within, settings.folder).covers if within else None
        files.update(name for name in read.files if covers is None or covers(name))
        products += sum(covers is None or covers(p.file) for p in read.products.values())
    folders = tuple(name_of(path, settings.folder) for path in paths or catalogs)
    return Examined(tuple(found), products, len(files), folders)


def _rulesets(settings: "Settings", folder: Path) -> list[Ruleset]:
    """The rules of the stores whose catalogue `folder` is: one of each kind."""
    stores = [name for name in settings.stores if settings.store(name).catalog == folder]
    # By value: a hundred stores mostly have the same rules.
    own = {str((part.lint, part.policy)): part for part in map(settings.for_store, stores)}
    return [part.ruleset() for part in own.values()] or [settings.ruleset()]


def suggest_policy(settings: "Settings", catalog: Path | None = None) -> "Suggestion":
    """The rules that the products of a catalogue, or of all stores, could be held to."""
    from reconciler.policy.suggest import suggested

    folders = _catalogs(settings, catalog)
    read = (examine_catalog(folder, working_folder=settings.folder) for folder in folders)
    return suggested(found for _, found in read)


def format_files(
    settings: "Settings", catalog: Path | None = None, paths: Sequence[Path] = ()
) -> Formatted:
    """Format a catalogue's files, or `paths` in it, without writing them.

    Without a `catalog`, of all stores. Files with errors are left out, and their errors returned.
    """
    catalogs = _catalogs(settings, catalog)
    done = [
        _formatted(settings, folder, within)
        for folder, within in _shares(settings, catalogs, paths, lambda _: catalogs[0])
    ]
    # Catalogues may be nested, so a file can come up twice.
    files = {change.file: change for each in done for change in each.files}
    left = dict(part for each in done for part in each.left)
    return Formatted(
        tuple(files.values()),
        sum(each.seen for each in done),
        tuple(error for each in done for error in each.errors),
        tuple(left.items()),
    )


def _formatted(settings: "Settings", folder: Path, paths: Sequence[Path]) -> Formatted:
    from reconciler.authoring.folder import Folder

    working = settings.folder
    findings, catalog = examine_catalog(
        folder, paths or None, working_folder=working, lint=CATALOG_RULESET
    )
    errors = tuple(finding for finding in findings if finding.severity == "error")
    faulty = {finding.location.file for finding in errors if finding.location}
    if not folder.is_dir():
        return Formatted((), 0, errors)
    asked = Asked(paths, working)
    files = {
        file.name: Path(file.path)
        for file in find_files(folder, catalog.names, Findings())
        # A faulty file may be read wrongly, so its text must not be written anew.
        if file.name not in faulty and (not paths or asked.covers(file.name))
    }
    changes, left = Folder(catalog, folder, working).formatted(files)
    return Formatted(tuple(changes), len(files), errors, tuple(left))


def _catalogs(settings: "Settings", catalog: Path | None) -> list[Path]:
    """The folder of one catalogue, or of each store's."""
    if catalog is not None:
        return [settings.folder / catalog]
    return list(dict.fromkeys(settings.store(name).catalog for name in settings.stores))


def _shares(
    settings: "Settings",
    catalogs: Sequence[Path],
    paths: Sequence[Path],
    elsewhere: Callable[[Path], Path],
) -> list[tuple[Path, Sequence[Path]]]:
    """Each catalogue with its paths; `elsewhere` gives the catalogue of a path outside all.

    A folder outside all means the catalogues that are in it.
    """
    if not paths:
        return [(catalog, ()) for catalog in catalogs]
    shares: dict[Path, list[Path]] = {}
    for path in (settings.folder / path for path in paths):
        home = home_of(path, catalogs)
        # Its other files, such as those of `include`, are not products.
        inside = [] if home else [each for each in catalogs if ways_below(each, path)]
        for catalog in inside:
            shares.setdefault(catalog, []).append(catalog)
        if not inside:
            shares.setdefault(home or elsewhere(path), []).append(path)
    return list(shares.items())


def pull(store: "Store", *, into: Path | None = None, prune: bool = False) -> Pulled:
    """The state of the remote, as changes of the catalogue's files; nothing is written.

    New products go into the file `into`, or each into a file of its own. With `prune`, declared
    products that the remote lacks are removed. Raises CatalogError if the catalogue has errors, or
    if a product cannot be edited without changing another.
    """
    from reconciler.authoring.folder import Folder
    from reconciler.authoring.pull import compare_remote

    # Before the remote is asked, since a bad flag should fail at once.
    target = None if into is None else target_name(store.folder, store.catalog, into)
    with store.loading(CATALOG_RULESET) as loaded, store.listing() as listed:
        ledger = store.ledger.load()
        catalog = loaded()
        listing = listed()
    found = compare_remote(catalog, listing, ledger, store.settings.left_alone())
    records = listing.records([new.id for new in found.new]) if target is None else {}
    if not prune:
        found.gone = []
    folder = Folder(catalog, store.catalog, store.folder)
    return pulled_from(found, folder, records, target)


def pulled_from(
    found: "CatalogEdits", folder: "Folder", records: Mapping[str, Record], target: str | None
) -> Pulled:
    """The edits as changes of files; see `Folder.changed`."""
    changes = folder.changed(found, records, target)
    counts = (len(found.values), len(found.new), len(found.gone))
    return Pulled(tuple(changes), *counts, tuple(found.warnings))


def restore(
    settings: "Settings",
    removed: Sequence[Removed],
    store_ids: Sequence[str] = (),
    *,
    catalog: Path,
) -> Restored:
    """Removed products, as new files of the catalogue; nothing is written.

    Takes all of `removed` (the oldest first) that are not declared, or only those in `store_ids`,
    by store_id or remote id. Raises UnmatchedPattern for one that was not removed, and CatalogError
    if the catalogue has errors.
    """
    from reconciler.authoring.folder import Folder
    from reconciler.authoring.restore import chosen, returning

    folder = settings.folder / catalog
    if folder.is_dir():
        declared = load_catalog(folder, working_folder=settings.folder)
    else:
        # Git keeps no empty folders, so the folder is gone once its last product was removed.
        declared = Catalog({}, names=names_between(folder, settings.folder))
    found = returning(chosen(removed, store_ids), declared)
    records = {product.id: product.record for product in found.products}
    changes = Folder(declared, folder, settings.folder).added(found.new, records)
    return Restored(
        tuple(changes), tuple(found.products), tuple(found.declared), tuple(found.warnings)
    )


def target_name(working_folder: Path, catalog: Path, into: Path) -> str:
    """The name of the file for new products; UsageError if the catalogue does not read it."""
    path = Path(os.path.abspath(working_folder / into))  # noqa: PTH100  (links stay as named)
    folder = Path(os.path.abspath(catalog))  # noqa: PTH100
    below = path.relative_to(folder).as_posix() if path.is_relative_to(folder) else ""
    if not below or not belongs(below) or is_defaults(below):
        raise UsageError(
            f"The catalogue {catalog.name} does not read a file {into}.",
            hint="Name a .yaml file below its folder, without a leading dot or underscore.",
        )
    # A folder of the catalogue may be a link that leads out of it.
    if not path.parent.resolve().is_relative_to(folder.resolve()) or path.is_dir():
        raise UsageError(
            f"{into} is a folder, or lies outside the catalogue.", hint="Name another file."
        )
    return name_of(path, working_folder)
